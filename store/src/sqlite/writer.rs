//! The way to the writing thread: a queue bounded in bytes, and a receipt for each changeset.
//!
//! It never answers for the thread: who was not told by it was not heard.

use std::{
    sync::{
        Arc,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};

use super::{
    OpenError,
    batch::Outcome,
    folder::{Folder, Lock},
    log::Log,
    reserve::Reserve,
    scribe::Scribe,
};
use crate::{
    chain::State,
    engine::{Broken, CLOSED, Changeset, CommitError},
};

/// How much is gathered, kept waiting, and left in the log.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Bytes of changesets after which a batch takes no more. Commits above about 1.5 MiB are
    /// disproportionately slow on common disks.
    pub batch_bytes: usize,
    /// Changesets in a batch, at most.
    pub batch_count: usize,
    /// Bytes of changesets that may wait; who comes later waits before handing over.
    pub queue_bytes: usize,
    /// Bytes of log after which it is brought into the database; 8 MiB at most, so that the
    /// reserve has room for that on a full disk.
    pub log_bytes: u64,
    /// How long nothing must come before the writer tidies up.
    pub idle: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            batch_bytes: 1_200_000,
            batch_count: 256,
            queue_bytes: 16 << 20,
            log_bytes: 8 << 20,
            idle: Duration::from_secs(2),
        }
    }
}

/// The handle through which changesets reach the thread.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Sender<Order>,
    queue: Arc<Semaphore>,
    queue_kib: u32,
    broken: watch::Sender<Option<Broken>>,
    /// Until it is joined.
    thread: Option<JoinHandle<()>>,
}

/// Waits for the thread, so that whoever opens the folder next finds it free.
impl Drop for Writer {
    fn drop(&mut self) {
        let (done, _) = oneshot::channel();
        let _ = self.orders.send(Order::Close(done));
        if let Some(thread) = self.thread.take() {
            // A panic of the thread was reported by the thread.
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
pub(super) enum Order {
    Commit(Job),
    Close(oneshot::Sender<()>),
}

/// A changeset and who waits for it.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) change: Changeset,
    /// [`Changeset::size`]
    pub(super) size: usize,
    done: oneshot::Sender<Outcome>,
    _room: OwnedSemaphorePermit,
}

impl Job {
    /// Tells who waits, if they still do.
    pub(super) fn tell(self, outcome: Outcome) {
        let _ = self.done.send(outcome);
    }
}

impl Writer {
    pub(super) fn start(
        log: Log,
        state: State,
        reserve: Reserve,
        lock: Lock,
        folder: &Folder,
        options: Options,
    ) -> Result<Self, OpenError> {
        let (orders, received) = mpsc::channel();
        let broken = watch::Sender::new(None);
        let scribe = Scribe::new(log, state, reserve, lock, received, broken.clone(), options);
        let thread = thread::Builder::new().name("ledger-writer".into());
        let thread = thread.spawn(move || scribe.work()).map_err(|e| folder.unwritable(e))?;
        let queue_kib = u32::try_from(options.queue_bytes >> 10).unwrap_or(u32::MAX >> 3);
        let queue_kib = queue_kib.clamp(1, u32::MAX >> 3);
        Ok(Self {
            orders,
            queue: Arc::new(Semaphore::new(queue_kib as usize)),
            queue_kib,
            broken,
            thread: Some(thread),
        })
    }

    pub(super) async fn commit(&self, change: Changeset) -> Outcome {
        change.check()?;
        let size = change.size();
        let kib = u32::try_from(size >> 10).unwrap_or(u32::MAX);
        let kib = kib.saturating_add(1).min(self.queue_kib);
        let room = self.queue.clone().acquire_many_owned(kib).await;
        let Ok(_room) = room else {
            return Err(self.ended());
        };
        let (done, told) = oneshot::channel();
        let job = Job { change, size, done, _room };
        if self.orders.send(Order::Commit(job)).is_err() {
            return Err(self.ended());
        }
        told.await.unwrap_or_else(|_| Err(self.ended()))
    }

    pub(super) fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.broken.subscribe()
    }

    /// Takes no more, and waits until all that was taken is done and the thread has let go.
    pub(super) async fn close(&self) {
        self.queue.close();
        let (done, told) = oneshot::channel();
        if self.orders.send(Order::Close(done)).is_ok() {
            // An error: the thread has ended already.
            let _ = told.await;
        }
    }

    /// Why there is no thread any more.
    fn ended(&self) -> CommitError {
        match self.broken.borrow().clone() {
            Some(broken) => broken.into(),
            None => CommitError::Broken(CLOSED.into()),
        }
    }
}
