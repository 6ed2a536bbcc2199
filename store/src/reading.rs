//! Opening sealed messages for a reader: the event first, then the key, then chunk after chunk.
//!
//! Whether the reader may look is decided before (`policies::access`); here it is only written down.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use certs::{CHUNK, MessageKey, SealedPart, TAG};
use mail::{Address, GroupId, Headline, Person};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    cases::{Case, MessageRecord},
    content::{ROW_BYTES, ROW_CHUNKS, SealedContent, row_key},
    engine::Row,
    error::StoreError,
    ids::{CaseId, ContentId, MessageId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// What a reader is about to look at; each is its own event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// The messages of a case on its page.
    Page,
    Attachment,
    Original,
    /// A whole case as one file.
    TakenAway,
    /// A case on paper.
    Printed,
    /// Taken away by the administrator of the machine.
    Export,
}

/// A message that was opened for a reader, after the reading was written down.
pub struct OpenMessage {
    pub record: MessageRecord,
    pub headline: Headline,
    pub content: OpenContent,
}

/// A message that cannot be shown; the others of its case can.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("message {} cannot be read: {why}", record.id)]
pub struct Unreadable {
    pub record: Box<MessageRecord>,
    pub why: Closed,
}

/// Why a message does not open.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    #[error("its sender took it back before anybody of this group saw it")]
    Withdrawn,
    #[error("{0}")]
    Damaged(String),
}

/// An original whose key is at hand.
#[derive(Clone)]
pub struct OpenContent {
    ledger: Ledger,
    key: Arc<MessageKey>,
    id: ContentId,
    size: u64,
    /// Rows that are not in the ledger yet.
    fresh: Vec<(Vec<u8>, Bytes)>,
}

/// The wrapped message key of one message, one for each party.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Wraps {
    #[n(0)]
    pub(crate) wraps: Vec<Wrap>,
}

#[derive(Debug, Clone, Encode, Decode)]
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
    ) -> Result<Vec<Result<OpenMessage, Unreadable>>, StoreError> {
        let Some(side) = case.side(group) else {
            return Err(StoreError::Denied("the group takes no part in this case".to_owned()));
        };
        let act = match reading {
            Reading::Page => Act::CaseRead,
            Reading::Attachment => Act::AttachmentRead,
            Reading::Original => Act::OriginalRead,
            Reading::TakenAway => Act::CaseTakenAway,
            Reading::Printed => Act::CasePrinted,
            Reading::Export => Act::CaseExported,
        };
        let mut event = Event::new(self.now(), actor.clone(), act).group(group).case(case.id);
        if let [message] = messages.as_slice() {
            event.message = Some(message.id);
        }
        let latest = messages.iter().map(|message| message.number).max().unwrap_or(0);
        match reading {
            // What somebody has on paper or on a disk was before their eyes: it cannot be taken back unseen.
            Reading::Page | Reading::Printed | Reading::TakenAway if latest > side.seen => {
                self.mark_seen(case.id, group, latest, event).await?
            }
            _ => self.record(event).await?,
        }
        let keys: Vec<_> = messages.iter().map(|message| wrap_key(case.id, message.id)).collect();
        let wraps = self.engine().get(&keys).await?;
        let opened = messages.into_iter().zip(wraps).map(|(record, row)| {
            if record.is_withdrawn_for(group) {
                return Err(Unreadable { record: record.into(), why: Closed::Withdrawn });
            }
            match self.unwrap_message(case, &record, row, group) {
                Ok((headline, content)) => Ok(OpenMessage { record, headline, content }),
                Err(error) => {
                    Err(Unreadable { record: record.into(), why: Closed::Damaged(error.to_string()) })
                }
            }
        });
        Ok(opened.collect())
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
        let opened = opened
            .into_iter()
            .next()
            .ok_or_else(|| StoreError::Corrupt("no message was opened".to_owned()))?;
        opened.map_err(StoreError::from)
    }

    /// People of companies that take no part in the case are left out: one mail to two rivals makes two
    /// cases, and neither shows the other.
    fn unwrap_message(
        &self,
        case: &Case,
        record: &MessageRecord,
        row: Option<Row>,
        group: &GroupId,
    ) -> Result<(Headline, OpenContent), StoreError> {
        let row = row.ok_or_else(|| StoreError::Corrupt(format!("the key of {} is gone", record.id)))?;
        let wraps: Wraps = records::decode(&row.value)?;
        let Some(wrap) = wraps.wraps.iter().find(|wrap| wrap.group == *group) else {
            return Err(StoreError::Corrupt(format!("message {} is not sealed for {group}", record.id)));
        };
        let directory = self.directory();
        let key =
            directory.ring(group)?.opener.unwrap(&wrap.wrapped, &wrap_context(record.content, group))?;
        let headline = key.open(record.content.as_bytes(), SealedPart::Headline, &record.headline)?;
        let mut headline: Headline = records::decode(&headline)?;
        let foreign = |person: &Person| {
            let address = person.address.as_deref().and_then(|address| Address::parse(address).ok());
            let group = address.and_then(|address| directory.group_of(&address).cloned());
            group.is_some_and(|group| case.side(&group).is_none())
        };
        headline.to.retain(|person| !foreign(person));
        headline.cc.retain(|person| !foreign(person));
        let content = OpenContent::stored(self, key, record.content, record.size);
        Ok((headline, content))
    }
}

