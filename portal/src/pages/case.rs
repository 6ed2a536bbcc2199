//! The page of one case, and taking and releasing it. What else can be done with it: `case_work`.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Redirect, Response};
use policies::access::Action;
use store::Reading;
use templates::pages::{AnswerBar, CasePage, Owner, ProcessLink};

use crate::access::{self, PermittedCase, Visitor};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::pages::case_desk::{self, Entered};
use crate::pages::{case_lists, case_notes, message_card, writing};
use crate::portal::{Place, Portal};
use crate::text::Extent;
use crate::told::Told;

/// Messages on one page of a case; the newest page is shown first.
const ON_A_PAGE: usize = 10;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let case = access::case(&portal, &visitor, &id, Action::ReadCase).await?;
    let number = |name| asked.value(name).and_then(|number| number.parse().ok());
    let entered = Entered { notes_before: number("notes").unwrap_or_default(), ..Entered::default() };
    let told = Told::in_words(&portal, &visitor, &asked);
    let amiss = Amiss { problem: None, entered };
    render(&portal, &case, number("page"), told, amiss).await.map(Html)
}

pub(crate) async fn claim(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Claim).await?;
    if owner_seen(&case) != form.fields.value("seen") {
        return changed_meanwhile(&portal, &case).await;
    }
    case.claim(&portal).await?;
    Ok(back_to(&case))
}

pub(crate) async fn release(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &form.visitor, &id, Action::Release).await?;
    if case.owner() != Some(form.visitor.id()) {
        return changed_meanwhile(&portal, &case).await;
    }
    case.release(&portal).await?;
    Ok(back_to(&case))
}

/// The owner as the page sends it back, so that a change in between is noticed.
fn owner_seen(case: &PermittedCase) -> String {
    case.owner().map(|owner| owner.to_string()).unwrap_or_default()
}

fn back_to(case: &PermittedCase) -> Response {
    Redirect::to(&format!("/case/{}", case.case().id)).into_response()
}

async fn changed_meanwhile(portal: &Portal, case: &PermittedCase) -> Result<Response, Problem> {
    let says =
        "The owner of this case was changed in the meantime, so nothing was done. This is how it stands now.";
    let page = render(portal, case, None, None, Amiss::problem(says.to_owned())).await?;
    Ok((StatusCode::CONFLICT, Html(page)).into_response())
}

/// What did not take effect, and what was typed.
#[derive(Default)]
pub(super) struct Amiss {
    pub(super) problem: Option<String>,
    pub(super) entered: Entered,
}

impl Amiss {
    pub(super) fn problem(says: String) -> Self {
        Self { problem: Some(says), ..Self::default() }
    }
}

pub(super) async fn render(
    portal: &Portal,
    permitted: &PermittedCase,
    page: Option<usize>,
    told: Option<String>,
    amiss: Amiss,
) -> Result<String, Problem> {
    let (case, visitor) = (permitted.case(), permitted.visitor());
    let here = format!("/case/{}", case.id);
    // Of what is destroyed there is nothing to open.
    let messages = permitted.kept_messages(portal).await?;
    let lost = if case.is_archived() { Vec::new() } else { case.lost(&messages) };
    let total = messages.len();
    let last = total.div_ceil(ON_A_PAGE).max(1);
    let page = page.unwrap_or(last).clamp(1, last);
    let first = (page - 1) * ON_A_PAGE;
    let shown = messages.into_iter().skip(first).take(ON_A_PAGE).collect();
    let mut cards = Vec::new();
    for message in permitted.open(portal, shown, Reading::Page).await? {
        cards.push(match message {
            Ok(message) => message_card::card(permitted, &message, Extent::Beginning).await.0,
            Err(closed) => message_card::closed(permitted, &closed),
        });
    }
    let (rung, assumed) = case_lists::rung(portal, permitted);
    let their_owner = permitted.other_sides().find_map(|side| side.owner);
    Ok(portal.words.page(&CasePage {
        frame: portal.frame(&format!("Case {}", case.reference), Some(visitor), Place::Cases),
        reference: case.reference.to_string(),
        process: process(portal, permitted),
        company: permitted.counterparty(),
        participants: participants(permitted),
        rung,
        assumed: assumed && case.due.is_some(),
        opened: dates::when(case.opened_at),
        due: case_lists::due(permitted, portal.ledger.now()),
        because: case.due.as_ref().map(|due| due.reason.clone()).filter(|reason| !reason.is_empty()),
        owner: owner(permitted, &here),
        their_owner: their_owner.map(|owner| visitor.user_name(&owner)),
        told,
        problem: amiss.problem,
        desk: case_desk::desk(portal, permitted, &amiss.entered).await?,
        lost: case_notes::lost(&lost),
        undelivered: case_notes::undelivered(permitted),
        away: case_notes::away(permitted, &permitted.away_notes(portal).await?, portal.ledger.now()),
        earlier: (page > 1).then(|| format!("{here}?page={}", page - 1)),
        later: (page < last).then(|| format!("{here}?page={}", page + 1)),
        messages: cards,
        total,
        answer: answer(portal, permitted).await?,
    })?)
}

/// Where the visitor writes an answer, and who is writing one already.
async fn answer(portal: &Portal, permitted: &PermittedCase) -> Result<Option<AnswerBar>, Problem> {
    if portal.writing().is_err() || !permitted.may(Action::Answer) {
        return Ok(None);
    }
    let id = permitted.case().id;
    let drafts = portal.ledger.drafts(permitted.visitor().id()).await?;
    Ok(Some(AnswerBar {
        action: format!("/case/{id}/answer"),
        token: permitted.visitor().form_token().to_owned(),
        begun: drafts.iter().any(|draft| draft.case == Some(id)),
        others: writing::answering(portal, permitted).await?,
    }))
}

pub(super) fn process(portal: &Portal, permitted: &PermittedCase) -> ProcessLink {
    let id = &permitted.case().process;
    portal
        .catalogue()
        .process(id)
        .map_or_else(|| ProcessLink { name: id.to_string(), href: "/".to_owned() }, case_lists::link_to)
}

/// `ALFA to BETA`: who began, and with whom.
pub(super) fn participants(permitted: &PermittedCase) -> String {
    let sides = &permitted.case().sides;
    let of = |initiator: bool| {
        let names: Vec<_> = sides
            .iter()
            .filter(|side| side.initiator == initiator)
            .map(|side| side.participant.as_str())
            .collect();
        names.join(", ")
    };
    format!("{} to {}", of(true), of(false))
}

fn owner(permitted: &PermittedCase, here: &str) -> Owner {
    let visitor = permitted.visitor();
    let owner = permitted.owner();
    Owner {
        name: owner.map(|owner| visitor.user_name(&owner)),
        mine: owner == Some(visitor.id()),
        seen: owner_seen(permitted),
        claim: format!("{here}/claim"),
        release: format!("{here}/release"),
        token: visitor.form_token().to_owned(),
    }
}
