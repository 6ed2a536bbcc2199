//! What people do with a case beside reading it: give it to a colleague, escalate, close, reopen, note, tag. What did not take
//! effect is said beside what was typed; who was slower sees how it stands now.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use mail::Tag;
use policies::FieldId;
use policies::access::Action;
use policies::escalation::{Gate, Step};
use store::{CaseReason, Escalated, LONGEST_NOTE, StoreError, UserId};

use super::case::{self, Amiss};
use super::case_desk::{self, Entered};
use crate::access::casework::Wish;
use crate::access::{self, PermittedCase};
use crate::error::Problem;
use crate::forms::Form;
use crate::portal::Portal;
use crate::told::{CaseDeed, Told};

pub(crate) async fn assign(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Assign).await?;
    let seen = match form.fields.value("seen") {
        "" => None,
        seen => Some(seen.parse::<UserId>().map_err(|_| Problem::BadForm)?),
    };
    let owner: UserId = form.fields.value("owner").parse().map_err(|_| Problem::BadForm)?;
    if !case.is_open_to(owner) {
        let says = portal.words.say("case.taker_unpermitted", &[]);
        return again(&portal, &case, StatusCode::UNPROCESSABLE_ENTITY, Amiss::problem(says)).await;
    }
    done_or_late(&portal, &case, case.give(&portal, seen, Some(owner)).await, CaseDeed::Given).await
}

pub(crate) async fn escalate(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Escalate).await?;
    let stated = |field: &FieldId| form.fields.value(&format!("field-{}", field.as_str())).to_owned();
    match case.escalate(&portal, form.fields.value("seen"), stated).await {
        Ok(Wish::Done(told)) => {
            let deed = match told {
                Escalated::Told => CaseDeed::Escalated,
                Escalated::Unmapped => CaseDeed::EscalatedUnmapped,
            };
            let stays = case.next_rung(&portal).is_some_and(|(rung, _)| case.follows_to(&rung));
            let place = if stays { here(&case) } else { "/".to_owned() };
            Ok(Told::Case(deed).at(&portal, &form.visitor, &place))
        }
        Ok(Wish::Shut(gate)) => {
            let says = case_desk::gate_words(&portal, &case, gate);
            again(&portal, &case, StatusCode::CONFLICT, Amiss::problem(says)).await
        }
        Ok(Wish::Unstated(missing)) => {
            let fields = case.next_rung(&portal).map(|(_, fields)| fields).unwrap_or_default();
            let entered = fields.iter().map(|field| {
                let error = missing.contains(&field.id).then(|| portal.words.say("case.field_missing", &[]));
                (field.id.as_str().to_owned(), stated(&field.id), error)
            });
            let entered = Entered { fields: entered.collect(), ..Entered::default() };
            let problem = portal.words.say("case.fields_missing", &[]);
            let amiss = Amiss { problem: Some(problem), entered };
            again(&portal, &case, StatusCode::UNPROCESSABLE_ENTITY, amiss).await
        }
        Ok(Wish::Moved) | Err(Problem::Store(StoreError::Conflict)) => late(&portal, &case).await,
        Err(problem) => Err(problem),
    }
}

pub(crate) async fn close(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Close).await?;
    let reason = reason(&CaseReason::CLOSING, form.fields.value("reason"))?;
    if case.gate(&portal, Step::Close) != Gate::Open {
        return late(&portal, &case).await;
    }
    done_or_late(&portal, &case, case.close(&portal, reason).await, CaseDeed::Closed).await
}

pub(crate) async fn reopen(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Reopen).await?;
    let reason = reason(&CaseReason::REOPENING, form.fields.value("reason"))?;
    if case.gate(&portal, Step::Reopen) != Gate::Open {
        return late(&portal, &case).await;
    }
    done_or_late(&portal, &case, case.reopen(&portal, reason).await, CaseDeed::Reopened).await
}

