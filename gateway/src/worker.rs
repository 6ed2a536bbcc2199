//! The worker: leases due jobs, makes the notices, hands them to the courier, and writes down what
//! became of them. A dispatcher leases; a few lanes send, each over a connection of its own.
//!
//! A worker that is killed loses nothing: its leases run out and the jobs are due again. A notice is
//! sent twice only if the answer to the first was lost, and then under the same Message-ID.

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use store::{Job, Leased, Outcome, StoreError};
use templates::Templates;
use tokio::{
    sync::{Mutex, mpsc, watch},
    task::JoinSet,
    time::timeout,
};

use crate::{
    courier::{Connection, Failure, Lasting, Smarthost},
    gateway::Gateway,
    notice::{self, Finished},
};

/// How fast, how often, how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Connections to the smarthost at once.
    pub lanes: usize,
    /// How long a worker may hold a job before another may take it.
    pub lease: Duration,
    /// The pause after the first failure; it doubles with each further one, up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// How long after its making a notice is given up.
    pub give_up: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lanes: 4,
            lease: Duration::from_mins(10),
            first_pause: Duration::from_secs(30),
            longest_pause: Duration::from_mins(30),
            give_up: Duration::from_hours(5 * 24),
        }
    }
}

/// Sends what is due until it is told to stop.
pub struct Worker {
    gateway: Arc<Gateway>,
    templates: Arc<Templates>,
    smarthost: Smarthost,
    pace: Pace,
}

type Queue = Arc<Mutex<mpsc::Receiver<Leased>>>;

impl Worker {
    pub fn new(gateway: Arc<Gateway>, templates: Arc<Templates>, smarthost: Smarthost, pace: Pace) -> Self {
        Self { gateway, templates, smarthost, pace }
    }

    /// Runs until `stop` turns true (or its sender is gone); what was leased by then is still sent.
    pub async fn run(self, stop: watch::Receiver<bool>) {
        let worker = Arc::new(self);
        let (sender, receiver) = mpsc::channel(worker.pace.lanes.max(1));
        let queue: Queue = Arc::new(Mutex::new(receiver));
        let mut lanes = JoinSet::new();
        for _ in 0..worker.pace.lanes.max(1) {
            lanes.spawn(Arc::clone(&worker).lane(Arc::clone(&queue)));
        }
        worker.dispatch(sender, stop).await;
        while lanes.join_next().await.is_some() {}
    }

