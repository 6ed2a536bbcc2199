//! A case that leaves the portal: as one file with all there is of it, or laid out for paper.
//!
//! Who may read takes away what they may read and nothing else: the notes are the visitor's side's, and what the other side
//! does within itself the ledger leaves out. That it leaves is in the audit trail before the first key is opened.

mod archive;
mod paper;
mod parcel;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{Html, Response};
use policies::access::Action;
use store::{Detail, Reading};
use templates::pages::{CasePrint, NoteRow, TranscriptMessage};

use crate::access::{self, PermittedCase, Visitor};
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::pages::{case_history, download};
use crate::portal::{Place, Portal};

/// Messages on one page for paper: each with its whole text.
const ON_A_PAGE: usize = 10;

/// Lines of what happened on paper; the file has all.
const LINES: usize = 100;

/// Everything of a case as one file.
pub(crate) async fn file(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Problem> {
    let case = access::case(&portal, &visitor, &id, Action::DownloadOriginal).await?;
    let messages = case.kept_messages(&portal).await?;
    let lost = paper::lost(&case, &messages);
    let messages = case.open(&portal, messages, Reading::TakenAway).await?;
    let name = format!("{}.zip", case.case().reference);
    Ok(download::attached("application/zip", &name, None, parcel::body(portal, case, messages, lost)))
}

/// A page of a case for paper.
pub(crate) async fn print(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let case = access::case(&portal, &visitor, &id, Action::ReadCase).await?;
    let turn = portal.turn().await?;
    let messages = case.kept_messages(&portal).await?;
    let (lost, total) = (paper::lost(&case, &messages), messages.len());
    let last = total.div_ceil(ON_A_PAGE).max(1);
    let page = asked.value("page").and_then(|page| page.parse().ok()).unwrap_or(1).clamp(1, last);
    let first = (page - 1) * ON_A_PAGE;
    let shown = messages.into_iter().skip(first).take(ON_A_PAGE).collect();
    let mut cards: Vec<TranscriptMessage> = Vec::new();
    for message in case.open(&portal, shown, Reading::Printed).await? {
        cards.push(paper::message(&case, &message).await);
    }
    let here = format!("/case/{}", case.case().id);
    let (from, to) = ((first + 1).to_string(), (first + cards.len()).to_string());
    let part = [("first", &*from), ("last", &*to), ("total", &*total.to_string())];
    let reference = case.case().reference.to_string();
    let title = portal.words.say("away.print_title", &[("reference", &reference)]);
    let history = case.history(&portal, Detail::Changes, None, LINES).await?;
    let words = portal.words.page(&CasePrint {
        frame: portal.frame(&title, Some(&visitor), Place::Cases),
        back: here.clone(),
        file: format!("{here}/file"),
        case: paper::head(&portal, &case, lost),
        part: (last > 1).then(|| portal.words.say("away.print_part", &part)),
        earlier: (page > 1).then(|| format!("{here}/print?page={}", page - 1)),
        later: (page < last).then(|| format!("{here}/print?page={}", page + 1)),
        messages: cards,
        notes: notes(&portal, &case).await?,
        history: history.events.iter().map(|event| case_history::line(&portal, &case, event)).collect(),
        reference,
    })?;
    drop(turn);
    Ok(Html(words))
}

/// The notes of the visitor's side.
async fn notes(portal: &Portal, case: &PermittedCase) -> Result<Vec<NoteRow>, Problem> {
    if case.case().is_archived() {
        return Ok(Vec::new());
    }
    let notes = case.notes(portal).await?.into_iter().map(|note| NoteRow {
        by: note.by.map_or_else(String::new, |user| case.visitor().user_name(&user)),
        at: dates::when(note.at),
        text: note.text,
    });
    Ok(notes.collect())
}
