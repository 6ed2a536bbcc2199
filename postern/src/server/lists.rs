//! Cases of an earlier release are put into the lists behind the mail, once. Decides nothing about them.

use store::Ledger;
use tokio::sync::watch;

/// Puts every case into the lists, unless that was done. What is cut off is gone on with at the next start.
pub(super) async fn make(ledger: Ledger, mut stop: watch::Receiver<bool>) {
    let made = tokio::select! {
        made = ledger.make_lists() => made,
        _ = stop.wait_for(|stops| *stops) => return,
    };
    match made {
        Ok(0) => {}
        Ok(cases) => tracing::info!(cases, "cases of an earlier release are in the lists now"),
        Err(error) => {
            tracing::warn!(%error, "cases of an earlier release are in no list yet; start Postern again")
        }
    }
}
