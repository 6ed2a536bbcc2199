//! What becomes due in cases: warnings of deadlines, escalations that become possible, content whose retention time is over. The
//! ledger knows what is due; the rules say how long a process keeps its content and whether there is a next rung.

use std::time::Duration;

use jiff::SignedDuration;
use mail::{ContactType, ProcessId};
use policies::{Process, Ruleset, Standing};
use store::{Ledger, Retention, StoreError};
use tokio::sync::watch;

const PAUSE: Duration = Duration::from_secs(60);
/// Cases in one round; the rest in the next.
const CASES: usize = 500;
/// How long before the content goes its owners are told; half the time it is kept, where that is shorter.
const WARNED: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Runs until `stop` turns true.
pub(super) async fn run(ledger: Ledger, rules: Standing, mut stop: watch::Receiver<bool>) {
    loop {
        if let Err(error) = round(&ledger, &rules.now()).await {
            tracing::warn!(%error, "what became due in cases could not be done; it is tried again");
        }
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

async fn round(ledger: &Ledger, rules: &Ruleset) -> Result<(), StoreError> {
    let climbs = |process: &ProcessId, rung: &ContactType| {
        rules.catalogue().process(process).is_some_and(|process| process.above(rung).is_some())
    };
    let told = ledger.run_case_timers(CASES, climbs).await?;
    let mut rested = 0;
    for process in rules.catalogue().processes() {
        rested += ledger.run_retention(&retention(process), CASES).await?;
    }
    if told + rested > 0 {
        tracing::info!(told, rested, "what became due in cases");
    }
    Ok(())
}

fn retention(process: &Process) -> Retention {
    let kept = SignedDuration::from_hours(24 * i64::from(process.retention_days));
    Retention { process: process.id.clone(), kept, warned: WARNED.min(kept / 2) }
}
