//! How many cases there are of each kind, read from counters: what stands on shelves, what somebody owns, what falls due
//! in which quarter of an hour. Nothing here reads a case, and what is read does not grow with the cases.

use std::collections::HashMap;

use jiff::Timestamp;
use mail::GroupId;

use super::shelves::{Owed, Shelf, Slot, quarter};
use crate::{
    casework::CaseState,
    directory::Permission,
    engine::{Changeset, Range, Row, Rows},
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
};

/// Shelves and deadlines of one slot; there are fewer.
const MOST_COUNTERS: usize = 4_096;

/// Deadlines in the quarter of an hour that runs which are looked at one by one.
const MOST_DUE_NOW: usize = 1_000;

/// How many cases a reader can see of each kind.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseCounts {
    /// Of each state, in the order of [`CaseState::ALL`].
    pub states: [u64; CaseState::ALL.len()],
    /// Not ended, and nobody's.
    pub unowned: u64,
    /// Not ended, and the reader's own.
    pub own: u64,
    /// Not ended, and a notice could not be delivered.
    pub undelivered: u64,
    /// We owe an answer, and the deadline is past.
    pub overdue: u64,
    /// We owe an answer, and the deadline comes today.
    pub due_today: u64,
    /// They owe an answer, the deadline is past, and there is a higher rung.
    pub escalation_open: u64,
}

/// How many cases stand on each shelf of a slot, by its mark.
pub(super) struct Shelves(HashMap<u8, i64>);

/// Sums that are still to be made of one slot's deadlines.
struct Deadlines {
    /// Owed to or by us in all.
    all: i64,
    /// Later than now.
    later: i64,
    /// Later than now, and today.
    today: i64,
}

impl Shelves {
    pub(super) fn holds(&self, shelf: Shelf) -> bool {
        self.count(shelf) > 0
    }

    fn count(&self, shelf: Shelf) -> i64 {
        self.0.get(&shelf.byte()).copied().unwrap_or(0)
    }
}

impl CaseCounts {
    /// Of one state.
    pub fn of(&self, state: CaseState) -> u64 {
        let place = CaseState::ALL.iter().position(|known| *known == state);
        place.and_then(|place| self.states.get(place)).copied().unwrap_or(0)
    }
}

impl Ledger {
    /// How many cases of `group` the permissions let `user` see of each kind, at this moment of a day that ends at
    /// `midnight`. `climbs` tells whether a rung has one above it.
    pub async fn count_cases(
        &self,
        group: &GroupId,
        permissions: &[Permission],
        climbs: impl Fn(&Permission) -> bool,
        user: UserId,
        midnight: Timestamp,
    ) -> Result<CaseCounts, StoreError> {
        let mut permissions: Vec<_> = permissions.iter().collect();
        permissions.sort();
        permissions.dedup();
        let slots: Vec<_> = permissions.iter().map(|permission| Slot::of(group, permission)).collect();
        let mut counts = CaseCounts::default();
        let shelves = self.shelves(&slots).await?;
        for shelves in &shelves {
            counts.add_shelves(shelves);
        }
        let own: Vec<_> = slots.iter().map(|slot| slot.count_of(user)).collect();
        counts.own = self.engine().get(&own).await?.iter().flatten().map(counted).map(positive).sum();
        for owed in Owed::BOTH {
            let deadlines = self.deadlines(&slots, &shelves, owed, midnight).await?;
            for (deadlines, permission) in deadlines.iter().zip(&permissions) {
                let past = positive(deadlines.all - deadlines.later);
                match owed {
                    Owed::ByUs => {
                        counts.overdue += past;
                        counts.due_today += positive(deadlines.today);
                    }
                    Owed::ByThem if climbs(permission) => counts.escalation_open += past,
                    Owed::ByThem => {}
                }
            }
        }
        Ok(counts)
    }

