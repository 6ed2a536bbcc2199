//! The ledger itself: one engine, one root key, the directory in memory.
//!
//! Everything that changes goes through `commit`; everything that waits for work waits on `work`.

use std::sync::{
    Arc, OnceLock, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use arc_swap::ArcSwap;
use certs::RootKey;
use jiff::Timestamp;
use minicbor::{Decode, Encode};
use tokio::sync::{Mutex, Notify, watch};

use crate::{
    audit::{Act, Actor, Event},
    case_events,
    directory::Directory,
    engine::{Broken, Changeset, Committed, Engine, Row},
    error::StoreError,
    jobs::move_old_jobs,
    keys::{Key, Table},
    lists, records,
    reports::WorkingDays,
    trail,
};

/// A handle; clones share everything.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

struct Shared {
    engine: Arc<dyn Engine>,
    root: Arc<RootKey>,
    directory: ArcSwap<Directory>,
    /// One reading of the directory at a time, so that an older one never replaces a newer one.
    reading: Mutex<()>,
    work: Notify,
    /// Where the next lease begins in the queue.
    turn: std::sync::Mutex<Option<Vec<u8>>>,
    /// Every case is known to stand in the lists.
    listed: AtomicBool,
    clock: Clock,
    working_days: OnceLock<WorkingDays>,
}

/// Where the time comes from; tests and simulations bring their own.
pub type Clock = Box<dyn Fn() -> Timestamp + Send + Sync>;

/// The one row that says what this ledger is.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Nameplate {
    #[cbor(n(0), with = "minicbor::bytes")]
    root_fingerprint: [u8; 32],
}

impl Ledger {
    /// Opens the ledger on `engine`, or founds it if the engine is empty.
    ///
    /// # Errors
    /// `Denied` if the ledger was sealed under another root key.
    pub async fn open(engine: Arc<dyn Engine>, root: Arc<RootKey>) -> Result<Self, StoreError> {
        Self::open_with_clock(engine, root, Box::new(Timestamp::now)).await
    }

    pub async fn open_with_clock(
        engine: Arc<dyn Engine>,
        root: Arc<RootKey>,
        clock: Clock,
    ) -> Result<Self, StoreError> {
        check_nameplate(engine.as_ref(), &root, clock()).await?;
        match move_old_jobs(engine.as_ref(), &root).await {
            // Opened for reading only: whoever opens it for writing moves them. A broken engine says so by itself.
            Err(StoreError::Broken(_)) => {}
            moved => moved?,
        }
        match trail::begin(engine.as_ref()).await {
            // As above.
            Err(StoreError::Broken(_)) => {}
            begun => begun?,
        }
        let directory = Directory::load(engine.as_ref(), &root, None).await?;
        Ok(Self(Arc::new(Shared {
            engine,
            root,
            directory: ArcSwap::from_pointee(directory),
            reading: Mutex::new(()),
            work: Notify::new(),
            turn: std::sync::Mutex::new(None),
            listed: AtomicBool::new(false),
            clock,
            working_days: OnceLock::new(),
        })))
    }

    /// The directory as it is now; the snapshot never changes under the caller.
    pub fn directory(&self) -> Arc<Directory> {
        self.0.directory.load_full()
    }

    /// Reads the directory again, after a change here or in another process.
    pub async fn reload_directory(&self) -> Result<(), StoreError> {
        let _turn = self.0.reading.lock().await;
        let earlier = self.directory();
        let directory = Directory::load(self.engine(), &self.0.root, Some(&earlier)).await?;
        self.0.directory.store(Arc::new(directory));
        Ok(())
    }

    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// HMAC-SHA-256 under a secret of this installation that is used for `purpose` alone.
    pub fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        self.0.root.mac(purpose, data)
    }

    /// Writes one event that changes nothing else.
    pub async fn record(&self, event: Event) -> Result<(), StoreError> {
        let changes = Changeset { append: vec![event.to_bytes()?], ..Changeset::default() };
        self.commit(changes).await.map(drop)
    }

    /// Resolves when new jobs may be due.
    pub async fn work(&self) {
        self.0.work.notified().await;
    }

    pub(crate) fn announce_work(&self) {
        self.0.work.notify_one();
    }

    pub(crate) fn knows_lists(&self) -> bool {
        self.0.listed.load(Ordering::Relaxed)
    }

    pub(crate) fn note_lists(&self) {
        self.0.listed.store(true, Ordering::Relaxed);
    }

    pub(crate) fn turn(&self) -> Option<Vec<u8>> {
        self.0.turn.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_turn(&self, turn: Vec<u8>) {
        *self.0.turn.lock().unwrap_or_else(PoisonError::into_inner) = Some(turn);
    }

    /// `Some` as soon as the engine is broken: the process should say so and end.
    pub fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.0.engine.broken()
    }

    pub fn durable(&self) -> bool {
        self.0.engine.durable()
    }

    /// Finishes what was taken and closes the engine.
    pub async fn close(&self) {
        self.0.engine.close().await;
    }

    /// The first one stays.
    pub(crate) fn set_working_days(&self, days: WorkingDays) {
        let _ = self.0.working_days.set(days);
    }

    pub(crate) fn working_days(&self) -> Option<&WorkingDays> {
        self.0.working_days.get()
    }

    pub(crate) fn root(&self) -> &RootKey {
        &self.0.root
    }

    pub(crate) fn engine(&self) -> &dyn Engine {
        self.0.engine.as_ref()
    }

    pub(crate) async fn commit(&self, mut changes: Changeset) -> Result<Committed, StoreError> {
        trail::index(&mut changes)?;
        case_events::index(&mut changes)?;
        self.0.engine.commit(changes).await.map_err(StoreError::from)
    }

    pub(crate) async fn row(&self, key: Vec<u8>) -> Result<Option<Row>, StoreError> {
        Ok(self.0.engine.get(&[key]).await?.into_iter().next().flatten())
    }
}

/// A ledger opened with another key could read nothing and would seal for nobody: refuse it at once.
async fn check_nameplate(engine: &dyn Engine, root: &RootKey, now: Timestamp) -> Result<(), StoreError> {
    let key = Key::of(Table::Ledger).done();
    let fingerprint = root.fingerprint();
    if let Some(row) = engine.get(std::slice::from_ref(&key)).await?.into_iter().next().flatten() {
        let nameplate: Nameplate = records::decode(&row.value)?;
        if nameplate.root_fingerprint == fingerprint {
            return Ok(());
        }
        return Err(StoreError::Denied(
            "this ledger was sealed under another root key; give the configuration the key that belongs to this \
             data folder, or restore the folder that belongs to this key"
                .to_owned(),
        ));
    }
    let nameplate = Nameplate { root_fingerprint: fingerprint };
    let founding = Changeset {
        require: vec![(key.clone(), None)],
        put: vec![(key, records::encode(&nameplate)?), (lists::made_key(), lists::made()?)],
        append: vec![Event::new(now, Actor::Tool, Act::LedgerCreated).to_bytes()?],
        ..Changeset::default()
    };
    engine.commit(founding).await?;
    Ok(())
}
