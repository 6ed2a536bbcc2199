//! Finding a case by a search tag of the market or by its own reference.
//!
//! The query comes by POST, so that it stands in no address, no history and no log.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use mail::{Tag, TagKind};
use store::CaseReference;
use templates::pages;

use crate::access::{self, PermittedCase, Visitor};
use crate::error::Problem;
use crate::forms::Form;
use crate::pages::case_lists;
use crate::portal::{Place, Portal};

/// Longest query that is looked at, in bytes.
const LONGEST: usize = 80;

/// Most cases that a search shows.
const MOST_SHOWN: usize = 100;

pub(crate) async fn form(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Html<String>, Problem> {
    page(&portal, &visitor, "", None, None)
}

pub(crate) async fn find(State(portal): State<Arc<Portal>>, form: Form) -> Result<Html<String>, Problem> {
    let visitor = form.visitor;
    let query = form.fields.value("tag").trim();
    if query.is_empty() || query.len() > LONGEST {
        let says = portal.words.say("tag.type_whole", &[("asked", &portal.asked_anything())]);
        return page(&portal, &visitor, "", Some(says), None);
    }
    let reference: Option<CaseReference> = query.parse().ok();
    let tags = portal.tag_names().read(query);
    let mut found = Vec::new();
    if let Some(reference) = reference {
        found.extend(access::case_by_reference(&portal, &visitor, &reference).await?);
    }
    for tag in tags {
        let cases = portal.ledger.find_by_tag(&visitor.actor(), visitor.group(), &tag).await?;
        found.extend(access::found(&visitor, cases));
    }
    page(&portal, &visitor, query, doubt(&portal, query), Some(newest_first(found)))
}

/// What may be wrong with a number: the length of an MPAN, but not its check digit.
fn doubt(portal: &Portal, query: &str) -> Option<String> {
    portal.tag_names().of(TagKind::Mpan)?;
    let digits = query.bytes().filter(u8::is_ascii_digit).count();
    let plain = query.bytes().all(|b| b.is_ascii_digit() || b == b' ' || b == b'-');
    let mistyped = plain && matches!(digits, 13 | 21) && Tag::mpan(query).is_none();
    mistyped.then(|| portal.tag_problem("check_digit")).flatten()
}

fn newest_first(mut cases: Vec<PermittedCase>) -> Vec<PermittedCase> {
    cases.sort_by_key(|case| std::cmp::Reverse((case.case().last_message_at, case.case().id)));
    cases.dedup_by_key(|case| case.case().id);
    cases.truncate(MOST_SHOWN);
    cases
}

fn page(
    portal: &Portal,
    visitor: &Visitor,
    query: &str,
    problem: Option<String>,
    found: Option<Vec<PermittedCase>>,
) -> Result<Html<String>, Problem> {
    Ok(Html(portal.words.page(&pages::Search {
        frame: portal.frame("Find a case", Some(visitor), Place::Search),
        token: visitor.form_token().to_owned(),
        query: query.to_owned(),
        searched: found.is_some(),
        asked: portal.asked_anything(),
        problem,
        rows: case_lists::rows(portal, found.as_deref().unwrap_or_default(), portal.ledger.now()),
    })?))
}
