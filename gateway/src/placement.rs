//! Which cases a mail belongs to: facts about its recipients for the judge, and the judge's verdicts
//! made into places of the ledger. Decides nothing: rules are `policies`', commits are `store`'s.

use mail::{Address, ContactType, GroupId, Headline, Message, Mpid, Person, ProcessId};
use policies::{Effect, Judged, NamedCase, Placed, Recipient, Signal, Verdict};
use store::{
    Addressed, Case, CaseBound, CaseId, Deadline, Decision, Directory, Entry, Joining, Mailbox, Onward,
    Opening, Party, Place, Reckoning,
};

use crate::{
    gateway::{Gateway, refused},
    notice,
    pipeline::{Authored, Decided, Parsed},
    recall, reply_address,
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
    let directory = gateway.ledger().directory();
    Known::As(recipient_of(&directory, domain, group, address))
}

/// What `address` is to a mail of `group`, by the directory alone: a keyed reply address is unknown to it.
pub fn recipient_of(
    directory: &Directory,
    notice_domain: &str,
    group: &GroupId,
    address: &Address,
) -> Recipient {
    if let Some(mailbox) = directory.mailbox(address) {
        return Recipient::Mailbox(mapped(mailbox));
    }
    if let Some(plus) = plus_address(directory, address) {
        return plus;
    }
    if address.domain() == notice_domain || names_a_way(address) {
        return Recipient::Unknown;
    }
    match directory.group_of(address) {
        Some(own) if own == group => Recipient::OwnDomain,
        Some(other) => Recipient::Counterparty {
            mailboxes: directory.mailboxes().filter(|mailbox| mailbox.group == *other).map(mapped).collect(),
            group: other.clone(),
        },
        None => Recipient::Outside,
    }
}

/// A mapped mailbox with a detail behind its local part (RFC 5233), which every mail system delivers there.
fn plus_address(directory: &Directory, address: &Address) -> Option<Recipient> {
    let (local, detail) = address.local().split_once('+')?;
    let plain = Address::parse(&format!("{local}@{}", address.domain())).ok()?;
    let mailbox = mapped(directory.mailbox(&plain)?);
    Some(Recipient::PlusAddress { mailbox, detail: detail.to_owned() })
}

/// Whether the next server may read a further destination out of the local part (`user%host`, `host!user`,
/// `"user@host"`), past what is decided here about the domain.
fn names_a_way(address: &Address) -> bool {
    address.local().contains(['%', '!', '@'])
}

fn mapped(mailbox: &Mailbox) -> policies::Place {
    policies::Place {
        address: mailbox.address.clone(),
        group: mailbox.group.clone(),
        participant: mailbox.participant.clone(),
        process: mailbox.process.clone(),
        contact_type: mailbox.contact_type.clone(),
    }
}

pub(crate) enum Known {
    /// The key is good; whether the case is still there shows when the mail is judged.
    ReplyAddress(CaseId),
    As(Recipient),
}

