//! What a recipient's address is to a mail, and the class of answer that its transaction will get. The gateway finds
//! out what an address is; nothing here looks anything up.

use mail::{Address, ContactType, GroupId, Mpid, ProcessId};

use crate::RuleId;

/// What a mapped mailbox stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The address, as it is registered.
    pub address: Address,
    /// The group whose mailbox it is.
    pub group: GroupId,
    /// The participant of that group.
    pub participant: Mpid,
    /// The process it takes mail for.
    pub process: ProcessId,
    /// The rung it takes mail for.
    pub contact_type: ContactType,
}

/// A case that a reply address or a reference names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedCase {
    /// The ledger's id of the case; opaque here.
    pub id: String,
    /// Its process.
    pub process: ProcessId,
    /// Its current rung.
    pub contact_type: ContactType,
    /// The groups that are party to it, each with its participant.
    pub sides: Vec<(GroupId, Mpid)>,
}

/// What a recipient's address is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recipient {
    /// A mailbox of the mailbox map.
    Mailbox(Place),
    /// The same address with a detail behind its local part: `et+ABC-1234@beta.example` (RFC 5233).
    PlusAddress {
        /// The mailbox without the detail.
        mailbox: Place,
        /// What stands behind the `+`.
        detail: String,
    },
    /// A keyed reply address whose key was found good.
    ReplyAddress(NamedCase),
    /// The keyed envelope sender of a notice of ours, whose key was found good: what we sent comes back.
    Return,
    /// An unmapped address at a domain of the sender's own group.
    OwnDomain,
    /// An unmapped address at a domain of another registered group.
    Counterparty {
        /// That group.
        group: GroupId,
        /// All its mapped mailboxes: a subject code may name one of them.
        mailboxes: Vec<Place>,
    },
    /// An address at a domain that is nobody's here.
    Outside,
    /// Our own notice domain, and nothing there.
    Unknown,
}

/// Whether mail of this sender may pass on to where Postern keeps nothing. The caller decides: the installation
/// switches relaying on, and a proof by domain or polling is not enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Passing {
    /// Every address without a place in a case is one that nobody knows.
    #[default]
    Off,
    /// The verdict rules decide.
    On,
}

/// The class of answers that a recipient can get. A transaction has recipients of one class, because the end of the
/// data has one answer for all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Class {
    /// Into a case: a mapped mailbox or a reply address.
    Case,
    /// On to a colleague of the sender.
    Own,
    /// On to somebody of another registered group, or into a case if the subject names a process.
    Counterparty,
    /// On to somebody of no registered group.
    Outside,
    /// Not on and not kept: a mail of ours has come back.
    Return,
}

/// A recipient who is refused before any content was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The rule that said so.
    pub rule: RuleId,
    /// The sentence for the peer: ASCII, one line.
    pub public: String,
}

impl NamedCase {
    pub(crate) fn has(&self, group: &GroupId) -> bool {
        self.sides.iter().any(|(side, _)| side == group)
    }

    /// Whether a mail of `sender` to the mailbox belongs here: a reference counts only between the case's own parties,
    /// in its process and on its rung, since anyone can copy one.
    pub(crate) fn takes(&self, sender: &GroupId, mailbox: &Place) -> bool {
        self.process == mailbox.process
            && self.contact_type == mailbox.contact_type
            && self.has(sender)
            && self.sides.iter().any(|(group, mpid)| *group == mailbox.group && *mpid == mailbox.participant)
    }
}
