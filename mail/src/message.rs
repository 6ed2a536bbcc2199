//! A mail as the scanner saw it: headline, class, references and searchable text. Holds no attachment content.

use std::fmt;

use minicbor::{Decode, Encode};

use crate::{Away, Headline, Report};

/// What kind of mail it is. Only [`Class::Human`] opens cases, makes notices and stops clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
pub enum Class {
    /// Written by a person, as far as one can see.
    #[n(0)]
    Human,
    /// Out of office and other automatic mail (RFC 3834).
    #[n(1)]
    AutoReply,
    /// A delivery status notification (RFC 3464) or one without form.
    #[n(2)]
    Bounce,
    /// A read receipt (RFC 8098).
    #[n(3)]
    Receipt,
    /// An invitation or an answer to one (RFC 6047).
    #[n(4)]
    Calendar,
    /// Outlook's request to take a message back.
    #[n(5)]
    Recall,
    /// Mail of a list or bulk mail (RFC 2919, RFC 2369).
    #[n(6)]
    List,
    /// No text, no attachment.
    #[n(7)]
    Empty,
}

/// Everything the scanner found out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who, what about, which parts, which defects.
    pub headline: Headline,
    /// Which kind of mail.
    pub class: Class,
    /// Message ids without angle brackets.
    pub in_reply_to: Vec<String>,
    /// Message ids without angle brackets, oldest first.
    pub references: Vec<String>,
    /// Text of all text bodies in order, HTML made text, mails inside the mail with their subjects, in UTF-8.
    pub text: String,
    /// Whether `text` is all there was; false when a budget ended it or a part was closed to us.
    pub text_complete: bool,
    /// `Received` fields: how many servers passed the mail on (RFC 5321 §6.3).
    pub hops: usize,
    /// What a delivery report says, in a mail of class [`Class::Bounce`].
    pub report: Option<Report>,
    /// That somebody is out of office, in a mail of class [`Class::AutoReply`].
    pub away: Option<Away>,
}

impl Class {
    /// The name, as stored and shown: `human`, `auto-reply`, ...
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Human => "human",
            Self::AutoReply => "auto-reply",
            Self::Bounce => "bounce",
            Self::Receipt => "receipt",
            Self::Calendar => "calendar",
            Self::Recall => "recall",
            Self::List => "list",
            Self::Empty => "empty",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
