//! The ledger: everything Postern knows, on top of one small storage trait.
//!
//! Engines (`engine`, `sqlite`, `memory`, `sled`) keep rows and never interpret them; the rest of
//! the crate gives the rows their meaning and never touches a file.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod chain;
#[cfg(test)]
mod conformance;
pub mod engine;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
#[cfg(feature = "sled")]
pub mod sled;
pub mod sqlite;

mod accept;
mod audit;
mod cases;
mod changes;
mod content;
mod directory;
mod draft;
mod error;
mod ids;
mod jobs;
mod keys;
mod ledger;
mod network;
mod reading;
mod records;
#[cfg(test)]
mod scenes;
mod sessions;

pub use accept::{
    Acceptance, Accepted, AcceptedCase, Deadline, Entry, Joining, Opening, Party, Place, SourceKey,
};
pub use audit::{Act, Actor, Event};
pub use cases::{Case, CasePage, Due, MOST_MESSAGES, MessageRecord, Proof, Side};
pub use changes::DirectoryChange;
pub use content::{ContentWriter, SealedContent};
pub use directory::{ClientCertificate, Directory, Group, Mailbox, Participant, Permission, Role, User};
pub use error::StoreError;
pub use ids::{CaseId, CaseReference, ContentId, JobId, MessageId, NotALocator, NotAReference, UserId};
pub use jobs::{Job, JobKind, Leased, Notice, Outcome, Standing};
pub use ledger::{Clock, Ledger};
pub use network::{Network, NotANetwork};
pub use reading::{ContentReader, OpenMessage, Reading};
pub use sessions::{Session, SessionToken};
