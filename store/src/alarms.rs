//! Alarms: a mail that got as far as the door and may not leave. One commit says so in the audit trail, to the
//! administrators and in the counters. It holds what sort of data was found and how often, never the data.

use std::collections::BTreeMap;

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    jobs::{Job, JobKind},
    keys::{Key, Table},
    ledger::Ledger,
    tasks::TaskKind,
};

/// What was found, by the name of its category.
pub type FoundCounts = BTreeMap<String, u32>;

/// Counted where a mail was stopped for another reason than what is in it.
const NOT_ALLOWED: &str = "not-allowed";

impl Ledger {
    /// Says that the mail of `job` was stopped: to the administrator of the machine, and to those of the group that it was
    /// for. Durable when it returns.
    pub async fn raise_alarm(&self, job: &Job, found: &FoundCounts) -> Result<(), StoreError> {
        let group = match &job.kind {
            JobKind::Relay(relay) => relay.group.clone(),
            kind => self.group_told(kind),
        };
        let words = in_words(found);
        let kind = TaskKind::StoppedAtDoor { kind: job.kind.as_str().to_owned(), found: words.clone() };
        loop {
            let mut event =
                Event::new(self.now(), Actor::Worker, Act::StoppedAtDoor).group(&group).job(job.id);
            event.case = job.case();
            let mut changes =
                Changeset { append: vec![event.name(&words).to_bytes()?], ..Changeset::default() };
            for whose in [None, Some(&group)] {
                self.add_task(&Actor::Worker, whose, kind.clone(), job.case(), &mut changes).await?;
            }
            match found.is_empty() {
                true => changes.add.push((counter(NOT_ALLOWED), 1)),
                false => {
                    changes.add.extend(found.iter().map(|(name, count)| (counter(name), (*count).into())))
                }
            }
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    /// How often mail was stopped at the door, by what was found in it, since the ledger was made.
    pub async fn alarms(&self) -> Result<BTreeMap<String, u64>, StoreError> {
        /// Categories are few.
        const MOST: usize = 1_000;
        let front = Key::of(Table::Alarm).done().len();
        let rows = self.engine().scan(Key::of(Table::Alarm).range(), MOST).await?;
        let read = |(key, row): (Vec<u8>, crate::engine::Row)| {
            let name = key.get(front..)?.split(|byte| *byte == 0).next()?;
            let amount = row.value.as_ref().try_into().map(i64::from_be_bytes).unwrap_or_default();
            Some((String::from_utf8(name.to_vec()).ok()?, u64::try_from(amount).unwrap_or_default()))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }
}

/// `mpan 2, name 1`
fn in_words(found: &FoundCounts) -> String {
    let words: Vec<String> = found.iter().map(|(name, count)| format!("{name} {count}")).collect();
    words.join(", ")
}

fn counter(name: &str) -> Vec<u8> {
    Key::of(Table::Alarm).text(name).done()
}
