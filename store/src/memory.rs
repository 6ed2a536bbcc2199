//! The engine for tests and simulation: a sorted map behind a lock, the semantics of the others.
//!
//! It never touches a disk, so nothing in it survives the process. Its failures can be arranged.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{
    chain::{self, State},
    engine::{Broken, CLOSED, Changeset, CommitError, Committed, Engine, Pending, Range, Row, Rows},
};

/// A ledger that lives as long as the value.
#[derive(Debug)]
pub struct Memory {
    table: Mutex<Table>,
    broken: watch::Sender<Option<Broken>>,
}

#[derive(Debug)]
struct Table {
    rows: BTreeMap<Vec<u8>, Row>,
    state: State,
    full: bool,
    closed: bool,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            table: Mutex::new(Table {
                rows: BTreeMap::new(),
                state: State::EMPTY,
                full: false,
                closed: false,
            }),
            broken: watch::Sender::new(None),
        }
    }
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// While `full`, every commit fails with [`CommitError::Full`].
    pub fn set_full(&self, full: bool) {
        self.table().full = full;
    }

    /// From now on, every commit fails with [`CommitError::Broken`].
    pub fn break_down(&self, reason: &str) {
        self.broken.send_replace(Some(Broken(reason.into())));
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds the lock can panic half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit_now(&self, change: &Changeset) -> Result<Committed, CommitError> {
        change.check()?;
        let mut table = self.table();
        if let Some(broken) = self.broken.borrow().clone() {
            return Err(broken.into());
        }
        if table.closed {
            return Err(CommitError::Broken(CLOSED.into()));
        }
        if table.full {
            return Err(CommitError::Full);
        }
        table.apply(change)
    }
}

impl Table {
    fn apply(&mut self, change: &Changeset) -> Result<Committed, CommitError> {
        let version_of = |key: &Vec<u8>| self.rows.get(key).map(|row| row.version);
        if change.require.iter().any(|(key, v)| version_of(key) != *v) {
            return Err(CommitError::Conflict);
        }
        let counted = self.count(change)?;
        let version = self.state.version.saturating_add(1);
        self.state.version = version;
        for (key, value) in change.put.iter().cloned().chain(counted) {
            self.rows.insert(key, Row { value, version });
        }
        for key in &change.delete {
            self.rows.remove(key);
        }
        for event in &change.append {
            let (head, value) = chain::link(&self.state.head, event);
            let key = chain::record_key(head.sequence);
            self.rows.insert(key, Row { value, version });
            self.state.head = head;
        }
        let value = Bytes::copy_from_slice(&self.state.encode());
        let key = chain::STATE_KEY.to_vec();
        self.rows.insert(key, Row { value, version });
        Ok(Committed { version, audit_head: self.state.head.sequence })
    }

    /// The counters' new values.
    fn count(&self, change: &Changeset) -> Result<BTreeMap<Vec<u8>, Bytes>, CommitError> {
        let mut counted = BTreeMap::new();
        for (key, amount) in &change.add {
            let old = counted.get(key).or_else(|| self.rows.get(key).map(|row| &row.value));
            let sum = crate::engine::count(key, old.map(|value| value.as_ref()), *amount)?;
            counted.insert(key.clone(), Bytes::copy_from_slice(&sum));
        }
        Ok(counted)
    }
}

impl Engine for Memory {
    fn get<'a>(&'a self, keys: &'a [Vec<u8>]) -> Pending<'a, Result<Vec<Option<Row>>, Broken>> {
        Box::pin(async move {
            let table = self.table();
            Ok(keys.iter().map(|key| table.rows.get(key).cloned()).collect())
        })
    }

    fn scan(&self, range: Range, limit: usize) -> Pending<'_, Result<Rows, Broken>> {
        Box::pin(async move {
            // A map's `range` panics on a range that ends before it begins.
            if range.from >= range.to {
                return Ok(Vec::new());
            }
            let table = self.table();
            let found = table.rows.range(range.from..range.to).take(limit);
            Ok(found.map(|(key, row)| (key.clone(), row.clone())).collect())
        })
    }

    fn commit(&self, change: Changeset) -> Pending<'_, Result<Committed, CommitError>> {
        Box::pin(async move { self.commit_now(&change) })
    }

    fn durable(&self) -> bool {
        false
    }

    fn broken(&self) -> watch::Receiver<Option<Broken>> {
        self.broken.subscribe()
    }

    fn close(&self) -> Pending<'_, ()> {
        Box::pin(async move { self.table().closed = true })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::conformance;

    #[tokio::test(flavor = "multi_thread")]
    async fn conforms() {
        conformance::run(async |_| Arc::new(Memory::new()) as Arc<dyn Engine>).await;
    }

    #[tokio::test]
    async fn arranged_failures() {
        let memory = Memory::new();
        memory.set_full(true);
        let full = memory.commit(Changeset::default()).await;
        assert_eq!(full, Err(CommitError::Full));
        memory.set_full(false);
        assert!(memory.commit(Changeset::default()).await.is_ok());
        memory.break_down("cable pulled");
        let broken = memory.commit(Changeset::default()).await;
        assert_eq!(broken, Err(CommitError::Broken("cable pulled".into())));
        assert!(memory.broken().borrow().is_some());
    }
}
