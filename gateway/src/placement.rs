//! Which cases a mail belongs to: facts about its recipients for the judge, and the judge's verdicts
//! made into places of the ledger. Decides nothing: rules are `policies`', commits are `store`'s.

use jiff::Timestamp;
use mail::{Address, ContactType, GroupId, Message, Mpid, ProcessId};
use policies::{Author, NamedCase, Recipient, Signal, Verdict};
use store::{Case, CaseId, Directory, Due, Joining, Opening, Party, Place};

use crate::{
    gateway::{Gateway, refused},
    incoming::Original,
    reply_address,
    smtp::Refusal,
};

/// References are the sender's to write, so only the nearest few are looked up.
const MOST_REFERENCES: usize = 20;

/// What `address` is to a mail of `group`, as far as memory knows; enough to answer `RCPT`.
pub(crate) fn known_recipient(gateway: &Gateway, group: &GroupId, address: &Address) -> Known {
    let domain = &gateway.settings().notice_domain;
    if let Some(case) = reply_address::read(gateway.ledger(), domain, address, group) {
        return Known::ReplyAddress(case);
    }
    match gateway.ledger().directory().mailbox(address) {
        Some(mailbox) => Known::Mailbox(policies::Place {
            group: mailbox.group.clone(),
            participant: mailbox.participant.clone(),
            process: mailbox.process.clone(),
            contact_type: mailbox.contact_type.clone(),
        }),
        None => Known::Nothing,
    }
}

pub(crate) enum Known {
    Mailbox(policies::Place),
    /// The key is good; whether the case is still there shows when the mail is judged.
    ReplyAddress(CaseId),
    Nothing,
}

/// The same with the case of a reply address looked up.
pub(crate) async fn recipient(
    gateway: &Gateway,
    group: &GroupId,
    address: &Address,
) -> Result<Recipient, Refusal> {
    Ok(match known_recipient(gateway, group, address) {
        Known::Mailbox(place) => Recipient::Mailbox(place),
        Known::Nothing => Recipient::Unknown,
        Known::ReplyAddress(id) => {
            let case = gateway.ledger().case(id).await.map_err(|error| refused(&error))?;
            case.map_or(Recipient::Unknown, |case| Recipient::ReplyAddress(named(&case)))
        }
    })
}

/// The cases of the sender's group that the mail's references name, the nearest first.
pub(crate) async fn referenced(
    gateway: &Gateway,
    group: &GroupId,
    message: &Message,
) -> Result<Vec<NamedCase>, Refusal> {
    let nearest = message.in_reply_to.iter().chain(message.references.iter().rev());
    let mut cases: Vec<NamedCase> = Vec::new();
    for id in nearest.take(MOST_REFERENCES) {
        let found = gateway.ledger().find_by_message_id(group, id).await;
        cases.extend(found.map_err(|error| refused(&error))?.iter().map(named));
    }
    Ok(cases)
}

fn named(case: &Case) -> NamedCase {
    NamedCase {
        id: case.id.to_string(),
        process: case.process.clone(),
        contact_type: case.contact_type.clone(),
        sides: case.sides.iter().map(|side| side.group.clone()).collect(),
    }
}

/// One place for each case of the mail, with the rule that decided. All recipients of one mail at
/// one company in one process share a case; recipients of different companies never do.
pub(crate) fn places(
    gateway: &Gateway,
    original: &Original,
    author: &Author,
    recipients: &[Recipient],
    verdicts: &[Verdict],
) -> Result<Vec<(Place, String)>, Refusal> {
    let now = gateway.ledger().now();
    let mut places: Vec<(Place, String)> = Vec::new();
    for ((address, recipient), verdict) in original.recipients.iter().zip(recipients).zip(verdicts) {
        let (rule, signal, process, contact_type) = match verdict {
            Verdict::Secure { rule, signal, process, contact_type } => (rule, signal, process, contact_type),
            Verdict::Refuse { public, .. } => return Err(Refusal::UnknownRecipient(public.clone())),
        };
        let place = match (signal, recipient) {
            (Signal::Mailbox, Recipient::Mailbox(mailbox)) => {
                let due = due(gateway, process, contact_type, &mailbox.group, now)?;
                Place::Open(Opening {
                    initiator: initiator(gateway, original, author, process)?,
                    responder: Party {
                        group: mailbox.group.clone(),
                        participant: mailbox.participant.clone(),
                        contact: address.clone(),
                    },
                    process: process.clone(),
                    contact_type: contact_type.clone(),
                    due,
                })
            }
            (Signal::Mailbox, _) => return Err(Refusal::UnknownRecipient("no mailbox is mapped".to_owned())),
            (Signal::ReplyAddress(id) | Signal::References(id), recipient) => {
                let other = match recipient {
                    Recipient::Mailbox(mailbox) => Some((mailbox.group.clone(), address.clone())),
                    _ => None,
                };
                Place::Join(Joining {
                    case: id.parse().map_err(|_| Refusal::StoreBroken)?,
                    due: due(gateway, process, contact_type, &original.sender.group, now)?,
                    contact: other.map(|(_, address)| address),
                })
            }
        };
        if !places.iter().any(|(known, _)| same_case(known, &place)) {
            places.push((place, rule.to_string()));
        }
    }
    Ok(places)
}

fn same_case(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Join(one), Place::Join(other)) => one.case == other.case,
        (Place::Open(one), Place::Open(other)) => {
            one.responder.group == other.responder.group && one.process == other.process
        }
        (Place::Join(_), Place::Open(_)) | (Place::Open(_), Place::Join(_)) => false,
    }
}

fn due(
    gateway: &Gateway,
    process: &ProcessId,
    contact_type: &ContactType,
    side: &GroupId,
    received: Timestamp,
) -> Result<Due, Refusal> {
    let rules = gateway.rules();
    let Some(due) = rules.due(process, contact_type, received) else {
        return Err(Refusal::Unavailable(format!(
            "the mailbox is mapped to {process}, {contact_type}, which the catalogue does not have; tell its administrator"
        )));
    };
    Ok(Due { at: due.at, side: side.clone(), reason: due.reason })
}

/// The sender's side of a new case.
fn initiator(
    gateway: &Gateway,
    original: &Original,
    author: &Author,
    process: &ProcessId,
) -> Result<Party, Refusal> {
    let directory = gateway.ledger().directory();
    let group = &original.sender.group;
    match initiating_participant(&directory, gateway, group, &author.address, process) {
        Some(participant) => Ok(Party { group: group.clone(), participant, contact: author.address.clone() }),
        None => Err(Refusal::NotPermitted(format!(
            "your company has no market participant that may take part in {process}; ask your administrator to add one"
        ))),
    }
}

/// The participant for which the author writes: that of the author's own mailbox, else the first one
/// whose role takes part in the process.
fn initiating_participant(
    directory: &Directory,
    gateway: &Gateway,
    group: &GroupId,
    author: &Address,
    process: &ProcessId,
) -> Option<Mpid> {
    if let Some(mailbox) = directory.mailbox(author).filter(|mailbox| mailbox.process == *process) {
        return Some(mailbox.participant.clone());
    }
    let rules = gateway.rules();
    let roles = &rules.catalogue().process(process)?.roles;
    directory
        .participants()
        .find(|participant| participant.group == *group && roles.contains(&participant.role))
        .map(|participant| participant.mpid.clone())
}
