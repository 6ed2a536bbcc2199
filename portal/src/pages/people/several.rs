//! One permission, or several of a process, given to or taken from many people at once.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use store::{DirectoryChange, Participant, Permission, User};
use templates::pages::{Choice, PickedPerson, Several};

use super::grid::{boxed, takes_part};
use super::one::done;
use crate::access::Visitor;
use crate::access::people::{self, People};
use crate::error::Problem;
use crate::forms::{Asked, Fields, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// People on one page: a form holds no more.
const ROWS: usize = 50;

/// What came of a form: a key of the family of texts `people_problem`.
type Again<'a> = Option<(&'a Fields, &'static str)>;

pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let people = people::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &people, told, asked.value("after"), None).map(Html)
}

pub(crate) async fn give(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let fields = &form.fields;
    let mut picked = Vec::new();
    for id in fields.values("person") {
        picked.push(people.one_to_change(&portal, id).await?);
    }
    if picked.iter().any(|user| people.is_oneself(user)) {
        people.refuse(&portal, "permission").await?;
        return Err(Problem::NotFound);
    }
    let problem = if picked.is_empty() {
        Some("nobody")
    } else if fields.value("what").is_empty() {
        Some("what")
    } else {
        None
    };
    if let Some(problem) = problem {
        let page = render(&portal, &people, None, None, Some((fields, problem)))?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response());
    }
    let Some(permissions) = named(&portal, &people, fields.value("what")) else {
        people.refuse(&portal, "permission").await?;
        return Err(Problem::NotFound);
    };
    let give = match fields.value("do") {
        "give" => true,
        "take" => false,
        _ => return Err(Problem::BadForm),
    };
    let changes: Vec<_> = picked.into_iter().filter_map(|user| change(user, &permissions, give)).collect();
    if changes.is_empty() {
        return Ok(Told::People("unchanged").at(&portal, &form.visitor, "/people/several"));
    }
    done(&portal, &people, "/people/several", people.change(&portal, changes).await, "saved")
}

/// `None` where nothing would be different.
fn change(user: &User, permissions: &[Permission], give: bool) -> Option<DirectoryChange> {
    let moved = permissions.iter().filter(|one| user.permissions.contains(one) != give).cloned();
    let moved: Vec<_> = moved.collect();
    if moved.is_empty() {
        return None;
    }
    let (add, remove) = if give { (moved, Vec::new()) } else { (Vec::new(), moved) };
    Some(DirectoryChange::Grants { user: user.id, add, remove })
}

/// `BETA process` for a whole process, `BETA process rung` for one rung of it.
fn named(portal: &Portal, people: &People, what: &str) -> Option<Vec<Permission>> {
    let (mpid, rest) = what.split_once(' ')?;
    let participants = people.participants();
    let participant = participants.iter().find(|known| known.mpid.as_str() == mpid)?;
    let catalogue = portal.catalogue();
    match rest.split_once(' ') {
        Some(_) => boxed(&catalogue, participant, rest).map(|one| vec![one]),
        None => {
            let process = catalogue.process(&rest.parse().ok()?)?;
            let all = process.rungs.iter().filter_map(|rung| {
                boxed(&catalogue, participant, &format!("{} {}", process.id, rung.contact_type))
            });
            Some(all.collect())
        }
    }
}

fn render(
    portal: &Portal,
    people: &People,
    told: Option<String>,
    after: Option<&str>,
    again: Again<'_>,
) -> Result<String, Problem> {
    let visitor = people.visitor();
    let all: Vec<_> = people.all().into_iter().filter(|user| !people.is_oneself(user)).collect();
    let after = after.and_then(|after| after.parse().ok());
    let begins = after.and_then(|id| all.iter().position(|user| user.id == id)).map_or(0, |at| at + 1);
    let shown = &all[begins..all.len().min(begins + ROWS)];
    let picked: Vec<&str> = again.iter().flat_map(|(fields, _)| fields.values("person")).collect();
    let what = again.map_or("", |(fields, _)| fields.value("what"));
    Ok(portal.words.page(&Several {
        frame: portal.frame(&portal.words.say("grid.several", &[]), Some(visitor), Place::People),
        told,
        token: visitor.form_token().to_owned(),
        problem: again.and_then(|(_, key)| portal.words.say_of("people_problem", key, &[])),
        whats: people.participants().iter().flat_map(|known| whats(portal, known, what)).collect(),
        rows: shown
            .iter()
            .map(|user| PickedPerson {
                id: user.id.to_string(),
                name: user.name.clone(),
                email: user.email.to_string(),
                permissions: user.permissions.len(),
                picked: picked.iter().any(|id| *id == user.id.to_string()),
            })
            .collect(),
        first: (begins > 0).then(|| "/people/several".to_owned()),
        next: shown
            .last()
            .filter(|_| begins + shown.len() < all.len())
            .map(|last| format!("/people/several?after={}", last.id)),
    })?)
}

/// The processes of a participant, whole and rung by rung.
fn whats(portal: &Portal, participant: &Participant, chosen: &str) -> Vec<Choice> {
    let catalogue = portal.catalogue();
    let mut whats = Vec::new();
    for process in catalogue.processes().filter(|process| takes_part(process, participant)) {
        let (mpid, name) = (&participant.mpid, &process.name);
        let mut push = |value: String, label: String| {
            let chosen = value == chosen;
            whats.push(Choice { value, label, chosen });
        };
        let every = portal.words.say("grid.every_rung", &[]);
        push(format!("{mpid} {}", process.id), format!("{mpid} · {name} · {every}"));
        for rung in &process.rungs {
            let value = format!("{mpid} {} {}", process.id, rung.contact_type);
            push(value, format!("{mpid} · {name} · {}", rung.name));
        }
    }
    whats
}
