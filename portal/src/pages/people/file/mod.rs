//! People and permissions as files: taken away, and brought back in two steps, because the difference is shown before
//! anything is changed. All of a file is applied in one commit, or nothing of it.

mod plan;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{Html, IntoResponse, Response};
use store::{Act, DirectoryChange, LARGEST_IMPORT, StoreError, UserState};
use templates::pages::{ImportDifference, ImportMistake, ImportPreview, PeopleFile};

use self::plan::{Difference, Kind, Mistake, PEOPLE, PERMISSIONS, Plan, plan};
use crate::access::Visitor;
use crate::access::people::{self, People};
use crate::error::Problem;
use crate::forms::{self, Asked, Form};
use crate::multipart::Multipart;
use crate::portal::{Place, Portal};
use crate::sheet::{Cell, Column, FileForm, Sheet};
use crate::told::Told;

const HERE: &str = "/people/file";

/// Differences that are shown; the sums tell of all.
const SHOWN: usize = 150;

pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let people = people::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    render(&portal, &people, told, None, None).map(Html)
}

/// Everybody, in a form that can be brought back.
pub(crate) async fn users(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Problem> {
    let people = people::own(&visitor)?;
    people.note(&portal, Act::PeopleExported).await?;
    let rows = people.all().into_iter().map(|user| {
        let [email, name] = [user.email.to_string(), user.name.clone()].map(Cell::from);
        vec![email, name, user.role.as_str().into(), user.state.as_str().into()]
    });
    Ok(Sheet { columns: columns(PEOPLE), rows: rows.collect() }.file("people", FileForm::Csv))
}

/// Every permission of everybody; who has none has one line all the same.
pub(crate) async fn permissions(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Response, Problem> {
    let people = people::own(&visitor)?;
    people.note(&portal, Act::PeopleExported).await?;
    let mut rows = Vec::new();
    for user in people.all() {
        let email = || Cell::from(user.email.to_string());
        if user.permissions.is_empty() {
            rows.push(vec![email(), Cell::Empty, Cell::Empty, Cell::Empty]);
        }
        rows.extend(user.permissions.iter().map(|held| {
            vec![
                email(),
                held.participant.as_str().into(),
                held.process.as_str().into(),
                held.contact_type.as_str().into(),
            ]
        }));
    }
    Ok(Sheet { columns: columns(PERMISSIONS), rows }.file("permissions", FileForm::Csv))
}

fn columns(names: [&'static str; 4]) -> Vec<Column> {
    names.map(|key| Column { key, label: key.to_owned() }).into()
}

/// Looks at a file and changes nothing; the file lies ready until it is applied.
pub(crate) async fn look(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let people = people::own(&visitor)?;
    // In another form there is no token where one would be looked for.
    let form = Multipart::of(&headers, body).map_err(|_| Problem::NotFromHere("token"))?;
    let text = match received(&visitor, form).await {
        Ok(text) => text,
        Err(Problem::TooLarge) => {
            let page = render(&portal, &people, None, Some("large"), None)?;
            return Ok((StatusCode::PAYLOAD_TOO_LARGE, Html(page)).into_response());
        }
        Err(problem) => return Err(problem),
    };
    let plan = plan(&portal, &people, &text)?;
    if plan.forbidden {
        people.refuse(&portal, "import").await?;
    }
    if plan.mistakes.is_empty() && !plan.differences.is_empty() {
        people.lay_import(&portal, &text).await?;
    }
    let status = if plan.mistakes.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    Ok((status, Html(render(&portal, &people, None, None, Some(plan))?)).into_response())
}

/// The file, once the form's token, which stands before it, is right.
async fn received(visitor: &Visitor, mut form: Multipart) -> Result<String, Problem> {
    let mut ours = false;
    let mut text = String::new();
    while let Some(head) = form.next().await? {
        match head.name.as_str() {
            "token" => ours = forms::same(&form.text(200).await?, visitor.form_token()),
            _ if !ours => return Err(Problem::NotFromHere("token")),
            "file" | "text" => {
                let part = form.text(LARGEST_IMPORT).await?;
                if text.trim().is_empty() {
                    text = part;
                }
            }
            _ => {}
        }
    }
    if ours { Ok(text) } else { Err(Problem::NotFromHere("token")) }
}

/// Applies the file that lies ready, if it still comes to what was shown.
pub(crate) async fn apply(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let people = people::own(&form.visitor)?;
    let Some(text) = people.laid_import(&portal).await? else {
        return Ok(Told::People("import-gone").at(&portal, &form.visitor, HERE));
    };
    let plan = plan(&portal, &people, &text)?;
    if plan.forbidden {
        people.refuse(&portal, "import").await?;
    }
    if !plan.mistakes.is_empty() || plan.digest() != form.fields.value("seen") {
        let told = portal.words.say_of("people_told", "import-stale", &[]);
        let page = render(&portal, &people, told, None, Some(plan))?;
        return Ok((StatusCode::CONFLICT, Html(page)).into_response());
    }
    let gone: Vec<_> = plan.steps.iter().filter_map(signed_out).collect();
    match people.change(&portal, plan.steps).await {
        Ok(()) => {}
        Err(StoreError::LastMau(_) | StoreError::Denied(_) | StoreError::Forbidden) => {
            return Ok(Told::People("import-refused").at(&portal, &form.visitor, HERE));
        }
        Err(error) => return Err(error.into()),
    }
    for user in gone {
        portal.ledger.end_sessions_of(user).await?;
    }
    people.forget_import(&portal).await?;
    Ok(Told::People("import-done").at(&portal, &form.visitor, "/people"))
}

/// Who is let in no more by the step.
fn signed_out(step: &DirectoryChange) -> Option<store::UserId> {
    match step {
        DirectoryChange::RemoveUser(user) | DirectoryChange::State(user, UserState::Suspended) => Some(*user),
        _ => None,
    }
}

fn render(
    portal: &Portal,
    people: &People,
    told: Option<String>,
    problem: Option<&str>,
    plan: Option<Plan>,
) -> Result<String, Problem> {
    let visitor = people.visitor();
    Ok(portal.words.page(&PeopleFile {
        frame: portal.frame(&portal.words.say("import.title", &[]), Some(visitor), Place::People),
        told,
        token: visitor.form_token().to_owned(),
        problem: problem.and_then(|key| portal.words.say_of("import_problem", key, &[])),
        preview: plan.map(|plan| preview(portal, &plan)),
    })?)
}

fn preview(portal: &Portal, plan: &Plan) -> ImportPreview {
    let found = plan.differences.len();
    ImportPreview {
        seen: plan.digest(),
        permissions: plan.kind == Kind::Permissions,
        mistakes: plan.mistakes.iter().map(|one| mistake(portal, one)).collect(),
        found,
        differences: plan.differences.iter().take(SHOWN).map(|one| difference(portal, one)).collect(),
        hidden: found.saturating_sub(SHOWN),
    }
}

fn mistake(portal: &Portal, mistake: &Mistake) -> ImportMistake {
    let value = [("value", mistake.value.as_str())];
    let says = portal.words.say_of("import_problem", mistake.key, &value);
    let says = says.or_else(|| portal.words.say_of("csv_problem", mistake.key, &value));
    let line = mistake.line.to_string();
    ImportMistake {
        place: match (mistake.line, mistake.column.as_str()) {
            (0, _) => portal.words.say("import.whole", &[]),
            (_, "") => portal.words.say("import.line", &[("line", &line)]),
            (_, column) => portal.words.say("import.line_column", &[("line", &line), ("column", column)]),
        },
        says: says.unwrap_or_default(),
    }
}

fn difference(portal: &Portal, one: &Difference) -> ImportDifference {
    ImportDifference {
        line: one.line,
        who: one.who.clone(),
        what: portal.words.say_of("import_what", one.what, &[]).unwrap_or_default(),
        before: one.before.clone(),
        after: one.after.clone(),
    }
}
