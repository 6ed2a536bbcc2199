//! One try of one job, from what it names to what became of it.

use store::{Job, JobKind, Outcome, RelayJob};

use super::Worker;
use crate::{
    courier::{Delivered, Failure, Lasting, Parcel},
    guard::{self, Found, Stopped},
    letters::{LetterError, Outgoing},
    placement,
};

/// Why there is no mail to send.
enum Obstacle {
    /// Nothing is left to say.
    Needless,
    /// It may be there later.
    Later(String),
    /// It never will be.
    Never(String),
    /// The guard found what may not leave.
    Stopped(String, Found),
}

impl Worker {
    pub(super) async fn attempt(&self, job: &Job) -> Outcome {
        let outgoing = match self.outgoing(job).await {
            Ok(outgoing) => outgoing,
            Err(obstacle) => return self.not_sent(job, obstacle).await,
        };
        // The last moment: what has begun is not cut off, because half a dialogue may be a whole mail.
        match self.gateway.ledger().is_stopped(job).await {
            Ok(false) => {}
            Ok(true) => return Outcome::Stopped,
            Err(error) => return self.not_sent(job, Obstacle::Later(error.to_string())).await,
        }
        let Outgoing { reverse_path, to, report, mail } = &outgoing;
        match self.courier.deliver(&Parcel { reverse_path, to, report, mail }).await {
            Ok(delivered) => sent(job, &delivered),
            Err(failure) => self.failed(job, &failure).await,
        }
    }

    async fn outgoing(&self, job: &Job) -> Result<Outgoing, Obstacle> {
        match &job.kind {
            JobKind::Relay(relay) => self.passage(relay).await,
            JobKind::Notice(_)
            | JobKind::Receipt(_)
            | JobKind::Digest(_)
            | JobKind::Report(_)
            | JobKind::Held(_)
            | JobKind::Link(_)
            | JobKind::Case(_)
            | JobKind::Alert(_)
            | JobKind::AlertDigest(_)
            | JobKind::Idle(_) => match self.letters.finish(job).await {
                Ok(Some(outgoing)) => Ok(outgoing),
                Ok(None) => Err(Obstacle::Needless),
                Err(LetterError::Leak(leak)) => Err(Obstacle::Stopped(leak.to_string(), leak.0)),
                Err(error) if error.may_pass() => Err(Obstacle::Later(error.to_string())),
                Err(error) => Err(Obstacle::Never(error.to_string())),
            },
        }
    }

    async fn passage(&self, relay: &RelayJob) -> Result<Outgoing, Obstacle> {
        let found = self.gateway.ledger().passage(relay.passage).await;
        let found = found.map_err(|error| Obstacle::Later(error.to_string()))?;
        let passage = found.ok_or(Obstacle::Needless)?;
        let recipient = placement::recipient(&self.gateway, &relay.group, &relay.to.address).await;
        let recipient = recipient.map_err(|refusal| Obstacle::Later(format!("{refusal:?}")))?;
        let directory = self.gateway.ledger().directory();
        let mail = guard::clear_passage(
            &self.gateway.rules(),
            recipient,
            &passage,
            &directory,
            self.gateway.documents(),
        )
        .await;
        let mail = mail.map_err(|stopped| match stopped {
            Stopped::NotAllowed => Obstacle::Stopped(stopped.to_string(), Found::default()),
            Stopped::Busy => Obstacle::Later(stopped.to_string()),
            Stopped::Unreadable(error) => Obstacle::Later(error.to_string()),
        })?;
        let (reverse_path, report) = (passage.envelope.reverse_path, passage.envelope.report);
        Ok(Outgoing { reverse_path, to: relay.to.clone(), report, mail })
    }

    async fn not_sent(&self, job: &Job, obstacle: Obstacle) -> Outcome {
        let kind = job.kind.as_str();
        match obstacle {
            Obstacle::Needless => Outcome::Needless,
            Obstacle::Later(reason) => {
                tracing::error!(job = %job.id, kind, %reason, "a mail cannot be made now");
                self.again(job, format!("4.3.0 {reason}"))
            }
            Obstacle::Never(reason) => {
                tracing::error!(job = %job.id, kind, %reason, "a mail cannot be made");
                Outcome::Abandoned(format!("5.3.0 {reason}"))
            }
            Obstacle::Stopped(reason, found) => {
                tracing::error!(job = %job.id, kind, %found, "ALARM: the guard stopped a mail at the door");
                self.raise_alarm(job, &found).await;
                Outcome::Abandoned(format!("5.7.1 {reason}"))
            }
        }
    }

    /// A mail got as far as the door that should not have: whoever runs this gateway has to know, and who was to get it.
    async fn raise_alarm(&self, job: &Job, found: &Found) {
        if let Err(error) = self.gateway.ledger().raise_alarm(job, &found.0).await {
            tracing::error!(job = %job.id, %error, "the alarm about a stopped mail could not be written down");
        }
    }

    async fn failed(&self, job: &Job, failure: &Failure) -> Outcome {
        let (id, kind) = (job.id, job.kind.as_str());
        match failure.lasting {
            Lasting::Permanent => {
                tracing::error!(job = %id, kind, status = %failure.status, "a mail is refused; see `postern queue show`");
                Outcome::Abandoned(failure.to_string())
            }
            Lasting::Temporary => {
                tracing::warn!(job = %id, kind, attempt = job.attempts, status = %failure.status, "a mail has to wait");
                self.again(job, failure.to_string())
            }
        }
    }

    pub(super) fn again(&self, job: &Job, reason: String) -> Outcome {
        let now = self.gateway.ledger().now();
        match self.pace.next_try(job, now) {
            Some(due) if self.pace.is_late(job, now) => Outcome::Late(due, reason),
            Some(due) => Outcome::Again(due, reason),
            None => Outcome::Expired(reason),
        }
    }
}

fn sent(job: &Job, delivered: &Delivered) -> Outcome {
    tracing::info!(job = %job.id, kind = job.kind.as_str(), host = %delivered.host, attempt = job.attempts, "mail sent");
    match (&job.kind, delivered.reports) {
        (JobKind::Relay(_), false) => Outcome::Unreported,
        _ => Outcome::Done,
    }
}
