//! What must be cleared away from time to time: content of mails that never arrived whole, sessions that are over.

use std::time::Duration;

use store::Ledger;
use tokio::sync::watch;

/// Longer than any mail may take to arrive (`data_total` of the listeners).
const AGE: Duration = Duration::from_hours(6);
const PAUSE: Duration = Duration::from_mins(10);

/// Sweeps until `stop` turns true.
pub(super) async fn run(ledger: Ledger, mut stop: watch::Receiver<bool>) {
    loop {
        match ledger.sweep_arriving(AGE).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "content of unfinished mails removed"),
            Err(error) => tracing::warn!(%error, "unfinished mails could not be removed"),
        }
        if let Err(error) = ledger.sweep_sessions().await {
            tracing::warn!(%error, "sessions that are over could not be removed");
        }
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}
