//! What pollers ask of the rest of Postern: a sink on the message path, and a memory in the ledger.

use jiff::Timestamp;
use mail::Envelope;
use store::{Actor, PollReport, PollStanding, PollState, StoreError, TaskKind};

use crate::{
    arrival::Arrival,
    gateway::refused,
    guards::Guards,
    imap::{Fault, Intake, Mailbox, Polled, Report, Saved, Standing, State},
    incoming::Incoming,
    sender::Vouching,
    smtp::Refusal,
};

impl Guards {
    /// A mailbox that can be read again needs nobody any more.
    async fn mended(&self, mailbox: &Mailbox) {
        let ledger = self.0.ledger();
        let kind = TaskKind::PollingStopped { mailbox: mailbox.name.clone() };
        let closed = async {
            for task in ledger.tasks(Some(&mailbox.group)).await? {
                if task.kind == kind {
                    ledger.close_task(&Actor::Gateway, Some(&mailbox.group), task.id).await?;
                }
            }
            Ok::<(), StoreError>(())
        };
        if let Err(error) = closed.await {
            tracing::warn!(%error, "the task of a mailbox that can be read again stays open");
        }
    }
}

impl Intake for Guards {
    type Delivery = Incoming;

    fn now(&self) -> Timestamp {
        self.0.ledger().now()
    }

    async fn open(&self, from: &Polled, envelope: Envelope, _: u64) -> Result<Incoming, Refusal> {
        let directory = self.0.ledger().directory();
        if directory.mailbox(&from.address).is_none_or(|mapped| mapped.group != from.group) {
            // Somebody may map it yet; until then its mail stays where it is.
            return Err(Refusal::Unavailable(
                "the mailbox is not mapped to a process of its group".to_owned(),
            ));
        }
        let arrival = Arrival::over_imap(self.0.ledger().now());
        Incoming::open(&self.0, Vouching::Mailbox(from.clone()), arrival, envelope)
    }

    async fn saved(&self, mailbox: &Mailbox) -> Result<Option<Saved>, Refusal> {
        let ledger = self.0.ledger();
        let state = ledger.poll_state(&mailbox.name).await.map_err(|error| refused(&error))?;
        let reports = ledger.poll_reports().await.map_err(|error| refused(&error))?;
        let report = reports.into_iter().find(|report| report.name == mailbox.name);
        Ok(report.map(|report| Saved {
            state: state.map(|state| State { uid_validity: state.uid_validity, last_uid: state.last_uid }),
            report: Report {
                standing: Standing::Connecting,
                since: ledger.now(),
                taken: report.taken,
                left: report.left,
                last_taken_at: report.last_taken_at,
            },
        }))
    }

    async fn save(&self, mailbox: &Mailbox, saved: Saved) -> Result<(), Refusal> {
        let Saved { state, report } = saved;
        let (standing, last_error) = match report.standing {
            Standing::Connecting | Standing::Watching | Standing::Working => (PollStanding::Running, None),
            Standing::Waiting { fault, .. } if fault.needs_somebody() => {
                (PollStanding::Stopped, Some(fault.to_string()))
            }
            Standing::Waiting { fault, .. } => (PollStanding::Waiting, Some(fault.to_string())),
        };
        if report.standing == Standing::Watching {
            self.mended(mailbox).await;
        }
        let state =
            state.map(|state| PollState { uid_validity: state.uid_validity, last_uid: state.last_uid });
        let report = PollReport {
            name: mailbox.name.clone(),
            group: mailbox.group.clone(),
            standing,
            since: report.since,
            taken: report.taken,
            left: report.left,
            last_taken_at: report.last_taken_at,
            last_error,
        };
        self.0.ledger().save_poll(state, &report).await.map_err(|error| refused(&error))
    }

    async fn stopped(&self, mailbox: &Mailbox, fault: Fault) {
        tracing::error!(mailbox = mailbox.name, %fault, "a mailbox cannot be polled; somebody has to look");
        let kind = TaskKind::PollingStopped { mailbox: mailbox.name.clone() };
        let raised = self.0.ledger().raise_task(&Actor::Gateway, Some(&mailbox.group), kind, None).await;
        if let Err(error) = raised {
            tracing::error!(%error, "and nobody could be told in the portal");
        }
    }
}
