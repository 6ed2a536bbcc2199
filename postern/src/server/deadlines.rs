//! Open deadlines after the start and after new rules: where the calendars are others than those they were reckoned by,
//! they are reckoned anew, behind the mail. Starts and stops no clock.

use std::sync::Arc;

use policies::Ruleset;
use store::{Deadline, Ledger, OpenDeadline, Reckoning};
use tokio::sync::watch;

/// Reckons every open deadline by these rules, unless that was done. What is cut off is gone on with at the next start.
pub(super) async fn reckon_anew(ledger: Ledger, rules: Arc<Ruleset>, mut stop: watch::Receiver<bool>) {
    let edition = rules.clock_edition();
    let done = tokio::select! {
        done = ledger.recompute_deadlines(&edition, |open| reckoned(&rules, open)) => done,
        _ = stop.wait_for(|stops| *stops) => return,
    };
    match done {
        Ok(done) if done.cases > 0 => {
            tracing::info!(
                cases = done.cases,
                open = done.open,
                moved = done.moved,
                "deadlines reckoned anew"
            );
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "open deadlines could not be reckoned by the new calendars"),
    }
}

/// The response time that was promised counts, whatever the catalogue says by now.
fn reckoned(rules: &Ruleset, open: OpenDeadline<'_>) -> Option<Deadline> {
    let due = match open.working_days {
        Some(days) => rules.due_within(open.process, days, open.since),
        None => rules.due(open.process, open.contact_type, open.since),
    }?;
    let reckoning = Reckoning { since: due.received, working_days: due.working_days, calendar: due.calendar };
    let warn_at = rules.warns_at(open.process, due.at);
    Some(Deadline { at: due.at, reason: due.reason, reckoning: Some(reckoning), warn_at })
}
