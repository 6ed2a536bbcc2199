//! Somebody new: address, name and role, and an invitation in the same commit.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use store::{DirectoryChange, Role, StoreError, User, UserId};
use templates::pages;

use super::{address, name, role, roles};
use crate::access::Visitor;
use crate::access::people::{self, People};
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// What was typed, and what is wrong with it: keys of the family of texts `people_problem`.
#[derive(Default)]
struct Typed {
    email: String,
    name: String,
    role: String,
    email_problem: Option<&'static str>,
    name_problem: Option<&'static str>,
}

pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    _: Asked,
) -> Result<Html<String>, Problem> {
    render(&portal, &people::own(&visitor)?, Typed::default()).map(Html)
}

pub(crate) async fn add(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let typed = |field: &str| form.fields.value(field).trim().to_owned();
    let mut typed =
        Typed { email: typed("email"), name: typed("name"), role: typed("role"), ..Typed::default() };
    let Some(role) = role(&typed.role) else {
        // No form of ours offers another one.
        people.refuse(&portal, "role").await?;
        return Err(Problem::NotFound);
    };
    let (email, name) = (address(&typed.email), name(&typed.name));
    typed.email_problem = email.is_none().then_some("email");
    typed.name_problem = name.is_none().then_some("name");
    let (Some(email), Some(name)) = (email, name) else { return refused(&portal, &people, typed) };
    if people.all().iter().any(|user| user.email.key() == email.key()) {
        return refused(&portal, &people, Typed { email_problem: Some("known"), ..typed });
    }
    let id = UserId::new(portal.ledger.now())?;
    let user = User { role, ..User::new(id, form.visitor.group().clone(), email, name) };
    match people.change(&portal, vec![DirectoryChange::User(user)]).await {
        Ok(()) => Ok(Told::People("invited").at(&portal, &form.visitor, &format!("/people/{id}"))),
        // Which company has it is not ours to say.
        Err(StoreError::Denied(_)) => {
            refused(&portal, &people, Typed { email_problem: Some("taken"), ..typed })
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(portal: &Portal, people: &People, typed: Typed) -> Result<Response, Problem> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(render(portal, people, typed)?)).into_response())
}

fn render(portal: &Portal, people: &People, typed: Typed) -> Result<String, Problem> {
    let visitor = people.visitor();
    let problem = |key: Option<&str>| key.and_then(|key| portal.words.say_of("people_problem", key, &[]));
    Ok(portal.words.page(&pages::NewPerson {
        frame: portal.frame(&portal.words.say("people.add", &[]), Some(visitor), Place::People),
        company: visitor.company(),
        token: visitor.form_token().to_owned(),
        roles: roles(portal, role(&typed.role).unwrap_or(Role::User)),
        email_problem: problem(typed.email_problem),
        name_problem: problem(typed.name_problem),
        email: typed.email,
        name: typed.name,
    })?)
}
