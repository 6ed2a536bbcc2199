//! The ledger on sled: selectable, never durable, so never for mail that matters.
//!
//! sled 0.34 does not call fsync on Linux; after a loss of power nearly everything of the last
//! seconds is gone, and the database may not open again. [`Engine::durable`] says so, and the
//! server accepts no mail on it unless its configuration does too. Space is not given back either.

use std::{
    collections::BTreeMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use ::sled::{Batch, Db, IVec};
use bytes::Bytes;
use tokio::{sync::watch, task::spawn_blocking};

use crate::{
    chain::{self, MALFORMED_STATE, STATE_KEY, State},
    engine::{Broken, CLOSED, Changeset, CommitError, Committed, Engine, Pending, Range, Row, Rows, count},
};

/// Memory for sled's cache, in bytes.
const CACHE: u64 = 32 << 20;

/// Why the database cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the sled database in {folder} is in use by another Postern process; stop that one first, \
         or give this one a data folder of its own"
    )]
    InUse { folder: PathBuf },
    #[error(
        "the sled database in {folder} cannot be opened: {cause}; sled has no repair, so restore \
         it from a backup, and use the SQLite engine for what must not be lost"
    )]
    Failed { folder: PathBuf, cause: String },
}

/// The ledger in a folder of sled's.
#[derive(Debug)]
pub struct Sled {
    store: Arc<RwLock<Store>>,
    broken: watch::Sender<Option<Broken>>,
}

/// sled has no snapshots for several reads and no sequence of its own: the lock gives both.
#[derive(Debug)]
struct Store {
    db: Option<Db>,
    state: State,
}

impl Sled {
    /// Opens or makes the database in `folder`/ledger.sled. Blocks on the disk.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join("ledger.sled");
        let config = ::sled::Config::new().path(path).cache_capacity(CACHE);
        // A damaged database makes sled panic rather than return an error.
        let opened = catch_unwind(AssertUnwindSafe(|| config.open()));
        let failed = |cause: String| OpenError::Failed { folder: folder.to_owned(), cause };
        let db = match opened {
            Ok(Ok(db)) => db,
            Ok(Err(::sled::Error::Io(e))) if is_lock(&e) => {
                return Err(OpenError::InUse { folder: folder.to_owned() });
            }
            Ok(Err(e)) => return Err(failed(e.to_string())),
            Err(_) => return Err(failed("it is damaged".into())),
        };
        let state = match db.get(STATE_KEY).map_err(|e| failed(e.to_string()))? {
            None => State::EMPTY,
            Some(bytes) => parse(&bytes)
                .and_then(|row| State::decode(&row.value))
                .ok_or_else(|| failed(MALFORMED_STATE.into()))?,
        };
        let db = Some(db);
        Ok(Self { store: Arc::new(RwLock::new(Store { db, state })), broken: watch::Sender::new(None) })
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Db) -> Result<T, Broken> + Send + 'static,
    ) -> Result<T, Broken> {
        let store = self.store.clone();
        let read = spawn_blocking(move || {
            let store = store.read().unwrap_or_else(PoisonError::into_inner);
            match &store.db {
                Some(db) => work(db),
                None => Err(Broken(CLOSED.into())),
            }
        });
        read.await.unwrap_or_else(|_| Err(panicked()))
    }

    async fn write(&self, change: Changeset) -> Result<Committed, CommitError> {
        change.check()?;
        if let Some(broken) = self.broken.borrow().clone() {
            return Err(broken.into());
        }
        let store = self.store.clone();
        let written = spawn_blocking(move || {
            let mut store = store.write().unwrap_or_else(PoisonError::into_inner);
            store.apply(&change)
        });
        let told = written.await.unwrap_or_else(|_| Err(panicked().into()));
        match told {
            Err(CommitError::Broken(text)) if text != CLOSED => {
                self.broken.send_replace(Some(Broken(text.clone())));
                Err(CommitError::Broken(text))
            }
            told => told,
        }
    }
}

impl Store {
    fn apply(&mut self, change: &Changeset) -> Result<Committed, CommitError> {
        let Some(db) = &self.db else {
            return Err(CommitError::Broken(CLOSED.into()));
        };
        for (key, expected) in &change.require {
            if row(db, key)?.map(|row| row.version) != *expected {
                return Err(CommitError::Conflict);
            }
        }
        let mut state = self.state;
        state.version = state.version.saturating_add(1);
        let version = state.version;
        // A batch keeps one operation per key, the last, and is applied atomically.
        let mut batch = Batch::default();
        for (key, sum) in counted(db, change)? {
            batch.insert(key, encode(&sum, version));
        }
        for (key, value) in &change.put {
            batch.insert(key.as_slice(), encode(value, version));
        }
        for key in &change.delete {
            batch.remove(key.as_slice());
        }
        for event in &change.append {
            let (head, record) = chain::link(&state.head, event);
            batch.insert(chain::record_key(head.sequence), encode(&record, version));
            state.head = head;
        }
        batch.insert(&STATE_KEY[..], encode(&state.encode(), version));
        db.apply_batch(batch).map_err(|e| failed(&e))?;
        self.state = state;
        Ok(Committed { version, audit_head: state.head.sequence })
    }
}

