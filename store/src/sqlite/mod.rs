//! The embedded engine: one ordered SQLite table, one writing thread, a few reading connections.
//!
//! Every changeset that waits is committed together with the others that wait (group commit), and
//! nobody is told before `COMMIT`, with its fsync, has returned. A failed write or fsync is final:
//! the engine says so and accepts nothing more, because pages cannot be trusted after it.
//! This engine never runs in two processes on one folder, except for reading.

mod batch;
mod connection;
#[cfg(test)]
mod crash;
mod error;
mod folder;
mod log;
mod reader;
mod reserve;
mod scribe;
#[cfg(test)]
mod small_disk;
#[cfg(test)]
mod tests;
mod writer;

use std::path::Path;

use rusqlite::Connection;
use tokio::sync::watch;

pub use self::{error::OpenError, writer::Options};
use self::{
    folder::{Folder, Lock},
    log::Log,
    reader::Readers,
    reserve::Reserve,
    writer::Writer,
};
use crate::engine::{Broken, Changeset, CommitError, Committed, Engine, Pending, Range, Row, Rows};

/// The ledger in a data folder. [`Engine::close`] it before the value goes: dropping one that is
/// open waits, blocking, for what it has taken.
#[derive(Debug)]
pub struct Sqlite {
    readers: Readers,
    access: Access,
}

#[derive(Debug)]
enum Access {
    Writing(Writer),
    Reading(watch::Sender<Option<Broken>>),
}

impl Sqlite {
    /// Opens the ledger in `folder` for reading and writing, and makes both if they are absent.
    ///
    /// Blocks on the disk: a few milliseconds, longer if the last process was killed. On a full
    /// disk it opens too, and takes only what makes room until there is space again.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        Self::open_prepared(folder, options, |_| Ok(()))
    }

    /// [`open`](Self::open), with a last word to the writing connection.
    fn open_prepared(
        folder: &Path,
        options: Options,
        prepare: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<Self, OpenError> {
        let folder = Folder::create(folder)?;
        let lock = Lock::take(&folder)?;
        let mut reserve = Reserve::new(&folder);
        if !folder.database().exists() {
            // A ledger that begins its life on a full disk has no use.
            reserve.make().map_err(|e| folder.unwritable(e))?;
        }
        let opened = match connection::open_writing(&folder) {
            // SQLite needs a little room to open, and the log some to be brought over.
            Err(OpenError::Full { .. }) if reserve.release() => connection::open_writing(&folder),
            opened => opened,
        };
        let (connection, state) = opened?;
        let log = prepare(&connection).and_then(|()| Log::watch(connection, options.log_bytes));
        let log = log.map_err(|e| connection::failed(&folder, &e))?;
        let writer = Writer::start(log, state, reserve, lock, &folder, options)?;
        Ok(Self { readers: Readers::new(folder), access: Access::Writing(writer) })
    }

    /// Opens the ledger in `folder` for reading, also while a server is running on it. Commits
    /// get [`CommitError::Broken`] with a sentence that says so.
    pub fn open_read_only(folder: &Path) -> Result<Self, OpenError> {
        let folder = Folder::existing(folder)?;
        let readers = Readers::new(folder);
        readers.probe()?;
        Ok(Self { readers, access: Access::Reading(watch::Sender::new(None)) })
    }
}

impl Engine for Sqlite {
    fn get<'a>(&'a self, keys: &'a [Vec<u8>]) -> Pending<'a, Result<Vec<Option<Row>>, Broken>> {
        Box::pin(self.readers.get(keys))
    }

    fn scan(&self, range: Range, limit: usize) -> Pending<'_, Result<Rows, Broken>> {
        Box::pin(self.readers.scan(range, limit))
    }

    fn scans(&self, scans: Vec<(Range, usize)>) -> Pending<'_, Result<Vec<Rows>, Broken>> {
        Box::pin(self.readers.scans(scans))
    }

    fn commit(&self, change: Changeset) -> Pending<'_, Result<Committed, CommitError>> {
        Box::pin(async move {
            match &self.access {
                Access::Writing(writer) => writer.commit(change).await,
                Access::Reading(_) => Err(CommitError::Broken(READ_ONLY.into())),
            }
        })
    }

    fn durable(&self) -> bool {
        true
    }

    fn broken(&self) -> watch::Receiver<Option<Broken>> {
        match &self.access {
            Access::Writing(writer) => writer.broken(),
            Access::Reading(never) => never.subscribe(),
        }
    }

    fn close(&self) -> Pending<'_, ()> {
        Box::pin(async move {
            self.readers.close();
            if let Access::Writing(writer) = &self.access {
                writer.close().await;
            }
        })
    }
}

const READ_ONLY: &str = "the ledger was opened for reading only; send the change to the running \
     server, or stop the server and repeat it";
