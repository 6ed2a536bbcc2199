//! Reports out of their counters, row by row, and the end of counters that nobody asks for any more. Never reads a case.

use std::{fmt, str::FromStr};

use jiff::{Timestamp, civil::Date};
use mail::GroupId;

use super::row::{self, Measure, ReportOf, Shelf, row_key, shelf_key};
use crate::{
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

const BATCH: usize = 1_000;

/// A month of UTC; months sort as they come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReportMonth(u32);

/// Not a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a month is written 2026-06")]
pub struct NotAMonth;

/// One counter of a report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReportLine {
    pub month: ReportMonth,
    pub of: ReportOf,
    pub count: i64,
}

impl ReportMonth {
    pub fn of(at: Timestamp) -> Self {
        let date = at.to_zoned(jiff::tz::TimeZone::UTC).date();
        let year = u32::try_from(date.year()).unwrap_or_default();
        Self(year * 12 + u32::from(date.month().unsigned_abs()) - 1)
    }

    /// The month so many months before it.
    #[must_use]
    pub fn earlier(self, months: u32) -> Self {
        Self(self.0.saturating_sub(months))
    }

    /// The next one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// How many months from the other one on, itself not counted.
    pub fn since(self, other: Self) -> u32 {
        self.0.saturating_sub(other.0)
    }

    /// Its first day.
    pub fn first_day(self) -> Date {
        let (year, month) = (i16::try_from(self.0 / 12).unwrap_or(9999), i8::try_from(self.0 % 12 + 1));
        Date::new(year, month.unwrap_or(1), 1).unwrap_or(Date::MAX)
    }

    pub(super) fn number(self) -> u32 {
        self.0
    }

    pub(super) fn from_number(number: u32) -> Option<Self> {
        (number < 10_000 * 12).then_some(Self(number))
    }
}

/// `2026-06`
impl fmt::Display for ReportMonth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / 12, self.0 % 12 + 1)
    }
}

impl FromStr for ReportMonth {
    type Err = NotAMonth;

    fn from_str(text: &str) -> Result<Self, NotAMonth> {
        let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
        let (year, month) = text.split_once('-').ok_or(NotAMonth)?;
        if year.len() != 4 || month.len() != 2 || !digits(year) || !digits(month) {
            return Err(NotAMonth);
        }
        let (year, month): (u32, u32) =
            (year.parse().map_err(|_| NotAMonth)?, month.parse().map_err(|_| NotAMonth)?);
        if (1..=12).contains(&month) { Ok(Self(year * 12 + month - 1)) } else { Err(NotAMonth) }
    }
}

impl Ledger {
    /// Every counter of a group from the first month to the last, one after the other. [`Measure::Open`] comes from the
    /// first month of all on: what is open at the end of a month is the sum of all up to it.
    pub async fn figures(
        &self,
        group: &GroupId,
        (first, last): (ReportMonth, ReportMonth),
        mut each: impl FnMut(ReportLine),
    ) -> Result<(), StoreError> {
        self.read_shelf(Shelf::Balance, group, (ReportMonth(0), last), &mut each).await?;
        self.read_shelf(Shelf::Acts, group, (first, last), &mut each).await
    }

    async fn read_shelf(
        &self,
        shelf: Shelf,
        group: &GroupId,
        (first, last): (ReportMonth, ReportMonth),
        each: &mut impl FnMut(ReportLine),
    ) -> Result<(), StoreError> {
        let key = shelf_key(shelf, group);
        let skipped = key.clone().done().len();
        let mut range = key.clone().number(first.0).range();
        range.to = key.number(last.0).range().to;
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            for (key, row) in &rows {
                if let Some((month, of)) = key.get(skipped..).and_then(row::read) {
                    let count = row.value.as_ref().try_into().map(i64::from_be_bytes).unwrap_or_default();
                    each(ReportLine { month, of, count });
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == BATCH => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(()),
            }
        }
    }

    /// Since when this ledger counts; `None`: not yet.
    pub async fn reports_since(&self) -> Result<Option<Timestamp>, StoreError> {
        let Some(row) = self.row(since_key()).await? else { return Ok(None) };
        let millis: i64 = records::decode(&row.value)?;
        Ok(Timestamp::from_millisecond(millis).ok())
    }

    /// Notes that counting has begun, once: acts are counted from then on.
    pub async fn begin_reports(&self) -> Result<(), StoreError> {
        if self.row(since_key()).await?.is_some() {
            return Ok(());
        }
        let now = self.now().as_millisecond();
        let changes = Changeset {
            require: vec![(since_key(), None)],
            put: vec![(since_key(), records::encode(&now)?)],
            ..Changeset::default()
        };
        match self.commit(changes).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Lets go of counters older than so many months; how many cases were open then stays in one sum. Answers how many rows
    /// went.
    pub async fn sweep_reports(&self, months_kept: u32) -> Result<usize, StoreError> {
        let oldest = ReportMonth::of(self.now()).earlier(months_kept);
        let mut gone = 0;
        for group in self.directory().groups() {
            for shelf in [Shelf::Acts, Shelf::Balance] {
                gone += self.sweep_shelf(shelf, &group.id, oldest).await?;
            }
        }
        Ok(gone)
    }

    async fn sweep_shelf(
        &self,
        shelf: Shelf,
        group: &GroupId,
        oldest: ReportMonth,
    ) -> Result<usize, StoreError> {
        let key = shelf_key(shelf, group);
        let skipped = key.clone().done().len();
        let mut range = key.clone().number(1).range();
        range.to = key.number(oldest.0).done();
        let mut gone = 0;
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            if rows.is_empty() {
                return Ok(gone);
            }
            let mut changes = Changeset::default();
            for (key, row) in rows {
                let count = row.value.as_ref().try_into().map(i64::from_be_bytes).unwrap_or_default();
                if let Some((_, of)) = key.get(skipped..).and_then(row::read).filter(|_| count != 0)
                    && of.measure == Measure::Open
                {
                    changes.add.push((row_key(shelf, group, ReportMonth(0), &of), count));
                }
                changes.require.push((key.clone(), Some(row.version)));
                changes.delete.push(key);
            }
            gone += changes.delete.len();
            match self.commit(changes).await {
                Err(StoreError::Conflict) => return Ok(gone),
                done => done?,
            };
        }
    }
}

fn since_key() -> Vec<u8> {
    Key::of(Table::ReportSince).done()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_read_back_and_follow_each_other() {
        let month: ReportMonth = "2026-12".parse().unwrap();
        assert_eq!(month.to_string(), "2026-12");
        assert_eq!(month.next().to_string(), "2027-01");
        assert_eq!(month.earlier(12).to_string(), "2025-12");
        assert_eq!(month.next().first_day().to_string(), "2027-01-01");
        assert_eq!(ReportMonth::of("2026-12-31T23:59:59Z".parse().unwrap()), month);
        assert_eq!(month.next().since(month), 1);
        for wrong in ["2026", "2026-13", "2026-00", "26-01", "2026-1", "2026-+1", ""] {
            assert_eq!(wrong.parse::<ReportMonth>(), Err(NotAMonth), "{wrong}");
        }
    }
}
