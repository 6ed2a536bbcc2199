//! A company that applied is brought in: the company, its domains, and the invitation of the one who administers it
//! first, in one commit.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use mail::{Address, GroupId};
use store::{DirectoryChange, Group, Role, StoreError, User, UserId};
use templates::pages::{Choice, NewCompany};

use super::{domains, name};
use crate::access::Visitor;
use crate::access::market::{self, Market};
use crate::error::Problem;
use crate::forms::{Asked, Fields, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// What was typed, and what is wrong with it: fields and keys of the family of texts `market_problem`.
#[derive(Default)]
struct Typed {
    id: String,
    name: String,
    domains: String,
    parent: String,
    email: String,
    person: String,
    problems: Vec<(&'static str, &'static str)>,
}

impl Typed {
    fn read(fields: &Fields) -> Self {
        let text = |field: &str| fields.value(field).trim().to_owned();
        Self {
            id: text("id").to_lowercase(),
            name: text("name"),
            domains: text("domains"),
            parent: text("parent"),
            email: text("email"),
            person: text("person"),
            problems: Vec::new(),
        }
    }

    /// The company and its first master administration user; `None` where something is wrong.
    fn steps(
        &mut self,
        portal: &Portal,
        market: &Market,
    ) -> Result<Option<[DirectoryChange; 2]>, StoreError> {
        let id = self.id.parse::<GroupId>().ok();
        let known = id.as_ref().is_some_and(|id| market.groups().any(|group| group.id == *id));
        let parent = match self.parent.as_str() {
            "" => Some(None),
            parent => market.group(parent).ok().map(|group| Some(group.id.clone())),
        };
        let (company, domains) = (name(&self.name), domains(&self.domains).filter(|all| !all.is_empty()));
        let (email, person) = (self.email.parse::<Address>().ok(), name(&self.person));
        let of_its_domains = |email: &Address| {
            domains.as_ref().is_none_or(|domains| domains.iter().any(|domain| domain == email.domain()))
        };
        let mut wrong = |field, key, is_wrong: bool| {
            if is_wrong {
                self.problems.push((field, key));
            }
        };
        wrong("id", "id", id.is_none());
        wrong("id", "known", known);
        wrong("name", "name", company.is_none());
        wrong("domains", "domains", domains.is_none());
        wrong("parent", "parent", parent.is_none());
        wrong("email", "email", email.is_none());
        wrong("email", "foreign", email.as_ref().is_some_and(|email| !of_its_domains(email)));
        wrong("person", "name", person.is_none());
        let (Some(id), Some(company), Some(domains), Some(parent)) = (id, company, domains, parent) else {
            return Ok(None);
        };
        let (Some(email), Some(person), true) = (email, person, self.problems.is_empty()) else {
            return Ok(None);
        };
        let group = Group { domains, parent, ..Group::new(id.clone(), company) };
        let first = User::new(UserId::new(portal.ledger.now())?, id, email, person);
        let first = User { role: Role::Mau, ..first };
        Ok(Some([DirectoryChange::Group(group), DirectoryChange::User(first)]))
    }
}

pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    _: Asked,
) -> Result<Html<String>, Problem> {
    render(&portal, &market::whole(&visitor)?, Typed::default()).map(Html)
}

pub(crate) async fn add(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let market = market::whole(&form.visitor)?;
    let mut typed = Typed::read(&form.fields);
    let Some(steps) = typed.steps(&portal, &market)? else { return refused(&portal, &market, typed) };
    match market.change(&portal, steps.into()).await {
        Ok(()) => {
            let path = format!("/market/groups/{}", typed.id);
            Ok(Told::Market("brought-in").at(&portal, &form.visitor, &path))
        }
        Err(StoreError::Denied(_) | StoreError::Forbidden) => {
            typed.problems.push(("domains", "taken"));
            refused(&portal, &market, typed)
        }
        Err(error) => Err(error.into()),
    }
}

fn refused(portal: &Portal, market: &Market, typed: Typed) -> Result<Response, Problem> {
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(render(portal, market, typed)?)).into_response())
}

fn render(portal: &Portal, market: &Market, typed: Typed) -> Result<String, Problem> {
    let visitor = market.visitor();
    let problem = |field: &str| {
        let (_, key) = typed.problems.iter().find(|(of, _)| *of == field)?;
        portal.words.say_of("market_problem", key, &[])
    };
    Ok(portal.words.page(&NewCompany {
        frame: portal.frame(&portal.words.say("market.add", &[]), Some(visitor), Place::Market),
        token: visitor.form_token().to_owned(),
        id_problem: problem("id"),
        name_problem: problem("name"),
        domains_problem: problem("domains"),
        parent_problem: problem("parent"),
        email_problem: problem("email"),
        person_problem: problem("person"),
        parents: parents(portal, market, &typed.parent, None),
        id: typed.id,
        name: typed.name,
        domains: typed.domains,
        email: typed.email,
        person: typed.person,
    })?)
}

/// To which company another may belong; never to itself.
pub(super) fn parents(portal: &Portal, market: &Market, chosen: &str, of: Option<&GroupId>) -> Vec<Choice> {
    let none = Choice {
        value: String::new(),
        label: portal.words.say("market.no_parent", &[]),
        chosen: chosen.is_empty(),
    };
    let others = market.groups().filter(|group| Some(&group.id) != of).map(|group| Choice {
        value: group.id.to_string(),
        label: group.name.clone(),
        chosen: group.id.as_str() == chosen,
    });
    [none].into_iter().chain(others).collect()
}
