//! Where writing begins: the visitor's drafts, an answer, a new case.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use mail::TagKind;
use policies::access::Action;
use store::{DraftId, DraftWords, StoreError};
use templates::pages::{Choice, DraftRow, Drafts, NewCase};

use super::letter;
use crate::access::{self, Visitor, drafts};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::tag_words::short;
use crate::told::Told;
use crate::writing::reach::{self, Opening};

/// The visitor's drafts.
pub(crate) async fn list(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    portal.writing()?;
    let mut rows = Vec::new();
    for own in drafts::all(&portal, &visitor).await? {
        rows.push(DraftRow {
            href: format!("/draft/{}", own.draft().id),
            title: letter::title(&portal, &own),
            beginning: own.words().text.chars().take(120).collect(),
            saved: dates::when(own.draft().saved_at),
            files: own.files(&portal).await?.len(),
        });
    }
    Ok(Html(portal.words.page(&Drafts {
        frame: portal.frame(&portal.words.say("writing.drafts", &[]), Some(&visitor), Place::Writing),
        told: Told::in_words(&portal, &visitor, &asked),
        keeps_texts: visitor.may(Action::ManageTexts),
        rows,
    })?))
}

/// Begins an answer, or goes on with the one that there is.
pub(crate) async fn answer(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    portal.writing()?;
    let case = access::case(&portal, &form.visitor, &id, Action::Answer).await?;
    match drafts::answering(&portal, &case).await {
        Ok(draft) => Ok(to_draft(draft)),
        Err(Problem::Store(StoreError::Denied(_))) => Ok(Redirect::to("/drafts").into_response()),
        Err(problem) => Err(problem),
    }
}

/// What a new case is to be about.
pub(crate) async fn choose(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Html<String>, Problem> {
    portal.writing()?;
    new_case(&portal, &visitor, None).map(Html)
}

pub(crate) async fn begin(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    portal.writing()?;
    let (visitor, catalogue) = (&form.visitor, portal.catalogue());
    let chosen = form.fields.value("kind").split_once(' ').unwrap_or_default();
    let Some(opening) = reach::opening(visitor, &catalogue, chosen.0, chosen.1) else {
        let page = new_case(&portal, visitor, Some(portal.words.say("writing.choose_kind", &[])))?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response());
    };
    let words = DraftWords {
        process: opening.process.id.to_string(),
        contact_type: opening.rung.contact_type.to_string(),
        participant: opening.participant.to_string(),
        ..DraftWords::default()
    };
    match portal.ledger.begin_draft(visitor.id(), visitor.group(), None, words).await {
        Ok(draft) => Ok(to_draft(draft)),
        Err(StoreError::Denied(_)) => {
            let page = new_case(&portal, visitor, Some(portal.words.say("writing.too_many", &[])))?;
            Ok((StatusCode::CONFLICT, Html(page)).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// For a script: what is to be said of a number while it is typed. It comes by POST, so that it stands in no log.
pub(crate) async fn check_tag(State(portal): State<Arc<Portal>>, form: Form) -> Result<String, Problem> {
    portal.writing()?;
    let typed = form.fields.value("tag").trim();
    let names = portal.tag_names();
    Ok(match letter::tags(&names, typed).as_deref() {
        Ok([]) => String::new(),
        Ok([tag, ..]) => match names.of(tag.kind()).filter(|name| name.kind != TagKind::Reference) {
            Some(number) => portal.words.say("writing.tag_whole", &[("number", short(number))]),
            None => portal.words.say("writing.tag_reference", &[]),
        },
        Err(doubt) => portal.tag_problem(doubt).unwrap_or_default(),
    })
}

fn to_draft(draft: DraftId) -> Response {
    Redirect::to(&format!("/draft/{draft}")).into_response()
}

fn new_case(portal: &Portal, visitor: &Visitor, problem: Option<String>) -> Result<String, Problem> {
    let catalogue = portal.catalogue();
    let kinds = reach::openings(visitor, &catalogue).into_iter().map(|opening| kind(&opening)).collect();
    Ok(portal.words.page(&NewCase {
        frame: portal.frame(&portal.words.say("writing.new_case", &[]), Some(visitor), Place::Writing),
        token: visitor.form_token().to_owned(),
        kinds,
        problem,
    })?)
}

fn kind(opening: &Opening<'_>) -> Choice {
    Choice {
        value: format!("{} {}", opening.process.id, opening.participant),
        label: format!("{} \u{b7} {}", opening.process.name, opening.participant),
        chosen: false,
    }
}
