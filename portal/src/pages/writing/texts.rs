//! The texts that a group keeps to write with: added, changed and removed by those who look after them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use store::{StoreError, TextId};
use templates::pages::{TextRow, Texts};

use crate::access::Visitor;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// Longest name, in characters, and text, in bytes.
const LONGEST_NAME: usize = 80;
const LONGEST_TEXT: usize = 16 * 1024;

/// A form that was not taken.
#[derive(Default)]
struct Again {
    /// Which text; none: the new one.
    of: Option<TextId>,
    name: String,
    text: String,
    /// A key of the family of texts `template_problem`.
    problem: Option<&'static str>,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    portal.writing()?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &visitor, told, Again::default()).await.map(Html)
}

pub(crate) async fn add(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    keep(&portal, form, None).await
}

pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let id: TextId = id.parse().map_err(|_| Problem::NotFound)?;
    if form.fields.value("do") == "remove" {
        let visitor = &form.visitor;
        portal.writing()?;
        portal.ledger.remove_text_template(&visitor.actor(), visitor.group(), id).await?;
        return Ok(Told::TextRemoved.at(&portal, visitor, "/texts"));
    }
    keep(&portal, form, Some(id)).await
}

async fn keep(portal: &Portal, form: Form, id: Option<TextId>) -> Result<Response, Problem> {
    portal.writing()?;
    let visitor = &form.visitor;
    let name = form.fields.value("name").split_whitespace().collect::<Vec<_>>().join(" ");
    let text = form.fields.value("text").replace("\r\n", "\n");
    if let Some(problem) = wrong(&name, &text) {
        return refused(portal, visitor, Again { of: id, name, text, problem: Some(problem) }).await;
    }
    match portal.ledger.put_text_template(&visitor.actor(), visitor.group(), id, &name, &text).await {
        Ok(_) => Ok(Told::TextSaved.at(portal, visitor, "/texts")),
        Err(StoreError::Denied(_)) if id.is_none() => {
            refused(portal, visitor, Again { of: id, name, text, problem: Some("full") }).await
        }
        Err(error) => Err(error.into()),
    }
}

fn wrong(name: &str, text: &str) -> Option<&'static str> {
    if !(1..=LONGEST_NAME).contains(&name.chars().count()) || name.chars().any(char::is_control) {
        Some("name")
    } else if text.trim().is_empty() || text.len() > LONGEST_TEXT || text.contains('\0') {
        Some("text")
    } else {
        None
    }
}

async fn refused(portal: &Portal, visitor: &Visitor, again: Again) -> Result<Response, Problem> {
    let page = render(portal, visitor, None, again).await?;
    Ok((StatusCode::UNPROCESSABLE_ENTITY, Html(page)).into_response())
}

async fn render(
    portal: &Portal,
    visitor: &Visitor,
    told: Option<String>,
    again: Again,
) -> Result<String, Problem> {
    let problem = again.problem.and_then(|key| portal.words.say_of("template_problem", key, &[]));
    let texts = portal.ledger.text_templates(visitor.group()).await?;
    let rows = texts.into_iter().map(|known| {
        let typed = again.of == Some(known.id);
        TextRow {
            id: known.id.to_string(),
            title: known.name.clone(),
            name: if typed { again.name.clone() } else { known.name },
            text: if typed { again.text.clone() } else { known.text },
            problem: problem.clone().filter(|_| typed),
        }
    });
    let fresh = again.of.is_none();
    Ok(portal.words.page(&Texts {
        frame: portal.frame(&portal.words.say("writing.texts", &[]), Some(visitor), Place::Writing),
        token: visitor.form_token().to_owned(),
        told,
        rows: rows.collect(),
        name: if fresh { again.name.clone() } else { String::new() },
        text: if fresh { again.text.clone() } else { String::new() },
        problem: problem.clone().filter(|_| fresh),
    })?)
}
