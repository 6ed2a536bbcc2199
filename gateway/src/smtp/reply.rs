//! Replies of the SMTP server: reply code, enhanced status code (RFC 3463), text. The one place where a refusal
//! becomes a reply, and the one method that says temporary or permanent. It never lets a caller's text break a line.

use std::borrow::Cow;

/// A reply line, code and line end included, is at most this long (RFC 5321 §4.5.3.1.5).
pub(crate) const LINE: usize = 512;

/// Why the intake turns something down, cut by what the peer should do about it. The text is for the peer: it must
/// help, and hold nothing that the peer does not know already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// Nobody vouches for the sender; the text says how to be proved.
    NotProved(String),
    /// The sender is proved, and a rule says no.
    NotPermitted(String),
    /// Log in first.
    LoginNeeded,
    /// User and password do not fit.
    BadCredentials,
    /// No such mailbox here.
    UnknownRecipient(String),
    /// The reverse-path cannot be used.
    BadSender(String),
    /// The message itself cannot be taken.
    BadContent(String),
    /// The message has been here, or too often elsewhere (RFC 5321 §6.3).
    Loop,
    /// The message is larger than is taken.
    TooLarge,
    /// This transaction has as many recipients as it may have; send the rest in the next one.
    TooManyRecipients,
    /// The peer asks too much at once.
    TooFast,
    /// There is no room now.
    StoreFull,
    /// The store does not work now.
    StoreBroken,
    /// Something else does not work now; the text says what, in the peer's words.
    Unavailable(String),
}

/// What the peer should do with a refused message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permanence {
    /// Try again later, unchanged.
    Temporary,
    /// Do not try again unchanged.
    Permanent,
}

impl Refusal {
    /// The only place that tells temporary from permanent.
    pub fn permanence(&self) -> Permanence {
        match self {
            Refusal::NotProved(_)
            | Refusal::NotPermitted(_)
            | Refusal::LoginNeeded
            | Refusal::BadCredentials
            | Refusal::UnknownRecipient(_)
            | Refusal::BadSender(_)
            | Refusal::BadContent(_)
            | Refusal::Loop
            | Refusal::TooLarge => Permanence::Permanent,
            Refusal::TooManyRecipients
            | Refusal::TooFast
            | Refusal::StoreFull
            | Refusal::StoreBroken
            | Refusal::Unavailable(_) => Permanence::Temporary,
        }
    }
}