    async fn dispatch(&self, lanes: mpsc::Sender<Leased>, mut stop: watch::Receiver<bool>) {
        /// After the ledger could not say what is due.
        const PAUSE: Duration = Duration::from_secs(5);
        // Leased together in one commit; few enough to be sent long before the lease ends.
        let batch = self.pace.lanes.max(1) * 4;
        loop {
            match self.gateway.ledger().lease_jobs(batch, self.pace.lease).await {
                Ok(jobs) if jobs.is_empty() => self.wait(&mut stop).await,
                Ok(jobs) => {
                    for job in jobs {
                        if lanes.send(job).await.is_err() {
                            return;
                        }
                    }
                }
                Err(StoreError::Broken(reason)) => {
                    tracing::error!(%reason, "the worker ends: the ledger is broken");
                    return;
                }
                Err(error) => {
                    tracing::warn!(%error, "jobs cannot be leased now");
                    // What is due stays due: without a pause of its own this would be a hot loop.
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        _ = stop.changed() => {}
                    }
                }
            }
            if *stop.borrow() || stop.has_changed().is_err() {
                return;
            }
        }
    }

    /// Until new work is announced, the next job is due, or it is time to look anyway.
    async fn wait(&self, stop: &mut watch::Receiver<bool>) {
        const LOOK_ANYWAY: Duration = Duration::from_secs(30);
        let ledger = self.gateway.ledger();
        let next = match ledger.next_due().await {
            Ok(Some(due)) => until(ledger.now(), due).min(LOOK_ANYWAY),
            Ok(None) | Err(_) => LOOK_ANYWAY,
        };
        tokio::select! {
            () = ledger.work() => {}
            () = tokio::time::sleep(next) => {}
            _ = stop.changed() => {}
        }
    }

    /// One connection, one notice after the other.
    async fn lane(self: Arc<Self>, queue: Queue) {
        /// A connection that nobody uses is given back after this.
        const IDLE: Duration = Duration::from_secs(5);
        /// Ends of tries that may be on their way to the disk while the next notice is sent.
        const ENDING: usize = 16;
        let mut connection: Option<Connection> = None;
        let mut ending = JoinSet::new();
        loop {
            let next = async { queue.lock().await.recv().await };
            let leased = match timeout(IDLE, next).await {
                Ok(Some(leased)) => leased,
                Ok(None) => break,
                Err(_) => {
                    if let Some(idle) = connection.take() {
                        idle.quit().await;
                    }
                    continue;
                }
            };
            // A lease that ends before the dialogue would: somebody else will have the job.
            if until(self.gateway.ledger().now(), leased.job.due) < self.smarthost.timeout {
                continue;
            }
            let outcome = self.try_to_send(&leased.job, &mut connection).await;
            if ending.len() >= ENDING {
                ending.join_next().await;
            }
            ending.spawn(end(Arc::clone(&self.gateway), leased, outcome));
        }
        while ending.join_next().await.is_some() {}
        if let Some(open) = connection {
            open.quit().await;
        }
    }

    async fn try_to_send(&self, job: &Job, connection: &mut Option<Connection>) -> Outcome {
        let finished = match notice::finish(&self.gateway, &self.templates, job).await {
            Ok(finished) => finished,
            Err(error) => {
                tracing::error!(job = %job.id, %error, "a notice cannot be made");
                return match error.may_pass() {
                    true => self.again(job, error.to_string()),
                    false => Outcome::Abandoned(error.to_string()),
                };
            }
        };
        let reused = connection.take();
        let sent = match reused {
            // A smarthost may end a connection after some mails or some time: that is no failure of this one.
            Some(open) => match self.send(Some(open), &finished).await {
                Err(Failure { lasting: Lasting::Temporary, .. }) => self.send(None, &finished).await,
                sent => sent,
            },
            None => self.send(None, &finished).await,
        };
        match sent {
            Ok(open) => {
                *connection = Some(open);
                tracing::info!(job = %job.id, attempt = job.attempts, "notice sent");
                Outcome::Done
            }
            Err(Failure { lasting: Lasting::Permanent, reason }) => {
                tracing::error!(job = %job.id, "the smarthost refuses a notice; see `postern queue show`");
                Outcome::Abandoned(reason)
            }
            Err(Failure { lasting: Lasting::Temporary, reason }) => {
                tracing::warn!(job = %job.id, attempt = job.attempts, "a notice has to wait");
                self.again(job, reason)
            }
        }
    }

    /// Sends over `open`, or over a new connection; gives back the connection for the next notice.
    async fn send(&self, open: Option<Connection>, finished: &Finished) -> Result<Connection, Failure> {
        let mut open = match open {
            Some(open) => open,
            None => self.smarthost.connect().await?,
        };
        open.send(&finished.envelope_sender, &finished.to, finished.mail.bytes()).await?;
        Ok(open)
    }

    fn again(&self, job: &Job, reason: String) -> Outcome {
        let now = self.gateway.ledger().now();
        if until(job.patience_from(), now) >= self.pace.give_up {
            return Outcome::Abandoned(reason);
        }
        let pause = pause(&self.pace, job);
        Outcome::Again(now.saturating_add(pause).unwrap_or(Timestamp::MAX), reason)
    }
}

/// Writes down how a try ended. What cannot be written is tried again when the lease is over.
async fn end(gateway: Arc<Gateway>, leased: Leased, outcome: Outcome) {
    let job = leased.job.id;
    if let Err(error) = gateway.ledger().finish_job(leased, outcome).await {
        tracing::warn!(%job, %error, "how a notice ended could not be written down; it will be tried again");
    }
}

/// Doubles with each try, and differs from job to job, so that a route that comes back is not hit by all at once.
fn pause(pace: &Pace, job: &Job) -> Duration {
    let doubled = pace.first_pause.saturating_mul(1 << job.attempts.saturating_sub(1).min(16));
    let pause = doubled.min(pace.longest_pause);
    let spread = u32::from(job.id.as_bytes()[19]);
    pause + pause * spread / 1024
}

fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from).max(SignedDuration::ZERO)).unwrap_or_default()
}
