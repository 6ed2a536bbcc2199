//! What happened in a company, event by event: every reading, every change, the operator's acts on the company among them. Shows
//! ids, names of colleagues and case references; no content has a place in an event.

mod asked;
mod lines;

pub(super) use lines::act as act_in_words;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{Html, Response};
use futures_util::stream;
use store::Act;
use templates::pages::Audit;

use self::asked::Choice;
use crate::access::Visitor;
use crate::access::trail::{self, Trail};
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};
use crate::sheet::{self, FileForm};

/// Events of one page.
const EVENTS: usize = 50;

/// Events that are read at a time for a file.
const PIECE: usize = 500;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let trail = trail::own(&visitor)?;
    trail.begin(&portal, Act::TrailRead).await?;
    let choice = Choice::asked(&portal, &trail, &asked).await?;
    let place = asked.value("after");
    let found = trail.events(&portal, choice.time, place, EVENTS, |event| choice.wants(event)).await?;
    let sheet = lines::sheet(&portal, &trail, &found.events).await?;
    let query = choice.query();
    let words = &portal.words;
    Ok(Html(words.page(&Audit {
        frame: portal.frame(&words.say("audit.menu", &[]), Some(&visitor), Place::Audit),
        company: visitor.company(),
        acts: choice.acts(&portal),
        users: choice.users(&trail),
        case: choice.case_text.clone(),
        first: choice.first.map(|day| day.to_string()).unwrap_or_default(),
        last: choice.last.map(|day| day.to_string()).unwrap_or_default(),
        problem: choice.problem(&portal),
        table: sheet.table(words.say("audit.events", &[]), EVENTS),
        newest: place.map(|_| format!("/audit?{query}")),
        older: found.next.map(|next| format!("/audit?{query}&after={next}")),
        csv: format!("/audit/events.csv?{query}"),
        lines: format!("/audit/events.jsonl?{query}"),
    })?))
}

pub(crate) async fn csv(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(portal, &visitor, &asked, FileForm::Csv).await
}

pub(crate) async fn json_lines(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(portal, &visitor, &asked, FileForm::Json).await
}

/// A file on its way out, piece by piece.
struct Outflow {
    portal: Arc<Portal>,
    trail: Trail,
    choice: Choice,
    form: FileForm,
    at: At,
}

enum At {
    Beginning,
    After(String),
    End,
}

async fn file(
    portal: Arc<Portal>,
    visitor: &Visitor,
    asked: &Asked,
    form: FileForm,
) -> Result<Response, Problem> {
    let trail = trail::own(visitor)?;
    trail.begin(&portal, Act::TrailExported).await?;
    let choice = Choice::asked(&portal, &trail, asked).await?;
    let (kind, name) = match form {
        FileForm::Csv => ("text/csv; charset=utf-8; header=present", "audit.csv"),
        FileForm::Json => ("application/jsonl", "audit.jsonl"),
    };
    let mut outflow = Outflow { portal, trail, choice, form, at: At::Beginning };
    // The first piece is read before the answer begins, so that a fault is a page and not a torn file.
    let first = outflow.next().await?;
    let rest = stream::try_unfold(outflow, |mut outflow| async move {
        match outflow.next().await {
            Ok(piece) => Ok(piece.map(|piece| (piece, outflow))),
            Err(problem) => {
                tracing::error!(error = %problem, "a file of events broke off");
                Err(problem)
            }
        }
    });
    let first = stream::iter(first.map(Ok));
    Ok(sheet::download(kind, name, Body::from_stream(stream::StreamExt::chain(first, rest))))
}

impl Outflow {
    async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        let after = match &self.at {
            At::Beginning => None,
            At::After(place) => Some(place.as_str()),
            At::End => return Ok(None),
        };
        let begins = after.is_none();
        let choice = &self.choice;
        let found =
            self.trail.events(&self.portal, choice.time, after, PIECE, |event| choice.wants(event)).await?;
        let sheet = lines::sheet(&self.portal, &self.trail, &found.events).await?;
        self.at = found.next.map_or(At::End, At::After);
        let mut text = String::new();
        match self.form {
            FileForm::Csv => {
                let whole = sheet.csv();
                text.push_str(if begins {
                    &whole
                } else {
                    whole.split_once("\r\n").map_or("", |(_, rest)| rest)
                });
            }
            FileForm::Json => {
                for row in &sheet.rows {
                    text.push_str(&sheet.object(row).to_string());
                    text.push('\n');
                }
            }
        }
        Ok(Some(text.into()))
    }
}
