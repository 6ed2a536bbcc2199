//! The pages as a browser sees them, on the real router and a ledger in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod market;
mod reading;
mod serving;
mod signing_in;
