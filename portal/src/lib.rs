//! The people's side: pages for signing in, finding, reading, taking and downloading.
//!
//! Server-rendered, usable without scripts. Every page goes through one table of routes
//! (`routes`), every case through one function (`access`). Nothing here changes anything on GET,
//! writes content to a log, or speaks to the mail side.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod access;
mod charts;
mod crowd;
mod csv;
mod dates;
mod error;
mod file_names;
mod forms;
mod guard;
mod multipart;
mod new_password;
mod origin;
mod pages;
mod parts;
#[cfg_attr(not(feature = "passkeys"), path = "no_passkeys.rs")]
mod passkeys;
mod portal;
mod qr;
mod quotes;
mod routes;
mod sanitiser;
mod serve;
mod session;
mod sheet;
mod stall;
mod tag_words;
mod text;
mod throttle;
mod told;
mod writing;

pub use portal::{Demo, MailSide, Options, Portal, PublicUrl, SampleUser, Submission, UrlError};
pub use routes::{route_table, router};
pub use serve::{serve, serve_tls};
pub use writing::{Scanner, Writing};
