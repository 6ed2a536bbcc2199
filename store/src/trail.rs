//! The events of one group, the newest first: an index beside the chain, written in the commit that appends the event. The
//! chain is what is verified; this is what people page through. Never shows a group another's event.

use bytes::Bytes;
use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::Event,
    chain,
    engine::{Changeset, Engine},
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Rows that one page looks at: a filter that finds little goes on with the next page.
const MOST_SCANNED: usize = 5_000;

/// Bytes behind the group in a key: time, and chance.
const PLACE: usize = 16;

/// Part of a group's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TrailPage {
    pub events: Vec<Event>,
    /// Where the next part begins, if there may be more; opaque.
    pub next: Option<String>,
}

/// How far the events of an earlier release are indexed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Progress {
    #[n(0)]
    next: u64,
    /// The last event that was there when indexing began.
    #[n(1)]
    until: u64,
}

/// Index rows for the events of a changeset.
pub(crate) fn index(changes: &mut Changeset) -> Result<(), StoreError> {
    let rows: Result<Vec<_>, StoreError> = changes.append.iter().map(row).collect();
    changes.put.extend(rows?.into_iter().flatten());
    Ok(())
}

/// The index row of an event that is of a group. Two events of one millisecond are told apart by chance.
fn row(event: &Bytes) -> Result<Option<(Vec<u8>, Bytes)>, StoreError> {
    let read = Event::from_bytes(event)?;
    let Some(group) = &read.group else { return Ok(None) };
    let chance = certs::random::<8>().map_err(|error| StoreError::Broken(error.to_string()))?;
    let key = Key::of(Table::Trail).text(group.as_str()).time_descending(read.at).raw(&chance);
    Ok(Some((key.done(), event.clone())))
}

/// Notes, once and before anything is appended, which events an earlier release wrote.
pub(crate) async fn begin(engine: &dyn Engine) -> Result<(), StoreError> {
    if engine.get(&[progress_key()]).await?.into_iter().next().flatten().is_some() {
        return Ok(());
    }
    let progress = Progress { next: 1, until: chain::head(engine).await?.sequence };
    let changes = Changeset {
        require: vec![(progress_key(), None)],
        put: vec![(progress_key(), records::encode(&progress)?)],
        ..Changeset::default()
    };
    match engine.commit(changes).await.map_err(StoreError::from) {
        Ok(_) | Err(StoreError::Conflict) => Ok(()),
        Err(error) => Err(error),
    }
}

impl Ledger {
    /// The events of a group from the newest on, or from where a page ended, between two instants, of which `wanted` holds.
    pub async fn trail(
        &self,
        group: &GroupId,
        (from, to): (Timestamp, Timestamp),
        after: Option<&str>,
        limit: usize,
        wanted: impl Fn(&Event) -> bool,
    ) -> Result<TrailPage, StoreError> {
        const BATCH: usize = 500;
        let of_group = Key::of(Table::Trail).text(group.as_str());
        let mut range = of_group.clone().range();
        range.from = of_group.clone().time_descending(to).done();
        range.to = of_group.clone().time_descending(from).raw(&[u8::MAX; 9]).done();
        if let Some(place) = after.and_then(read_place::<PLACE>) {
            range.from = range.from.max(of_group.clone().raw(&place).raw(&[0]).done());
        }
        let (mut page, mut scanned) = (TrailPage { events: Vec::new(), next: None }, 0);
        while range.from < range.to {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            for (key, row) in &rows {
                let event = Event::from_bytes(&row.value)?;
                page.events.extend(Some(event).filter(&wanted));
                scanned += 1;
                if page.events.len() == limit || scanned == MOST_SCANNED {
                    page.next = key.last_chunk::<PLACE>().map(written_place);
                    return Ok(page);
                }
            }
            match rows.last() {
                Some((key, _)) if rows.len() == BATCH => range.from = [key.as_slice(), &[0]].concat(),
                _ => break,
            }
        }
        Ok(page)
    }

    /// Indexes events of an earlier release, some at a time; answers how many were looked at, zero when all are.
    pub async fn index_trail(&self, limit: usize) -> Result<usize, StoreError> {
        let Some(stored) = self.row(progress_key()).await? else { return Ok(0) };
        let mut progress: Progress = records::decode(&stored.value)?;
        if progress.next > progress.until {
            return Ok(0);
        }
        let mut changes =
            Changeset { require: vec![(progress_key(), Some(stored.version))], ..Changeset::default() };
        let left = usize::try_from(progress.until - progress.next + 1).unwrap_or(limit);
        let records = self.engine().scan(chain::records(progress.next), limit.min(left)).await?;
        let looked_at = records.len();
        for (_, record) in records {
            // What cannot be read is the chain's to complain of.
            if let Some(Ok(Some(row))) = chain::event(&record.value).map(|event| row(&event)) {
                changes.put.push(row);
            }
        }
        progress.next = if looked_at == 0 { progress.until + 1 } else { progress.next + looked_at as u64 };
        changes.put.push((progress_key(), records::encode(&progress)?));
        match self.commit(changes).await {
            Ok(_) | Err(StoreError::Conflict) => Ok(looked_at),
            Err(error) => Err(error),
        }
    }
}

fn progress_key() -> Vec<u8> {
    Key::of(Table::TrailProgress).done()
}

/// Where a next part begins, as an address of the web bears it.
pub(crate) fn written_place<const LENGTH: usize>(place: &[u8; LENGTH]) -> String {
    place.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What is no place means the beginning.
pub(crate) fn read_place<const LENGTH: usize>(text: &str) -> Option<[u8; LENGTH]> {
    let mut place = [0; LENGTH];
    if text.len() != 2 * LENGTH || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (byte, digits) in place.iter_mut().zip(text.as_bytes().chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(place)
}
