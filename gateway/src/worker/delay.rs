//! The warning that a relayed mail has to wait (RFC 3461 §4.1, `DELAY`): once, after a configured time, if its sender
//! wants to hear of it. It leaves beside the try that failed; that it did stands in the job's own words, where people
//! read it too.

use mail::Notify;
use store::{Job, JobKind, RelayJob};

use super::{Worker, pace::until};
use crate::courier::Parcel;
use crate::letters::Outgoing;

/// Ends the reason of a job whose sender has been warned.
const WARNED: &str = "; its sender was told that it waits";

impl Worker {
    /// The words under which a failed try is written down, after its sender was warned if it is time for that.
    pub(super) async fn with_warning(&self, job: &Job, why: String) -> String {
        let warned = job.last_error.as_deref().is_some_and(|words| words.ends_with(WARNED));
        match warned || self.warn(job, &why).await {
            true => format!("{why}{WARNED}"),
            false => why,
        }
    }

    /// Whether a warning left. One that does not is tried again with the mail itself.
    async fn warn(&self, job: &Job, why: &str) -> bool {
        let JobKind::Relay(relay) = &job.kind else { return false };
        let waits = until(job.created_at, self.gateway.ledger().now());
        if !wants_warning(relay.to.notify) || waits < self.pace.delay_warning {
            return false;
        }
        let Some(warning) = self.warning(job, relay, why).await else { return false };
        let Outgoing { reverse_path, to, report, mail } = &warning;
        match self.courier.deliver(&Parcel { reverse_path, to, report, mail }).await {
            Ok(_) => true,
            Err(failure) => {
                tracing::warn!(job = %job.id, status = %failure.status, "the sender of a mail that waits cannot be told");
                false
            }
        }
    }

    async fn warning(&self, job: &Job, relay: &RelayJob, why: &str) -> Option<Outgoing> {
        let passage = self.gateway.ledger().passage(relay.passage).await.ok()??;
        match self.letters.delay(job, relay, &passage, why) {
            Ok(warning) => warning,
            Err(error) => {
                tracing::error!(job = %job.id, %error, "the warning that a mail waits cannot be made");
                None
            }
        }
    }
}

fn wants_warning(notify: Notify) -> bool {
    match notify {
        Notify::Default => true,
        Notify::Never => false,
        Notify::On { delay, .. } => delay,
    }
}
