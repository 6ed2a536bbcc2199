//! The servers that are being spoken to: how many connections each has, which of them wait for the next mail, and who
//! is left alone because it did not answer. Never more than a bounded number of any of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout},
};

use super::{connect::Connection, failure::Cause};

/// Mails over one connection; then it is a new one's turn, so that a farm of servers shares the work.
const CARRIED: u32 = 100;

pub(super) struct Hosts {
    per_host: usize,
    idle: Duration,
    known: Mutex<HashMap<String, Host>>,
}

struct Host {
    gate: Arc<Semaphore>,
    waiting: Vec<(Connection, Instant)>,
    rests_until: Option<Instant>,
}

/// The right to one connection to a server, perhaps with one that is open.
pub(super) struct Visit {
    key: String,
    pub(super) open: Option<Connection>,
    _permit: OwnedSemaphorePermit,
}

impl Hosts {
    pub(super) fn new(per_host: usize, idle: Duration) -> Self {
        Self { per_host: per_host.max(1), idle, known: Mutex::default() }
    }

    /// Waits for a connection's turn.
    pub(super) async fn visit(&self, key: String, within: Duration) -> Result<Visit, Cause> {
        let gate = self.gate(&key)?;
        let permit = match timeout(within, gate.acquire_owned()).await {
            Ok(Ok(permit)) => permit,
            Ok(Err(_)) | Err(_) => return Err(Cause::Busy),
        };
        let open = self.lock().get_mut(&key).and_then(|host| host.waiting.pop()).map(|(open, _)| open);
        Ok(Visit { key, open, _permit: permit })
    }

    fn gate(&self, key: &str) -> Result<Arc<Semaphore>, Cause> {
        let mut known = self.lock();
        let host = known.entry(key.to_owned()).or_insert_with(|| Host {
            gate: Arc::new(Semaphore::new(self.per_host)),
            waiting: Vec::new(),
            rests_until: None,
        });
        match host.rests_until {
            Some(until) if until > Instant::now() => Err(Cause::Resting),
            _ => Ok(Arc::clone(&host.gate)),
        }
    }

    /// Gives a connection back that may be used again.
    pub(super) fn keep(&self, visit: Visit, connection: Connection) -> Option<Connection> {
        let mut known = self.lock();
        match known.get_mut(&visit.key) {
            Some(host) if connection.carried < CARRIED => {
                host.waiting.push((connection, Instant::now()));
                None
            }
            _ => Some(connection),
        }
    }

    pub(super) fn let_rest(&self, visit: &Visit, rest: Duration) {
        if let Some(host) = self.lock().get_mut(&visit.key) {
            host.rests_until = Some(Instant::now() + rest);
        }
    }

    /// Takes out the connections that nobody used for a while (`all`: every one that waits), and forgets servers
    /// that nobody speaks to.
    pub(super) fn sweep(&self, all: bool) -> Vec<Connection> {
        let now = Instant::now();
        let mut over = Vec::new();
        self.lock().retain(|_, host| {
            let old = |(_, since): &mut (Connection, Instant)| all || *since + self.idle <= now;
            over.extend(host.waiting.extract_if(.., old).map(|(connection, _)| connection));
            let resting = host.rests_until.is_some_and(|until| until > now);
            resting || !host.waiting.is_empty() || Arc::strong_count(&host.gate) > 1
        });
        over
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Host>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
impl Hosts {
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }
}
