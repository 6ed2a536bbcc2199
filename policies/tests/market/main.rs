//! A generated market: five thousand mails with what is in them, and how much of it the shipped rules see.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod generated;
mod mails;
mod measured;
