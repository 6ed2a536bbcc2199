//! What rules can ask for, and what is the case for one recipient of one mail. The words here are those of the rule file.

use std::fmt;

use mail::{GroupId, ProcessId, Scan};
use serde::Deserialize;

use crate::{Opaque, Protection, detect::Category};

/// What a recipient is to the sender: what rules are made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A mapped mailbox of another group.
    Mailbox,
    /// A mapped mailbox of the sender's own group, as long as its mail may not pass on.
    OwnMailbox,
    /// The reply address of a case that the sender's group is party to.
    ReplyAddress,
    /// The reply address of somebody else's case.
    ForeignReplyAddress,
    /// An address of the sender's own group.
    OwnDomain,
    /// An unmapped address of another registered group.
    Counterparty,
    /// An address of no registered group.
    Outside,
    /// An address that nobody knows.
    Unmapped,
}

/// What names a process for a recipient who has none: the code in the subject, else the classification rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Naming {
    /// Nothing does, or the recipient's place does not depend on it.
    Nothing,
    /// The code in the subject.
    Code(Has),
    /// The classification rules.
    Rules(Has),
}

/// Whether the recipient's group has a mailbox for the process that was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Has {
    Mailbox,
    NoMailbox,
}

/// The same as a condition: of the keys `subject_code` and `classified`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Named {
    None,
    Mailbox,
    NoMailbox,
}

/// Whether personal data were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PersonalData {
    Found,
    None,
}

/// What rules ask of the findings beside whether there are any: so many of a category. One bit for each that some rule
/// asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct AtLeast {
    pub(super) category: Category,
    pub(super) count: u32,
}

/// What is the case for a whole mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Content {
    pub(crate) personal_data: bool,
    /// Data of a special category are among them.
    pub(crate) special: bool,
    /// A bit for each entry of the rules' list of [`AtLeast`] that holds.
    pub(crate) counts: u32,
    pub(crate) opaque: bool,
    /// Not all of it could be looked at: what is opaque, and what was too much.
    pub(crate) unread: bool,
    pub(crate) scan: Scan,
    pub(crate) class: mail::Class,
    pub(crate) protection: Protection,
}

/// What is the case for one recipient of one mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) kind: Kind,
    /// The process that the mail belongs to by its recipient or by what names it, and what that process wants done with
    /// content that nobody can look into.
    pub(crate) process: Option<(&'a ProcessId, Opaque)>,
    pub(crate) naming: Naming,
    pub(crate) content: Content,
    /// The group that sends it.
    pub(crate) sender: Option<&'a GroupId>,
}

/// What a rule asks for: all of it must be the case.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) kinds: Vec<Kind>,
    pub(super) senders: Option<Vec<GroupId>>,
    pub(super) processes: Option<Vec<ProcessId>>,
    pub(super) subject_code: Option<Vec<Named>>,
    pub(super) classified: Option<Vec<Named>>,
    pub(super) personal_data: Option<PersonalData>,
    pub(super) special: Option<bool>,
    /// One of these bits of [`Content::counts`].
    pub(super) counts: Option<u32>,
    pub(super) opaque: Option<bool>,
    pub(super) unread: Option<bool>,
    pub(super) process_opaque: Option<Vec<Opaque>>,
    pub(super) scan: Option<Vec<Scan>>,
    pub(super) class: Option<Vec<mail::Class>>,
    pub(super) protection: Option<Vec<Protection>>,
}

impl Kind {
    pub(super) const ALL: [Self; 8] = [
        Self::Mailbox,
        Self::OwnMailbox,
        Self::ReplyAddress,
        Self::ForeignReplyAddress,
        Self::OwnDomain,
        Self::Counterparty,
        Self::Outside,
        Self::Unmapped,
    ];

    /// Nothing is there that could take a mail: the answer is a refusal, given before the content is seen.
    pub(super) fn is_nowhere(self) -> bool {
        matches!(self, Self::OwnMailbox | Self::ForeignReplyAddress | Self::Unmapped)
    }

    /// The recipient itself names a process.
    pub(super) fn has_process(self) -> bool {
        matches!(self, Self::Mailbox | Self::ReplyAddress)
    }
}

impl Naming {
    pub(super) const ALL: [Self; 5] = [
        Self::Nothing,
        Self::Code(Has::Mailbox),
        Self::Code(Has::NoMailbox),
        Self::Rules(Has::Mailbox),
        Self::Rules(Has::NoMailbox),
    ];

    fn by_code(self) -> Named {
        match self {
            Self::Code(Has::Mailbox) => Named::Mailbox,
            Self::Code(Has::NoMailbox) => Named::NoMailbox,
            Self::Nothing | Self::Rules(_) => Named::None,
        }
    }

    fn by_rules(self) -> Named {
        match self {
            Self::Rules(Has::Mailbox) => Named::Mailbox,
            Self::Rules(Has::NoMailbox) => Named::NoMailbox,
            Self::Nothing | Self::Code(_) => Named::None,
        }
    }
}

