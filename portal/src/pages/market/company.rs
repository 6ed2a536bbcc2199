//! One company of the market: by what it is known, who administers it first, and its participants.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use mail::Address;
use store::{DirectoryChange, Group, Role, StoreError, User, UserId};
use templates::pages::{Company, FirstMau, InvitedMau, NewMau};

use super::fresh::parents;
use super::list::standing;
use super::{domains, name, participants, refused};
use crate::access::Visitor;
use crate::access::market::{self, Administered, Market};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// A form of this page that was not taken: its fields as they were typed, and what is wrong with which.
#[derive(Default)]
pub(super) struct Again {
    pub(super) fields: Vec<(&'static str, String)>,
    pub(super) problems: Vec<(&'static str, &'static str)>,
}

impl Again {
    pub(super) fn typed(&self, field: &str, otherwise: &str) -> String {
        let typed = self.fields.iter().find(|(name, _)| *name == field);
        typed.map_or_else(|| otherwise.to_owned(), |(_, typed)| typed.clone())
    }

    pub(super) fn problem(&self, portal: &Portal, field: &str) -> Option<String> {
        let (_, key) = self.problems.iter().find(|(of, _)| *of == field)?;
        portal.words.say_of("market_problem", key, &[])
    }
}

pub(crate) async fn show(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let market = market::whole(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &market, market.group(&id)?, told, &Again::default()).map(Html)
}

/// Name, domains, parent.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let market = market::whole(&form.visitor)?;
    let group = market.group(&id)?;
    if form.fields.value("seen") != seen(group) {
        return told(&portal, &market, &id, "stale");
    }
    let typed = |field| form.fields.value(field).trim().to_owned();
    let parent = match typed("parent").as_str() {
        "" => Some(None),
        parent if parent == id => None,
        parent => market.group(parent).ok().map(|group| Some(group.id.clone())),
    };
    let (name, domains) = (name(&typed("name")), domains(&typed("domains")));
    let fields = ["name", "domains", "parent"].map(|field| (field, typed(field)));
    let mut again = Again { fields: fields.into(), problems: Vec::new() };
    let wrong = [("name", "name", name.is_none()), ("domains", "domains", domains.is_none())];
    again.problems.extend(wrong.iter().filter(|(.., wrong)| *wrong).map(|(field, key, _)| (*field, *key)));
    let (Some(name), Some(domains), Some(parent)) = (name, domains, parent) else {
        return page_again(&portal, &market, group, &again);
    };
    let after = Group { name, domains, parent, ..group.clone() };
    match market.change(&portal, vec![DirectoryChange::Group(after)]).await {
        Ok(()) => told(&portal, &market, &id, "saved"),
        Err(StoreError::Denied(_)) => {
            again.problems.push(("domains", "taken"));
            page_again(&portal, &market, group, &again)
        }
        Err(error) => told(&portal, &market, &id, refused(error)?),
    }
}

/// Who administers a company first: invited, invited again, or not any more.
pub(crate) async fn mau(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let market = market::whole(&form.visitor)?;
    let group = market.group(&id)?;
    let outcome = match (form.fields.value("do"), market.administered(&group.id)) {
        ("again", Administered::Invited(user)) => {
            market.invite_again(&portal, &user).await.map(|()| "invited")
        }
        ("take-back", Administered::Invited(user)) => {
            let change = vec![DirectoryChange::RemoveUser(user.id)];
            market.change(&portal, change).await.map(|()| "taken-back")
        }
        ("invite", Administered::Nobody) => {
            let (email, person) = (form.fields.value("email").trim(), form.fields.value("person").trim());
            let fields = vec![("email", email.to_owned()), ("person", person.to_owned())];
            let mut again = Again { fields, problems: Vec::new() };
            let (address, name) = (email.parse::<Address>().ok(), name(person));
            let fits = |address: &Address| group.domains.iter().any(|domain| domain == address.domain());
            match &address {
                None => again.problems.push(("email", "email")),
                Some(address) if !fits(address) => again.problems.push(("email", "foreign")),
                Some(_) => {}
            }
            if name.is_none() {
                again.problems.push(("person", "name"));
            }
            let (Some(address), Some(name), true) = (address, name, again.problems.is_empty()) else {
                return page_again(&portal, &market, group, &again);
            };
            let first = User::new(UserId::new(portal.ledger.now())?, group.id.clone(), address, name);
            let change = vec![DirectoryChange::User(User { role: Role::Mau, ..first })];
            market.change(&portal, change).await.map(|()| "invited")
        }
        _ => Ok("stale"),
    };
    match outcome {
        Ok(key) => told(&portal, &market, &id, key),
        Err(error) => told(&portal, &market, &id, refused(error)?),
    }
}

pub(super) fn told(
    portal: &Portal,
    market: &Market,
    id: &str,
    key: &'static str,
) -> Result<Response, Problem> {
    Ok(Told::Market(key).at(portal, market.visitor(), &format!("/market/groups/{id}")))
}

pub(super) fn page_again(
    portal: &Portal,
    market: &Market,
    group: &Group,
    again: &Again,
) -> Result<Response, Problem> {
    let page = render(portal, market, group, None, again)?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}

/// What the form was filled from.
fn seen(group: &Group) -> String {
    crate::portal::fingerprint(&format!("{}\n{:?}\n{:?}", group.name, group.domains, group.parent))
}

fn render(
    portal: &Portal,
    market: &Market,
    group: &Group,
    told: Option<String>,
    again: &Again,
) -> Result<String, Problem> {
    let visitor = market.visitor();
    let administered = market.administered(&group.id);
    let parent = group.parent.as_ref().map(ToString::to_string).unwrap_or_default();
    let children = market.groups().filter(|other| other.parent.as_ref() == Some(&group.id));
    Ok(portal.words.page(&Company {
        frame: portal.frame(&group.name, Some(visitor), Place::Market),
        told,
        token: visitor.form_token().to_owned(),
        here: format!("/market/groups/{}", group.id),
        id: group.id.to_string(),
        title: group.name.clone(),
        standing: standing(portal, &administered),
        seen: seen(group),
        name: again.typed("name", &group.name),
        name_problem: again.problem(portal, "name"),
        domains: again.typed("domains", &group.domains.join("\n")),
        domains_problem: again.problem(portal, "domains"),
        parents: parents(portal, market, &again.typed("parent", &parent), Some(&group.id)),
        children: children.map(|child| child.name.clone()).collect(),
        first: first(portal, administered, again),
        participants: participants::rows(portal, market, group),
        fresh: participants::fresh(portal, again),
        others: parents(portal, market, "", Some(&group.id)).into_iter().skip(1).collect(),
    })?)
}

fn first(portal: &Portal, administered: Administered, again: &Again) -> FirstMau {
    let nothing = FirstMau { acting: false, invited: None, fresh: None };
    match administered {
        Administered::Acting => FirstMau { acting: true, ..nothing },
        Administered::Invited(user) => {
            let since = user.since.map(dates::when);
            let invited = InvitedMau { name: user.name.clone(), email: user.email.to_string(), since };
            FirstMau { invited: Some(invited), ..nothing }
        }
        Administered::Nobody => {
            let fresh = NewMau {
                email: again.typed("email", ""),
                person: again.typed("person", ""),
                email_problem: again.problem(portal, "email"),
                person_problem: again.problem(portal, "person"),
            };
            FirstMau { fresh: Some(fresh), ..nothing }
        }
    }
}
