//! What rules can ask for, and what is the case for one recipient of one mail. The words here are those of the rule file.

use std::fmt;

use mail::{ProcessId, Scan};
use serde::Deserialize;

use crate::Opaque;

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

/// What the code in the subject means for a recipient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Subject {
    /// There is no code of the catalogue, or the recipient's place does not depend on it.
    None,
    /// It names a process for which the recipient's group has a mailbox.
    Mailbox,
    /// It names a process for which that group has none.
    NoMailbox,
}

/// Whether personal data were found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum PersonalData {
    Found,
    None,
}

/// What is the case for one recipient of one mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Circumstances<'a> {
    pub(crate) kind: Kind,
    /// The process that the mail belongs to by its recipient or its subject, and what that process wants done with
    /// content that nobody can look into.
    pub(crate) process: Option<(&'a ProcessId, Opaque)>,
    pub(crate) subject: Subject,
    pub(crate) personal_data: bool,
    pub(crate) opaque: bool,
    pub(crate) scan: Scan,
}

/// What a rule asks for: all of it must be the case.
#[derive(Debug)]
pub(super) struct Conditions {
    pub(super) kinds: Vec<Kind>,
    pub(super) processes: Option<Vec<ProcessId>>,
    pub(super) subject: Option<Vec<Subject>>,
    pub(super) personal_data: Option<PersonalData>,
    pub(super) opaque: Option<bool>,
    pub(super) process_opaque: Option<Vec<Opaque>>,
    pub(super) scan: Option<Vec<Scan>>,
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

impl Conditions {
    pub(super) fn fit(&self, circumstances: &Circumstances<'_>) -> bool {
        let Circumstances { kind, process, subject, personal_data, opaque, scan } = circumstances;
        let found = if *personal_data { PersonalData::Found } else { PersonalData::None };
        self.kinds.contains(kind)
            && self.personal_data.is_none_or(|wanted| wanted == found)
            && self.opaque.is_none_or(|wanted| wanted == *opaque)
            && among(self.scan.as_deref(), Some(scan))
            && among(self.subject.as_deref(), Some(subject))
            && among(self.process_opaque.as_deref(), process.map(|(_, policy)| policy).as_ref())
            && among(self.processes.as_deref(), process.map(|(id, _)| id))
    }

    /// Whether something is asked for that only the content shows.
    pub(super) fn need_content(&self) -> bool {
        self.subject.is_some() || self.personal_data.is_some() || self.opaque.is_some() || self.scan.is_some()
    }
}

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
        let Self { kind, process, subject, personal_data, opaque, scan } = self;
        write!(f, "{kind}")?;
        if let Some((process, policy)) = process {
            write!(f, ", process {process} with opaque = \"{policy}\"")?;
        }
        match subject {
            Subject::None => {}
            Subject::Mailbox => f.write_str(", subject_code mailbox")?,
            Subject::NoMailbox => f.write_str(", subject_code no-mailbox")?,
        }
        let found = if *personal_data { "found" } else { "none" };
        write!(f, ", personal_data {found}, opaque {opaque}, scan {scan}")
    }
}
