//! What one person may read and do, participant by participant: a box for each rung of each process. Whole rows, whole
//! columns and a colleague's permissions are given at once.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Response};
use mail::{ContactType, Mpid, ProcessId};
use policies::{Catalogue, Process};
use store::{DirectoryChange, Participant, Permission, User};
use templates::pages::{Choice, Grid, GridBox, GridRow};

use super::one::{done, seen};
use crate::access::Visitor;
use crate::access::people::{self, People};
use crate::error::Problem;
use crate::forms::{Asked, Fields, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// Colleagues to copy from; with more, a file is handier.
const MOST_COLLEAGUES: usize = 500;

pub(crate) async fn show(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let people = people::own(&visitor)?;
    let user = people.one(&id)?;
    let participants = people.participants();
    let wanted = asked.value("participant").unwrap_or_default();
    let chosen = participants.iter().find(|known| known.mpid.as_str() == wanted).or(participants.first());
    let catalogue = portal.catalogue();
    Ok(Html(portal.words.page(&Grid {
        frame: portal.frame(
            &portal.words.say("grid.title", &[("name", &user.name)]),
            Some(&visitor),
            Place::People,
        ),
        told: Told::in_words(&portal, &visitor, &asked),
        person: format!("/people/{}", user.id),
        name: user.name.clone(),
        oneself: people.is_oneself(user),
        token: visitor.form_token().to_owned(),
        seen: seen(user),
        participant: chosen.map(|known| known.mpid.to_string()),
        participant_name: chosen.map(|known| known.name.clone()).unwrap_or_default(),
        participants: participants.iter().map(|known| choice(known, chosen)).collect(),
        rows: chosen.map(|chosen| rows(&catalogue, chosen, user)).unwrap_or_default(),
        rungs: chosen.map(|chosen| rungs(&catalogue, chosen)).unwrap_or_default(),
        colleagues: colleagues(&people, user),
    })?))
}

fn choice(participant: &Participant, chosen: Option<&&Participant>) -> Choice {
    Choice {
        value: participant.mpid.to_string(),
        label: format!("{} · {}", participant.mpid, participant.name),
        chosen: chosen.is_some_and(|chosen| chosen.mpid == participant.mpid),
    }
}

/// The processes in which the participant takes part, and those for which the user holds a permission all the same.
fn rows(catalogue: &Catalogue, participant: &Participant, user: &User) -> Vec<GridRow> {
    let of = |process: &ProcessId, rung: &ContactType| permission(participant, process, rung);
    let holds = |process: &Process| {
        user.permissions.iter().any(|held| held.participant == participant.mpid && held.process == process.id)
    };
    let shown = catalogue.processes().filter(|process| takes_part(process, participant) || holds(process));
    shown
        .map(|process| GridRow {
            process: process.name.clone(),
            boxes: process
                .rungs
                .iter()
                .map(|rung| GridBox {
                    value: format!("{} {}", process.id, rung.contact_type),
                    label: rung.name.clone(),
                    checked: user.permissions.contains(&of(&process.id, &rung.contact_type)),
                })
                .collect(),
        })
        .collect()
}

/// Every rung that a process of the participant has, by its name.
fn rungs(catalogue: &Catalogue, participant: &Participant) -> Vec<Choice> {
    let mut known = BTreeSet::new();
    let processes = catalogue.processes().filter(|process| takes_part(process, participant));
    let rungs = processes.flat_map(|process| process.rungs.iter());
    rungs
        .filter(|rung| known.insert(rung.contact_type.clone()))
        .map(|rung| Choice { value: rung.contact_type.to_string(), label: rung.name.clone(), chosen: false })
        .collect()
}

pub(super) fn takes_part(process: &Process, participant: &Participant) -> bool {
    process.roles.contains(&participant.role)
}

fn permission(participant: &Participant, process: &ProcessId, rung: &ContactType) -> Permission {
    Permission { participant: participant.mpid.clone(), process: process.clone(), contact_type: rung.clone() }
}

fn colleagues(people: &People, user: &User) -> Vec<Choice> {
    let others =
        people.all().into_iter().filter(|other| other.id != user.id && !other.permissions.is_empty());
    others
        .take(MOST_COLLEAGUES)
        .map(|other| Choice {
            value: other.id.to_string(),
            label: format!("{} ({})", other.name, other.permissions.len()),
            chosen: false,
        })
        .collect()
}

pub(crate) async fn save(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let user = people.one_to_change(&portal, &id).await?;
    let here = format!("/people/{id}/permissions?participant={}", mpid(&form.fields));
    if form.fields.value("seen") != seen(user) {
        return Ok(Told::People("stale").at(&portal, &form.visitor, &here));
    }
    let after = match after(&portal, &people, user, &form.fields) {
        Ok(after) => after,
        Err(Problem::NotFound) => {
            people.refuse(&portal, "permission").await?;
            return Err(Problem::NotFound);
        }
        Err(problem) => return Err(problem),
    };
    let add: Vec<_> = after.iter().filter(|wanted| !user.permissions.contains(wanted)).cloned().collect();
    let remove: Vec<_> = user.permissions.iter().filter(|held| !after.contains(held)).cloned().collect();
    if add.is_empty() && remove.is_empty() {
        return Ok(Told::People("unchanged").at(&portal, &form.visitor, &here));
    }
    let change = DirectoryChange::Grants { user: user.id, add, remove };
    done(&portal, &people, &here, people.change(&portal, vec![change]).await, "saved")
}

/// The participant that the form names, as part of an address.
fn mpid(fields: &Fields) -> String {
    fields.value("participant").chars().filter(char::is_ascii_alphanumeric).take(8).collect()
}

/// What the user is to hold then. `NotFound` for what no form of ours asks for.
fn after(
    portal: &Portal,
    people: &People,
    user: &User,
    fields: &Fields,
) -> Result<BTreeSet<Permission>, Problem> {
    let held = user.permissions.iter().cloned();
    if let "copy-add" | "copy-replace" = fields.value("do") {
        let colleague = people.one(fields.value("colleague"))?;
        let theirs = colleague.permissions.iter().cloned();
        return Ok(match fields.value("do") {
            "copy-add" => held.chain(theirs).collect(),
            _ => theirs.collect(),
        });
    }
    let wanted: Mpid = fields.value("participant").parse().map_err(|_| Problem::NotFound)?;
    let participants = people.participants();
    let participant = participants.iter().find(|known| known.mpid == wanted).ok_or(Problem::NotFound)?;
    let (own, others): (BTreeSet<_>, BTreeSet<_>) = held.partition(|held| held.participant == wanted);
    let catalogue = portal.catalogue();
    let all = || {
        let processes = catalogue.processes().filter(|process| takes_part(process, participant));
        processes.flat_map(|process| {
            process.rungs.iter().map(|rung| permission(participant, &process.id, &rung.contact_type))
        })
    };
    let chosen: BTreeSet<_> = match fields.value("do") {
        "everything" => own.into_iter().chain(all()).collect(),
        "nothing" => BTreeSet::new(),
        "column" => {
            let rung = fields.value("rung");
            own.into_iter().chain(all().filter(|one| one.contact_type.as_str() == rung)).collect()
        }
        "save" if fields.value("end") == "end" => fields
            .values("box")
            .map(|value| boxed(&catalogue, participant, value).ok_or(Problem::NotFound))
            .collect::<Result<_, _>>()?,
        _ => return Err(Problem::BadForm),
    };
    Ok(others.into_iter().chain(chosen).collect())
}

/// A box of the grid, if the catalogue has such a rung.
pub(super) fn boxed(catalogue: &Catalogue, participant: &Participant, value: &str) -> Option<Permission> {
    let (process, rung) = value.split_once(' ')?;
    let process = catalogue.process(&process.parse().ok()?)?;
    let rung = process.rung(&rung.parse().ok()?)?;
    Some(permission(participant, &process.id, &rung.contact_type))
}
