//! The reading side: a few connections that cannot write, used on threads that may block.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use rusqlite::{Connection, OptionalExtension, params};
use tokio::{sync::Semaphore, task::spawn_blocking};

use super::{OpenError, connection::open_reading, error::text, folder::Folder};
use crate::engine::{Broken, Range, Row, Rows};

/// Reads that run at the same time; more of them wait.
const CONNECTIONS: usize = 4;

#[derive(Debug)]
pub(super) struct Readers {
    pool: Arc<Pool>,
    turns: Semaphore,
}

#[derive(Debug)]
struct Pool {
    folder: Folder,
    idle: Mutex<Vec<Connection>>,
}

impl Readers {
    pub(super) fn new(folder: Folder) -> Self {
        let idle = Mutex::new(Vec::new());
        Self { pool: Arc::new(Pool { folder, idle }), turns: Semaphore::new(CONNECTIONS) }
    }

    /// Opens a first connection now, so that what is wrong is found now.
    pub(super) fn probe(&self) -> Result<(), OpenError> {
        let connection = open_reading(&self.pool.folder)?;
        self.pool.idle().push(connection);
        Ok(())
    }

    pub(super) async fn get(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Row>>, Broken> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let keys = keys.to_vec();
        self.read(move |connection| get(connection, &keys)).await
    }

    pub(super) async fn scan(&self, range: Range, limit: usize) -> Result<Rows, Broken> {
        self.read(move |connection| scan(connection, &range, limit)).await
    }

    pub(super) async fn scans(&self, scans: Vec<(Range, usize)>) -> Result<Vec<Rows>, Broken> {
        if scans.is_empty() {
            return Ok(Vec::new());
        }
        self.read(move |connection| {
            let snapshot = connection.unchecked_transaction()?;
            let found = scans.iter().map(|(range, limit)| scan(connection, range, *limit)).collect();
            snapshot.commit()?;
            found
        })
        .await
    }

    /// Gives the idle connections back; reads after it open new ones.
    pub(super) fn close(&self) {
        self.pool.idle().clear();
    }

    async fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, Broken> {
        // The semaphore is never closed.
        let _turn = self.turns.acquire().await;
        let pool = self.pool.clone();
        match spawn_blocking(move || pool.read(work)).await {
            Ok(result) => result,
            Err(_) => Err(Broken("a read of the ledger was cut short; repeat it".into())),
        }
    }
}

impl Pool {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, Broken> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => open_reading(&self.folder).map_err(|e| Broken(e.to_string()))?,
        };
        // A connection that failed is not used again.
        let result = work(&connection).map_err(|e| {
            Broken(format!(
                "reading {}: {}; check the disk and the system's log",
                self.folder.database().display(),
                text(&e)
            ))
        })?;
        self.idle().push(connection);
        Ok(result)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn get(connection: &Connection, keys: &[Vec<u8>]) -> rusqlite::Result<Vec<Option<Row>>> {
    // One statement is one snapshot by itself.
    let snapshot = match keys.len() {
        1 => None,
        _ => Some(connection.unchecked_transaction()?),
    };
    let sql = "SELECT value, version FROM ledger WHERE key = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = Vec::with_capacity(keys.len());
    for key in keys {
        let row = statement.query_row(params![key], |row| parse(row, 0));
        rows.push(row.optional()?);
    }
    drop(statement);
    snapshot.map_or(Ok(()), rusqlite::Transaction::commit)?;
    Ok(rows)
}

fn scan(connection: &Connection, range: &Range, limit: usize) -> rusqlite::Result<Rows> {
    let sql = "SELECT value, version, key FROM ledger WHERE key >= ?1 AND key < ?2
               ORDER BY key LIMIT ?3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    let found =
        statement.query_map(params![range.from, range.to, limit], |row| Ok((row.get(2)?, parse(row, 0)?)))?;
    found.collect()
}

fn parse(row: &rusqlite::Row<'_>, first: usize) -> rusqlite::Result<Row> {
    // Bytes of either type: a row changed from outside must reach who verifies it.
    let value = Bytes::copy_from_slice(row.get_ref(first)?.as_bytes()?);
    let version: i64 = row.get(first + 1)?;
    Ok(Row { value, version: version.cast_unsigned() })
}
