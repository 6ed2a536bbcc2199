//! Originals on their way in: sealed chunk by chunk as they arrive (`reading.rs` is the way out).
//!
//! Plaintext is held for one chunk at a time and never reaches the engine. A row holds four sealed
//! chunks; rows of a large mail are committed while it arrives, under an id that no message names
//! before `Ledger::accept`, and are swept if none ever does.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use certs::{CHUNK, MessageKey, SealedPart, TAG};
use jiff::Timestamp;
use tokio::task::JoinHandle;

use crate::{
    engine::{Changeset, Committed},
    error::StoreError,
    ids::ContentId,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Sealed chunks in one row: 256 KiB of plaintext.
pub(crate) const ROW_CHUNKS: u64 = 4;
pub(crate) const ROW_BYTES: usize = ROW_CHUNKS as usize * (CHUNK + TAG);
/// Rows of a large mail that are committed together; small enough to stay clear of the disk's cliff.
const ROWS_PER_COMMIT: usize = 4;

/// An original on its way in.
pub struct ContentWriter {
    ledger: Ledger,
    id: ContentId,
    key: MessageKey,
    /// Plaintext of the chunk that is being filled.
    chunk: Vec<u8>,
    /// Sealed chunks of the row that is being filled.
    row: Vec<u8>,
    rows: Vec<(Vec<u8>, Bytes)>,
    chunks: u64,
    size: u64,
    arriving: Arriving,
}

/// Where the rows of a content are before a message names it.
enum Arriving {
    InMemory,
    /// Rows are in the ledger, marked as arriving; one commit may be under way.
    Committed(Arrival, Option<JoinHandle<Result<Committed, StoreError>>>),
}

/// Rows in the ledger that no message names yet. They are removed when this is dropped and no
/// message has taken their mark away.
struct Arrival {
    ledger: Ledger,
    id: ContentId,
    /// The version of the mark: whoever sweeps the rows moves it first.
    version: u64,
}

/// A whole sealed original, ready to be named by a message.
pub struct SealedContent {
    pub(crate) id: ContentId,
    pub(crate) key: Arc<MessageKey>,
    pub(crate) size: u64,
    /// The rows that are not in the ledger yet.
    pub(crate) rows: Vec<(Vec<u8>, Bytes)>,
    arrival: Option<Arrival>,
}

impl SealedContent {
    /// The mark of the rows that are in the ledger already, and its version.
    pub(crate) fn mark(&self) -> Option<(Vec<u8>, u64)> {
        self.arrival.as_ref().map(|arrival| (arriving_key(arrival.id), arrival.version))
    }
}

impl SealedContent {
    /// Adds what makes the content whole to the commit that names it.
    pub(crate) fn name_in(&self, changes: &mut Changeset) {
        changes.put.extend(self.rows.iter().cloned());
        if let Some((mark, version)) = self.mark() {
            // Rows that arrived earlier are named now; they must not have been swept meanwhile.
            changes.require.push((mark.clone(), Some(version)));
            changes.delete.push(mark);
        }
    }

    /// Content that is in the ledger already, under a name of another kind.
    pub(crate) fn known(id: ContentId, key: MessageKey, size: u64) -> Self {
        Self { id, key: Arc::new(key), size, rows: Vec::new(), arrival: None }
    }
}

impl Drop for Arrival {
    fn drop(&mut self) {
        // Without a runtime the process is ending, and the next sweep does it.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let (ledger, id, version) = (self.ledger.clone(), self.id, self.version);
            runtime.spawn(async move {
                if let Err(error) = ledger.remove_arriving(id, version).await {
                    tracing::warn!(content = %id, %error, "what was not accepted stays until the next sweep");
                }
            });
        }
    }
}

impl ContentWriter {
    pub fn new(ledger: &Ledger) -> Result<Self, StoreError> {
        Ok(Self {
            id: ContentId::new(ledger.now())?,
            key: MessageKey::generate()?,
            ledger: ledger.clone(),
            chunk: Vec::new(),
            row: Vec::new(),
            rows: Vec::new(),
            chunks: 0,
            size: 0,
            arriving: Arriving::InMemory,
        })
    }

