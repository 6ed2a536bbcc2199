//! Originals on their way in: sealed chunk by chunk as they arrive (`reading.rs` is the way out).
//!
//! Plaintext is held for one chunk at a time and never reaches the engine. A row holds four sealed
//! chunks; rows of a large mail are committed while it arrives, under an id that no message names
//! before `Ledger::accept`, and are swept if none ever does.

use std::time::Duration;

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
const ROWS_PER_COMMIT: usize = 2;

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
    Committed(Option<JoinHandle<Result<Committed, StoreError>>>),
}

/// A whole sealed original, ready to be named by a message.
pub struct SealedContent {
    pub(crate) id: ContentId,
    pub(crate) key: MessageKey,
    pub(crate) size: u64,
    /// The rows that are not in the ledger yet.
    pub(crate) rows: Vec<(Vec<u8>, Bytes)>,
    /// Whether rows are in the ledger, marked as arriving.
    pub(crate) marked: bool,
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
        let marked = match self.arriving {
            Arriving::InMemory => false,
            Arriving::Committed(under_way) => {
                settle(under_way).await?;
                true
            }
        };
        Ok(SealedContent { id: self.id, key: self.key, size: self.size, rows: self.rows, marked })
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

    /// Commits the full rows while the next ones arrive: one commit under way, never more.
    async fn commit_rows(&mut self) -> Result<(), StoreError> {
        let mut changes = Changeset { put: std::mem::take(&mut self.rows), ..Changeset::default() };
        match &mut self.arriving {
            Arriving::InMemory => changes.put.push((arriving_key(self.id), records::encode(&())?)),
            Arriving::Committed(under_way) => settle(under_way.take()).await?,
        }
        let ledger = self.ledger.clone();
        let commit = tokio::spawn(async move { ledger.commit(changes).await });
        self.arriving = Arriving::Committed(Some(commit));
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
    /// Removes what arrived longer than `age` ago and was never accepted.
    pub async fn sweep_arriving(&self, age: Duration) -> Result<u64, StoreError> {
        const BATCH: usize = 100;
        let before = self.now().saturating_sub(age).unwrap_or(Timestamp::MIN).as_second();
        let mut swept = 0;
        for (mark, _) in self.engine().scan(Key::of(Table::Arriving).range(), BATCH).await? {
            let Some(id) = mark.last_chunk::<20>().map(|bytes| ContentId::from_bytes(*bytes)) else {
                continue;
            };
            let began = u32::from_be_bytes([mark[1], mark[2], mark[3], mark[4]]);
            if i64::from(began) > before {
                break;
            }
            self.remove_content(id, mark).await?;
            swept += 1;
        }
        Ok(swept)
    }

    /// Rows first, mark last: a sweep that is cut short goes on with the next one.
    async fn remove_content(&self, id: ContentId, mark: Vec<u8>) -> Result<(), StoreError> {
        const BATCH: usize = 16;
        loop {
            let rows = self.engine().scan(Key::of(Table::Content).id(&id).range(), BATCH).await?;
            let done = rows.len() < BATCH;
            let mut delete: Vec<_> = rows.into_iter().map(|(key, _)| key).collect();
            if done {
                delete.push(mark.clone());
            }
            // If a message names the content meanwhile, its mark is gone and nothing is removed.
            let Some(row) = self.row(mark.clone()).await? else { return Ok(()) };
            let require = vec![(mark.clone(), Some(row.version))];
            self.commit(Changeset { require, delete, ..Changeset::default() }).await?;
            if done {
                return Ok(());
            }
        }
    }
}

pub(crate) fn row_key(content: ContentId, row: u64) -> Vec<u8> {
    Key::of(Table::Content).id(&content).number(u32::try_from(row).unwrap_or(u32::MAX)).done()
}

pub(crate) fn arriving_key(content: ContentId) -> Vec<u8> {
    Key::of(Table::Arriving).id(&content).done()
}
