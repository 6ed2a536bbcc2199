//! What reports read: counters of messages, owners and answers, moved in the commit that changes the case. Additions commute,
//! so that no change waits for another's count. A count has no content: ids of groups, processes, rungs and users.
//!
//! A month's rows are: acts (sent, received, assigned, answers by working days, deadlines that passed, escalations), clocks
//! that run by the day they end, and cases by the months in which they were opened and ended. Months and days are UTC.

mod reading;
mod row;

use std::collections::BTreeMap;

use jiff::Timestamp;
use mail::{GroupId, ProcessId};

use crate::{
    cases::{Case, Due},
    engine::Changeset,
    ids::UserId,
    ledger::Ledger,
};
pub use reading::{ReportLine, ReportMonth};
pub use row::{Measure, ReportOf};
use row::{Shelf, row_key};

/// Counts the working days from when a question counts as received to when it was answered, by the calendar of the process;
/// `None` where there is none.
pub type WorkingDays = Box<dyn Fn(&ProcessId, Timestamp, Timestamp) -> Option<u32> + Send + Sync>;

/// Answers that took longer are counted as this many working days: a year.
pub const MOST_DAYS: u16 = 260;

/// A person's word that comes with a change of a case.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<'a> {
    pub(crate) from: &'a GroupId,
    pub(crate) author: Option<UserId>,
}

impl Ledger {
    /// From now on working days are counted by this; until then answers are counted without.
    pub fn count_days_by(&self, days: WorkingDays) {
        self.set_working_days(days);
    }

    /// Counts what a change made of a case: with it, or not at all.
    pub(crate) fn count_change(
        &self,
        before: Option<&Case>,
        after: &Case,
        word: Option<Word<'_>>,
        changes: &mut Changeset,
    ) {
        let now = self.now();
        let mut tally = Tally { now, changes };
        if let Some(word) = word {
            tally.word(after, word);
        }
        tally.owners(before, after);
        if let Some(before) = before {
            if let (Some(due), true) = (&before.due, stops(before, after)) {
                let answered = word.filter(|word| *word.from == due.side && after.due.is_none());
                let days = answered.and_then(|_| self.days_to_answer(before, due, now));
                tally.stopped(before, due, answered, days);
            }
            if after.climbs.len() > before.climbs.len() {
                tally.escalated(before);
            }
        }
    }

    fn days_to_answer(&self, case: &Case, due: &Due, now: Timestamp) -> Option<u16> {
        let since = due.reckoning.as_ref()?.since;
        let days = self.working_days()?(&case.process, since, now)?;
        Some(u16::try_from(days).unwrap_or(MOST_DAYS).min(MOST_DAYS))
    }
}

/// The clock that ran runs no more: it stands, or another began. One that only moved by a changed calendar is the same.
fn stops(before: &Case, after: &Case) -> bool {
    before.due.is_some() && (after.due.is_none() || after.climbs.len() > before.climbs.len())
}

struct Tally<'a> {
    now: Timestamp,
    changes: &'a mut Changeset,
}

impl Tally<'_> {
    fn add(&mut self, shelf: Shelf, group: &GroupId, month: ReportMonth, of: &ReportOf, by: i64) {
        self.changes.add.push((row_key(shelf, group, month, of), by));
    }

    fn act(&mut self, case: &Case, group: &GroupId, user: Option<UserId>, measure: Measure) {
        let month = ReportMonth::of(self.now);
        if let Some(of) = about(case, group, user, measure) {
            self.add(Shelf::Acts, group, month, &of, 1);
        }
    }

    fn word(&mut self, case: &Case, word: Word<'_>) {
        for side in &case.sides {
            match side.group == *word.from {
                true => self.act(case, &side.group, word.author, Measure::Sent),
                false => self.act(case, &side.group, None, Measure::Received),
            }
        }
    }

    fn owners(&mut self, before: Option<&Case>, after: &Case) {
        for side in &after.sides {
            let earlier = before.and_then(|case| case.side(&side.group)).and_then(|side| side.owner);
            if side.owner.is_some() && side.owner != earlier {
                self.act(after, &side.group, side.owner, Measure::Assigned);
            }
        }
    }

    fn stopped(&mut self, case: &Case, due: &Due, answered: Option<Word<'_>>, days: Option<u16>) {
        let late = self.now > due.at;
        if let Some(word) = answered {
            self.act(case, &due.side, word.author, Measure::Answered { late, days });
        }
        if late && let Some(of) = about(case, &due.side, None, Measure::Passed) {
            self.add(Shelf::Acts, &due.side, ReportMonth::of(due.at), &of, 1);
        }
    }

    fn escalated(&mut self, before: &Case) {
        let initiators: Vec<_> = before.sides.iter().filter(|side| side.initiator).collect();
        for side in initiators {
            self.act(before, &side.group, None, Measure::Escalated);
        }
    }
}

/// Counts how a case stands: the clock that runs by the day on which it ends, and that it is open, by the months in which it
/// was opened and ended. Follows from the case alone; one that an earlier release wrote is counted when it comes into the lists.
fn gauges(case: &Case) -> Vec<(Vec<u8>, i64)> {
    let mut rows = Vec::new();
    if case.lists == 0 {
        return rows;
    }
    if let Some(due) = &case.due
        && let Some(of) = about(case, &due.side, None, Measure::Running { day: day_of_month(due.at) })
    {
        rows.push((row_key(Shelf::Acts, &due.side, ReportMonth::of(due.at), &of), 1));
    }
    for side in &case.sides {
        let Some(of) = about(case, &side.group, None, Measure::Open) else { continue };
        let row = |at, by| (row_key(Shelf::Balance, &side.group, ReportMonth::of(at), &of), by);
        rows.push(row(case.opened_at, 1));
        rows.extend(case.ended.as_ref().map(|ended| row(ended.at, -1)));
    }
    rows
}

/// Moves the counts of how a case stands from what it was to what it is.
pub(crate) fn move_gauges(before: Option<&Case>, after: &Case, changes: &mut Changeset) {
    let mut moved = BTreeMap::<Vec<u8>, i64>::new();
    for (key, by) in gauges(after) {
        *moved.entry(key).or_default() += by;
    }
    for (key, by) in before.into_iter().flat_map(gauges) {
        *moved.entry(key).or_default() -= by;
    }
    changes.add.extend(moved.into_iter().filter(|(_, by)| *by != 0));
}

fn day_of_month(at: Timestamp) -> u16 {
    u16::try_from(at.to_zoned(jiff::tz::TimeZone::UTC).day()).unwrap_or(1)
}

/// What a count of a case is of, on the side of `group`.
fn about(case: &Case, group: &GroupId, user: Option<UserId>, measure: Measure) -> Option<ReportOf> {
    let side = case.side(group)?;
    let other = case.counterparties(group).next()?;
    Some(ReportOf {
        participant: side.participant.clone(),
        counterparty: other.group.clone(),
        process: case.process.clone(),
        contact_type: case.contact_type.clone(),
        user,
        measure,
    })
}
