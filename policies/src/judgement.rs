//! What the judge goes by and what it says: facts of one mail, a verdict for each recipient, the strictest of them for the
//! transaction. Words only; who decides is the judge.

use std::fmt;

use mail::{ContactType, GroupId, HoldReason, Message, ProcessId, ReversePath, Scan, Tag};
use serde::Deserialize;

use crate::{
    Classification, NamedCase, Passing, Place, Recipient, RuleId, RulesHash,
    detect::{Business, Document, Findings},
};

/// All that is known about one mail.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// The group that the transport has proved.
    pub sender: &'a GroupId,
    /// Whether mail of this sender may pass on: what [`crate::Ruleset::class`] was told.
    pub passing: Passing,
    /// Where the envelope wants failures to go.
    pub reverse_path: &'a ReversePath,
    /// The parsed mail.
    pub message: &'a Message,
    /// The recipients of the envelope, all of one class.
    pub recipients: &'a [Recipient],
    /// The cases that `In-Reply-To` and `References` name, the nearest first.
    pub referenced: &'a [NamedCase],
    /// What the virus scanner said.
    pub scan: Scan,
    /// How the mail was protected on its way here.
    pub protection: Protection,
    /// The files of the mail with the text in them, as far as it is known.
    pub documents: &'a [Document<'a>],
    /// Whose words in the mail are business.
    pub business: &'a Business<'a>,
    /// Fields of the header that rules may ask for: name and decoded value, in their order.
    pub fields: &'a [(&'a str, &'a str)],
}

/// How a mail was protected on its last way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Protection {
    /// It came in the clear.
    #[default]
    None,
    /// Over TLS.
    Tls,
    /// Over TLS, and the certificate of the peer was checked.
    Verified,
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::Tls => "tls",
            Self::Verified => "verified",
        })
    }
}

/// The judgement of one mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// One verdict for each recipient, in the order of the facts.
    pub verdicts: Vec<Verdict>,
    /// What the mail does in its case.
    pub effect: Effect,
    /// The search tags, each once, at most [`crate::TagRules::MOST`].
    pub tags: Vec<Tag>,
    /// What the mail asks to take back. It is [`Effect::EventOnly`] itself.
    pub recall: Option<Recall>,
    /// Personal data: how many of each category, never which.
    pub findings: Findings,
    /// What the classification rules make of the mail, also where something else decided.
    pub classification: Classification,
    /// The rules that judged it.
    pub rules: RulesHash,
}

/// A person's request to take a message back. Whose message it is, and who has read it, the ledger knows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recall {
    /// The Message-IDs that the request refers to, the nearest first, without angle brackets. Not every client gives one.
    pub of: Vec<String>,
    /// The subject of the message to take back, without the mark of the request.
    pub subject: String,
}

/// What a mail does in its case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// A person wrote it: it opens cases, makes notices, stops clocks.
    Message,
    /// A machine wrote it, or nobody wrote anything: it is kept and seen, and nothing else happens.
    EventOnly,
}

/// What happens to the mail for one recipient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Sealed and kept.
    Secure {
        /// The rule that said so.
        rule: RuleId,
        /// What decided about the place.
        signal: Signal,
        /// The process it belongs to.
        process: ProcessId,
        /// The rung it belongs to.
        contact_type: ContactType,
    },
    /// Passed on as it is; nothing is kept.
    Relay {
        /// The rule that said so.
        rule: RuleId,
    },
    /// Kept sealed until the compliance role of the sender's group decides.
    Hold {
        /// The rule that said so.
        rule: RuleId,
        /// Why, in one word.
        reason: HoldReason,
        /// The sentence for the sender: ASCII, one line.
        public: String,
        /// The case it belongs to once it is released; none where it would be passed on.
        place: Option<Placed>,
    },
    /// Taken note of and let go: a mail of ours has come back.
    Return,
    /// Not taken.
    Refuse {
        /// The rule that said so.
        rule: RuleId,
        /// The sentence for the peer: ASCII, one line.
        public: String,
    },
}

/// Where a mail belongs, and what decided that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// What decided about the place.
    pub signal: Signal,
    /// The process.
    pub process: ProcessId,
    /// The rung.
    pub contact_type: ContactType,
}

/// What decided where a secured mail belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signal {
    /// The keyed reply address names this case ([`NamedCase::id`]).
    ReplyAddress(String),
    /// The mail's references name this case of the mailbox's process and group.
    References(String),
    /// The mailbox map; a new case.
    Mailbox,
    /// The mailbox map, without what stands behind the `+` of the address; a new case.
    PlusAddress,
    /// The code in the subject names the process for which the recipient's group has this mailbox; a new case.
    SubjectCode(Place),
    /// The classification rules name the process for which the recipient's group has this mailbox; a new case.
    Rules(Place),
}

impl Signal {
    /// In one word, to be stored.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::ReplyAddress(_) => "reply-address",
            Self::References(_) => "references",
            Self::Mailbox => "mailbox",
            Self::PlusAddress => "plus-address",
            Self::SubjectCode(_) => "subject-code",
            Self::Rules(_) => "rules",
        }
    }
}

impl Judged {
    /// The verdict that applies to the whole transaction, since its data have one answer: a refusal before a hold,
    /// a hold before anything else. None where there was no recipient.
    pub fn strictest(&self) -> Option<&Verdict> {
        // The rule as well, so that the order of the recipients never matters.
        self.verdicts.iter().max_by_key(|verdict| (verdict.strictness(), verdict.rule()))
    }
}

impl Verdict {
    /// The rule that said so; none for what comes back, about which no rule is asked.
    pub fn rule(&self) -> Option<&RuleId> {
        match self {
            Self::Secure { rule, .. }
            | Self::Relay { rule }
            | Self::Hold { rule, .. }
            | Self::Refuse { rule, .. } => Some(rule),
            Self::Return => None,
        }
    }

    /// The rules are proved never to secure and relay in one transaction, so those two need no order.
    fn strictness(&self) -> u8 {
        match self {
            Self::Refuse { .. } => 2,
            Self::Hold { .. } => 1,
            Self::Secure { .. } | Self::Relay { .. } | Self::Return => 0,
        }
    }
}
