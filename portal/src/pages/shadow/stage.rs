//! Promotion and demotion, process by process: what stands, a page that asks, and the change itself, which is recorded and
//! can be taken back.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, Response};
use mail::ProcessId;
use store::{Scope, Stage, StageSetting};
use templates::pages::{Figure, Mark, ProcessStage, StageQuestion, Step};

use super::{last_days, path};
use crate::access::Visitor;
use crate::access::shadow::{self as access_shadow, Watch, Watched};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Asked, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

/// What can be done about a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Change {
    Promote,
    Demote,
    /// Back to what is set for the wider scope.
    Unset,
}

impl Change {
    fn read(word: &str) -> Option<Self> {
        [Self::Promote, Self::Demote, Self::Unset].into_iter().find(|change| change.word() == word)
    }

    fn word(self) -> &'static str {
        match self {
            Self::Promote => "live",
            Self::Demote => "shadow",
            Self::Unset => "unset",
        }
    }

    fn stage(self) -> Option<Stage> {
        match self {
            Self::Promote => Some(Stage::Live),
            Self::Demote => Some(Stage::Shadow),
            Self::Unset => None,
        }
    }
}

/// The processes of the catalogue, and everything else.
pub(super) fn rows(portal: &Portal, watch: &Watch) -> Vec<ProcessStage> {
    let catalogue = portal.catalogue();
    let processes = catalogue.processes().map(|process| (Some(&process.id), process.name.clone()));
    let others = (None, portal.words.say("shadow.other_mail", &[]));
    processes.chain([others]).map(|(id, name)| row(portal, watch, id, name)).collect()
}

fn row(portal: &Portal, watch: &Watch, process: Option<&ProcessId>, name: String) -> ProcessStage {
    let nearest = watch.nearest(process);
    let stage = nearest.map_or(portal.default_stage(), |setting| setting.stage);
    let (label, state) = match stage {
        Stage::Live => (portal.words.say("shadow.live", &[]), "good"),
        Stage::Shadow => (portal.words.say("shadow.watched", &[]), "soon"),
    };
    let other = match stage {
        Stage::Live => (Change::Demote, portal.words.say("shadow.demote", &[])),
        Stage::Shadow => (Change::Promote, portal.words.say("shadow.promote", &[])),
    };
    let back = watch.set(process).map(|_| (Change::Unset, portal.words.say("shadow.unset", &[])));
    let id = process.map(ProcessId::as_str).unwrap_or_default();
    let step = |(change, label): (Change, String)| Step {
        href: format!("{}/stage?process={id}&to={}", path(watch.watched()), change.word()),
        label,
    };
    ProcessStage {
        process: name,
        standing: Mark { label, state },
        by: set_by(portal, nearest),
        since: nearest.map(|setting| dates::when(setting.since)),
        steps: [other].into_iter().chain(back).map(step).collect(),
    }
}

fn set_by(portal: &Portal, setting: Option<&StageSetting>) -> String {
    let Some(StageSetting { scope: Scope { group, process }, .. }) = setting else {
        return portal.words.say("shadow.by_default", &[]);
    };
    match (group.is_some(), process.is_some()) {
        (true, true) => portal.words.say("shadow.by_company", &[]),
        (true, false) => portal.words.say("shadow.by_all_of_company", &[]),
        (false, true) => portal.words.say("shadow.by_market", &[]),
        (false, false) => portal.words.say("shadow.by_all", &[]),
    }
}

pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    question(&portal, &access_shadow::watch(&visitor, Watched::OwnGroup)?, &asked).await
}

pub(crate) async fn ask_market(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    question(&portal, &access_shadow::watch(&visitor, Watched::Market)?, &asked).await
}

async fn question(portal: &Portal, watch: &Watch, asked: &Asked) -> Result<Html<String>, Problem> {
    let (process, name) = named(portal, asked.value("process").unwrap_or_default())?;
    let change = asked.value("to").and_then(Change::read).ok_or(Problem::NotFound)?;
    let visitor = watch.visitor();
    let (heading, says, button) = in_words(portal, change, &name);
    Ok(Html(portal.words.page(&StageQuestion {
        frame: portal.frame(&heading, Some(visitor), Place::Shadow),
        back: path(watch.watched()).to_owned(),
        heading,
        says: vec![says, portal.words.say("shadow.says_recorded", &[])],
        counted: counted(portal, watch, process.as_ref()).await?,
        action: format!("{}/stage", path(watch.watched())),
        token: visitor.form_token().to_owned(),
        process: process.map(|id| id.to_string()).unwrap_or_default(),
        to: change.word(),
        button,
    })?))
}

fn in_words(portal: &Portal, change: Change, name: &str) -> (String, String, String) {
    let words = &portal.words;
    let of = [("process", name)];
    match change {
        Change::Promote => (
            words.say("shadow.ask_promote", &of),
            words.say("shadow.says_promote", &[]),
            words.say("shadow.do_promote", &[]),
        ),
        Change::Demote => (
            words.say("shadow.ask_demote", &of),
            words.say("shadow.says_demote", &[]),
            words.say("shadow.do_demote", &[]),
        ),
        Change::Unset => (
            words.say("shadow.ask_unset", &of),
            words.say("shadow.says_unset", &[]),
            words.say("shadow.do_unset", &[]),
        ),
    }
}

/// What would have become of mail to mapped mailboxes of this process in the last days.
async fn counted(
    portal: &Portal,
    watch: &Watch,
    process: Option<&ProcessId>,
) -> Result<Vec<Figure>, Problem> {
    let Some(process) = process else { return Ok(Vec::new()) };
    let rows = watch.report(portal, last_days(portal)).await?;
    let mut by_verdict = BTreeMap::<&str, u64>::new();
    for row in &rows.mailboxes {
        if let [_, verdict, of] = row.of.as_slice()
            && of == process.as_str()
        {
            *by_verdict.entry(verdict).or_default() += row.count;
        }
    }
    let figure = |(verdict, count): (&str, u64)| Figure {
        label: portal.words.say_of("verdict", verdict, &[]).unwrap_or_else(|| verdict.to_owned()),
        value: count.to_string(),
        note: String::new(),
    };
    Ok(by_verdict.into_iter().map(figure).collect())
}

/// A process of the catalogue, or what is of none.
fn named(portal: &Portal, id: &str) -> Result<(Option<ProcessId>, String), Problem> {
    if id.is_empty() {
        return Ok((None, portal.words.say("shadow.other_mail", &[])));
    }
    let id: ProcessId = id.parse().map_err(|_| Problem::NotFound)?;
    let name = portal.catalogue().process(&id).map(|process| process.name.clone());
    Ok((Some(id), name.ok_or(Problem::NotFound)?))
}

pub(crate) async fn set(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let watch = access_shadow::watch(&form.visitor, Watched::OwnGroup)?;
    done(&portal, &watch, &form).await
}

pub(crate) async fn set_market(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let watch = access_shadow::watch(&form.visitor, Watched::Market)?;
    done(&portal, &watch, &form).await
}

async fn done(portal: &Portal, watch: &Watch, form: &Form) -> Result<Response, Problem> {
    let (process, _) = named(portal, form.fields.value("process"))?;
    let change = Change::read(form.fields.value("to")).ok_or(Problem::BadForm)?;
    watch.change(portal, process.as_ref(), change.stage()).await?;
    Ok(Told::StageSet(change.stage()).at(portal, &form.visitor, path(watch.watched())))
}
