//! Events in words: when, who, what, about which case and whom. Another company's people have no name here.

use std::collections::HashMap;

use store::{Act, Actor, CaseId, Event, Role, UserId};

use crate::access::Visitor;
use crate::access::trail::Trail;
use crate::dates;
use crate::error::Problem;
use crate::portal::Portal;
use crate::sheet::{Cell, Column, Sheet};

const COLUMNS: [&str; 7] = ["at", "act", "by", "case", "process", "about", "detail"];

/// The name of an act in addresses, and of its words.
pub(super) fn act_key(act: Act) -> String {
    act.to_string().replace([' ', '-'], "_")
}

/// What happened; an act without words of its own is called by its name.
pub(in crate::pages) fn act(portal: &Portal, act: Act) -> String {
    portal.words.say_of("act", &act_key(act), &[]).unwrap_or_else(|| {
        let name = act.to_string();
        let mut letters = name.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
    })
}

pub(super) async fn sheet(portal: &Portal, trail: &Trail, events: &[Event]) -> Result<Sheet, Problem> {
    let references = references(portal, trail.visitor(), events).await?;
    let label = |key: &'static str| Column {
        key,
        label: portal.words.say_of("audit", key, &[]).unwrap_or_else(|| key.to_owned()),
    };
    let mut sheet = Sheet { columns: COLUMNS.map(label).into(), rows: Vec::new() };
    for event in events {
        let case = event.case.and_then(|case| references.get(&case).cloned());
        sheet.rows.push(row(portal, trail.visitor(), event, case));
    }
    Ok(sheet)
}

fn row(portal: &Portal, visitor: &Visitor, event: &Event, case: Option<String>) -> Vec<Cell> {
    let catalogue = portal.catalogue();
    let process = event.process.as_ref();
    let process = process
        .map(|id| catalogue.process(id).map_or_else(|| id.to_string(), |process| process.name.clone()));
    let people = [event.author, event.user].into_iter().flatten();
    let mut about: Vec<_> = people.map(|user| person(portal, visitor, user)).collect();
    about.dedup();
    let moved = [event.was, event.becomes].into_iter().flatten().map(|at| dates::when(at).text);
    let rung = event.rung.as_ref().map(ToString::to_string);
    let reason = event.reason.map(|reason| reason.as_str().to_owned());
    let said = [event.name.clone(), event.domain.clone(), rung, reason].into_iter().flatten();
    let detail: Vec<_> = said.chain(moved).collect();
    let text = |parts: Vec<String>| if parts.is_empty() { Cell::Empty } else { Cell::from(parts.join(", ")) };
    vec![
        Cell::from(dates::when(event.at).text),
        Cell::from(act(portal, event.act)),
        Cell::from(who(portal, visitor, &event.actor)),
        case.map_or(Cell::Empty, Cell::from),
        process.map_or(Cell::Empty, Cell::from),
        text(about),
        text(detail),
    ]
}

fn who(portal: &Portal, visitor: &Visitor, actor: &Actor) -> String {
    match actor {
        Actor::User(user) => person(portal, visitor, *user),
        Actor::Gateway => portal.words.say("audit.gateway", &[]),
        Actor::Worker => portal.words.say("audit.worker", &[]),
        Actor::Tool => portal.words.say("audit.tool", &[]),
        Actor::Portal => portal.words.say("audit.portal", &[]),
    }
}

fn person(portal: &Portal, visitor: &Visitor, id: UserId) -> String {
    match visitor.directory().user(&id) {
        Some(user) if user.group == *visitor.group() => user.name.clone(),
        Some(user) if user.role == Role::Operator => portal.words.say("audit.operator", &[]),
        Some(_) => portal.words.say("audit.elsewhere", &[]),
        None => portal.words.say("audit.former", &[("id", &id.to_string())]),
    }
}

/// The references of the own company's cases that are named.
async fn references(
    portal: &Portal,
    visitor: &Visitor,
    events: &[Event],
) -> Result<HashMap<CaseId, String>, Problem> {
    let mut references = HashMap::new();
    for case in events.iter().filter_map(|event| event.case) {
        if references.contains_key(&case) {
            continue;
        }
        if let Some(known) = portal.ledger.case(case).await?
            && known.side(visitor.group()).is_some()
        {
            references.insert(case, known.reference.to_string());
        }
    }
    Ok(references)
}