    /// Bytes written so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.size += bytes.len() as u64;
        while !bytes.is_empty() {
            // A full chunk waits for the next byte: only then it is known not to be the last.
            if self.chunk.len() == CHUNK {
                self.seal_chunk(false)?;
                if self.rows.len() == ROWS_PER_COMMIT {
                    self.commit_rows().await?;
                }
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    pub async fn finish(mut self) -> Result<SealedContent, StoreError> {
        self.seal_chunk(true)?;
        if !self.row.is_empty() {
            self.end_row();
        }
        let arrival = match self.arriving {
            Arriving::InMemory => None,
            Arriving::Committed(arrival, under_way) => {
                settle(under_way).await?;
                Some(arrival)
            }
        };
        Ok(SealedContent { id: self.id, key: Arc::new(self.key), size: self.size, rows: self.rows, arrival })
    }

    fn seal_chunk(&mut self, last: bool) -> Result<(), StoreError> {
        let sealed =
            self.key.seal_chunk(self.id.as_bytes(), SealedPart::Original, self.chunks, last, &self.chunk)?;
        self.chunk.clear();
        self.row.extend_from_slice(&sealed);
        self.chunks += 1;
        if self.chunks.is_multiple_of(ROW_CHUNKS) {
            self.end_row();
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let row = (self.chunks - 1) / ROW_CHUNKS;
        self.rows.push((row_key(self.id, row), std::mem::take(&mut self.row).into()));
    }

    /// Commits the full rows. The first commit makes the mark and is waited for; of the others one is
    /// under way while the next rows arrive, never more.
    async fn commit_rows(&mut self) -> Result<(), StoreError> {
        let mark = arriving_key(self.id);
        let mut changes = Changeset { put: std::mem::take(&mut self.rows), ..Changeset::default() };
        match &mut self.arriving {
            Arriving::InMemory => {
                changes.require.push((mark.clone(), None));
                changes.put.push((mark, records::encode(&())?));
                let version = self.ledger.commit(changes).await?.version;
                let arrival = Arrival { ledger: self.ledger.clone(), id: self.id, version };
                self.arriving = Arriving::Committed(arrival, None);
            }
            Arriving::Committed(arrival, under_way) => {
                settle(under_way.take()).await?;
                changes.require.push((mark, Some(arrival.version)));
                let ledger = self.ledger.clone();
                *under_way = Some(tokio::spawn(async move { ledger.commit(changes).await }));
            }
        }
        Ok(())
    }
}

async fn settle(under_way: Option<JoinHandle<Result<Committed, StoreError>>>) -> Result<(), StoreError> {
    match under_way {
        Some(commit) => match commit.await {
            Ok(outcome) => outcome.map(drop),
            Err(error) => Err(StoreError::Broken(error.to_string())),
        },
        None => Ok(()),
    }
}

impl Ledger {
    /// Removes what began to arrive longer than `age` ago and was never accepted; says how many.
    pub async fn sweep_arriving(&self, age: Duration) -> Result<usize, StoreError> {
        const BATCH: usize = 100;
        let before = self.now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        let mut swept = 0;
        loop {
            let marks = self.engine().scan(Key::of(Table::Arriving).range(), BATCH).await?;
            let mut old = marks.iter().filter_map(|(mark, row)| {
                let id = ContentId::from_bytes(*mark.last_chunk::<20>()?);
                (id.second() <= before.as_second()).then_some((id, row.version))
            });
            let mut any = false;
            for (id, version) in old.by_ref() {
                self.remove_arriving(id, version).await?;
                any = true;
                swept += 1;
            }
            if !any || marks.len() < BATCH {
                return Ok(swept);
            }
        }
    }

    /// Moves the mark, so that nobody can name the rows any more, then removes them, the mark last: a
    /// removal that is cut short goes on with the next sweep. A mark that is gone was taken by a message.
    pub(crate) async fn remove_arriving(&self, id: ContentId, version: u64) -> Result<(), StoreError> {
        const BATCH: usize = 16;
        let mark = arriving_key(id);
        let mut moved = Changeset {
            require: vec![(mark.clone(), Some(version))],
            put: vec![(mark.clone(), records::encode(&())?)],
            ..Changeset::default()
        };
        loop {
            let version = match self.commit(moved).await {
                Ok(committed) => committed.version,
                Err(StoreError::Conflict) => return Ok(()),
                Err(error) => return Err(error),
            };
            let rows = self.engine().scan(Key::of(Table::Content).id(&id).range(), BATCH).await?;
            let require = vec![(mark.clone(), Some(version))];
            if rows.is_empty() {
                let end = Changeset { require, delete: vec![mark], ..Changeset::default() };
                return self.commit(end).await.map(drop);
            }
            let delete = rows.into_iter().map(|(key, _)| key).collect();
            moved = Changeset {
                require,
                put: vec![(mark.clone(), records::encode(&())?)],
                delete,
                ..Changeset::default()
            };
        }
    }
}

pub(crate) fn row_key(content: ContentId, row: u64) -> Vec<u8> {
    Key::of(Table::Content).id(&content).number(u32::try_from(row).unwrap_or(u32::MAX)).done()
}

/// Gives content up whose key goes with the same commit: the rows are noise then, and the mark makes the sweep remove
/// them even if this process ends before it does so itself ([`Ledger::remove_arriving`]).
pub(crate) fn give_up(content: ContentId, changes: &mut Changeset) -> Result<(), StoreError> {
    changes.put.push((arriving_key(content), records::encode(&())?));
    Ok(())
}

pub(crate) fn arriving_key(content: ContentId) -> Vec<u8> {
    Key::of(Table::Arriving).id(&content).done()
}
