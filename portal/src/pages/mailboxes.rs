//! The mailbox map of a company: which address is for which participant, process and contact type, when it is told, and
//! which addresses get mail though they are mapped nowhere. Shows no mail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use jiff::ToSpan;
use mail::Address;
use policies::Process;
use store::{Connector, DirectoryChange, Mailbox, MailboxAlerts, Participant, Permission, StoreError};
use templates::pages::{Choice, MailboxForm, MailboxMap, MappedMailbox, UnmappedAddress};

use super::mail_ways::mailbox_row;
use super::mail_words::line;
use crate::access::Visitor;
use crate::access::mailboxes::{self as access_map, MailboxMap as Map, Unmapped};
use crate::error::Problem;
use crate::forms::{Asked, Fields, Form, in_address};
use crate::portal::{Place, Portal};
use crate::told::Told;

const HERE: &str = "/mailboxes";

/// Mailboxes on one page.
const ROWS: usize = 60;

/// Addresses that are mapped nowhere, at most; the busiest.
const MOST_UNMAPPED: usize = 30;

/// Days in which they were seen.
const DAYS: i64 = 30;

/// Times of a digest.
const MOST_TIMES: usize = 6;

/// What a form holds, and what is wrong with it: keys of the family of texts `mailbox_problem`.
#[derive(Default)]
struct Typed {
    address: String,
    what: String,
    times: String,
    address_problem: Option<&'static str>,
    what_problem: Option<&'static str>,
    times_problem: Option<&'static str>,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let map = access_map::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    let typed = asked.value("address").map(|address| filled(&map, address)).unwrap_or_default();
    render(&portal, &map, told, asked.value("after"), typed).await.map(Html)
}

/// The form for an address, as it is mapped now.
fn filled(map: &Map, address: &str) -> Typed {
    let known = map.mailboxes().find(|mailbox| mailbox.address.to_string() == address);
    match known {
        Some(Mailbox { participant, process, contact_type, alerts, .. }) => Typed {
            address: address.to_owned(),
            what: format!("{participant} {process} {contact_type}"),
            times: times_in_words(alerts),
            ..Typed::default()
        },
        None => Typed { address: address.to_owned(), ..Typed::default() },
    }
}

fn times_in_words(alerts: &MailboxAlerts) -> String {
    let MailboxAlerts::Digest(minutes) = alerts else { return String::new() };
    let times = minutes.iter().map(|minute| format!("{:02}:{:02}", minute / 60, minute % 60));
    times.collect::<Vec<_>>().join(" ")
}

/// `09:00 14:00`; nothing: at once. `None` where it is not so.
fn times(typed: &str) -> Option<MailboxAlerts> {
    let words = typed.split([' ', ',', ';']).filter(|word| !word.is_empty());
    let minutes = words.map(|word| {
        let (hours, minutes) = word.split_once(':')?;
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok()?);
        (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
    });
    let mut minutes: Vec<_> = minutes.collect::<Option<_>>()?;
    minutes.sort_unstable();
    minutes.dedup();
    match minutes.len() {
        0 => Some(MailboxAlerts::AtOnce),
        1..=MOST_TIMES => Some(MailboxAlerts::Digest(minutes)),
        _ => None,
    }
}

pub(crate) async fn change(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let map = access_map::own(&form.visitor)?;
    match form.fields.value("do") {
        "map" => set(&portal, &map, &form.fields).await,
        "unmap" => unset(&portal, &map, &form.fields).await,
        _ => Err(Problem::BadForm),
    }
}

