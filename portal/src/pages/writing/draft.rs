//! A draft: shown, saved, sent, discarded. What was typed is kept whatever happens.

use std::sync::Arc;

use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use mail::Tag;
use store::{CaseState, DraftId, DraftWords, Earlier};

use super::fields::{self, Arrived};
use super::letter::{self, Wrong};
use super::view::{self, Twins, View};
use crate::access::drafts::OwnDraft;
use crate::access::{self, Visitor, drafts};
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::Portal;
use crate::told::Told;
use crate::writing::{self, send};

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Response, Problem> {
    portal.writing()?;
    let own = match drafts::one(&portal, &visitor, &id).await {
        Err(Problem::NotFound) => return sent_before(&portal, &visitor, &id).await,
        own => own?,
    };
    let told = Told::in_words(&portal, &visitor, &asked);
    let view = View { told, template: asked.value("template").map(str::to_owned), ..View::default() };
    Ok(Html(view::page(&portal, &own, view).await?).into_response())
}

/// One form, and what is to be done with it.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    portal.writing()?;
    let form = fields::proved(&visitor, request).await?;
    let mut own = match drafts::one(&portal, &visitor, &id).await {
        Err(Problem::NotFound) => return sent_before(&portal, &visitor, &id).await,
        own => own?,
    };
    let Arrived { fields: form, not_taken } = fields::arrive(&portal, &mut own, form).await?;
    let wanted = form.value("do").to_owned();
    if wanted == "discard" {
        own.discard(&portal).await?;
        return Ok(Told::DraftDiscarded.at(&portal, &visitor, "/drafts"));
    }
    own.save(&portal, fields::words(&own, &form)).await?;
    if let Some(why) = not_taken {
        let wrong = Wrong { files: Some(why.key()), ..Wrong::default() };
        return again(&portal, &own, View { wrong, ..View::default() }, StatusCode::PAYLOAD_TOO_LARGE).await;
    }
    let here = format!("/draft/{id}");
    match wanted.split_once('-') {
        Some(("remove", file)) => {
            own.remove_file(&portal, file).await?;
            return Ok(Redirect::to(&format!("{here}#files")).into_response());
        }
        _ if wanted == "keep" => return Ok(kept(&portal, &own).into_response()),
        _ if wanted == "insert" => {
            let template = form.value("template");
            let plain = template.parse::<store::TextId>().is_ok();
            let to = if plain { format!("{here}?template={template}#text") } else { here };
            return Ok(Redirect::to(&to).into_response());
        }
        _ if wanted == "send" => {}
        _ => return Ok(Told::DraftSaved.at(&portal, &visitor, &here)),
    }
    send(&portal, own, form.value("anyway") == "yes").await
}

/// For the script that saves while somebody writes.
fn kept(portal: &Portal, own: &OwnDraft) -> String {
    let saved = crate::dates::when(own.draft().saved_at).text;
    portal.words.say("writing.saved", &[("when", &saved)])
}

async fn send(portal: &Portal, mut own: OwnDraft, anyway: bool) -> Result<Response, Problem> {
    if let Some(newer) = newer(&own) {
        let words = DraftWords { seen: newer, ..own.words().clone() };
        own.save(portal, words).await?;
        let view = View { newer: true, ..View::default() };
        return again(portal, &own, view, StatusCode::CONFLICT).await;
    }
    let files = own.files(portal).await?;
    let mut wrong = Wrong::default();
    if files.iter().any(|file| !file.whole) {
        wrong.files = Some("unfinished");
    }
    let (to, letter) = match letter::checked(portal, &own, files.len()) {
        Ok(checked) if wrong.is_nothing() => checked,
        Ok(_) => return refused(portal, &own, wrong).await,
        Err(more) => return refused(portal, &own, Wrong { files: wrong.files, ..more }).await,
    };
    if let send::Destination::NewCase { opening, .. } = &to
        && !anyway
    {
        let twins = twins(portal, &own, opening, &letter.tags).await?;
        if twins.any {
            let view = View { twins: Some(twins), ..View::default() };
            return again(portal, &own, view, StatusCode::CONFLICT).await;
        }
    }
    match send::send(portal, &own, to, letter).await? {
        send::Sent::InCase(case) => Ok(Redirect::to(&format!("/case/{case}")).into_response()),
        send::Sent::Held => Ok(Told::WrittenHeld.at(portal, own.visitor(), "/drafts")),
        send::Sent::Refused(says) => {
            let view = View { refused: Some(says), ..View::default() };
            again(portal, &own, view, StatusCode::UNPROCESSABLE_ENTITY).await
        }
    }
}

/// How many messages the case has, if that is more than the author has seen.
fn newer(own: &OwnDraft) -> Option<u32> {
    let messages = own.case()?.case().messages;
    (messages > own.words().seen).then_some(messages)
}

/// Open cases of the same process with the same company that carry one of the tags; links to those that the visitor may see.
async fn twins(
    portal: &Portal,
    own: &OwnDraft,
    opening: &store::Opening,
    tags: &[Tag],
) -> Result<Twins, Problem> {
    let visitor = own.visitor();
    let mut found = Vec::new();
    for tag in tags {
        let cases = portal.ledger.find_by_tag(&visitor.actor(), visitor.group(), tag).await?;
        found.extend(cases.into_iter().filter(|case| {
            let open = !matches!(case.state(visitor.group()), CaseState::Closed | CaseState::Archived);
            open && case.process == opening.process && case.side(&opening.responder.group).is_some()
        }));
    }
    found.sort_by_key(|case| std::cmp::Reverse(case.last_message_at));
    found.dedup_by_key(|case| case.id);
    Ok(Twins { any: !found.is_empty(), cases: access::found(visitor, found) })
}

async fn refused(portal: &Portal, own: &OwnDraft, wrong: Wrong) -> Result<Response, Problem> {
    again(portal, own, View { wrong, ..View::default() }, StatusCode::UNPROCESSABLE_ENTITY).await
}

async fn again(portal: &Portal, own: &OwnDraft, view: View, status: StatusCode) -> Result<Response, Problem> {
    Ok((status, Html(view::page(portal, own, view).await?)).into_response())
}

/// A draft that is gone because it was sent leads to what it has become: a second click, or a page that is loaded again.
async fn sent_before(portal: &Portal, visitor: &Visitor, id: &str) -> Result<Response, Problem> {
    let id: DraftId = id.parse().map_err(|_| Problem::NotFound)?;
    match portal.ledger.earlier(&[writing::source(portal, &visitor.id(), &id)]).await? {
        Some(Earlier::Secured(accepted)) => {
            Ok(Redirect::to(&format!("/case/{}", send::first(&accepted)?)).into_response())
        }
        Some(Earlier::Held) => Ok(Told::WrittenHeld.at(portal, visitor, "/drafts")),
        Some(Earlier::Relayed) | None => Err(Problem::NotFound),
    }
}
