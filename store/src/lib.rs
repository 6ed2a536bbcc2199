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
pub mod sqlite;