async fn set(portal: &Portal, map: &Map, fields: &Fields) -> Result<Response, Problem> {
    let text = |name| fields.value(name).trim().to_owned();
    let mut typed =
        Typed { address: text("address"), what: text("what"), times: text("times"), ..Typed::default() };
    let (address, alerts) = (typed.address.parse::<Address>().ok(), times(&typed.times));
    typed.address_problem = address.is_none().then_some("address");
    typed.times_problem = alerts.is_none().then_some("times");
    typed.what_problem = typed.what.is_empty().then_some("what");
    let (Some(address), Some(alerts), None) = (address, alerts, typed.what_problem) else {
        return refused(portal, map, typed).await;
    };
    let Some(Permission { participant, process, contact_type }) = named(portal, map, &typed.what) else {
        return Err(map.refuse(portal, "mailbox").await?);
    };
    let group = map.visitor().group().clone();
    let mailbox = Mailbox { address, group, participant, process, contact_type, alerts };
    match map.change(portal, DirectoryChange::Mailbox(mailbox)).await {
        Ok(()) => Ok(Told::People("mapped").at(portal, map.visitor(), HERE)),
        // Whose it is, is not ours to say, nor whether it is anybody's.
        Err(StoreError::Denied(_) | StoreError::Forbidden) => {
            refused(portal, map, Typed { address_problem: Some("taken"), ..typed }).await
        }
        Err(error) => Err(error.into()),
    }
}

async fn unset(portal: &Portal, map: &Map, fields: &Fields) -> Result<Response, Problem> {
    let known = map.mailboxes().find(|mailbox| mailbox.address.to_string() == fields.value("address"));
    let Some(known) = known else { return Err(map.refuse(portal, "mailbox").await?) };
    map.change(portal, DirectoryChange::RemoveMailbox(known.address.clone())).await?;
    Ok(Told::People("unmapped").at(portal, map.visitor(), HERE))
}

/// `BETA process rung`, if the company has the participant and the catalogue such a rung.
fn named(portal: &Portal, map: &Map, what: &str) -> Option<Permission> {
    let (mpid, rest) = what.split_once(' ')?;
    let (process, rung) = rest.split_once(' ')?;
    let participants = map.participants();
    let participant = participants.iter().find(|known| known.mpid.as_str() == mpid)?;
    let catalogue = portal.catalogue();
    let process = catalogue.process(&process.parse().ok()?)?;
    Some(Permission {
        participant: participant.mpid.clone(),
        process: process.id.clone(),
        contact_type: process.rung(&rung.parse().ok()?)?.contact_type.clone(),
    })
}

async fn refused(portal: &Portal, map: &Map, typed: Typed) -> Result<Response, Problem> {
    let page = render(portal, map, None, None, typed).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}

async fn render(
    portal: &Portal,
    map: &Map,
    told: Option<String>,
    after: Option<&str>,
    typed: Typed,
) -> Result<String, Problem> {
    let visitor = map.visitor();
    let all: Vec<_> = map.mailboxes().collect();
    let after = after.and_then(|after| all.iter().position(|known| known.address.to_string() == after));
    let begins = after.map_or(0, |at| at + 1);
    let shown = &all[begins..all.len().min(begins + ROWS)];
    let next = shown.last().filter(|_| begins + shown.len() < all.len());
    let today = portal.ledger.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let unmapped = map.seen_unmapped(portal, (today.saturating_sub(DAYS.days()), today)).await?;
    let hidden = unmapped.len().saturating_sub(MOST_UNMAPPED);
    let typed_id = typed.address.parse().ok().map(|address| portal.ledger.unmapped_id(&address));
    let typed_id = typed_id.unwrap_or_default();
    let seen_typed = unmapped.iter().find(|one| one.id == typed_id).map(|one| one.mails);
    Ok(portal.words.page(&MailboxMap {
        frame: portal.frame(&portal.words.say("mailboxes.title", &[]), Some(visitor), Place::MailWays),
        company: visitor.company(),
        told,
        token: visitor.form_token().to_owned(),
        domains: map.group().map(|group| group.domains.clone()).unwrap_or_default(),
        rows: shown.iter().map(|mailbox| row(portal, mailbox)).collect(),
        first: (begins > 0).then(|| HERE.to_owned()),
        next: next.map(|last| format!("{HERE}?after={}", in_address(&last.address.to_string()))),
        seen: seen_typed,
        form: form(portal, map, typed),
        unmapped: unmapped.into_iter().take(MOST_UNMAPPED).map(unmapped_row).collect(),
        hidden,
    })?)
}

