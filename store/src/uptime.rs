//! When Postern ran: one mark for each minute in which a node said that it did, an hour in a row. What nobody measured is
//! a gap, whatever the cause.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::{
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
};

/// Hours of which marks are kept: two years.
const HOURS_KEPT: u32 = 2 * 366 * 24;

/// The minutes of some time in which Postern ran.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Uptime {
    /// Hour since 1970 → a bit for each minute.
    hours: BTreeMap<u32, u64>,
}

impl Ledger {
    /// Says that this node runs in this minute.
    pub async fn mark_alive(&self) -> Result<(), StoreError> {
        let minute = minute_of(self.now());
        let key = Key::of(Table::Uptime).number(minute / 60).done();
        let bit = 1_u64 << (minute % 60);
        loop {
            let row = self.row(key.clone()).await?;
            let marks = row.as_ref().map_or(0, |row| bits(&row.value));
            if marks & bit != 0 {
                return Ok(());
            }
            let changes = Changeset {
                require: vec![(key.clone(), row.map(|row| row.version))],
                put: vec![(key.clone(), bytes::Bytes::copy_from_slice(&(marks | bit).to_be_bytes()))],
                ..Changeset::default()
            };
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The minutes from one instant to another in which a node ran.
    pub async fn uptime(&self, (from, to): (Timestamp, Timestamp)) -> Result<Uptime, StoreError> {
        const BATCH: usize = 1_000;
        let table = Key::of(Table::Uptime);
        let mut range = table.clone().number(minute_of(from) / 60).range();
        range.to = table.number(minute_of(to) / 60).range().to;
        let mut uptime = Uptime::default();
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            for (key, row) in &rows {
                if let Some(hour) = key.last_chunk::<4>() {
                    uptime.hours.insert(u32::from_be_bytes(*hour), bits(&row.value));
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == BATCH => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(uptime),
            }
        }
    }

    /// Lets go of marks that no report shows any more; answers how many rows went.
    pub async fn sweep_uptime(&self) -> Result<usize, StoreError> {
        let oldest = (minute_of(self.now()) / 60).saturating_sub(HOURS_KEPT);
        let mut range = Key::of(Table::Uptime).range();
        range.to = Key::of(Table::Uptime).number(oldest).done();
        let rows = self.engine().scan(range, 1_000).await?;
        let delete: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
        let gone = delete.len();
        if gone > 0 {
            self.commit(Changeset { delete, ..Changeset::default() }).await?;
        }
        Ok(gone)
    }
}

impl Uptime {
    /// The first minute that is marked.
    pub fn first(&self) -> Option<Timestamp> {
        let (hour, marks) = self.hours.iter().find(|(_, marks)| **marks != 0)?;
        instant(hour * 60 + marks.trailing_zeros())
    }

    /// Minutes that are marked from one instant up to another, and how many there were.
    pub fn between(&self, (from, to): (Timestamp, Timestamp)) -> (u64, u64) {
        let (from, to) = (minute_of(from), minute_of(to).max(minute_of(from)));
        let alive = (from..to).filter(|minute| self.is_alive(*minute)).count();
        (alive as u64, u64::from(to - from))
    }

    /// The times from one instant up to another in which nothing is marked, the longest first, at most so many.
    pub fn gaps(&self, (from, to): (Timestamp, Timestamp), most: usize) -> Vec<(Timestamp, u64)> {
        let (mut gaps, mut began) = (Vec::new(), None);
        for minute in minute_of(from)..=minute_of(to) {
            let silent = minute < minute_of(to) && !self.is_alive(minute);
            match (began, silent) {
                (None, true) => began = Some(minute),
                (Some(start), false) => {
                    gaps.extend(instant(start).map(|at| (at, u64::from(minute - start))));
                    began = None;
                }
                _ => {}
            }
        }
        gaps.sort_by(|one, other| other.1.cmp(&one.1).then(other.0.cmp(&one.0)));
        gaps.truncate(most);
        gaps
    }

    fn is_alive(&self, minute: u32) -> bool {
        self.hours.get(&(minute / 60)).is_some_and(|marks| marks & (1 << (minute % 60)) != 0)
    }
}

fn minute_of(at: Timestamp) -> u32 {
    u32::try_from(at.as_second() / 60).unwrap_or_default()
}

fn instant(minute: u32) -> Option<Timestamp> {
    Timestamp::from_second(i64::from(minute) * 60).ok()
}

fn bits(value: &[u8]) -> u64 {
    value.try_into().map(u64::from_be_bytes).unwrap_or_default()
}
