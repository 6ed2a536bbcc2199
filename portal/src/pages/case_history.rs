//! What happened in a case, in words, as the people of the visitor's side may know it. Another company's people have no name
//! here, and what that company does within itself is not in it: the ledger leaves it out.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Html;
use policies::access::Action;
use store::{Act, Actor, Detail, Event};
use templates::pages::{CaseHistory, HistoryLine};

use super::{audit, case_desk};
use crate::access::{self, PermittedCase, Visitor};
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};

const ON_A_PAGE: usize = 50;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let case = access::case(&portal, &visitor, &id, Action::ReadCase).await?;
    let after = asked.value("after");
    let part = case.history(&portal, Detail::Everything, after, ON_A_PAGE).await?;
    let here = format!("/case/{}/history", case.case().id);
    let began = part.events.iter().any(|event| event.act == Act::CaseOpened);
    Ok(Html(portal.words.page(&CaseHistory {
        frame: portal.frame(&format!("History of {}", case.case().reference), Some(&visitor), Place::Cases),
        reference: case.case().reference.to_string(),
        back: format!("/case/{}", case.case().id),
        lines: part.events.iter().map(|event| line(&portal, &case, event)).collect(),
        partial: part.next.is_none() && !began,
        older: part.next.map(|next| format!("{here}?after={next}")),
        newest: after.map(|_| here),
    })?))
}

/// One event in words.
pub(super) fn line(portal: &Portal, permitted: &PermittedCase, event: &Event) -> HistoryLine {
    HistoryLine {
        at: dates::when(event.at),
        what: audit::act_in_words(portal, event.act),
        who: who(portal, permitted, event),
        detail: detail(portal, permitted, event),
    }
}

/// A colleague by name, another company by its own.
fn who(portal: &Portal, permitted: &PermittedCase, event: &Event) -> String {
    let visitor = permitted.visitor();
    let group = event.group.as_ref();
    if group.is_some_and(|group| group != visitor.group()) {
        return group.map(|group| visitor.group_name(group)).unwrap_or_default();
    }
    let person = match &event.actor {
        Actor::User(user) => Some(*user),
        // Whose mail it is: who wrote it, or whose login proved it.
        Actor::Gateway => event.author.or(event.user),
        Actor::Worker | Actor::Tool | Actor::Portal => None,
    };
    match (person, &event.actor) {
        (Some(user), _) => visitor.user_name(&user),
        (None, Actor::Gateway) => visitor.company(),
        (None, _) => portal.words.say("case.by_postern", &[]),
    }
}

fn detail(portal: &Portal, permitted: &PermittedCase, event: &Event) -> Option<String> {
    match event.act {
        Act::OwnerSet => Some(match event.user {
            Some(user) => permitted.visitor().user_name(&user),
            None => portal.words.say("case.nobody", &[]),
        }),
        Act::CaseEscalated => {
            let rung = event.rung.as_ref()?;
            let catalogue = portal.catalogue();
            let known = catalogue.process(&permitted.case().process).and_then(|process| process.rung(rung));
            Some(known.map_or_else(|| rung.to_string(), |rung| rung.name.clone()))
        }
        Act::CaseClosed | Act::CaseReopened => {
            event.reason.map(|reason| case_desk::reason_words(portal, reason))
        }
        Act::DeadlineMoved => {
            let (was, becomes) = (dates::when(event.was?).text, dates::when(event.becomes?).text);
            Some(portal.words.say("case.moved", &[("was", &was), ("becomes", &becomes)]))
        }
        _ => None,
    }
}
