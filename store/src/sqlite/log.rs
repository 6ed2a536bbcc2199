//! The writing connection and its write-ahead log: when the log is brought into the database, and
//! when free pages are given back to the disk.
//!
//! Both happen between commits, on the writing thread, so that no waiter pays for them.

use std::sync::{
    Arc,
    atomic::{AtomicU32, Ordering},
};

use rusqlite::{Connection, config::DbConfig};

use super::{connection::PAGE, error::Failure, reserve};

/// Pages given back to the disk in one step: 2 MiB.
const VACUUM_STEP: i64 = 256;

/// Free pages that are kept for what comes next, at least.
const SPARE: i64 = 1024;

/// Whether the disk had room for the last thing that was asked of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Enough,
    Short,
}

/// A log this many times its limit is shortened even if readers must be waited for.
const PATIENT_UP_TO: u32 = 8;

#[derive(Debug)]
pub(super) struct Log {
    connection: Connection,
    /// Pages in the log after the last commit; the connection's hook writes it.
    pages: Arc<AtomicU32>,
    /// Pages in the log when it was last brought over.
    brought: u32,
    limit: u32,
}

impl Log {
    /// Takes the writing connection; the log is due when `limit` bytes are in it.
    pub(super) fn watch(mut connection: Connection, limit: u64) -> rusqlite::Result<Self> {
        let pages = Arc::new(AtomicU32::new(0));
        let written = pages.clone();
        connection.wal_hook(Some(move |_: &mut _, pages: i32| {
            written.store(pages.unsigned_abs(), Ordering::Relaxed);
            Ok(())
        }))?;
        Ok(Self {
            connection,
            pages,
            brought: 0,
            limit: u32::try_from(limit.min(reserve::SIZE / 2) / PAGE.unsigned_abs()).unwrap_or(u32::MAX),
        })
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What `error` means, and where it happened.
    pub(super) fn failure(&self, error: &rusqlite::Error, doing: &str) -> Failure {
        Failure::of(error, &self.connection, doing)
    }

    /// Pages written since the log was last brought over.
    fn fresh(&self) -> u32 {
        let pages = self.pages.load(Ordering::Relaxed);
        // Fewer pages than before: the log has begun anew.
        pages.checked_sub(self.brought).unwrap_or(pages)
    }

    pub(super) fn is_due(&self) -> bool {
        self.fresh() >= self.limit
    }

    pub(super) fn is_settled(&self) -> bool {
        self.fresh() == 0
    }

    /// Brings the log into the database, as far as readers allow. A disk without room for it is no
    /// failure: everything stays in the log, and the next commit that finds none is told so.
    pub(super) fn bring_over(&mut self) -> Result<(), Failure> {
        let patient = self.pages.load(Ordering::Relaxed) < self.limit.saturating_mul(PATIENT_UP_TO);
        self.checkpoint(if patient { "PASSIVE" } else { "RESTART" })
    }

    /// Brings the log over and gives its room back to the disk.
    pub(super) fn empty(&mut self) -> Result<(), Failure> {
        self.checkpoint("TRUNCATE")
    }

    fn checkpoint(&mut self, mode: &str) -> Result<(), Failure> {
        let result = self.connection.prepare_cached(&format!("PRAGMA wal_checkpoint({mode})"));
        let result = result.and_then(|mut pragma| pragma.query_row([], |_| Ok(())));
        self.brought = self.pages.load(Ordering::Relaxed);
        match result.map_err(|e| self.failure(&e, "bringing the log into")) {
            Ok(()) | Err(Failure::Full) => Ok(()),
            Err(broken) => Err(broken),
        }
    }

    /// Gives some free pages back to the disk; whether there are more.
    pub(super) fn shrink(&mut self, room: Room) -> Result<bool, Failure> {
        match self.vacuum(room).map_err(|e| self.failure(&e, "giving space back from")) {
            Ok(more) => Ok(more),
            Err(Failure::Full) => {
                self.undo();
                Ok(false)
            }
            Err(broken) => Err(broken),
        }
    }

    fn vacuum(&self, room: Room) -> rusqlite::Result<bool> {
        let number = |name| -> rusqlite::Result<i64> {
            self.connection.pragma_query_value(None, name, |row| row.get(0))
        };
        let (free, all) = (number("freelist_count")?, number("page_count")?);
        let kept = match room {
            Room::Enough => SPARE.max(all / 8),
            Room::Short => 0,
        };
        if free <= kept {
            return Ok(false);
        }
        let step = VACUUM_STEP.min(free - kept);
        let sql = format!("PRAGMA incremental_vacuum({step})");
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while rows.next()?.is_some() {}
        Ok(free - step > kept)
    }

    /// Leaves the transaction, if the failure has not done so.
    pub(super) fn undo(&self) {
        if !self.connection.is_autocommit() {
            // A connection whose rollback fails shows it at its next BEGIN.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    /// Closes without touching the files, after a failure: the next start looks at them afresh.
    pub(super) fn abandon(self) {
        self.undo();
        let flag = DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE;
        let _ = self.connection.set_db_config(flag, true);
    }
}
