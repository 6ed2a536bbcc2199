//! The vocabulary of mail: identifiers of the market, addresses, envelopes, search tags, what a mail says about
//! itself (headline, parts, class), the one parser that finds it out, and the one composer of mail of our own.
//! Nothing here does I/O, reads a clock or knows a case.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod address;
mod away;
mod ber;
mod block;
mod body;
mod charset;
mod class;
mod closed;
mod cms;
mod compose;
mod contents;
mod date;
mod decode;
mod entity;
mod envelope;
mod findings;
mod head;
mod header;
mod headline;
mod html;
mod journal;
mod market;
mod message;
mod parameters;
mod report;
mod ruling;
mod scanner;
mod signature;
mod signed;
mod tag;
mod tnef;
mod transfer;
mod uuencode;
mod words;

pub use address::{Address, AddressError};
pub use compose::{ComposeError, Composer, DeliveryReport, Letter, Outcome, Submitted, Written};
pub use decode::Decoder;
pub use envelope::{Envelope, Notify, Rcpt, ReportWish, ReturnWhat, ReversePath};
pub use headline::{Coding, Defect, Encoding, Headline, Inside, Part, PartRole, Person, Signed, Slice};
pub use journal::{Journal, NotAJournal};
pub use market::{ContactType, GroupId, MarketError, Mpid, ProcessId};
pub use message::{Class, Message};
pub use report::{Action, Away, Report, Reported, Status};
pub use ruling::{HoldReason, Scan};
pub use scanner::{Budget, Scanner};
pub use signature::{SignatureResult, Standing, Unchecked};
pub use signed::{Signature, SignatureScanner};
pub use tag::{Tag, TagKind};
pub use words::decode as decode_words;