pub(crate) async fn note(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Note).await?;
    let text = form.fields.value("text").replace("\r\n", "\n");
    let wrong = match text.trim().len() {
        0 => Some(portal.words.say("case.note_empty", &[])),
        length if length > LONGEST_NOTE => Some(portal.words.say("case.note_long", &[])),
        _ => None,
    };
    let wrong = match wrong {
        Some(wrong) => wrong,
        None => match case.note(&portal, &text).await {
            Ok(()) => return Ok(Told::Case(CaseDeed::Noted).at(&portal, &form.visitor, &here(&case))),
            Err(Problem::Store(StoreError::Denied(_))) => portal.words.say("case.note_full", &[]),
            Err(other) => return Err(other),
        },
    };
    let entered = Entered { note: Some((text, wrong)), ..Entered::default() };
    let amiss = Amiss { problem: None, entered };
    again(&portal, &case, StatusCode::UNPROCESSABLE_ENTITY, amiss).await
}

pub(crate) async fn tag(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Tag).await?;
    let (kind, value) = (form.fields.value("kind"), form.fields.value("value"));
    let names = portal.tag_names();
    let known = names.iter().find(|name| name.kind.as_str() == kind).ok_or(Problem::BadForm)?;
    let wrong = match names.read_as(known.kind, value) {
        None => known.wrong.clone(),
        Some(tag) => match case.tag(&portal, &tag).await {
            Ok(new) => {
                let deed = if new { CaseDeed::Tagged } else { CaseDeed::TaggedBefore };
                return Ok(Told::Case(deed).at(&portal, &form.visitor, &here(&case)));
            }
            Err(Problem::Store(StoreError::Denied(_))) => portal.words.say("case.tags_full", &[]),
            Err(other) => return Err(other),
        },
    };
    let entered = Entered { tag: Some((kind.to_owned(), value.to_owned(), wrong)), ..Entered::default() };
    let amiss = Amiss { problem: None, entered };
    again(&portal, &case, StatusCode::UNPROCESSABLE_ENTITY, amiss).await
}

pub(crate) async fn untag(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Tag).await?;
    let tag = read_tag(form.fields.value("kind"), form.fields.value("value")).ok_or(Problem::BadForm)?;
    case.untag(&portal, &tag).await?;
    Ok(Told::Case(CaseDeed::Untagged).at(&portal, &form.visitor, &here(&case)))
}

/// With its check digits.
fn read_tag(kind: &str, value: &str) -> Option<Tag> {
    match kind {
        "mpan" => Tag::mpan(value),
        "mprn" => Tag::mprn(value),
        "reference" => Tag::reference(value),
        _ => None,
    }
}

fn reason(known: &[CaseReason], named: &str) -> Result<CaseReason, Problem> {
    known.iter().find(|reason| reason.as_str() == named).copied().ok_or(Problem::BadForm)
}

fn here(case: &PermittedCase) -> String {
    format!("/case/{}", case.case().id)
}

async fn done_or_late(
    portal: &Portal,
    case: &PermittedCase,
    result: Result<(), Problem>,
    deed: CaseDeed,
) -> Result<Response, Problem> {
    match result {
        Ok(()) => Ok(Told::Case(deed).at(portal, case.visitor(), &here(case))),
        Err(Problem::Store(StoreError::Conflict | StoreError::Denied(_))) => late(portal, case).await,
        Err(other) => Err(other),
    }
}

/// Somebody was faster: how it stands now.
async fn late(portal: &Portal, case: &PermittedCase) -> Result<Response, Problem> {
    let now = access::case(portal, case.visitor(), &case.case().id.to_string(), Action::ReadCase).await?;
    let says = portal.words.say("case.changed", &[]);
    again(portal, &now, StatusCode::CONFLICT, Amiss::problem(says)).await
}

async fn again(
    portal: &Portal,
    case: &PermittedCase,
    status: StatusCode,
    amiss: Amiss,
) -> Result<Response, Problem> {
    let page = case::render(portal, case, None, None, amiss).await?;
    Ok((status, Html(page)).into_response())
}
