//! One person: what is known, what can be done, and name and role.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use store::{DirectoryChange, Role, StoreError, User};
use templates::pages::{self, PersonForm, RightsOf};

use super::{name, role, role_name, roles, state_mark, steps};
use crate::access::Visitor;
use crate::access::people::{self, People};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// A form that was not taken: the name as it was typed, and why.
type Again = Option<(String, &'static str)>;

pub(crate) async fn show(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let people = people::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &people, people.one(&id)?, told, None).await.map(Html)
}

/// Name and role.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let user = people.one_to_change(&portal, &id).await?;
    if form.fields.value("seen") != seen(user) {
        return Ok(Told::People("stale").at(&portal, &form.visitor, &format!("/people/{id}")));
    }
    let typed = form.fields.value("name");
    let Some(name) = name(typed) else {
        let again = Some((typed.to_owned(), "name"));
        let page = render(&portal, &people, user, None, again).await?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response());
    };
    let Some(changes) = changes(user, name, form.fields.value("role")) else {
        people.refuse(&portal, "role").await?;
        return Err(Problem::NotFound);
    };
    if changes.is_empty() {
        return Ok(Told::People("unchanged").at(&portal, &form.visitor, &format!("/people/{id}")));
    }
    done(&portal, &people, &format!("/people/{id}"), people.change(&portal, changes).await, "saved")
}

/// What the form changes. `None` for a role that no company gives.
fn changes(user: &User, name: String, typed: &str) -> Option<Vec<DirectoryChange>> {
    let mut changes = Vec::new();
    if name != user.name {
        changes.push(DirectoryChange::NameOf(user.id, name));
    }
    // The form about oneself has none.
    if !typed.is_empty() && typed != user.role.as_str() {
        changes.push(DirectoryChange::RoleOf(user.id, role(typed)?));
    }
    Some(changes)
}

/// Where a change leads: to what was done, or to why it was not.
pub(super) fn done(
    portal: &Portal,
    people: &People,
    path: &str,
    outcome: Result<(), StoreError>,
    told: &'static str,
) -> Result<Response, Problem> {
    let told = match outcome {
        Ok(()) => told,
        Err(StoreError::LastMau(_)) => "last-mau",
        Err(StoreError::Denied(_)) => "stale",
        Err(error) => return Err(error.into()),
    };
    Ok(Told::People(told).at(portal, people.visitor(), path))
}

/// What a form was filled from: a change in between is noticed.
pub(super) fn seen(user: &User) -> String {
    let state = user.since.map(|since| since.as_millisecond()).unwrap_or_default();
    let what =
        format!("{}\n{}\n{}\n{state}\n{:?}", user.name, user.role.as_str(), user.state, user.permissions);
    crate::portal::fingerprint(&what)
}

async fn render(
    portal: &Portal,
    people: &People,
    user: &User,
    told: Option<String>,
    again: Again,
) -> Result<String, Problem> {
    let (visitor, oneself) = (people.visitor(), people.is_oneself(user));
    let last = people.last_sign_ins(portal, &[user]).await?.into_iter().flatten().next();
    let problem = again.as_ref().and_then(|(_, key)| portal.words.say_of("people_problem", key, &[]));
    Ok(portal.words.page(&pages::Person {
        frame: portal.frame(&user.name, Some(visitor), Place::People),
        told,
        id: user.id.to_string(),
        name: user.name.clone(),
        email: user.email.to_string(),
        state: state_mark(portal, user.state),
        since: user.since.map(dates::when),
        last: last.map(dates::when),
        role: role_name(portal, user.role),
        oneself,
        token: visitor.form_token().to_owned(),
        form: PersonForm {
            seen: seen(user),
            name: again.map_or_else(|| user.name.clone(), |(typed, _)| typed),
            problem,
            roles: if oneself { Vec::new() } else { roles(portal, user.role) },
        },
        steps: steps::offered(portal, people, user),
        rights: rights(portal, user),
        officer: user.role != Role::User,
    })?)
}

/// The permissions, gathered by participant and process.
fn rights(portal: &Portal, user: &User) -> Vec<RightsOf> {
    let catalogue = portal.catalogue();
    let mut rights: Vec<RightsOf> = Vec::new();
    let mut held = user.permissions.clone();
    held.sort();
    for permission in held {
        let process = catalogue.process(&permission.process);
        let rung = process.and_then(|process| process.rung(&permission.contact_type));
        let rung = rung.map_or_else(|| permission.contact_type.to_string(), |rung| rung.name.clone());
        let participant = permission.participant.to_string();
        let process = process.map_or_else(|| permission.process.to_string(), |process| process.name.clone());
        match rights.last_mut() {
            Some(last) if last.participant == participant && last.process == process => last.rungs.push(rung),
            _ => rights.push(RightsOf { participant, process, rungs: vec![rung] }),
        }
    }
    rights
}
