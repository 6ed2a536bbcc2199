//! Requests about cases: what an administrator may see of them, which is everything but content.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use mail::{GroupId, ProcessId};
use policies::RulesHash;
use store::{Addressed, AppPasswordId, Authentication, Case, Directory, MessageRecord, Proof, Side, UserId};

use super::Desk;
use super::rows::{AuthenticationRow, CaseDetail, CaseRow, DueRow, MessageRow, SideRow};

impl Desk {
    /// The `limit` cases with the latest messages, of all groups and processes or of the given ones.
    pub(super) async fn cases(
        &self,
        group: Option<GroupId>,
        process: Option<ProcessId>,
        limit: usize,
    ) -> anyhow::Result<Vec<CaseRow>> {
        let directory = self.ledger.directory();
        if let Some(group) = group.as_ref().filter(|group| directory.group(group).is_none()) {
            bail!("there is no group {group}; `postern directory list` shows all");
        }
        let rules = self.rules.now();
        let catalogue = rules.catalogue();
        if let Some(process) = process.as_ref().filter(|process| catalogue.process(process).is_none()) {
            let ids: Vec<_> = catalogue.processes().map(|process| process.id.as_str()).collect();
            bail!("there is no process {process}; known: {}", ids.join(", "));
        }
        let groups = directory.groups().map(|known| known.id.clone());
        let groups: Vec<_> = group.map_or_else(|| groups.collect(), |group| vec![group]);
        let processes = catalogue.processes().map(|known| known.id.clone());
        let processes: Vec<_> = process.map_or_else(|| processes.collect(), |process| vec![process]);
        let mut found = BTreeMap::new();
        for group in &groups {
            for process in &processes {
                let page = self.ledger.cases(group, process, None, limit).await?;
                found.extend(page.cases.into_iter().map(|case| (case.id, case)));
            }
        }
        let mut cases: Vec<Case> = found.into_values().collect();
        cases.sort_by_key(|case| std::cmp::Reverse((case.last_message_at, case.id)));
        cases.truncate(limit);
        Ok(cases.iter().map(|case| case_row(case, &directory)).collect())
    }

    pub(super) async fn case(&self, reference: &str) -> anyhow::Result<CaseDetail> {
        let case = self.find(reference).await?;
        let directory = self.ledger.directory();
        let items = self
            .ledger
            .messages(case.id)
            .await?
            .iter()
            .map(|message| message_row(message, &directory))
            .collect();
        let mut notices = Vec::new();
        for job in self.ledger.notices(case.id).await? {
            notices.push(super::rows::JobRow { standing: "sent".to_owned(), ..self.job_row(job).await? });
        }
        Ok(CaseDetail { case: case_row(&case, &directory), items, notices })
    }

    pub(super) async fn find(&self, reference: &str) -> anyhow::Result<Case> {
        let parsed = reference.parse()?;
        let case = self.ledger.case_by_reference(&parsed).await?;
        case.with_context(|| format!("there is no case {parsed}; `postern case list` shows the latest"))
    }
}

fn case_row(case: &Case, directory: &Directory) -> CaseRow {
    CaseRow {
        reference: case.reference.to_string(),
        process: case.process.to_string(),
        contact_type: case.contact_type.to_string(),
        opened_at: case.opened_at.to_string(),
        last_message_at: case.last_message_at.to_string(),
        messages: case.messages,
        state: state(case),
        due: case.due.as_ref().map(|due| DueRow {
            at: due.at.to_string(),
            side: due.side.to_string(),
            reason: due.reason.clone(),
        }),
        sides: case.sides.iter().map(|side| side_row(side, directory)).collect(),
    }
}

/// `awaiting them`, as the side that opened it reads it; `archived`, whoever looks.
fn state(case: &Case) -> String {
    let initiator = case.sides.iter().find(|side| side.initiator);
    initiator.map(|side| case.state(&side.group).as_str().to_owned()).unwrap_or_default()
}

fn side_row(side: &Side, directory: &Directory) -> SideRow {
    let owner = side.owner.and_then(|owner| directory.user(&owner));
    SideRow {
        group: side.group.to_string(),
        participant: side.participant.to_string(),
        initiator: side.initiator,
        contact: side.contact.to_string(),
        owner: owner.map(|user| user.email.to_string()),
        seen_at: side.seen_at.map(|at| at.to_string()),
    }
}

fn authentication_row(checks: &Authentication) -> AuthenticationRow {
    let Authentication { spf, dkim, dmarc, arc, domain: _, addressed } = checks;
    let word = |result: &store::AuthResult| result.as_str().to_owned();
    let recipient = addressed.map(|addressed| match addressed {
        Addressed::Named => "named".to_owned(),
        Addressed::Unnamed => "unnamed".to_owned(),
    });
    AuthenticationRow { spf: word(spf), dkim: word(dkim), dmarc: word(dmarc), arc: word(arc), recipient }
}

/// Who logged in, and with which app password, as far as they are still there.
fn login(user: &UserId, app: Option<&AppPasswordId>, directory: &Directory) -> String {
    let who = directory.user(user).map_or_else(|| user.to_string(), |user| user.email.to_string());
    let known = |id: &AppPasswordId| directory.app_passwords(user).find(|known| known.id == *id);
    match app {
        Some(id) => {
            let name = known(id).map_or_else(|| id.to_string(), |known| known.name.clone());
            format!("login {who} by app password {name}")
        }
        None => format!("login {who}"),
    }
}

fn message_row(message: &MessageRecord, directory: &Directory) -> MessageRow {
    MessageRow {
        id: message.id.to_string(),
        from: message.from_group.to_string(),
        received_at: message.received_at.to_string(),
        size: message.size,
        proof: match &message.proof {
            Proof::Login(user, app) => login(user, app.as_ref(), directory),
            Proof::Session(user) => format!("portal, {}", login(user, None, directory)),
            Proof::Certificate(fingerprint) => match directory.certificate(fingerprint) {
                Some(certificate) => format!("certificate {}", certificate.name),
                None => "certificate".to_owned(),
            },
            Proof::Network => "network".to_owned(),
            Proof::Domain(domain) => format!("domain {domain}"),
            Proof::Connector(name) => format!("connector {name}"),
            Proof::Polled(name) => format!("polled mailbox {name}"),
        },
        authentication: message.authentication.as_ref().map(authentication_row),
        class: message.class.map(|class| class.to_string()),
        automatic: message.automatic,
        scan: message.scan.to_string(),
        decided_by: message.decided_by.clone(),
        signal: message.decision.as_ref().map(|decision| decision.signal.clone()),
        rules: message.decision.as_ref().map(|decision| RulesHash::from(decision.rules).to_string()),
    }
}