/// The same with the case of a reply address looked up.
pub(crate) async fn recipient(
    gateway: &Gateway,
    group: &GroupId,
    address: &Address,
) -> Result<Recipient, Refusal> {
    Ok(match known_recipient(gateway, group, address) {
        Known::As(recipient) => recipient,
        Known::ReplyAddress(id) => {
            let case = gateway.ledger().case(id).await.map_err(|error| refused(&error))?;
            let case = case.filter(|case| has_room(&case));
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
    let mut seen: Vec<&String> = Vec::new();
    let mut cases: Vec<NamedCase> = Vec::new();
    for id in nearest {
        if seen.len() == MOST_REFERENCES {
            break;
        }
        if seen.contains(&id) {
            continue;
        }
        seen.push(id);
        let found = match notice::case_of(id, &gateway.settings().notice_domain) {
            Some(case) => gateway.ledger().case(case).await.map(|case| case.into_iter().collect()),
            None => gateway.ledger().find_by_message_id(group, id).await,
        };
        let found: Vec<Case> = found.map_err(|error| refused(&error))?;
        cases.extend(found.iter().filter(has_room).map(named));
    }
    Ok(cases)
}

/// What no more fits into, and what is archived, opens a new case.
fn has_room(case: &&Case) -> bool {
    case.messages < store::MOST_MESSAGES && !case.is_archived()
}

fn named(case: &Case) -> NamedCase {
    NamedCase {
        id: case.id.to_string(),
        process: case.process.clone(),
        contact_type: case.contact_type.clone(),
        sides: case.sides.iter().map(|side| (side.group.clone(), side.participant.clone())).collect(),
    }
}

/// One entry for each case of the mail. Recipients on the same rung of the same participant share a
/// case; recipients of different companies never do.
pub(crate) async fn entries(gateway: &Gateway, decided: &Decided) -> Result<Vec<Entry>, Refusal> {
    let Decided { authored: Authored { parsed, .. }, recipients, judged, .. } = decided;
    let Parsed { sender, original, message, .. } = parsed;
    let mut entries: Vec<Entry> = Vec::new();
    for ((to, recipient), verdict) in
        original.envelope.recipients.iter().zip(recipients).zip(&judged.verdicts)
    {
        let (rule, placed) = match verdict {
            Verdict::Secure { rule, signal, process, contact_type } => (
                rule,
                Placed {
                    signal: signal.clone(),
                    process: process.clone(),
                    contact_type: contact_type.clone(),
                },
            ),
            Verdict::Hold { rule, place: Some(placed), .. } => (rule, placed.clone()),
            Verdict::Hold { place: None, .. }
            | Verdict::Relay { .. }
            | Verdict::Refuse { .. }
            | Verdict::Return => {
                return Err(Refusal::StoreBroken);
            }
        };
        let place = place(gateway, decided, recipient, &placed).await?;
        let source = original.source(gateway.ledger(), &sender.group, message, &to.address);
        let addressed = addressed(&message.headline, &to.address);
        match entries.iter_mut().find(|entry| same_case(&entry.place, &place)) {
            Some(entry) => {
                entry.sources.push(source);
                entry.addressed = entry.addressed.filter(|known| *known == Addressed::Named).or(addressed);
            }
            None => entries.push(Entry {
                place,
                sources: vec![source],
                tags: judged.tags.clone(),
                decided_by: rule.to_string(),
                addressed,
                decision: Some(decision(judged, &placed.signal)),
            }),
        }
    }
    Ok(entries)
}

fn decision(judged: &Judged, signal: &Signal) -> Decision {
    let findings = judged.findings.counts();
    Decision {
        rules: *judged.rules.as_bytes(),
        signal: signal.as_str().to_owned(),
        findings: findings.map(|(category, count)| (category.as_str().to_owned(), count)).collect(),
    }
}

/// Whether the mail says itself that it is for this recipient.
fn addressed(headline: &Headline, to: &Address) -> Option<Addressed> {
    let named = |person: &Person| {
        let address = person.address.as_deref().and_then(|address| Address::parse(address).ok());
        address.is_some_and(|address| address.key() == to.key())
    };
    Some(match headline.to.iter().chain(&headline.cc).any(named) {
        true => Addressed::Named,
        false => Addressed::Unnamed,
    })
}

/// Where a held mail goes when it is released: into its cases if its recipients have one, else on to them.
pub(crate) async fn onward(gateway: &Gateway, decided: &Decided) -> Result<Onward, Refusal> {
    let no_case =
        |verdict: &Verdict| matches!(verdict, Verdict::Relay { .. } | Verdict::Hold { place: None, .. });
    if decided.judged.verdicts.iter().all(no_case) {
        return Ok(Onward::Relay);
    }
    let automatic = decided.judged.effect == Effect::EventOnly;
    Ok(Onward::Case(Box::new(CaseBound {
        message_id: decided.authored.parsed.message.headline.message_id.clone(),
        automatic,
        entries: entries(gateway, decided).await?,
        receipt: (!automatic).then(|| decided.authored.author.address.clone()),
        recall: recall::recalled(decided),
    })))
}

async fn place(
    gateway: &Gateway,
    decided: &Decided,
    recipient: &Recipient,
    placed: &Placed,
) -> Result<Place, Refusal> {
    let Placed { signal, process, contact_type } = placed;
    let deadline = deadline(gateway, process, contact_type)?;
    let mailbox = match (signal, recipient) {
        (Signal::ReplyAddress(id) | Signal::References(id), _) => {
            let case = id.parse().map_err(|_| Refusal::StoreBroken)?;
            return Ok(Place::Join(Joining { case, deadline }));
        }
        (Signal::Mailbox, Recipient::Mailbox(mailbox))
        | (Signal::PlusAddress, Recipient::PlusAddress { mailbox, .. })
        | (Signal::SubjectCode(mailbox) | Signal::Rules(mailbox), _) => mailbox,
        // A mailbox decides only for itself.
        (Signal::Mailbox | Signal::PlusAddress, _) => return Err(Refusal::StoreBroken),
    };
    if let Some(case) = recall::case_of(gateway, decided, mailbox).await? {
        return Ok(Place::Join(Joining { case: case.id, deadline }));
    }
    Ok(Place::Open(Opening {
        initiator: initiator(gateway, decided, process)?,
        responder: Party {
            group: mailbox.group.clone(),
            participant: mailbox.participant.clone(),
            contact: mailbox.address.clone(),
        },
        process: process.clone(),
        contact_type: contact_type.clone(),
        deadline,
    }))
}

fn same_case(one: &Place, other: &Place) -> bool {
    match (one, other) {
        (Place::Join(one), Place::Join(other)) => one.case == other.case,
        (Place::Open(one), Place::Open(other)) => {
            one.responder.participant == other.responder.participant
                && one.process == other.process
                && one.contact_type == other.contact_type
        }
        (Place::Join(_), Place::Open(_)) | (Place::Open(_), Place::Join(_)) => false,
    }
}

fn deadline(gateway: &Gateway, process: &ProcessId, contact_type: &ContactType) -> Result<Deadline, Refusal> {
    let Some(due) = gateway.rules().due(process, contact_type, gateway.ledger().now()) else {
        return Err(Refusal::Unavailable(format!(
            "the mailbox is mapped to {process}, {contact_type}, which the catalogue does not have; tell its administrator"
        )));
    };
    Ok(Deadline {
        warn_at: gateway.rules().warns_at(process, due.at),
        at: due.at,
        reason: due.reason,
        reckoning: Some(Reckoning {
            since: due.received,
            working_days: due.working_days,
            calendar: due.calendar,
        }),
    })
}

/// The sender's side of a new case.
fn initiator(gateway: &Gateway, decided: &Decided, process: &ProcessId) -> Result<Party, Refusal> {
    let Authored { parsed, author } = &decided.authored;
    let group = &parsed.sender.group;
    match initiating_participant(gateway, group, &author.address, process) {
        Some(participant) => Ok(Party { group: group.clone(), participant, contact: author.address.clone() }),
        None => Err(Refusal::NotPermitted(format!(
            "your company has no market participant that may take part in {process}; ask your administrator to add one"
        ))),
    }
}

/// The participant for which the author writes: that of the author's own mailbox, else the first one
/// whose role takes part in the process.
fn initiating_participant(
    gateway: &Gateway,
    group: &GroupId,
    author: &Address,
    process: &ProcessId,
) -> Option<Mpid> {
    let directory = gateway.ledger().directory();
    let own = directory.mailbox(author).filter(|own| own.process == *process && own.group == *group);
    if let Some(mailbox) = own {
        return Some(mailbox.participant.clone());
    }
    let rules = gateway.rules();
    let roles = &rules.catalogue().process(process)?.roles;
    directory
        .participants()
        .find(|participant| participant.group == *group && roles.contains(&participant.role))
        .map(|participant| participant.mpid.clone())
}