impl Content {
    /// Nothing found, nothing closed, nobody asked, written by a person, come over TLS.
    pub(crate) const PLAIN: Self = Self {
        personal_data: false,
        special: false,
        counts: 0,
        opaque: false,
        unread: false,
        scan: Scan::Off,
        class: mail::Class::Human,
        protection: Protection::Tls,
    };
}

impl Conditions {
    pub(super) fn fit(&self, circumstances: &Circumstances<'_>) -> bool {
        self.misfit(circumstances).is_none()
    }

    /// The key of the file whose condition is the first that is not so.
    pub(super) fn misfit(&self, circumstances: &Circumstances<'_>) -> Option<&'static str> {
        KEYS.into_iter().find(|(_, fits)| !fits(self, circumstances)).map(|(key, _)| key)
    }

    /// Whether something is asked for that only the content shows.
    pub(super) fn need_content(&self) -> bool {
        self.subject_code.is_some()
            || self.classified.is_some()
            || self.personal_data.is_some()
            || self.special.is_some()
            || self.counts.is_some()
            || self.opaque.is_some()
            || self.unread.is_some()
            || self.scan.is_some()
            || self.class.is_some()
    }

    /// Whether a mailbox is there wherever the rule decides.
    pub(super) fn has_mailbox(&self) -> bool {
        [&self.subject_code, &self.classified]
            .into_iter()
            .any(|named| named.as_deref() == Some(&[Named::Mailbox]))
    }
}

type Fits = fn(&Conditions, &Circumstances<'_>) -> bool;

/// The conditions by their keys in the file.
const KEYS: [(&str, Fits); 14] = [
    ("recipient", |rule, is| rule.kinds.contains(&is.kind)),
    ("sender_group", |rule, is| among(rule.senders.as_deref(), is.sender)),
    ("process", |rule, is| among(rule.processes.as_deref(), is.process.map(|(id, _)| id))),
    ("subject_code", |rule, is| among(rule.subject_code.as_deref(), Some(&is.naming.by_code()))),
    ("classified", |rule, is| among(rule.classified.as_deref(), Some(&is.naming.by_rules()))),
    ("personal_data", |rule, is| {
        let found = if is.content.personal_data { PersonalData::Found } else { PersonalData::None };
        rule.personal_data.is_none_or(|wanted| wanted == found)
    }),
    ("special", |rule, is| rule.special.is_none_or(|wanted| wanted == is.content.special)),
    ("findings", |rule, is| rule.counts.is_none_or(|wanted| wanted & is.content.counts != 0)),
    ("opaque", |rule, is| rule.opaque.is_none_or(|wanted| wanted == is.content.opaque)),
    ("unread", |rule, is| rule.unread.is_none_or(|wanted| wanted == is.content.unread)),
    ("process_opaque", |rule, is| {
        among(rule.process_opaque.as_deref(), is.process.map(|(_, policy)| policy).as_ref())
    }),
    ("scan", |rule, is| among(rule.scan.as_deref(), Some(&is.content.scan))),
    ("class", |rule, is| among(rule.class.as_deref(), Some(&is.content.class))),
    ("tls", |rule, is| among(rule.protection.as_deref(), Some(&is.content.protection))),
];

fn among<T: PartialEq>(wanted: Option<&[T]>, is: Option<&T>) -> bool {
    wanted.is_none_or(|wanted| is.is_some_and(|is| wanted.contains(is)))
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mailbox => "mailbox",
            Self::OwnMailbox => "own-mailbox",
            Self::ReplyAddress => "reply-address",
            Self::ForeignReplyAddress => "foreign-reply-address",
            Self::OwnDomain => "own-domain",
            Self::Counterparty => "counterparty",
            Self::Outside => "outside",
            Self::Unmapped => "unmapped",
        })
    }
}

/// In the words of the rule file, for an error.
impl fmt::Display for Circumstances<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, process, naming, content, sender } = self;
        write!(f, "{kind}")?;
        if let Some(sender) = sender {
            write!(f, ", sender_group {sender}")?;
        }
        if let Some((process, policy)) = process {
            write!(f, ", process {process} with opaque = \"{policy}\"")?;
        }
        match naming {
            Naming::Nothing => {}
            Naming::Code(has) => write!(f, ", subject_code {has}")?,
            Naming::Rules(has) => write!(f, ", classified {has}")?,
        }
        let found = if content.personal_data { "found" } else { "none" };
        write!(f, ", personal_data {found}")?;
        if content.special {
            f.write_str(", special true")?;
        }
        write!(f, ", opaque {}", content.opaque)?;
        if content.unread {
            f.write_str(", unread true")?;
        }
        write!(f, ", scan {}", content.scan)?;
        if content.class != mail::Class::Human {
            write!(f, ", class {}", content.class)?;
        }
        if content.protection != Protection::Tls {
            write!(f, ", tls {}", content.protection)?;
        }
        Ok(())
    }
}

impl fmt::Display for Has {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mailbox => "mailbox",
            Self::NoMailbox => "no-mailbox",
        })
    }
}
