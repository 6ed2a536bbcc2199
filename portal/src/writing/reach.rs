//! Whom a new case can reach: who may take part in a process, and who is told there.

use mail::{Address, ContactType, Mpid, ProcessId};
use policies::{Catalogue, Process, Rung};
use store::{Directory, Participant};

use crate::access::Visitor;

/// A kind of case that the visitor may open.
pub(crate) struct Opening<'a> {
    pub(crate) process: &'a Process,
    pub(crate) rung: &'a Rung,
    pub(crate) participant: Mpid,
}

/// Who hears of a new case on the other side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reach {
    /// The mapped mailbox.
    Mailbox(Address),
    /// There is none: somebody who may see the case. Whose address it is stays theirs.
    Person(Address),
}

impl Reach {
    pub(crate) fn address(&self) -> &Address {
        match self {
            Self::Mailbox(address) | Self::Person(address) => address,
        }
    }
}

/// Every kind of case that the visitor may open, in the order of the catalogue.
pub(crate) fn openings<'a>(visitor: &Visitor, catalogue: &'a Catalogue) -> Vec<Opening<'a>> {
    let directory = visitor.directory();
    let mut openings = Vec::new();
    for process in catalogue.processes() {
        // A case begins on the lowest rung.
        let Some(rung) = process.rungs.first() else { continue };
        let own = directory.participants().filter(|participant| participant.group == *visitor.group());
        for participant in own.filter(|participant| process.roles.contains(&participant.role)) {
            if visitor.may_open(&participant.mpid, &process.id, &rung.contact_type) {
                openings.push(Opening { process, rung, participant: participant.mpid.clone() });
            }
        }
    }
    openings
}

/// The one of these names, if the visitor may open it.
pub(crate) fn opening<'a>(
    visitor: &Visitor,
    catalogue: &'a Catalogue,
    process: &str,
    participant: &str,
) -> Option<Opening<'a>> {
    openings(visitor, catalogue)
        .into_iter()
        .find(|opening| opening.process.id.as_str() == process && opening.participant.as_str() == participant)
}

/// The participants of other companies that may take part, by name.
pub(crate) fn counterparties<'a>(visitor: &'a Visitor, opening: &Opening<'_>) -> Vec<&'a Participant> {
    let others = visitor.directory().participants().filter(|other| other.group != *visitor.group());
    let mut others: Vec<_> = others.filter(|other| opening.process.roles.contains(&other.role)).collect();
    others.sort_by_cached_key(|other| (visitor.group_name(&other.group).to_lowercase(), other.mpid.clone()));
    others
}

/// Who is told of a case with this participant; nobody where there is neither a mailbox nor a permitted user.
pub(crate) fn reach(
    directory: &Directory,
    to: &Participant,
    process: &ProcessId,
    rung: &ContactType,
) -> Option<Reach> {
    let mailbox = directory.mailboxes().find(|mailbox| {
        mailbox.participant == to.mpid && mailbox.process == *process && mailbox.contact_type == *rung
    });
    if let Some(mailbox) = mailbox {
        return Some(Reach::Mailbox(mailbox.address.clone()));
    }
    let permitted =
        directory.users().filter(|user| user.is_active() && user.group == to.group).filter(|user| {
            user.permissions.iter().any(|held| {
                held.participant == to.mpid && held.process == *process && held.contact_type == *rung
            })
        });
    permitted.min_by_key(|user| user.id).map(|user| Reach::Person(user.email.clone()))
}