    /// What stands on the shelves of each slot.
    pub(super) async fn shelves(&self, slots: &[Slot<'_>]) -> Result<Vec<Shelves>, StoreError> {
        let scans = slots.iter().map(|slot| (slot.shelves().range(), MOST_COUNTERS)).collect();
        let found = self.engine().scans(scans).await?;
        let counts = |rows: Rows| {
            let counts = rows.iter().filter_map(|(key, row)| Some((*key.last()?, counted(row))));
            Shelves(counts.collect())
        };
        Ok(found.into_iter().map(counts).collect())
    }

    /// The deadlines of each slot, divided by now and the end of the day: those to come are few and are added up; the rest is past.
    async fn deadlines(
        &self,
        slots: &[Slot<'_>],
        shelves: &[Shelves],
        owed: Owed,
        midnight: Timestamp,
    ) -> Result<Vec<Deadlines>, StoreError> {
        let now = self.now();
        let (running, last) = (quarter(now), quarter(midnight));
        let mut scans = Vec::with_capacity(2 * slots.len());
        for slot in slots {
            let Range { to, .. } = slot.deadlines(owed).range();
            let from = slot.deadlines(owed).number(running.saturating_add(1)).done();
            scans.push((Range { from, to }, MOST_COUNTERS));
            scans.push((passing(*slot, owed, now), MOST_DUE_NOW));
        }
        let found = self.engine().scans(scans).await?;
        let deadlines = shelves.iter().zip(found.chunks(2)).map(|(shelves, found)| {
            let [coming, passing] = found else { return Deadlines { all: 0, later: 0, today: 0 } };
            let passing = i64::try_from(passing.len()).unwrap_or(i64::MAX);
            let sum = |until: u32| passing.saturating_add(sum_until(coming, until));
            Deadlines {
                all: shelves.owed(owed),
                later: sum(u32::MAX),
                today: if last < running { 0 } else { sum(last) },
            }
        });
        Ok(deadlines.collect())
    }

    /// Removes counters of deadlines that are long past and count nothing any more. How many.
    pub async fn sweep_case_counts(&self) -> Result<usize, StoreError> {
        /// Counters looked at together.
        const STEP: usize = 1_000;
        /// A deadline of two days ago has been moved or missed.
        const LATE: u32 = 2 * 24 * 4;
        let before = quarter(self.now()).saturating_sub(LATE);
        let mut range = Key::of(Table::CaseCount).range();
        let mut removed = 0;
        loop {
            let rows = self.engine().scan(range.clone(), STEP).await?;
            let over = |(key, row): &&(Vec<u8>, Row)| {
                counted(row) == 0 && quarter_counted(key).is_some_and(|quarter| quarter < before)
            };
            for (key, row) in rows.iter().filter(over) {
                let changes = Changeset {
                    require: vec![(key.clone(), Some(row.version))],
                    delete: vec![key.clone()],
                    ..Changeset::default()
                };
                match self.commit(changes).await {
                    Ok(_) => removed += 1,
                    // It counts again.
                    Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == STEP => range.from = [last.as_slice(), &[0]].concat(),
                _ => return Ok(removed),
            }
        }
    }
}

impl CaseCounts {
    fn add_shelves(&mut self, shelves: &Shelves) {
        for (sum, state) in self.states.iter_mut().zip(CaseState::ALL) {
            for shelf in Shelf::of(state) {
                let count = positive(shelves.count(shelf));
                *sum += count;
                if !shelf.is_ended() && !shelf.is_owned() {
                    self.unowned += count;
                }
            }
        }
        self.undelivered += positive(shelves.count(Shelf::UNDELIVERED));
    }
}

impl Shelves {
    /// How many wait for an answer of that side.
    fn owed(&self, owed: Owed) -> i64 {
        let shelves = CaseState::ALL.into_iter().flat_map(Shelf::of);
        shelves.filter(|shelf| shelf.owed() == Some(owed)).map(|shelf| self.count(shelf)).sum()
    }
}

/// The deadlines later than now in the quarter of an hour that runs.
fn passing(slot: Slot<'_>, owed: Owed, now: Timestamp) -> Range {
    const QUARTER: u64 = 15 * 60 * 1_000;
    let end = u64::from(quarter(now)).saturating_mul(QUARTER);
    let from = u64::try_from(now.as_millisecond()).unwrap_or(0).saturating_add(1);
    let at = |millis: u64| slot.by_due(owed).raw(&millis.to_be_bytes()).done();
    Range { from: at(from), to: at(end.saturating_add(1)) }
}

fn sum_until(coming: &Rows, last: u32) -> i64 {
    let within = coming.iter().filter(|(key, _)| quarter_counted(key).is_some_and(|quarter| quarter <= last));
    within.map(|(_, row)| counted(row)).sum()
}

/// Which quarter of an hour a counter is for: its key ends with `d`, who owes, and the quarter.
fn quarter_counted(key: &[u8]) -> Option<u32> {
    let (rest, quarter) = key.split_last_chunk::<4>()?;
    matches!(rest, [.., 0, b'd', _]).then(|| u32::from_be_bytes(*quarter))
}

fn counted(row: &Row) -> i64 {
    row.value[..].try_into().map_or(0, i64::from_be_bytes)
}

fn positive(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}
