//! What the end-to-end tests stand on: the real binary as a process, real peers beside it, and small clients.
//! Knows the binary by its command line, its ports and its files only; links no crate of the product.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod axe;
pub mod browser;
pub mod clamd;
pub mod corpus;
pub mod demo;
pub mod dkim;
pub mod dns;
pub mod dovecot;
pub mod exim;
pub mod http;
pub mod installation;
pub mod letter;
pub mod market;
pub mod postern;
pub mod postfix;
pub mod process;
pub mod random;
pub mod sink;
pub mod smtp;
pub mod trap;
pub mod wait;

use std::path::{Path, PathBuf};

/// The repository's root.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().unwrap_or(tests).to_owned()
}

/// Where cargo puts what it builds: two folders above the test that runs (`target/debug/deps`).
pub fn target() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    test.ancestors().nth(2).expect("a test lies in target/PROFILE/deps").to_owned()
}
