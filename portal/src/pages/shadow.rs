//! What shadow mode counted, and how far Postern is let with each process: a company's page for its officers, and the
//! market's for its operator. Shows no mail and no address that is no mailbox.

mod stage;
mod tables;

use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, Response};
use jiff::ToSpan;
use jiff::civil::Date;
use templates::pages;

pub(crate) use self::stage::{ask, ask_market, set, set_market};
use crate::access::Visitor;
use crate::access::shadow::{self as access_shadow, Watch, Watched};
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};
use crate::sheet::FileForm;
use crate::told::Told;

/// Days that are shown when nobody asks for others.
const DAYS: i64 = 30;

/// Days of one report at most: counts are kept as long.
const MOST_DAYS: i32 = 400;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    show(&portal, &access_shadow::watch(&visitor, Watched::OwnGroup)?, &asked).await
}

pub(crate) async fn market(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    show(&portal, &access_shadow::watch(&visitor, Watched::Market)?, &asked).await
}

pub(crate) async fn csv(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &access_shadow::watch(&visitor, Watched::OwnGroup)?, &asked, FileForm::Csv).await
}

pub(crate) async fn json(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &access_shadow::watch(&visitor, Watched::OwnGroup)?, &asked, FileForm::Json).await
}

pub(crate) async fn market_csv(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &access_shadow::watch(&visitor, Watched::Market)?, &asked, FileForm::Csv).await
}

pub(crate) async fn market_json(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &access_shadow::watch(&visitor, Watched::Market)?, &asked, FileForm::Json).await
}

/// Where the pages of what is watched are.
fn path(watched: Watched) -> &'static str {
    match watched {
        Watched::OwnGroup => "/shadow",
        Watched::Market => "/market/shadow",
    }
}

async fn show(portal: &Portal, watch: &Watch, asked: &Asked) -> Result<Html<String>, Problem> {
    let (visitor, here) = (watch.visitor(), path(watch.watched()));
    let days = Days::asked(asked, last_days(portal));
    let rows = watch.report(portal, (days.first, days.last)).await?;
    let of_days = format!("first={}&last={}", days.first, days.last);
    Ok(Html(portal.words.page(&pages::Shadow {
        frame: portal.frame(&portal.words.say("shadow.menu", &[]), Some(visitor), Place::Shadow),
        market: watch.watched() == Watched::Market,
        company: visitor.company(),
        told: Told::in_words(portal, visitor, asked),
        stages: stage::rows(portal, watch),
        here: here.to_owned(),
        first: days.first.to_string(),
        last: days.last.to_string(),
        problem: days.wrong.then(|| portal.words.say("shadow.days_wrong", &[])),
        tables: tables::of(portal, visitor, &rows),
        csv: format!("{here}/counts.csv?{of_days}"),
        json: format!("{here}/counts.json?{of_days}"),
    })?))
}

async fn file(portal: &Portal, watch: &Watch, asked: &Asked, form: FileForm) -> Result<Response, Problem> {
    let days = Days::asked(asked, last_days(portal));
    let rows = watch.report(portal, (days.first, days.last)).await?;
    Ok(tables::sheet(&rows).file(&format!("shadow-{}-{}", days.first, days.last), form))
}

/// Counts are kept by days of UTC.
fn last_days(portal: &Portal) -> (Date, Date) {
    let today = portal.ledger.now().to_zoned(jiff::tz::TimeZone::UTC).date();
    (today.saturating_sub(DAYS.days()), today)
}

/// The days of a report.
struct Days {
    first: Date,
    last: Date,
    /// Others were asked for, and cannot be shown.
    wrong: bool,
}

impl Days {
    fn asked(asked: &Asked, usual: (Date, Date)) -> Self {
        let day = |name: &str| asked.value(name).map(str::parse::<Date>);
        let (first, last, wrong) = match (day("first"), day("last")) {
            (None, None) => (usual.0, usual.1, false),
            (Some(Ok(first)), Some(Ok(last))) if in_reach(first, last) => (first, last, false),
            _ => (usual.0, usual.1, true),
        };
        Self { first, last, wrong }
    }
}

fn in_reach(first: Date, last: Date) -> bool {
    let between = last.since((jiff::Unit::Day, first)).map(|span| span.get_days());
    between.is_ok_and(|days| (0..=MOST_DAYS).contains(&days))
}
