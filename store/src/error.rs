//! What can go wrong with the ledger, cut by what the caller does about it.

use crate::{
    engine::{Broken, CommitError},
    reading::{Closed, Unreadable},
};

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else changed the same thing first: read again, decide anew.
    #[error("somebody else changed this in between; read it again and repeat the change")]
    Conflict,
    /// No room on the disk. May work later.
    #[error("the ledger's disk is full; free space on it, then try again")]
    Full,
    /// The engine failed and takes no more changes: stop accepting, say so, end.
    #[error("the ledger failed: {0}")]
    Broken(String),
    /// A stored value is not what it must be: a damaged disk, a wrong key, or tampering.
    #[error("the ledger holds a damaged record: {0}")]
    Corrupt(String),
    /// Whoever asks may not change that, whether it exists or not; the attempt is in the audit trail.
    #[error("that is not yours to change")]
    Forbidden,
    /// Nobody would be left to administer the group.
    #[error(
        "the group {0} would have no master administration user left; give somebody else that role first"
    )]
    LastMau(mail::GroupId),
    /// The change is against a rule of the directory; the text says which and what to do.
    #[error("{0}")]
    Denied(String),
}

impl From<CommitError> for StoreError {
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Conflict => Self::Conflict,
            CommitError::Full => Self::Full,
            // A changeset of our own that breaks the engine's rules: a record is not what it must be.
            CommitError::Refused(reason) => Self::Corrupt(reason),
            CommitError::Broken(reason) => Self::Broken(reason),
        }
    }
}

impl From<Broken> for StoreError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.0)
    }
}

impl From<Unreadable> for StoreError {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable.why {
            Closed::Withdrawn => Self::Denied(unreadable.to_string()),
            Closed::Damaged(reason) => Self::Corrupt(reason),
        }
    }
}

impl From<certs::KeyError> for StoreError {
    fn from(error: certs::KeyError) -> Self {
        Self::Corrupt(error.to_string())
    }
}

impl From<certs::SealError> for StoreError {
    fn from(error: certs::SealError) -> Self {
        Self::Corrupt(error.to_string())
    }
}