fn row(portal: &Portal, mailbox: &Mailbox) -> MappedMailbox {
    MappedMailbox {
        change: format!("{HERE}?address={}#map", in_address(&mailbox.address.to_string())),
        plain: mailbox.address.to_string(),
        shown: mailbox_row(portal, mailbox),
    }
}

fn unmapped_row(one: Unmapped) -> UnmappedAddress {
    UnmappedAddress {
        map: one.known.as_ref().map(|known| format!("{HERE}?address={}#map", in_address(&known.to_string()))),
        address: one.known.map(|known| line(&known.to_string())),
        id: one.id,
        mails: one.mails,
        personal: one.personal,
    }
}

fn form(portal: &Portal, map: &Map, typed: Typed) -> MailboxForm {
    let problem = |key: Option<&str>| key.and_then(|key| portal.words.say_of("mailbox_problem", key, &[]));
    let catalogue = portal.catalogue();
    let whats = map.participants().into_iter().flat_map(|participant| {
        let takes_part = |process: &&Process| process.roles.contains(&participant.role);
        let processes: Vec<_> = catalogue.processes().filter(takes_part).collect();
        processes
            .into_iter()
            .flat_map(|process| choices(participant, process, &typed.what))
            .collect::<Vec<_>>()
    });
    MailboxForm {
        whats: whats.collect(),
        address_problem: problem(typed.address_problem),
        what_problem: problem(typed.what_problem),
        times_problem: problem(typed.times_problem),
        address: typed.address,
        times: typed.times,
    }
}

fn choices(participant: &Participant, process: &Process, chosen: &str) -> Vec<Choice> {
    let rungs = process.rungs.iter().map(|rung| {
        let value = format!("{} {} {}", participant.mpid, process.id, rung.contact_type);
        Choice {
            chosen: value == chosen,
            label: format!("{} · {} · {}", participant.mpid, process.name, rung.name),
            value,
        }
    });
    rungs.collect()
}

/// A certificate of the company that is to prove nothing any more, or a connector that is switched off or on.
pub(crate) async fn prove(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let map = access_map::own(&form.visitor)?;
    let fields = &form.fields;
    let certificate = map.certificate(fields.value("certificate"));
    let connector = map.connector(fields.value("connector"));
    let (change, told) = match (fields.value("do"), certificate, connector) {
        ("remove", Some(known), _) => {
            (DirectoryChange::RemoveCertificate(known.fingerprint), "certificate-removed")
        }
        ("off", _, Some(known)) => {
            (DirectoryChange::Connector(Connector { active: false, ..known.clone() }), "connector-off")
        }
        ("on", _, Some(known)) => {
            (DirectoryChange::Connector(Connector { active: true, ..known.clone() }), "connector-on")
        }
        _ => return Err(map.refuse(&portal, "certificate").await?),
    };
    map.change(&portal, change).await?;
    Ok(Told::People(told).at(&portal, &form.visitor, "/mail"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_as_they_are_written() {
        assert_eq!(times(""), Some(MailboxAlerts::AtOnce));
        assert_eq!(times("14:00, 9:00 9:00"), Some(MailboxAlerts::Digest(vec![540, 840])));
        for wrong in ["24:00", "9", "9:60", "nine", "1:1 2:1 3:1 4:1 5:1 6:1 7:1", "-1:00", "9:"] {
            assert_eq!(times(wrong), None, "{wrong}");
        }
        let both = MailboxAlerts::Digest(vec![540, 785]);
        assert_eq!(times(&times_in_words(&both)), Some(both));
    }
}
