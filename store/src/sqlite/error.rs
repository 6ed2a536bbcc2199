//! What SQLite's errors mean to us, decided here and nowhere else.

use std::path::PathBuf;

use rusqlite::{Connection, Error, ErrorCode, ffi::SQLITE_IOERR_SHMSIZE};

use crate::engine::{Broken, CommitError};

/// Why a ledger cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error(
        "the ledger in {folder} is in use by another Postern process{owner}; stop that one first, \
         or give this one a data folder of its own"
    )]
    InUse { folder: PathBuf, owner: String },
    #[error("there is no ledger in {folder}; check the path, or make one with `postern init`")]
    Absent { folder: PathBuf },
    #[error("the disk of the data folder {folder} is full; free space on it and start again")]
    Full { folder: PathBuf },
    #[error(
        "the data folder {folder} cannot be used: {cause}; check that it exists, and that the \
         user Postern runs as may read and write it"
    )]
    Folder { folder: PathBuf, cause: std::io::Error },
    #[error(
        "{file} is of format {found}, and this release knows {known}; install the release that \
         wrote it, or a later one"
    )]
    Newer { file: PathBuf, found: i64, known: i64 },
    #[error("{file} is not a ledger of Postern; restore it from a backup, or choose another folder")]
    Foreign { file: PathBuf },
    #[error(
        "{file} cannot be opened: {cause}; check the disk and the system's log, and restore the \
         folder from a backup if the file is damaged"
    )]
    Failed { file: PathBuf, cause: String },
}

/// What a failed statement means for the changesets in hand.
pub(super) enum Failure {
    Full,
    Broken(Broken),
}

impl Failure {
    /// `doing` was being done to the connection's file when it failed. Only a plain lack of room
    /// leaves the engine alive: any other error (a failed write or fsync, damage, a lock that does
    /// not go away) is final.
    pub(super) fn of(error: &Error, connection: &Connection, doing: &str) -> Self {
        let file = connection.path().unwrap_or_default();
        let cause = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => return Self::Full,
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                "another program holds it; end that program, then restart Postern".into()
            }
            Some(ErrorCode::ConstraintViolation) => {
                "an audit record stands beyond the end that the ledger remembers: the data were changed from \
                 outside. Run `postern audit verify`, keep the folder as evidence, restore a backup"
                    .into()
            }
            _ => format!(
                "{}; nothing more is accepted. Check the disk and the system's log, then restart Postern",
                text(error)
            ),
        };
        Self::Broken(Broken(format!("{doing} {file}: {cause}")))
    }
}

impl From<Failure> for CommitError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Full => Self::Full,
            Failure::Broken(broken) => broken.into(),
        }
    }
}

/// Whether there was no room to open: SQLite also says so by the file of its log's index.
pub(super) fn is_full(error: &Error) -> bool {
    let index = error.sqlite_error().is_some_and(|e| e.extended_code == SQLITE_IOERR_SHMSIZE);
    index || error.sqlite_error_code() == Some(ErrorCode::DiskFull)
}

/// The error with its extended code, by which the failing system call is known.
pub(super) fn text(error: &Error) -> String {
    match error.sqlite_error() {
        Some(cause) => format!("{error} (SQLite error {})", cause.extended_code),
        None => error.to_string(),
    }
}
