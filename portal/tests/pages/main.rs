//! The pages as a browser sees them, on the real router and a ledger in memory.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod access;
mod account;
mod alerts;
mod api_tokens;
mod attempts;
mod audit;
mod companies;
mod grid;
mod held;
mod links;
mod lists;
mod mail_ways;
mod mailboxes;
mod market;
mod matrix;
mod origins;
mod own_sign_in;
mod people;
mod people_file;
mod reading;
mod reports;
mod scenes;
mod second_step;
mod serving;
mod shadow;
mod signing_in;
mod take_away;
mod withdrawn;
mod writing;
