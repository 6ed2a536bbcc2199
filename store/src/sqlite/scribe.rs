//! The writing thread: takes every changeset that waits, commits them together, tells each.
//!
//! Nobody is told before the commit they wait for has returned, and nothing is written after a
//! failure that was not a plain lack of room.

use std::{
    mem,
    sync::mpsc::{Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

use tokio::sync::{oneshot, watch};

use super::{
    Options,
    batch::{self, Outcome},
    error::Failure,
    folder::Lock,
    log::{Log, Room},
    reserve::Reserve,
    writer::{Job, Order},
};
use crate::{
    chain::State,
    engine::{Broken, Changeset, CommitError},
};

/// Between two steps of tidying, while nothing comes.
const BREATH: Duration = Duration::from_millis(5);

/// Between two looks for space on a full disk.
const LOOK: Duration = Duration::from_secs(1);

/// A changeset that deletes, and writes no more than this, makes room.
const SMALL: usize = 64 << 10;

pub(super) struct Scribe {
    log: Log,
    state: State,
    reserve: Reserve,
    orders: Receiver<Order>,
    /// Taken from the queue, but too large for the batch before it.
    held: Option<Order>,
    room: Room,
    /// How long to wait for an order before tidying up; `None`: all is tidy.
    rest: Option<Duration>,
    broken: watch::Sender<Option<Broken>>,
    options: Options,
    // Last, so that it is given back after the connection was closed.
    lock: Lock,
}

/// What the thread does next.
enum Next {
    Commit(Job),
    Close(Option<oneshot::Sender<()>>),
    Tidy,
}

impl Scribe {
    pub(super) fn new(
        log: Log,
        state: State,
        reserve: Reserve,
        lock: Lock,
        orders: Receiver<Order>,
        broken: watch::Sender<Option<Broken>>,
        options: Options,
    ) -> Self {
        Self {
            log,
            state,
            reserve,
            orders,
            held: None,
            room: Room::Enough,
            rest: Some(options.idle),
            broken,
            options,
            lock,
        }
    }

    /// Works until it is told to close, everybody has gone, or the disk fails.
    pub(super) fn work(mut self) {
        let _alarm = Alarm(self.broken.clone());
        let ended = loop {
            let done = match self.next() {
                Next::Commit(job) => self.serve(job),
                Next::Tidy => self.tidy(),
                Next::Close(told) => break Ok(told),
            };
            if let Err(broken) = done {
                break Err(broken);
            }
        };
        let Self { mut log, lock, .. } = self;
        match ended {
            Ok(told) => {
                // A failure is no loss: what stays in the log is found there at the next start.
                let _ = log.bring_over();
                drop(log);
                drop(lock);
                told.map(|told| told.send(()));
            }
            Err(_) => log.abandon(),
        }
    }

    fn next(&mut self) -> Next {
        let order = match (self.held.take(), self.rest) {
            (Some(order), _) => Ok(order),
            (None, Some(rest)) => self.orders.recv_timeout(rest),
            (None, None) => self.orders.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match order {
            Ok(Order::Commit(job)) => Next::Commit(job),
            Ok(Order::Close(told)) => Next::Close(Some(told)),
            Err(RecvTimeoutError::Timeout) => Next::Tidy,
            Err(RecvTimeoutError::Disconnected) => Next::Close(None),
        }
    }

    /// Commits the job together with those that wait behind it.
    fn serve(&mut self, first: Job) -> Result<(), Broken> {
        self.rest = Some(self.options.idle);
        let batch = self.gather(first);
        match self.reserve.ensure() {
            Ok(true) => {}
            Ok(false) => return self.serve_without_room(batch),
            Err(broken) => return Err(self.give_up(broken, batch)),
        }
        match self.commit(batch.iter().map(|job| &job.change)) {
            Ok(outcomes) => tell(batch, outcomes),
            Err(Failure::Full) => return self.serve_without_room(batch),
            Err(Failure::Broken(broken)) => return Err(self.give_up(broken, batch)),
        }
        self.room = Room::Enough;
        if self.log.is_due() {
            self.bring_over()?;
        }
        Ok(())
    }

    fn gather(&mut self, first: Job) -> Vec<Job> {
        let mut bytes = first.size;
        let mut batch = vec![first];
        while batch.len() < self.options.batch_count {
            match self.orders.try_recv() {
                Ok(Order::Commit(job)) if bytes + job.size <= self.options.batch_bytes => {
                    bytes += job.size;
                    batch.push(job);
                }
                Ok(order) => {
                    self.held = Some(order);
                    break;
                }
                Err(_) => break,
            }
        }
        batch
    }

    /// On a full disk only what makes room is taken, and the reserve is given up for it; the
    /// others are told at once.
    fn serve_without_room(&mut self, batch: Vec<Job>) -> Result<(), Broken> {
        self.log.undo();
        self.room = Room::Short;
        let batch = only_shrinking(batch);
        if batch.is_empty() {
            // The log may have room inside itself once it has been brought over.
            return self.bring_over();
        }
        if self.reserve.release() {
            self.log.empty().or_else(|failure| self.unless_broken(failure))?;
        }
        match self.commit(batch.iter().map(|job| &job.change)) {
            Ok(outcomes) => tell(batch, outcomes),
            Err(Failure::Full) => {
                self.log.undo();
                refuse(batch, &CommitError::Full);
            }
            Err(Failure::Broken(broken)) => return Err(self.give_up(broken, batch)),
        }
        Ok(())
    }

    fn commit<'c>(
        &mut self,
        changes: impl ExactSizeIterator<Item = &'c Changeset>,
    ) -> Result<Vec<Outcome>, Failure> {
        if changes.len() == 0 {
            return Ok(Vec::new());
        }
        batch::commit(self.log.connection(), &mut self.state, changes)
            .map_err(|e| self.log.failure(&e, "writing to"))
    }

    fn bring_over(&mut self) -> Result<(), Broken> {
        self.log.bring_over().or_else(|failure| self.unless_broken(failure))
    }

    fn unless_broken(&mut self, failure: Failure) -> Result<(), Broken> {
        match failure {
            Failure::Full => Ok(()),
            Failure::Broken(broken) => Err(self.give_up(broken, Vec::new())),
        }
    }

    /// One step of what can wait until nothing else is to be done.
    fn tidy(&mut self) -> Result<(), Broken> {
        let more = match self.log.shrink(self.room) {
            Ok(more) => more,
            Err(failure) => {
                self.unless_broken(failure)?;
                false
            }
        };
        if self.log.is_due() || !more && !self.log.is_settled() {
            self.bring_over()?;
        }
        let kept = self.reserve.ensure().map_err(|broken| self.give_up(broken, Vec::new()))?;
        self.rest = match (more, kept) {
            (true, _) => Some(BREATH),
            (false, false) => Some(LOOK),
            (false, true) => None,
        };
        Ok(())
    }

    /// The end: says so to everybody, those in hand first.
    fn give_up(&mut self, broken: Broken, batch: Vec<Job>) -> Broken {
        self.broken.send_replace(Some(broken.clone()));
        refuse(batch, &broken.clone().into());
        if let Some(Order::Commit(job)) = mem::take(&mut self.held) {
            job.tell(Err(broken.clone().into()));
        }
        broken
    }
}

fn tell(batch: Vec<Job>, outcomes: Vec<Outcome>) {
    for (job, outcome) in batch.into_iter().zip(outcomes) {
        job.tell(outcome);
    }
}

fn refuse(batch: Vec<Job>, error: &CommitError) {
    for job in batch {
        job.tell(Err(error.clone()));
    }
}

/// Those of the batch that make room; the others are told that there is none.
fn only_shrinking(batch: Vec<Job>) -> Vec<Job> {
    let (shrinking, growing) = batch.into_iter().partition(|job| shrinks(&job.change));
    refuse(growing, &CommitError::Full);
    shrinking
}

fn shrinks(change: &Changeset) -> bool {
    let put = change.put.iter().map(|(key, value)| key.len() + value.len());
    let append = change.append.iter().map(|event| event.len());
    !change.delete.is_empty() && put.chain(append).sum::<usize>() <= SMALL
}

/// Says that the engine is broken if its thread dies of a mistake in the program.
struct Alarm(watch::Sender<Option<Broken>>);

impl Drop for Alarm {
    fn drop(&mut self) {
        if thread::panicking() {
            let text = "the ledger's writing thread stopped by mistake; restart Postern and report it";
            self.0.send_replace(Some(Broken(text.into())));
        }
    }
}
