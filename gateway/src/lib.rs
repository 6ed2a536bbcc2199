//! The mail side of Postern: SMTP in, the path of a message, and the jobs that write mail.
//!
//! It meets the portal only in the ledger. `pipeline.rs` is the path of a message; start there.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod arrival;
mod certificates;
pub mod connector;
mod courier;
mod dns;
pub mod documents;
mod fields;
mod gateway;
mod guard;
mod guards;
mod identify;
pub mod imap;
mod incoming;
mod journal;
mod keeping;
mod letters;
mod logins;
mod notice;
mod pipeline;
mod placement;
mod polling;
pub mod proof;
mod recall;
mod reply_address;
mod returned;
mod sender;
mod shadow;
mod signature;
pub mod smtp;
pub mod virus;
mod worker;

pub use certificates::NamedCertificate;
pub use courier::{
    Courier, Exchangers, Login, Malformed, Outbound, Private, Reply, ReplyReader, Route, Smarthost, Times,
    TlsPolicy,
};
pub use dns::{DnsFailure, DnsSettings, DnsUnusable, Resolver};
pub use fields::header_fields;
pub use gateway::{Gateway, Settings};
pub use guards::{Guards, TransactionClass};
pub use incoming::Incoming;
pub use letters::{KeyUnusable, Signer};
pub use placement::recipient_of;
pub use sender::Sender;
pub use shadow::Watched;
pub use worker::{Pace, Worker};