impl OpenMessage {
    /// [`OpenContent::read`]
    pub fn read(&self, offset: u64, length: u64) -> ContentReader {
        self.content.read(offset, length)
    }

    /// [`OpenContent::range`]
    pub async fn range(&self, offset: u64, length: u64) -> Result<Vec<u8>, StoreError> {
        self.content.range(offset, length).await
    }
}

impl SealedContent {
    /// The same content for reading, before any message names it.
    pub fn open(&self, ledger: &Ledger) -> OpenContent {
        OpenContent {
            ledger: ledger.clone(),
            key: Arc::clone(&self.key),
            id: self.id,
            size: self.size,
            fresh: self.rows.clone(),
        }
    }
}

impl OpenContent {
    /// Content whose rows are all in the ledger.
    pub(crate) fn stored(ledger: &Ledger, key: MessageKey, id: ContentId, size: u64) -> Self {
        Self { ledger: ledger.clone(), key: Arc::new(key), id, size, fresh: Vec::new() }
    }

    /// Bytes of the original.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `offset` on, at most `length` of them, in pieces of at most 64 KiB.
    pub fn read(&self, offset: u64, length: u64) -> ContentReader {
        let next = offset.min(self.size);
        ContentReader {
            ledger: self.ledger.clone(),
            key: Arc::clone(&self.key),
            content: self.id,
            size: self.size,
            next,
            end: next.saturating_add(length).min(self.size),
            fresh: self.fresh.clone(),
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

impl fmt::Debug for OpenContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenContent").field("id", &self.id).field("size", &self.size).finish_non_exhaustive()
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
    fresh: Vec<(Vec<u8>, Bytes)>,
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
                let row = self.sealed_row(number).await?;
                self.row = Some((number, row.clone()));
                row
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

    async fn sealed_row(&self, number: u64) -> Result<Bytes, StoreError> {
        let key = row_key(self.content, number);
        if let Some((_, row)) = self.fresh.iter().find(|(fresh, _)| *fresh == key) {
            return Ok(row.clone());
        }
        let found = self.ledger.row(key).await?;
        found
            .map(|row| row.value)
            .ok_or_else(|| StoreError::Corrupt(format!("row {number} of content {} is gone", self.content)))
    }
}

pub(crate) fn wrap_key(case: CaseId, message: MessageId) -> Vec<u8> {
    Key::of(Table::Wrap).id(&case).id(&message).done()
}

/// A wrap opens this content for this group and nothing else.
pub(crate) fn wrap_context(content: ContentId, group: &GroupId) -> Vec<u8> {
    [content.as_bytes().as_slice(), group.as_str().as_bytes()].concat()
}