/// The counters' new values.
fn counted<'a>(db: &Db, change: &'a Changeset) -> Result<BTreeMap<&'a [u8], [u8; 8]>, CommitError> {
    let mut counted = BTreeMap::<&[u8], [u8; 8]>::new();
    for (key, amount) in &change.add {
        let sum = match counted.get(key.as_slice()) {
            Some(earlier) => count(key, Some(earlier), *amount)?,
            None => {
                let old = row(db, key)?;
                count(key, old.as_ref().map(|row| row.value.as_ref()), *amount)?
            }
        };
        counted.insert(key, sum);
    }
    Ok(counted)
}

/// `version (8) ‖ value`
fn encode(value: &[u8], version: u64) -> IVec {
    let mut bytes = Vec::with_capacity(8 + value.len());
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(value);
    bytes.into()
}

fn parse(stored: &[u8]) -> Option<Row> {
    let (version, value) = stored.split_first_chunk::<8>()?;
    Some(Row { value: Bytes::copy_from_slice(value), version: u64::from_be_bytes(*version) })
}

fn row(db: &Db, key: &[u8]) -> Result<Option<Row>, Broken> {
    match db.get(key).map_err(|e| failed(&e))? {
        None => Ok(None),
        Some(stored) => parse(&stored).map(Some).ok_or_else(malformed),
    }
}

fn scan(db: &Db, range: Range, limit: usize) -> Result<Rows, Broken> {
    if range.from >= range.to {
        return Ok(Vec::new());
    }
    let mut rows = Vec::new();
    for found in db.range(range.from..range.to).take(limit) {
        let (key, stored) = found.map_err(|e| failed(&e))?;
        rows.push((key.to_vec(), parse(&stored).ok_or_else(malformed)?));
    }
    Ok(rows)
}

impl Engine for Sled {
    fn get<'a>(&'a self, keys: &'a [Vec<u8>]) -> Pending<'a, Result<Vec<Option<Row>>, Broken>> {
        let keys = keys.to_vec();
        Box::pin(self.read(move |db| keys.iter().map(|key| row(db, key)).collect()))
    }

    fn scan(&self, range: Range, limit: usize) -> Pending<'_, Result<Rows, Broken>> {
        Box::pin(self.read(move |db| scan(db, range, limit)))
    }

    fn commit(&self, change: Changeset) -> Pending<'_, Result<Committed, CommitError>> {
        Box::pin(self.write(change))
    }

    fn durable(&self) -> bool {
        false
    }

    fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.broken.subscribe()
    }

    fn close(&self) -> Pending<'_, ()> {
        let store = self.store.clone();
        Box::pin(async move {
            let closed = spawn_blocking(move || {
                let mut store = store.write().unwrap_or_else(PoisonError::into_inner);
                if let Some(db) = store.db.take() {
                    // What cannot be flushed now was never promised to last.
                    let _ = db.flush();
                }
            });
            let _ = closed.await;
        })
    }
}

fn is_lock(error: &io::Error) -> bool {
    // sled wraps the lock's error in a text of its own.
    error.kind() == io::ErrorKind::WouldBlock || error.to_string().contains("acquire lock")
}

fn failed(error: &::sled::Error) -> Broken {
    Broken(format!("the sled database failed: {error}; check the disk, then restart Postern"))
}

fn malformed() -> Broken {
    Broken("a row of the sled database is malformed; restore it from a backup".into())
}

fn panicked() -> Broken {
    Broken("sled stopped by mistake; restart Postern, on the SQLite engine if it happens again".into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance;

    /// sled gives its lock back when its last thread has ended, a moment after the database was dropped.
    async fn open(folder: &Path) -> Arc<dyn Engine> {
        let began = std::time::Instant::now();
        loop {
            match Sled::open(folder) {
                Ok(engine) => return Arc::new(engine),
                Err(OpenError::InUse { .. }) if began.elapsed().as_secs() < 30 => {
                    tokio::task::yield_now().await
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn conforms() {
        conformance::run(open).await;
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn keeps() {
        conformance::keeps(open).await;
    }

    #[test]
    fn one_process_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let _first = Sled::open(folder.path()).unwrap();
        let second = Sled::open(folder.path());
        assert!(matches!(second, Err(OpenError::InUse { .. })), "{second:?}");
    }

    #[test]
    fn what_cannot_be_opened_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("ledger.sled").join("db");
        std::fs::create_dir_all(inside).unwrap();
        let opened = Sled::open(folder.path());
        assert!(matches!(opened, Err(OpenError::Failed { .. })), "{opened:?}");
    }
}
