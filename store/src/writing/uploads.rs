//! Files of a draft on their way in: sealed chunk by chunk, a megabyte to a commit. Where an upload broke off it goes on,
//! also in another process: what is committed stays, and what stood in memory comes again.
//!
//! The mark of a file's content moves with each commit, so that of two who write to it one fails. Rows of a content are
//! never written twice: who goes on begins behind the last one.

use bytes::Bytes;
use certs::{CHUNK, MessageKey, SealedPart};
use minicbor::{Decode, Encode};

use super::drafts::Draft;
use crate::{
    audit::{Act, Actor},
    content::{ROW_CHUNKS, give_up, row_key},
    engine::Changeset,
    error::StoreError,
    ids::{ContentId, DraftId},
    keys::{Key, Table},
    ledger::Ledger,
    reading::{OpenContent, wrap_context},
    records,
};

/// Files of one draft.
pub const MOST_FILES: usize = 50;

/// Rows that are committed together, as a mail's are.
const ROWS_PER_COMMIT: usize = 4;

/// Plaintext of a full row.
const ROW: u64 = ROW_CHUNKS * CHUNK as u64;

/// A file of a draft, whole or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DraftFile {
    pub id: ContentId,
    /// As its author's machine calls it: a claim.
    pub name: String,
    pub media_type: String,
    /// How large it is to become, if that was said.
    pub announced: Option<u64>,
    /// Bytes that are kept.
    pub received: u64,
    pub whole: bool,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FileRow {
    #[cbor(n(0), with = "minicbor::bytes")]
    wrapped: Vec<u8>,
    /// [`FileWords`], under the same key as the content.
    #[cbor(n(1), with = "minicbor::bytes")]
    words: Vec<u8>,
    #[n(2)]
    announced: Option<u64>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct FileWords {
    #[n(0)]
    name: String,
    #[n(1)]
    media_type: String,
}

/// How far a file has come.
#[derive(Debug, Clone, Copy, Encode, Decode)]
#[cbor(map)]
struct Progress {
    #[n(0)]
    rows: u64,
    /// Its size; none as long as it is not whole.
    #[n(1)]
    size: Option<u64>,
}

/// A file that is being written.
pub struct FileWriter {
    ledger: Ledger,
    id: ContentId,
    key: MessageKey,
    /// The version of the file's mark.
    version: u64,
    /// Rows in the ledger.
    rows: u64,
    fresh: Vec<(Vec<u8>, Bytes)>,
    row: Vec<u8>,
    chunks: u64,
    chunk: Vec<u8>,
}

impl Ledger {
    /// Adds a file of which nothing has come yet.
    ///
    /// # Errors
    /// `Denied` if the draft has as many as there may be, `Conflict` if the draft was changed since it was read.
    pub async fn begin_file(
        &self,
        draft: &Draft,
        name: &str,
        media_type: &str,
        announced: Option<u64>,
    ) -> Result<ContentId, StoreError> {
        let others = self.engine().scan(files_of(draft.id).range(), MOST_FILES).await?;
        if others.len() == MOST_FILES {
            return Err(StoreError::Denied(format!("{MOST_FILES} files are as many as a message may have")));
        }
        let (id, key) = (ContentId::new(self.now())?, MessageKey::generate()?);
        let words = FileWords { name: name.to_owned(), media_type: media_type.to_owned() };
        let row = FileRow {
            wrapped: key
                .wrap_to(&self.directory().ring(&draft.group)?.public, &wrap_context(id, &draft.group))?,
            words: key.seal(id.as_bytes(), SealedPart::Headline, &records::encode(&words)?)?,
            announced,
        };
        let event = draft.event(self.now(), &Actor::User(draft.user), Act::DraftFileAdded);
        let changes = Changeset {
            require: vec![draft.row()],
            put: vec![
                (file_key(draft.id, id), records::encode(&row)?),
                (mark_key(id), records::encode(&Progress { rows: 0, size: None })?),
            ],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await?;
        Ok(id)
    }

    /// The files of a draft, in the order in which they were added.
    pub async fn draft_files(&self, draft: &Draft) -> Result<Vec<DraftFile>, StoreError> {
        let rows = self.engine().scan(files_of(draft.id).range(), MOST_FILES).await?;
        let mut files = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let Some(id) = key.last_chunk::<20>().map(|id| ContentId::from_bytes(*id)) else { continue };
            let (file, _) = self.file_of(draft, id, &row.value).await?;
            files.push(file);
        }
        Ok(files)
    }

    /// One of them.
    pub async fn draft_file(&self, draft: &Draft, id: ContentId) -> Result<Option<DraftFile>, StoreError> {
        match self.row(file_key(draft.id, id)).await? {
            Some(row) => Ok(Some(self.file_of(draft, id, &row.value).await?.0)),
            None => Ok(None),
        }
    }

    /// Goes on with a file at `offset`, which is what was received of it.
    ///
    /// # Errors
    /// `Conflict` if it is not, or if the file is whole, or gone.
    pub async fn resume_file(
        &self,
        draft: &Draft,
        id: ContentId,
        offset: u64,
    ) -> Result<FileWriter, StoreError> {
        let rows = self.engine().get(&[file_key(draft.id, id), mark_key(id)]).await?;
        let [Some(file), Some(mark)] = rows.as_slice() else { return Err(StoreError::Conflict) };
        let progress: Progress = records::decode(&mark.value)?;
        if progress.size.is_some() || progress.rows * ROW != offset {
            return Err(StoreError::Conflict);
        }
        let row: FileRow = records::decode(&file.value)?;
        let key = self.file_key(draft, id, &row)?;
        // Whoever wrote to it before can no more.
        let changes = Changeset {
            require: vec![(mark_key(id), Some(mark.version))],
            put: vec![(mark_key(id), mark.value.clone())],
            ..Changeset::default()
        };
        let version = self.commit(changes).await?.version;
        Ok(FileWriter {
            ledger: self.clone(),
            id,
            key,
            version,
            rows: progress.rows,
            fresh: Vec::new(),
            row: Vec::new(),
            chunks: progress.rows * ROW_CHUNKS,
            chunk: Vec::new(),
        })
    }

    /// Takes a file out of a draft and destroys it; one that is gone already is no error.
    pub async fn remove_file(&self, draft: &Draft, id: ContentId) -> Result<(), StoreError> {
        let Some(row) = self.row(file_key(draft.id, id)).await? else { return Ok(()) };
        let event = draft.event(self.now(), &Actor::User(draft.user), Act::DraftFileRemoved);
        let mut changes = Changeset {
            require: vec![(file_key(draft.id, id), Some(row.version))],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        give_up_file(draft.id, id, &mut changes)?;
        let version = self.commit(changes).await?.version;
        self.remove_arriving(id, version).await
    }

    /// A whole file, for reading.
    ///
    /// # Errors
    /// `Conflict` if it is not whole, or gone.
    pub async fn open_file(&self, draft: &Draft, id: ContentId) -> Result<OpenContent, StoreError> {
        let row = self.row(file_key(draft.id, id)).await?.ok_or(StoreError::Conflict)?;
        let (file, key) = self.file_of(draft, id, &row.value).await?;
        match file.whole {
            true => Ok(OpenContent::stored(self, key, id, file.received)),
            false => Err(StoreError::Conflict),
        }
    }

    /// Adds to `changes` that the files of a draft go. Their keys go with the commit: what is left of them is noise.
    pub(super) async fn give_up_files(
        &self,
        draft: &Draft,
        changes: &mut Changeset,
    ) -> Result<Vec<ContentId>, StoreError> {
        let rows = self.engine().scan(files_of(draft.id).range(), MOST_FILES).await?;
        let ids = rows.iter().filter_map(|(key, _)| key.last_chunk::<20>());
        let ids: Vec<_> = ids.map(|id| ContentId::from_bytes(*id)).collect();
        for id in &ids {
            give_up_file(draft.id, *id, changes)?;
        }
        Ok(ids)
    }

    async fn file_of(
        &self,
        draft: &Draft,
        id: ContentId,
        value: &[u8],
    ) -> Result<(DraftFile, MessageKey), StoreError> {
        let row: FileRow = records::decode(value)?;
        let key = self.file_key(draft, id, &row)?;
        let words = key.open(id.as_bytes(), SealedPart::Headline, &row.words)?;
        let FileWords { name, media_type } = records::decode(&words)?;
        let mark = self.row(mark_key(id)).await?.ok_or(StoreError::Conflict)?;
        let Progress { rows, size } = records::decode(&mark.value)?;
        let received = size.unwrap_or(rows * ROW);
        let file =
            DraftFile { id, name, media_type, announced: row.announced, received, whole: size.is_some() };
        Ok((file, key))
    }

    fn file_key(&self, draft: &Draft, id: ContentId, row: &FileRow) -> Result<MessageKey, StoreError> {
        let directory = self.directory();
        let opener = &directory.ring(&draft.group)?.opener;
        Ok(opener.unwrap(&row.wrapped, &wrap_context(id, &draft.group))?)
    }
}

impl FileWriter {
    /// Bytes that have come so far, kept or not.
    pub fn size(&self) -> u64 {
        self.chunks * CHUNK as u64 + self.chunk.len() as u64
    }

    pub async fn write(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        while !bytes.is_empty() {
            // A full chunk waits for the next byte: only then it is known not to be the last.
            if self.chunk.len() == CHUNK {
                self.seal_chunk(false)?;
                if self.fresh.len() == ROWS_PER_COMMIT {
                    self.keep(None).await?;
                }
            }
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
        }
        Ok(())
    }

    /// The file is whole.
    pub async fn finish(mut self) -> Result<u64, StoreError> {
        let size = self.size();
        self.seal_chunk(true)?;
        if !self.row.is_empty() {
            self.end_row();
        }
        self.keep(Some(size)).await?;
        Ok(size)
    }

    /// No more comes for now: what is a full row stays, the rest must come again. How much stayed.
    pub async fn pause(mut self) -> Result<u64, StoreError> {
        if !self.fresh.is_empty() {
            self.keep(None).await?;
        }
        Ok(self.rows * ROW)
    }

    fn seal_chunk(&mut self, last: bool) -> Result<(), StoreError> {
        let (id, part) = (self.id.as_bytes(), SealedPart::Original);
        let sealed = self.key.seal_chunk(id, part, self.chunks, last, &self.chunk)?;
        self.chunk.clear();
        self.row.extend_from_slice(&sealed);
        self.chunks += 1;
        if self.chunks.is_multiple_of(ROW_CHUNKS) {
            self.end_row();
        }
        Ok(())
    }

    fn end_row(&mut self) {
        let number = (self.chunks - 1) / ROW_CHUNKS;
        self.fresh.push((row_key(self.id, number), std::mem::take(&mut self.row).into()));
    }

    async fn keep(&mut self, size: Option<u64>) -> Result<(), StoreError> {
        let rows = self.rows + self.fresh.len() as u64;
        let mut changes = Changeset {
            require: vec![(mark_key(self.id), Some(self.version))],
            put: std::mem::take(&mut self.fresh),
            ..Changeset::default()
        };
        changes.put.push((mark_key(self.id), records::encode(&Progress { rows, size })?));
        self.version = self.ledger.commit(changes).await?.version;
        self.rows = rows;
        Ok(())
    }
}

fn give_up_file(draft: DraftId, id: ContentId, changes: &mut Changeset) -> Result<(), StoreError> {
    changes.delete.extend([file_key(draft, id), mark_key(id)]);
    give_up(id, changes)
}

fn files_of(draft: DraftId) -> Key {
    Key::of(Table::DraftFile).id(&draft)
}

fn file_key(draft: DraftId, id: ContentId) -> Vec<u8> {
    files_of(draft).id(&id).done()
}

fn mark_key(id: ContentId) -> Vec<u8> {
    Key::of(Table::DraftContent).id(&id).done()
}
