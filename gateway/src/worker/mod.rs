//! The worker: leases due jobs, makes their mails, hands them to the courier, and writes down what became of them.
//!
//! A worker that is killed loses nothing: its leases run out and the jobs are due again. A mail is sent twice only if
//! the answer to the first was lost, and a letter then goes under the same Message-ID. No domain takes all lanes.

mod attempt;
mod lanes;
mod pace;
#[cfg(test)]
mod tests;

use std::{pin::pin, sync::Arc, time::Duration};

use store::{Leased, Outcome, StoreError};
use templates::Templates;
use tokio::{
    sync::{Semaphore, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    courier::Courier,
    gateway::Gateway,
    letters::{Letters, Signer},
};
use lanes::{Lanes, Share};
use pace::until;

pub use pace::Pace;

/// Sends what is due until it is told to stop.
pub struct Worker {
    gateway: Arc<Gateway>,
    letters: Letters,
    courier: Arc<Courier>,
    pace: Pace,
}

/// What a round of the dispatcher came to.
enum Round {
    /// Jobs were leased: see whether they can be sent.
    Leased,
    Nothing,
    /// The ledger could not say what is due.
    Failed,
    /// It never will again.
    Broken,
}

/// Ends of tries that may be on their way to the disk while further mails are sent.
const ENDING: usize = 16;

/// What a mail under way tells the dispatcher.
enum Word {
    Slow,
    Over { domain: String, was_slow: bool },
}

/// A lane that is taken. It is free again however the job ends, even by a fault of ours.
struct Lane {
    domain: String,
    slow: bool,
    words: mpsc::UnboundedSender<Word>,
}

impl Lane {
    fn slow(&mut self) {
        self.slow = true;
        // Without a dispatcher nobody waits for lanes any more.
        let _ = self.words.send(Word::Slow);
    }
}

impl Drop for Lane {
    fn drop(&mut self) {
        let _ = self.words.send(Word::Over { domain: std::mem::take(&mut self.domain), was_slow: self.slow });
    }
}

impl Worker {
    pub fn new(
        gateway: Arc<Gateway>,
        templates: Arc<Templates>,
        signer: Signer,
        courier: Arc<Courier>,
        pace: Pace,
    ) -> Self {
        let letters = Letters::new(Arc::clone(&gateway), templates, signer, courier.helo());
        Self { gateway, letters, courier, pace }
    }

    /// Runs until `stop` turns true (or its sender is gone); what is under way by then is still sent.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let worker = Arc::new(self);
        let mut trips = JoinSet::new();
        for unsent in worker.dispatch(&mut trips, stop).await {
            trips.spawn(Arc::clone(&worker).give_back(unsent));
        }
        while trips.join_next().await.is_some() {}
        worker.courier.sweep(true).await;
    }

    /// Gives back the jobs that were leased and not begun.
    async fn dispatch(
        self: &Arc<Self>,
        trips: &mut JoinSet<()>,
        mut stop: watch::Receiver<bool>,
    ) -> Vec<Leased> {
        /// After the ledger could not say what is due.
        const PAUSE: Duration = Duration::from_secs(5);
        const SWEEP: Duration = Duration::from_secs(5);
        let mut sweep = tokio::time::interval(SWEEP);
        let (words, mut heard) = mpsc::unbounded_channel();
        let endings = Arc::new(Semaphore::new(ENDING));
        // A smarthost is one place, whatever the domain.
        let share = if self.courier.spreads() { Share::Fair(self.pace.per_domain) } else { Share::Whole };
        let mut lanes = Lanes::new(self.pace.lanes, share);
        while !*stop.borrow() && stop.has_changed().is_ok() {
            while let Some(leased) = lanes.next() {
                let trip = Arc::clone(self).trip(leased, words.clone(), Arc::clone(&endings));
                trips.spawn(trip);
            }
            while trips.try_join_next().is_some() {}
            match self.lease(&mut lanes).await {
                Round::Leased => continue,
                Round::Broken => break,
                // What is due stays due: without a pause of its own this would be a hot loop.
                Round::Failed => tokio::select! {
                    () = tokio::time::sleep(PAUSE) => {}
                    _ = stop.changed() => {}
                },
                Round::Nothing => tokio::select! {
                    Some(word) = heard.recv() => lanes.hear(&word),
                    () = self.wait(&lanes) => {}
                    // Beside the mails: a server that is slow to say goodbye holds up nobody.
                    _ = sweep.tick() => {
                        let courier = Arc::clone(&self.courier);
                        trips.spawn(async move { courier.sweep(false).await });
                    }
                    _ = stop.changed() => {}
                },
            }
            while let Ok(word) = heard.try_recv() {
                lanes.hear(&word);
            }
        }
        lanes.into_waiting()
    }

    /// A job that was not begun is due again at once, for whoever works next.
    async fn give_back(self: Arc<Self>, leased: Leased) {
        let job = &leased.job;
        let reason =
            job.last_error.clone().unwrap_or_else(|| "4.3.2 the worker was stopped first".to_owned());
        let outcome = Outcome::Again(self.gateway.ledger().now(), reason);
        self.end(leased, outcome).await;
    }

    async fn lease(&self, lanes: &mut Lanes) -> Round {
        let room = lanes.room();
        if room == 0 {
            return Round::Nothing;
        }
        match self.gateway.ledger().lease_jobs(room, self.pace.lease, &lanes.busy()).await {
            Ok(jobs) if jobs.is_empty() => Round::Nothing,
            Ok(jobs) => {
                lanes.add(jobs);
                Round::Leased
            }
            Err(StoreError::Broken(reason)) => {
                tracing::error!(%reason, "the worker ends: the ledger is broken");
                Round::Broken
            }
            Err(error) => {
                tracing::warn!(%error, "jobs cannot be leased now");
                Round::Failed
            }
        }
    }

    /// Until new work is announced, the next job is due, or it is time to look anyway.
    async fn wait(&self, lanes: &Lanes) {
        const LOOK_ANYWAY: Duration = Duration::from_secs(30);
        if lanes.room() == 0 {
            return std::future::pending().await;
        }
        let ledger = self.gateway.ledger();
        let next = match ledger.next_due(&lanes.busy()).await {
            Ok(Some(due)) => until(ledger.now(), due).min(LOOK_ANYWAY),
            Ok(None) | Err(_) => LOOK_ANYWAY,
        };
        tokio::select! {
            () = ledger.work() => {}
            () = tokio::time::sleep(next) => {}
        }
    }

    /// One job: sent, and its end written down. The lane is free again while that goes to the disk.
    async fn trip(
        self: Arc<Self>,
        leased: Leased,
        words: mpsc::UnboundedSender<Word>,
        endings: Arc<Semaphore>,
    ) {
        let mut lane = Lane { domain: leased.job.domain().to_owned(), slow: false, words };
        let outcome = {
            let mut attempt = pin!(self.within_lease(&leased));
            match timeout(self.pace.patience, &mut attempt).await {
                Ok(outcome) => outcome,
                Err(_) => {
                    lane.slow();
                    attempt.await
                }
            }
        };
        // Never closed; without a permit the end is only written without waiting for others.
        let _permit = endings.acquire_owned().await.ok();
        drop(lane);
        if let Some(outcome) = outcome {
            self.end(leased, outcome).await;
        }
    }

    /// What cannot be written down is tried again when the lease is over.
    async fn end(&self, leased: Leased, outcome: Outcome) {
        let job = leased.job.id;
        if let Err(error) = self.gateway.ledger().finish_job(leased, outcome).await {
            tracing::warn!(%job, %error, "how a mail ended could not be written down; it will be tried again");
        }
    }

    /// `None` if the lease is as good as over: somebody else will have the job. One that ends before the dialogue
    /// does would have the mail sent twice.
    async fn within_lease(&self, leased: &Leased) -> Option<Outcome> {
        let left = until(self.gateway.ledger().now(), leased.job.due);
        let time = left.checked_sub(self.courier.step().min(self.pace.lease / 4))?;
        if time.is_zero() {
            return None;
        }
        match timeout(time, self.attempt(&leased.job)).await {
            Ok(outcome) => Some(outcome),
            Err(_) => {
                Some(self.again(
                    &leased.job,
                    "4.4.2 the mail could not be handed over in the time of one try".into(),
                ))
            }
        }
    }
}
