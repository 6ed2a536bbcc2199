//! One group commit: several changesets in one transaction, each of them whole or absent.

use std::collections::BTreeMap;

use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::{
    chain::{self, STATE_KEY, State},
    engine::{Changeset, CommitError, Committed, count},
};

/// What became of a changeset inside a batch that was committed.
pub(super) type Outcome = Result<Committed, CommitError>;

/// Applies `changes` in order and commits. The outcomes are true, and durable, when this returns
/// `Ok`; on `Err` nothing at all was applied, unless the failure was in the commit itself.
pub(super) fn commit<'c>(
    connection: &Connection,
    state: &mut State,
    changes: impl Iterator<Item = &'c Changeset>,
) -> rusqlite::Result<Vec<Outcome>> {
    let mut next = *state;
    connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
    let mut table = Table::of(connection)?;
    let mut outcomes = Vec::new();
    for change in changes {
        outcomes.push(table.apply(&mut next, change)?);
    }
    if next == *state {
        drop(table);
        connection.prepare_cached("ROLLBACK")?.execute([])?;
        return Ok(outcomes);
    }
    table.put(&STATE_KEY, &next.encode(), next.version)?;
    drop(table);
    connection.prepare_cached("COMMIT")?.execute([])?;
    *state = next;
    Ok(outcomes)
}

/// New values of counters, or why there are none.
type Counted<'a> = Result<BTreeMap<&'a [u8], [u8; 8]>, CommitError>;

/// The statements of a batch.
struct Table<'c> {
    version: CachedStatement<'c>,
    value: CachedStatement<'c>,
    put: CachedStatement<'c>,
    append: CachedStatement<'c>,
    delete: CachedStatement<'c>,
}

impl<'c> Table<'c> {
    fn of(connection: &'c Connection) -> rusqlite::Result<Self> {
        Ok(Self {
            version: connection.prepare_cached("SELECT version FROM ledger WHERE key = ?1")?,
            value: connection.prepare_cached("SELECT value FROM ledger WHERE key = ?1")?,
            put: connection.prepare_cached(PUT)?,
            append: connection.prepare_cached(APPEND)?,
            delete: connection.prepare_cached("DELETE FROM ledger WHERE key = ?1")?,
        })
    }

    /// Applies one changeset, or leaves the transaction as it was and says why.
    fn apply(&mut self, state: &mut State, change: &Changeset) -> rusqlite::Result<Outcome> {
        if !self.holds(change)? {
            return Ok(Err(CommitError::Conflict));
        }
        let counted = match self.counted(change)? {
            Ok(counted) => counted,
            Err(refused) => return Ok(Err(refused)),
        };
        let version = state.version.saturating_add(1);
        state.version = version;
        for (key, value) in &change.put {
            self.put(key, value, version)?;
        }
        for key in &change.delete {
            self.delete.execute(params![key])?;
        }
        for (key, value) in counted {
            self.put(key, &value, version)?;
        }
        for event in &change.append {
            let (head, record) = chain::link(&state.head, event);
            self.append.execute(params![
                chain::record_key(head.sequence),
                &record[..],
                version.cast_signed()
            ])?;
            state.head = head;
        }
        Ok(Ok(Committed { version, audit_head: state.head.sequence }))
    }

    fn holds(&mut self, change: &Changeset) -> rusqlite::Result<bool> {
        for (key, expected) in &change.require {
            let found = self.version.query_row(params![key], |row| row.get(0));
            let found: Option<i64> = found.optional()?;
            if found.map(i64::cast_unsigned) != *expected {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// The counters' new values.
    fn counted<'a>(&mut self, change: &'a Changeset) -> rusqlite::Result<Counted<'a>> {
        let mut counted: BTreeMap<&[u8], [u8; 8]> = BTreeMap::new();
        for (key, amount) in &change.add {
            let sum = match counted.get(key.as_slice()) {
                Some(earlier) => count(key, Some(earlier), *amount),
                None => self.sum(key, *amount)?,
            };
            match sum {
                Ok(sum) => counted.insert(key, sum),
                Err(refused) => return Ok(Err(refused)),
            };
        }
        Ok(Ok(counted))
    }

    fn sum(&mut self, key: &[u8], amount: i64) -> rusqlite::Result<Result<[u8; 8], CommitError>> {
        let sum = self.value.query_row(params![key], |row| {
            let stored = row.get_ref(0)?.as_bytes()?;
            Ok(count(key, Some(stored), amount))
        });
        Ok(sum.optional()?.unwrap_or_else(|| count(key, None, amount)))
    }

    fn put(&mut self, key: &[u8], value: &[u8], version: u64) -> rusqlite::Result<()> {
        let version = version.cast_signed();
        self.put.execute(params![key, value, version]).map(|_| ())
    }
}

/// An audit record never replaces one: if one is there already, the head was tampered with, and to go on
/// would destroy the evidence.
const APPEND: &str = "INSERT INTO ledger (key, value, version) VALUES (?1, ?2, ?3)";
const PUT: &str = "INSERT INTO ledger (key, value, version) VALUES (?1, ?2, ?3)
                   ON CONFLICT (key) DO UPDATE SET value = ?2, version = ?3";
