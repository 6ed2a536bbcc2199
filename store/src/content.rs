//! Originals: sealed chunk by chunk as they arrive, opened chunk by chunk as they leave.
//!
//! Plaintext is held for one chunk at a time and never reaches the engine. A row holds four sealed
//! chunks; rows of a large mail are committed while it arrives, under an id that no message names
//! before `Ledger::accept`, and are swept if none ever does.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use certs::{CHUNK, MessageKey, SealedPart, TAG};
use jiff::Timestamp;
use mail::{GroupId, Headline};
use minicbor::{Decode, Encode};
use tokio::task::JoinHandle;

use crate::{
    audit::{Act, Actor, Event},
    cases::{Case, MessageRecord},
    engine::{Changeset, Committed},
    error::StoreError,
    ids::{CaseId, ContentId, MessageId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Sealed chunks in one row: 256 KiB of plaintext.
const ROW_CHUNKS: u64 = 4;
const ROW_BYTES: usize = ROW_CHUNKS as usize * (CHUNK + TAG);
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

/// What a reader is about to look at; each is its own event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The messages of a case on its page.
    Page,
    Attachment,
    Original,
    /// Taken away by the administrator of the machine.
    Export,
}

/// A message that was opened for a reader, after the reading was written down.
pub struct OpenMessage {
    pub record: MessageRecord,
    pub headline: Headline,
    ledger: Ledger,
    key: Arc<MessageKey>,
}

/// The wrapped message key of one message, one for each party.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Wraps {
    #[n(0)]
    pub(crate) wraps: Vec<Wrap>,
}

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Wrap {
    #[n(0)]
    pub(crate) group: GroupId,
    #[cbor(n(1), with = "minicbor::bytes")]
    pub(crate) wrapped: Vec<u8>,
}

impl Ledger {
    /// Opens messages of a case for a reader of `group`. The event is durable before a key is unwrapped.
    ///
    /// # Errors
    /// `Denied` if the group takes no part in the case. Whether the reader may look is decided before.
    pub async fn open_messages(
        &self,
        actor: &Actor,
        case: &Case,
        messages: Vec<MessageRecord>,
        group: &GroupId,
        reading: Reading,
    ) -> Result<Vec<OpenMessage>, StoreError> {
        let Some(side) = case.side(group) else {
            return Err(StoreError::Denied("the group takes no part in this case".to_owned()));
        };
        let act = match reading {
            Reading::Page => Act::CaseRead,
            Reading::Attachment => Act::AttachmentRead,
            Reading::Original => Act::OriginalRead,
            Reading::Export => Act::CaseExported,
        };
        let mut event = Event::new(self.now(), actor.clone(), act).group(group).case(case.id);
        if let [message] = messages.as_slice() {
            event.message = Some(message.id);
        }
        let unseen = side.seen_at.is_none_or(|seen| seen < case.last_message_at);
        match reading {
            Reading::Page if unseen => self.mark_seen(case.id, group, event).await?,
            _ => self.record(event).await?,
        }
        let keys: Vec<_> = messages.iter().map(|message| wrap_key(case.id, message.id)).collect();
        let wraps = self.engine().get(&keys).await?;
        messages
            .into_iter()
            .zip(wraps)
            .map(|(record, row)| {
                let row =
                    row.ok_or_else(|| StoreError::Corrupt(format!("the key of {} is gone", record.id)))?;
                self.unwrap_message(record, &records::decode(&row.value)?, group)
            })
            .collect()
    }

    /// The same for one message.
    pub async fn open_message(
        &self,
        actor: &Actor,
        case: &Case,
        message: MessageRecord,
        group: &GroupId,
        reading: Reading,
    ) -> Result<OpenMessage, StoreError> {
        let opened = self.open_messages(actor, case, vec![message], group, reading).await?;
        opened.into_iter().next().ok_or_else(|| StoreError::Corrupt("no message was opened".to_owned()))
    }

