//! Deadlines reckoned anew when the calendars have changed: every open one, in bounded batches, from where it was cut off
//! the last time. Each that moves leaves an event with the old and the new instant. What a deadline is the caller knows;
//! nothing here has a calendar, and no clock is started or stopped.

use jiff::Timestamp;
use mail::{ContactType, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    accept::Deadline,
    audit::{Act, Actor, Event},
    case_row::write_case,
    cases::Case,
    engine::{Changeset, Range},
    error::StoreError,
    ids::CaseId,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Cases that are looked at in one commit.
const BATCH: usize = 256;

/// What a deadline was reckoned from, and by what.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Reckoning {
    /// The instant from which the response time counts.
    #[cbor(n(0), with = "records::time")]
    pub since: Timestamp,
    #[n(1)]
    pub working_days: u32,
    /// The calendar, with its version.
    #[n(2)]
    pub calendar: String,
}

/// An open deadline that may have moved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenDeadline<'a> {
    pub process: &'a ProcessId,
    pub contact_type: &'a ContactType,
    /// The instant from which the response time counts.
    pub since: Timestamp,
    /// The response time that was promised; `None`: an earlier release did not note it.
    pub working_days: Option<u32>,
}

/// What reckoning anew came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Recomputed {
    /// Cases that were looked at; none if the edition was known.
    pub cases: u64,
    /// Deadlines that were open.
    pub open: u64,
    /// Deadlines that are another instant now.
    pub moved: u64,
}

/// The one row that says by which calendars open deadlines were reckoned.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Progress {
    #[n(0)]
    edition: String,
    /// The case after which to go on; `None`: all are done.
    #[cbor(n(1), with = "minicbor::bytes")]
    after: Option<Vec<u8>>,
}

impl Ledger {
    /// Reckons every open deadline anew, unless that was done for this `edition` of the calendars. `reckon` gives the
    /// deadline; where it gives none, the old one stands. Cut off at any point, the next call goes on from there. Only one
    /// edition at a time: two would each begin again where the other had begun.
    pub async fn recompute_deadlines(
        &self,
        edition: &str,
        reckon: impl Fn(OpenDeadline<'_>) -> Option<Deadline>,
    ) -> Result<Recomputed, StoreError> {
        let mut done = Recomputed::default();
        let mut at_once = BATCH;
        loop {
            let row = self.row(progress_key()).await?;
            let known = row.as_ref().map(|row| records::decode::<Progress>(&row.value)).transpose()?;
            let after = match known.filter(|known| known.edition == edition) {
                Some(Progress { after: None, .. }) => return Ok(done),
                Some(Progress { after, .. }) => after,
                None => Some(Vec::new()),
            };
            let from = after.filter(|after| !after.is_empty());
            let batch = self.next_batch(from, at_once, &reckon).await?;
            let progress = Progress { edition: edition.to_owned(), after: batch.last };
            let mut changes = batch.changes;
            changes.require.push((progress_key(), row.map(|row| row.version)));
            changes.put.push((progress_key(), records::encode(&progress)?));
            match self.commit(changes).await {
                Ok(_) => {
                    done = done.and(batch.done);
                    at_once = BATCH;
                }
                // A case of the batch moved on meanwhile; a smaller batch has fewer that can.
                Err(StoreError::Conflict) => at_once = (at_once / 2).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    async fn next_batch(
        &self,
        after: Option<Vec<u8>>,
        limit: usize,
        reckon: &impl Fn(OpenDeadline<'_>) -> Option<Deadline>,
    ) -> Result<Batch, StoreError> {
        let mut range = Key::of(Table::Case).range();
        if let Some(after) = after {
            let Range { from, .. } = &mut range;
            *from = [after.as_slice(), &[0]].concat();
        }
        let rows = self.engine().scan(range, limit).await?;
        let last = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let mut batch = Batch { last, ..Batch::default() };
        for (key, row) in &rows {
            batch.done.cases += 1;
            // One that cannot be read must not keep the others from their day.
            let case: Case = match records::decode(&row.value) {
                Ok(case) => case,
                Err(error) => {
                    let case = key.last_chunk::<20>().map(|id| CaseId::from_bytes(*id));
                    tracing::error!(?case, %error, "a case cannot be read and keeps its deadline");
                    continue;
                }
            };
            self.reckon_anew(case, row.version, reckon, &mut batch).await?;
        }
        Ok(batch)
    }

    async fn reckon_anew(
        &self,
        before: Case,
        version: u64,
        reckon: &impl Fn(OpenDeadline<'_>) -> Option<Deadline>,
        batch: &mut Batch,
    ) -> Result<(), StoreError> {
        let mut case = before.clone();
        let Some(old) = case.due.take() else { return Ok(()) };
        batch.done.open += 1;
        let (since, working_days) = match &old.reckoning {
            Some(reckoning) => (reckoning.since, Some(reckoning.working_days)),
            None => {
                let messages = self.messages(case.id).await?;
                let Some(since) = case.waiting_since(&messages) else { return Ok(()) };
                (since, None)
            }
        };
        let open =
            OpenDeadline { process: &case.process, contact_type: &case.contact_type, since, working_days };
        let Some(deadline) = reckon(open) else { return Ok(()) };
        let new = deadline.for_side(&old.side);
        if new == old {
            return Ok(());
        }
        if new.at != old.at {
            let mut event = Event::new(self.now(), Actor::Worker, Act::DeadlineMoved)
                .group(&old.side)
                .case(case.id)
                .process(&case.process);
            event.was = Some(old.at);
            event.becomes = Some(new.at);
            event.name = new.reckoning.as_ref().map(|reckoning| reckoning.calendar.clone());
            batch.changes.append.push(event.to_bytes()?);
            batch.done.moved += 1;
        }
        case.due = Some(new);
        write_case(Some((&before, version)), &case, &mut batch.changes)
    }
}

#[derive(Default)]
struct Batch {
    changes: Changeset,
    done: Recomputed,
    /// The last case, if there may be more.
    last: Option<Vec<u8>>,
}

impl Recomputed {
    fn and(self, more: Self) -> Self {
        Self { cases: self.cases + more.cases, open: self.open + more.open, moved: self.moved + more.moved }
    }
}

fn progress_key() -> Vec<u8> {
    Key::of(Table::Reckoned).done()
}
