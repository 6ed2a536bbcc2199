//! What must be cleared away from time to time: content of mails that never arrived whole, sessions that are over, held
//! mail that nobody decided on, marks, counts and tasks that nobody needs any more. A little at a time.

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
const EVENTS: usize = 1_000;

/// For how long things are kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keeping {
    /// After that held mail goes back.
    pub(super) return_after: Duration,
    /// Counts of reports.
    pub(super) report_months: u32,
    /// How long a draft is kept that nobody goes on with.
    pub(super) drafts_kept: Duration,
}

struct House {
    ledger: Ledger,
    keeping: Keeping,
    marks: SweepPlace,
}

/// Sweeps until `stop` turns true.
pub(super) async fn run(ledger: Ledger, keeping: Keeping, mut stop: watch::Receiver<bool>) {
    let mut house = House { ledger, keeping, marks: SweepPlace::default() };
    let pause = PAUSE.min(keeping.return_after).max(SHORTEST);
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
        told("sign-ins that went no further removed", self.ledger.sweep_entries().await);
        told("API tokens that are over removed", self.ledger.sweep_api_tokens().await);
        told("passkey ceremonies that nobody finished removed", self.ledger.sweep_ceremonies().await);
        told("links that are over removed", self.ledger.sweep_links().await);
        told("recalls of released mails carried out", self.ledger.finish_recalls().await);
        told(
            "held mails returned undecided",
            self.ledger.expire_held(self.keeping.return_after, MAILS).await,
        );
        told("participants moved to another group", self.ledger.move_participants().await);
        told("files of people forgotten", self.ledger.sweep_imports().await);
        told("idle users suspended", self.ledger.sweep_idle_users().await);
        told("old drafts removed", self.ledger.sweep_drafts(self.keeping.drafts_kept).await);
        told("old tasks closed", self.ledger.close_old_tasks(KEPT, TASKS).await);
        told("old counts of shadow mode removed", self.ledger.sweep_shadow_counts().await);
        told("counts of deadlines long past removed", self.ledger.sweep_case_counts().await);
        told("old counts of reports removed", self.ledger.sweep_reports(self.keeping.report_months).await);
        told("old lists of notices removed", self.ledger.sweep_sent_notices().await);
        told("old marks of running removed", self.ledger.sweep_uptime().await);
        told("events of an earlier release indexed", self.index_trail().await);
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

impl House {
    async fn index_trail(&self) -> Result<usize, StoreError> {
        let mut all = 0;
        loop {
            match self.ledger.index_trail(EVENTS).await? {
                0 => return Ok(all),
                some => all += some,
            }
        }
    }
}

/// Marks every minute in which this node runs, until `stop` turns true: what availability is reckoned from.
pub(super) async fn beat(ledger: Ledger, mut stop: watch::Receiver<bool>) {
    const PAUSE: Duration = Duration::from_secs(20);
    loop {
        if let Err(error) = ledger.mark_alive().await {
            tracing::warn!(%error, "this minute is not marked as one in which Postern ran");
        }
        tokio::select! {
            _ = stop.wait_for(|stops| *stops) => return,
            () = tokio::time::sleep(PAUSE) => {}
        }
    }
}

fn told(what: &str, done: Result<usize, StoreError>) {
    match done {
        Ok(0) => {}
        Ok(count) => tracing::info!(count, "{what}"),
        Err(error) => tracing::warn!(%error, "not done: {what}"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use certs::RootKey;
    use jiff::{SignedDuration, Timestamp};
    use store::{
        Actor, DirectoryChange, Group, Observation, Receipts, Tally,
        sqlite::{Options, Sqlite},
    };

    use super::*;

    #[tokio::test]
    async fn counts_of_shadow_mode_go_when_nobody_compares_them_any_more() {
        certs::install_provider();
        let start: Timestamp = "2026-06-01T10:00:00Z".parse().unwrap();
        let now = Arc::new(Mutex::new(start));
        let read = Arc::clone(&now);
        let clock = Box::new(move || *read.lock().unwrap());
        let root = Arc::new(RootKey::generate().unwrap());
        let folder = tempfile::tempdir().unwrap();
        let engine = Arc::new(Sqlite::open(folder.path(), Options::default()).unwrap());
        let ledger = Ledger::open_with_clock(engine, root, clock).await.unwrap();
        let group = Group {
            domains: vec!["alpha.example".to_owned()],
            receipts: Receipts::Off,
            ..Group::new("alpha".parse().unwrap(), "Alpha".to_owned())
        };
        let alpha = group.id.clone();
        ledger.change_directory(&Actor::Tool, vec![DirectoryChange::Group(group)]).await.unwrap();
        let tally = Tally::Verdict { verdict: "hold".to_owned(), rule: "some-rule".to_owned() };
        let mail = Observation { group: alpha, tallies: vec![tally] };
        assert!(ledger.observe(&mail, &[1; 32]).await.unwrap());
        let day = "2026-06-01".parse().unwrap();
        let counted = async || ledger.shadow_report(None, (day, day)).await.unwrap().counts.len();
        let mut house = House {
            ledger: ledger.clone(),
            keeping: Keeping { return_after: AGE, report_months: 25, drafts_kept: KEPT },
            marks: SweepPlace::default(),
        };
        house.clear().await;
        assert_eq!(counted().await, 1);
        *now.lock().unwrap() = start.saturating_add(SignedDuration::from_hours(500 * 24)).unwrap();
        house.clear().await;
        assert_eq!(counted().await, 0);
        assert!(ledger.observe(&mail, &[1; 32]).await.unwrap(), "its mark is gone too");
    }
}