    fn unwrap_message(
        &self,
        record: MessageRecord,
        wraps: &Wraps,
        group: &GroupId,
    ) -> Result<OpenMessage, StoreError> {
        let Some(wrap) = wraps.wraps.iter().find(|wrap| wrap.group == *group) else {
            return Err(StoreError::Corrupt(format!("message {} is not sealed for {group}", record.id)));
        };
        let directory = self.directory();
        let key =
            directory.ring(group)?.opener.unwrap(&wrap.wrapped, &wrap_context(record.content, group))?;
        let headline = key.open(record.content.as_bytes(), SealedPart::Headline, &record.headline)?;
        let headline = records::decode(&headline)?;
        Ok(OpenMessage { record, headline, ledger: self.clone(), key: Arc::new(key) })
    }

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

impl OpenMessage {
    /// The bytes from `offset` on, at most `length` of them, in pieces of at most 64 KiB.
    pub fn read(&self, offset: u64, length: u64) -> ContentReader {
        let size = self.record.size;
        let next = offset.min(size);
        ContentReader {
            ledger: self.ledger.clone(),
            key: Arc::clone(&self.key),
            content: self.record.content,
            size,
            next,
            end: next.saturating_add(length).min(size),
            row: None,
        }
    }

    /// The same bytes at once; for parts that the caller knows to be small.
    pub async fn range(&self, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        let mut reader = self.read(offset, length);
        let mut bytes = Vec::new();
        while let Some(piece) = reader.next().await? {
            bytes.extend_from_slice(&piece);
        }
        Ok(bytes)
    }
}

/// Opens a range of an original, chunk by chunk.
pub struct ContentReader {
    ledger: Ledger,
    key: Arc<MessageKey>,
    content: ContentId,
    size: u64,
    next: u64,
    end: u64,
    /// The row that was read last, and its number.
    row: Option<(u64, Bytes)>,
}

impl ContentReader {
    /// The next piece, or `None` at the end of the range.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        if self.next >= self.end {
            return Ok(None);
        }
        let position = self.next / CHUNK as u64;
        let sealed = self.sealed_chunk(position).await?;
        let last = position == (self.size - 1) / CHUNK as u64;
        let plain =
            self.key.open_chunk(self.content.as_bytes(), SealedPart::Original, position, last, &sealed)?;
        let start = position * CHUNK as u64;
        let from = (self.next - start) as usize;
        let to = plain.len().min((self.end - start) as usize);
        if from >= to {
            return Err(StoreError::Corrupt(format!("content {} is shorter than it says", self.content)));
        }
        self.next = start + to as u64;
        Ok(Some(Bytes::from(plain).slice(from..to)))
    }

    async fn sealed_chunk(&mut self, position: u64) -> Result<Bytes, StoreError> {
        let number = position / ROW_CHUNKS;
        let row = match &self.row {
            Some((held, row)) if *held == number => row.clone(),
            _ => {
                let found = self.ledger.row(row_key(self.content, number)).await?;
                let row = found.ok_or_else(|| {
                    StoreError::Corrupt(format!("row {number} of content {} is gone", self.content))
                })?;
                self.row = Some((number, row.value.clone()));
                row.value
            }
        };
        let from = (position % ROW_CHUNKS) as usize * (CHUNK + TAG);
        if row.len() > ROW_BYTES || from >= row.len() {
            return Err(StoreError::Corrupt(format!(
                "row {number} of content {} has a wrong size",
                self.content
            )));
        }
        Ok(row.slice(from..row.len().min(from + CHUNK + TAG)))
    }
}

fn row_key(content: ContentId, row: u64) -> Vec<u8> {
    Key::of(Table::Content).id(&content).number(u32::try_from(row).unwrap_or(u32::MAX)).done()
}

pub(crate) fn arriving_key(content: ContentId) -> Vec<u8> {
    Key::of(Table::Arriving).id(&content).done()
}

pub(crate) fn wrap_key(case: CaseId, message: MessageId) -> Vec<u8> {
    Key::of(Table::Wrap).id(&case).id(&message).done()
}

/// A wrap opens this content for this group and nothing else.
pub(crate) fn wrap_context(content: ContentId, group: &GroupId) -> Vec<u8> {
    [content.as_bytes().as_slice(), group.as_str().as_bytes()].concat()
}
