//! What must be cleared away from time to time: content of mails that never arrived whole, sessions that are over, held
//! mail that nobody decided on, marks and tasks that nobody needs any more. A little at a time.

use std::time::Duration;

use store::{KEPT, Ledger, StoreError, SweepPlace};
use tokio::sync::watch;

/// Longer than any mail may take to arrive (`data_total` of the listeners).
const AGE: Duration = Duration::from_hours(6);
const PAUSE: Duration = Duration::from_mins(10);
/// The longest time that may pass before what is over is seen to be.
const SHORTEST: Duration = Duration::from_secs(1);

/// Done in one round; the rest in the next.
const MAILS: usize = 500;
const TASKS: usize = 500;
const MARKS: usize = 10_000;

struct House {
    ledger: Ledger,
    return_after: Duration,
    marks: SweepPlace,
}

/// Sweeps until `stop` turns true. Held mail goes back after `return_after`.
pub(super) async fn run(ledger: Ledger, return_after: Duration, mut stop: watch::Receiver<bool>) {
    let mut house = House { ledger, return_after, marks: SweepPlace::default() };
    let pause = PAUSE.min(return_after).max(SHORTEST);
    loop {
        house.clear().await;
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

impl House {
    async fn clear(&mut self) {
        told("content of unfinished mails removed", self.ledger.sweep_arriving(AGE).await);
        if let Err(error) = self.ledger.sweep_sessions().await {
            tracing::warn!(%error, "sessions that are over could not be removed");
        }
        told("held mails returned undecided", self.ledger.expire_held(self.return_after, MAILS).await);
        told("old tasks closed", self.ledger.close_old_tasks(KEPT, TASKS).await);
        let swept = self.ledger.sweep_marks(std::mem::take(&mut self.marks), MARKS).await;
        told(
            "marks of old mails removed",
            swept.map(|(count, place)| {
                self.marks = place;
                count
            }),
        );
    }
}

fn told(what: &str, done: Result<usize, StoreError>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what}"),
        Err(error) => tracing::warn!(%error, "not done: {what}"),
    }
}
