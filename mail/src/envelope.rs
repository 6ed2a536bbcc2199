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
    pub recipients: Vec<Address>,
}

impl fmt::Display for ReversePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("<>"),
            Self::Address(address) => write!(f, "<{address}>"),
        }
    }
}
