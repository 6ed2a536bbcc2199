//! What a machine reports about a mail of ours: delivery reports (RFC 3464, and the many without form) and
//! "out of office". Read only; the report that Postern itself writes is composed elsewhere.

mod evidence;
mod fields;
mod prose;
mod words;

use std::fmt;

use jiff::civil::Date;

pub(crate) use evidence::{Context, Evidence};

use crate::Address;

/// What became of a mail, recipient by recipient.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// One for each recipient that the report names; a report without form may name none.
    pub recipients: Vec<Reported>,
    /// The Message-ID of the mail reported on, without the angle brackets.
    pub original_message_id: Option<String>,
}

/// What became of a mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reported {
    /// What happened.
    pub action: Action,
    /// Why, if the report says so.
    pub status: Option<Status>,
    /// Whom it is about, as far as it is named.
    pub recipient: Option<Address>,
}

/// RFC 3464 §2.3.3
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It will never be delivered.
    Failed,
    /// It waits; the server tries again.
    Delayed,
    /// It is in the mailbox.
    Delivered,
    /// It went on to a server that reports nothing.
    Relayed,
    /// It went on to several recipients.
    Expanded,
}

/// An enhanced status code (RFC 3463): `5.1.1`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Status {
    /// 2 success, 4 passing failure, 5 lasting failure.
    pub class: u8,
    /// What it is about: 1 addressing, 2 mailbox, …
    pub subject: u16,
    /// The detail within the subject.
    pub detail: u16,
}

/// Somebody is out of office.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Away {
    /// The last day, or the day of return, if stated.
    pub until: Option<Date>,
}

/// Whether a line of text has a code of a server that refuses in it.
pub(crate) fn tells_status(line: &str) -> bool {
    words::status(line).is_some_and(|status| status.class != 2)
}

impl Action {
    /// The word of the field `Action`: `failed`, `delayed`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Delayed => "delayed",
            Self::Delivered => "delivered",
            Self::Relayed => "relayed",
            Self::Expanded => "expanded",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}
