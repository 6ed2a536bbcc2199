//! Opening connections: the schema, and the settings that durability rests on.

use std::{io::ErrorKind, time::Duration};

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, params};

use super::{OpenError, error, folder::Folder};
use crate::chain::{MALFORMED_STATE, STATE_KEY, State};

/// `PRAGMA application_id`: "Post".
const APPLICATION: i64 = 0x506f_7374;

/// `PRAGMA user_version`: the layout of the table. Contents have format versions of their own.
const FORMAT: i64 = 1;

/// How long a statement waits for a lock of another process (a checkpoint, a recovery).
const PATIENCE: Duration = Duration::from_secs(10);

const WRITER_CACHE_KIB: i64 = 8 << 10;
const READER_CACHE_KIB: i64 = 2 << 10;

/// Prepared statements kept per connection.
const STATEMENTS: usize = 16;

/// The writing connection, and what the engine remembers from its last run. Makes the table in a
/// new file. Everything found in the log is brought into the database and synced first, so that
/// nothing rests on pages which an earlier process failed to sync.
pub(super) fn open_writing(folder: &Folder) -> Result<(Connection, State), OpenError> {
    folder.touch_database()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(folder.database(), flags);
    let connection = opened.map_err(|e| failed(folder, &e))?;
    prepare_file(&connection, folder)?;
    let state = settle(&connection).map_err(|e| failed(folder, &e))?;
    let state = match state {
        None => State::EMPTY,
        Some(bytes) => State::decode(&bytes)
            .ok_or_else(|| OpenError::Failed { file: folder.database(), cause: MALFORMED_STATE.into() })?,
    };
    Ok((connection, state))
}

/// A connection that cannot write; works beside a writing process.
pub(super) fn open_reading(folder: &Folder) -> Result<Connection, OpenError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let opened = Connection::open_with_flags(folder.database(), flags);
    let connection = opened.map_err(|e| failed(folder, &e))?;
    let set = || {
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "cache_size", -READER_CACHE_KIB)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        format(&connection)
    };
    let found = set().map_err(|e| failed(folder, &e))?;
    known(found, folder)?;
    Ok(connection)
}

/// What a file says of itself: application and format.
type Format = (i64, i64);

fn format(connection: &Connection) -> rusqlite::Result<Format> {
    let pragma = |name| connection.pragma_query_value(None, name, |row| row.get(0));
    Ok((pragma("application_id")?, pragma("user_version")?))
}

fn known((application, format): Format, folder: &Folder) -> Result<(), OpenError> {
    let file = folder.database();
    match (application, format) {
        (APPLICATION, FORMAT) => Ok(()),
        (APPLICATION, found) => Err(OpenError::Newer { file, found, known: FORMAT }),
        _ => Err(OpenError::Foreign { file }),
    }
}

fn prepare_file(connection: &Connection, folder: &Folder) -> Result<(), OpenError> {
    let failed = |e| failed(folder, &e);
    connection.busy_timeout(PATIENCE).map_err(failed)?;
    let found = format(connection).map_err(failed)?;
    let tables = "SELECT count(*) FROM sqlite_schema";
    let tables: i64 = connection.query_row(tables, [], |row| row.get(0)).map_err(failed)?;
    if found == (0, 0) && tables == 0 {
        make_table(connection).map_err(failed)?;
    } else {
        known(found, folder)?;
    }
    Ok(())
}

/// One table with row numbers and an index over the keys. `WITHOUT ROWID` saves the index, but
/// cost 1.9 times the CPU per commit: random keys then change whole rows' pages all over the file,
/// where an index over keys alone is a tenth as large and the rows go to the end.
fn make_table(connection: &Connection) -> rusqlite::Result<()> {
    // Page size and vacuum mode can only be chosen before the first table, and the page size only
    // before the log is switched on.
    connection.execute_batch(&format!(
        "PRAGMA page_size = {PAGE}; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;"
    ))?;
    connection.execute_batch(&format!(
        "BEGIN IMMEDIATE;
         CREATE TABLE ledger (key BLOB PRIMARY KEY NOT NULL, value BLOB NOT NULL,
                              version INTEGER NOT NULL);
         PRAGMA application_id = {APPLICATION};
         PRAGMA user_version = {FORMAT};
         COMMIT;"
    ))
}

/// Bytes of a database page.
pub(super) const PAGE: i64 = 8192;

fn settle(connection: &Connection) -> rusqlite::Result<Option<Vec<u8>>> {
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE_KIB)?;
    // The writer decides when.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    let state = "SELECT value FROM ledger WHERE key = ?1";
    connection.query_row(state, params![&STATE_KEY[..]], |row| row.get(0)).optional()
}

pub(super) fn failed(folder: &Folder, error: &rusqlite::Error) -> OpenError {
    let file = folder.database();
    match error.sqlite_error_code() {
        Some(ErrorCode::NotADatabase) => OpenError::Foreign { file },
        _ if error::is_full(error) => folder.unwritable(ErrorKind::StorageFull.into()),
        _ => OpenError::Failed { file, cause: error::text(error) },
    }
}
