//! Giving many cases to somebody, or to nobody, at once: each for itself, and what was not possible is said for each.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use policies::access::Action;
use store::{StoreError, UserId};
use templates::pages::{Given, GivenCase};

use crate::access::{self, Visitor};
use crate::error::Problem;
use crate::forms::Form;
use crate::pages::list_filter::Filter;
use crate::portal::{Place, Portal};

/// Cases that are given at once: two pages of a list.
const MOST: usize = 50;

pub(crate) async fn give(State(portal): State<Arc<Portal>>, form: Form) -> Result<Html<String>, Problem> {
    let visitor = &form.visitor;
    let to = match form.fields.value("owner") {
        "me" => Some(visitor.id()),
        "nobody" => None,
        other => Some(other.parse::<UserId>().map_err(|_| Problem::BadForm)?),
    };
    let mut cases = Vec::new();
    for picked in form.fields.values("case").take(MOST) {
        cases.push(one(&portal, visitor, picked, to).await?);
    }
    let back = form.fields.value("back");
    let fields: Vec<_> = back.split('&').filter_map(|pair| pair.split_once('=')).collect();
    let filter =
        Filter::read(|name| fields.iter().find(|(known, _)| *known == name).map(|(_, value)| *value));
    Ok(Html(portal.words.page(&Given {
        frame: portal.frame("Cases given", Some(visitor), Place::Cases),
        left: form.fields.values("case").count().saturating_sub(MOST),
        done: cases.iter().filter(|case| case.problem.is_none()).count(),
        cases,
        back: filter.href(None),
    })?))
}

/// A case as the list had it: its id and who owned it then.
async fn one(
    portal: &Portal,
    visitor: &Visitor,
    picked: &str,
    to: Option<UserId>,
) -> Result<GivenCase, Problem> {
    let (id, seen) = picked.split_once('.').ok_or(Problem::BadForm)?;
    let seen = if seen == "-" { None } else { Some(seen.parse().map_err(|_| Problem::BadForm)?) };
    let refused = |why: &str, href: Option<String>, reference: String| GivenCase {
        reference,
        href,
        problem: portal.words.say_of("list_refused", why, &[]),
    };
    let case = match access::case(portal, visitor, id, Action::Assign).await {
        Ok(case) => case,
        Err(Problem::NotFound) => return Ok(refused("absent", None, String::new())),
        Err(other) => return Err(other),
    };
    let (href, reference) = (Some(format!("/case/{}", case.case().id)), case.case().reference.to_string());
    if to.is_some_and(|user| !case.is_open_to(user)) {
        return Ok(refused("permission", href, reference));
    }
    match case.give(portal, seen, to).await {
        Ok(()) => Ok(GivenCase { reference, href, problem: None }),
        Err(Problem::Store(StoreError::Conflict)) => Ok(refused("changed", href, reference)),
        Err(Problem::Store(StoreError::Denied(_))) => Ok(refused("permission", href, reference)),
        Err(other) => Err(other),
    }
}
