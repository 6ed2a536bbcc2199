//! What an administrator asks first: does it work, what waits, what needs somebody.

use certs::expiry;
use jiff::Timestamp;
use policies::Standing;
use store::{ClientCertificate, PollReport, PollStanding, Task, TaskKind};

use super::Desk;
use super::rows::{EndingRow, Health, PollRow, TaskRow};

impl Desk {
    pub(crate) async fn health(&self) -> anyhow::Result<Health> {
        let (waiting, abandoned) = self.ledger.count_jobs().await?;
        let now = self.ledger.now();
        let directory = self.ledger.directory();
        Ok(Health {
            ready: self.broken().is_none(),
            durable: self.ledger.durable(),
            waiting,
            abandoned,
            holds: self.queue_holds().await?,
            polls: self.ledger.poll_reports().await?.into_iter().map(poll).collect(),
            tasks: self.ledger.all_tasks().await?.into_iter().map(task).collect(),
            alarms: self.ledger.alarms().await?,
            ending: directory.certificates().filter_map(|certificate| ending(certificate, now)).collect(),
            rules: self.rules.now().hash().to_string(),
            refused_rules: self.rules.refused().map(|reason| reason.to_string()),
            tried_rules: self.tried.as_ref().map(|tried| tried.now().hash().to_string()),
            refused_tried_rules: self
                .tried
                .as_ref()
                .and_then(Standing::refused)
                .map(|reason| reason.to_string()),
        })
    }
}

fn poll(report: PollReport) -> PollRow {
    PollRow {
        name: report.name,
        group: report.group.to_string(),
        standing: match report.standing {
            PollStanding::Running => "running",
            PollStanding::Waiting => "waiting",
            PollStanding::Stopped => "stopped",
        }
        .to_owned(),
        since: report.since.to_string(),
        taken: report.taken,
        left: report.left,
        last_taken_at: report.last_taken_at.map(|at| at.to_string()),
        last_error: report.last_error,
    }
}

fn task(task: Task) -> TaskRow {
    TaskRow {
        id: task.id.to_string(),
        group: task.group.map(|group| group.to_string()),
        what: in_words(&task.kind),
        since: task.since.to_string(),
        count: task.count,
    }
}

fn in_words(kind: &TaskKind) -> String {
    match kind {
        TaskKind::MailboxBounces { address, status } => format!("mail to {address} bounces ({status})"),
        TaskKind::NoticeGivenUp { address } => format!("notices to {address} were given up"),
        TaskKind::MailGivenUp { kind, address } => format!("a {kind} to {address} was given up"),
        TaskKind::PollingStopped { mailbox } => format!("the mailbox {mailbox} cannot be read"),
        TaskKind::CertificateExpires { name } => format!("the certificate {name} ends soon"),
        TaskKind::DomainGivenUp { kind, domain } => format!("a {kind} to {domain} was given up"),
        TaskKind::RungUnmapped { participant, process, contact_type } => {
            format!(
                "{participant} has no mailbox for {contact_type} of {process}, to which a case was escalated"
            )
        }
        TaskKind::MailHeld => "mail waits for the compliance role".to_owned(),
        TaskKind::StoppedAtDoor { kind, found } => {
            let found = if found.is_empty() { "not allowed any more" } else { found.as_str() };
            format!("ALARM: the guard stopped a {kind} at the door ({found}); see `postern queue list`")
        }
        TaskKind::UserIdle { user } => format!("the user {user} has not signed in for long"),
        TaskKind::UserSuspended { user } => format!("the user {user} was suspended: no sign-in for 90 days"),
        TaskKind::LastMauIdle { group } => {
            format!("nobody who administers the group {group} signs in any more")
        }
        TaskKind::ParticipantMoves { mpid, from } => {
            format!("the participant {mpid} changes its group on {from}")
        }
    }
}

fn ending(certificate: &ClientCertificate, now: Timestamp) -> Option<EndingRow> {
    expiry::warning(certificate.not_after, now.as_second()).map(|_| EndingRow {
        name: certificate.name.clone(),
        group: Some(certificate.group.to_string()),
        until: Timestamp::from_second(certificate.not_after).unwrap_or(Timestamp::MAX).to_string(),
    })
}
