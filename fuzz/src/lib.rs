//! One function for each parser of strangers' bytes: it feeds the bytes and asserts what must hold for all of them.
//!
//! libFuzzer calls them through `targets/`; the replay in the tests calls them with the saved corpus. A function that
//! returns has found nothing. None of them keeps anything from one call to the next that could change a verdict.
#![forbid(unsafe_code)]

mod address;
mod imap;
mod journal;
mod message;
mod pieces;
mod policy;
mod record;
#[cfg(test)]
mod replay;
mod reply;
mod report;
mod sealed;
mod signature;
mod smtp;
mod tnef;

pub use address::address;
pub use imap::imap;
pub use journal::journal;
pub use message::message;
pub use policy::policy;
pub use record::record;
pub use reply::reply;
pub use report::report;
pub use sealed::sealed;
pub use signature::signature;
pub use smtp::smtp;
pub use tnef::tnef;
