//! What a user, a sender or an operator notices, shown with the real binary: one module for each behaviour.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod answers;
mod arrival;
mod audit;
mod canaries;
mod cli;
mod clients;
mod companies;
mod corpus;
mod demo;
mod direction;
mod kill;
mod loops;
mod machines;
mod memory;
mod notice;
mod polling;
mod queue;
mod reading;
mod refusals;
mod scanning;
mod screenshots;
mod smuggling;
mod stage;
mod store_failure;
mod strangers;
