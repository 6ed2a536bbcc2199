//! What shadow mode keeps: how often something would have happened. Counts and keyed ids, never a mail, a person's address
//! or a value that a detector found.

mod rows;
mod tally;

use std::collections::BTreeMap;

use jiff::{Timestamp, ToSpan, civil::Date};
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    accept::SourceKey,
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};
pub use rows::{ShadowRow, ShadowRows};
pub use tally::{Margin, Tally};

/// Days that counts are kept: a year and a month, to compare one winter with the next.
const DAYS_KEPT: i64 = 400;

/// What would have happened to one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation {
    /// The group that sent it.
    pub group: GroupId,
    /// What it adds up to, each time it adds one.
    pub tallies: Vec<Tally>,
}

/// The mark of a mail that was counted. The first release wrote an empty list, and so no time.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub(crate) struct Counted {
    #[cbor(n(0), with = "records::optional_time", has_nil)]
    pub(crate) at: Option<Timestamp>,
}

/// Counts of some days.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShadowReport {
    /// First and last day, UTC, both counted.
    pub days: (Date, Date),
    pub counts: BTreeMap<Tally, u64>,
}

impl Ledger {
    /// Counts a mail that went another way, such as a journal's copy; a second one with these sources counts nothing.
    /// Answers whether it was counted.
    pub async fn observe(&self, observation: &Observation, source: &SourceKey) -> Result<bool, StoreError> {
        let mut changes = Changeset::default();
        let key = Key::of(Table::ShadowSource).digest(source).done();
        changes.require.push((key.clone(), None));
        changes.put.push((key, records::encode(&Counted { at: Some(self.now()) })?));
        self.count_observation(observation, &mut changes);
        match self.commit(changes).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The counts go with the commit that the mail itself makes.
    pub(crate) fn count_observation(&self, observation: &Observation, changes: &mut Changeset) {
        let day = day_number(self.today());
        for tally in &observation.tallies {
            let mut key = Key::of(Table::ShadowCount).text(observation.group.as_str()).number(day);
            for part in tally.parts() {
                key = key.text(&part);
            }
            changes.add.push((key.done(), 1));
        }
    }

    /// The counts of a group, or of all, from the first day to the last.
    pub async fn shadow_report(
        &self,
        group: Option<&GroupId>,
        (first, last): (Date, Date),
    ) -> Result<ShadowReport, StoreError> {
        let directory = self.directory();
        let groups: Vec<&GroupId> = match group {
            Some(group) => vec![group],
            None => directory.groups().map(|group| &group.id).collect(),
        };
        let mut counts = BTreeMap::new();
        for group in groups {
            self.add_counts(group, (first, last), &mut counts).await?;
        }
        Ok(ShadowReport { days: (first, last), counts })
    }

    async fn add_counts(
        &self,
        group: &GroupId,
        (first, last): (Date, Date),
        counts: &mut BTreeMap<Tally, u64>,
    ) -> Result<(), StoreError> {
        const BATCH: usize = 1_000;
        let of_group = Key::of(Table::ShadowCount).text(group.as_str());
        let skipped = of_group.clone().done().len() + size_of::<u32>();
        let mut range = of_group.clone().number(day_number(first)).range();
        range.to = of_group.number(day_number(last)).range().to;
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            for (key, row) in &rows {
                let amount = row.value.as_ref().try_into().map(i64::from_be_bytes).unwrap_or_default();
                if let Some(tally) = key.get(skipped..).and_then(Tally::read) {
                    *counts.entry(tally).or_default() += u64::try_from(amount).unwrap_or_default();
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == BATCH => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(()),
            }
        }
    }

    /// Lets go of counts that nobody compares any more; answers how many rows went.
    pub async fn sweep_shadow_counts(&self) -> Result<usize, StoreError> {
        const BATCH: usize = 1_000;
        let oldest = self.today().saturating_sub(DAYS_KEPT.days());
        let mut gone = 0;
        for group in self.directory().groups() {
            let of_group = Key::of(Table::ShadowCount).text(group.id.as_str());
            let mut range = of_group.clone().range();
            range.to = of_group.number(day_number(oldest)).done();
            loop {
                let rows = self.engine().scan(range.clone(), BATCH).await?;
                let delete: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
                let swept = delete.len();
                if swept == 0 {
                    break;
                }
                gone += swept;
                self.commit(Changeset { delete, ..Changeset::default() }).await?;
            }
        }
        Ok(gone)
    }

    /// The id under which an unmapped address is counted: whoever knows the address can find its count, nobody can
    /// find the address.
    pub fn unmapped_id(&self, address: &Address) -> String {
        let keyed = self.mac("shadow: unmapped address", address.key().as_bytes());
        keyed[..8].iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn today(&self) -> Date {
        self.now().to_zoned(jiff::tz::TimeZone::UTC).date()
    }
}

/// Days sort as they come.
fn day_number(date: Date) -> u32 {
    let days = date.since((jiff::Unit::Day, Date::constant(1970, 1, 1))).map_or(0, |span| span.get_days());
    u32::try_from(days).unwrap_or_default()
}
