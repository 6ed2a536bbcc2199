//! What SMTP says about a mail, as opposed to what its headers claim. Never read from the mail itself.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::Address;

/// `MAIL FROM`: where a bounce goes. `Null` is `<>`, the mark of mail that nobody may answer (RFC 5321 §4.5.5).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Encode, Decode)]
pub enum ReversePath {
    /// `<>`
    #[n(0)]
    Null,
    /// A mailbox.
    #[n(1)]
    Address(#[n(0)] Address),
}

/// Sender and recipients of one transaction, recipients in the order given.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Envelope {
    /// `MAIL FROM`
    #[n(0)]
    pub reverse_path: ReversePath,
    /// `RCPT TO`, every accepted one.
    #[n(1)]
    pub recipients: Vec<Rcpt>,
    /// What the sender wants to hear about the delivery of the whole mail.
    #[n(2)]
    pub report: ReportWish,
}

/// One recipient, with the delivery reports that the sender wants about it (RFC 3461 §4).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Rcpt {
    /// Where the mail goes.
    #[n(0)]
    pub address: Address,
    /// `NOTIFY`
    #[n(1)]
    pub notify: Notify,
    /// `ORCPT`, its xtext decoded: `rfc822;jo@alpha.example`.
    #[n(2)]
    pub original: Option<String>,
}

/// Of which outcomes the sender wants a report (RFC 3461 §4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
pub enum Notify {
    /// Nothing said: of failure, perhaps of delay.
    #[default]
    #[n(0)]
    Default,
    /// Of none.
    #[n(1)]
    Never,
    /// Of those that are true.
    #[n(2)]
    On {
        /// The mail reached the recipient.
        #[n(0)]
        success: bool,
        /// It never will.
        #[n(1)]
        failure: bool,
        /// It has to wait.
        #[n(2)]
        delay: bool,
    },
}

/// `RET` and `ENVID` (RFC 3461 §4.3, §4.4).
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct ReportWish {
    /// How much of the mail a report of failure should return. Reports of ours return nothing of a mail.
    #[n(0)]
    pub what: Option<ReturnWhat>,
    /// The sender's own name for the transaction, its xtext decoded.
    #[n(1)]
    pub id: Option<String>,
}

/// `RET`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum ReturnWhat {
    /// `FULL`
    #[n(0)]
    Full,
    /// `HDRS`
    #[n(1)]
    Headers,
}

impl Envelope {
    /// An envelope that wishes for nothing beyond the mail's arrival.
    pub fn plain(reverse_path: ReversePath, recipients: Vec<Address>) -> Self {
        let recipients = recipients.into_iter().map(Rcpt::from).collect();
        Self { reverse_path, recipients, report: ReportWish::default() }
    }
}

impl From<Address> for Rcpt {
    fn from(address: Address) -> Self {
        Self { address, notify: Notify::Default, original: None }
    }
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}
