//! Figures by month, process, participant, counterparty, contact type and user: a company's page, and the market's by company. Read
//! from counters; no case is looked at, and nothing of any content is known here.

mod asked;
mod availability;
mod drawing;
mod sums;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{Html, Response};
use jiff::tz::TimeZone;
use store::Measure;
use templates::pages::{Figure, Report};

use self::asked::{By, Choice};
use self::sums::Sums;
use crate::access::Visitor;
use crate::access::figures::{self, Figures, Reach};
use crate::dates;
use crate::error::Problem;
use crate::forms::Asked;
use crate::portal::{Place, Portal};
use crate::sheet::{Cell, Column, FileForm, Sheet};

/// Rows of the table on the page; all of them are in the files.
const ROWS: usize = 60;

/// Rows of a report; what is more is told by choosing less. Keeps what a page holds bounded.
const MOST_ROWS: usize = 20_000;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    show(&portal, &figures::of_group(&visitor)?, &asked).await
}

pub(crate) async fn market(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    show(&portal, &figures::of_market(&visitor)?, &asked).await
}

pub(crate) async fn csv(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &figures::of_group(&visitor)?, &asked, FileForm::Csv).await
}

pub(crate) async fn json(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &figures::of_group(&visitor)?, &asked, FileForm::Json).await
}

pub(crate) async fn market_csv(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &figures::of_market(&visitor)?, &asked, FileForm::Csv).await
}

pub(crate) async fn market_json(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Response, Problem> {
    file(&portal, &figures::of_market(&visitor)?, &asked, FileForm::Json).await
}

/// What was counted, as it was asked for.
#[derive(Default)]
struct Read {
    all: Sums,
    months: BTreeMap<String, Sums>,
    rows: BTreeMap<String, Sums>,
    /// What has no row of its own because there are too many: it is counted all the same.
    rest: Sums,
}

async fn read(portal: &Portal, figures: &Figures, choice: &Choice) -> Result<Read, Problem> {
    let today = portal.ledger.now().to_zoned(TimeZone::UTC).date();
    let mut read = Read::default();
    for month in choice.months() {
        read.months.insert(month.to_string(), Sums::default());
    }
    let each = |group: &mail::GroupId, line: store::ReportLine| {
        if !choice.wants(group, &line) {
            return;
        }
        read.all.add(&line, today);
        match line.of.measure {
            Measure::Open => {
                for month in choice.months().filter(|month| *month >= line.month) {
                    read.months.entry(month.to_string()).or_default().add(&line, today);
                }
            }
            _ => read.months.entry(line.month.to_string()).or_default().add(&line, today),
        }
        match choice.row(group, &line) {
            Some(row) if read.rows.len() < MOST_ROWS || read.rows.contains_key(&row) => {
                read.rows.entry(row).or_default().add(&line, today);
            }
            Some(_) => read.rest.add(&line, today),
            None => {}
        }
    };
    figures.read(portal, (choice.first, choice.last), each).await?;
    if choice.by == By::Month {
        read.rows.clone_from(&read.months);
    }
    read.rows.retain(|_, sums| choice.by == By::Month || !sums.is_empty());
    Ok(read)
}

async fn show(portal: &Portal, figures: &Figures, asked: &Asked) -> Result<Html<String>, Problem> {
    let (visitor, words) = (figures.visitor(), &portal.words);
    let choice = Choice::asked(portal, figures, asked);
    let read = read(portal, figures, &choice).await?;
    let sheet = sheet(portal, figures, &choice, &read);
    let heading = match figures.reach() {
        Reach::Own(_) => words.say("report.title_own", &[]),
        Reach::Group => words.say("report.title", &[("company", &visitor.company())]),
        Reach::Market => words.say("report.title_market", &[]),
    };
    let availability = match figures.reach() {
        Reach::Market => Some(availability::of(portal, &choice).await?),
        Reach::Own(_) | Reach::Group => None,
    };
    let here = here(figures.reach());
    Ok(Html(portal.words.page(&Report {
        frame: portal.frame(&words.say("report.menu", &[]), Some(visitor), Place::Reports),
        heading,
        says: since(portal).await?,
        here,
        first: choice.first.to_string(),
        last: choice.last.to_string(),
        problem: choice.wrong.then(|| words.say("report.months_wrong", &[])),
        filters: choice.filters(portal, figures),
        figures: key_figures(portal, figures.reach(), &read.all),
        charts: drawing::charts(portal, figures.reach(), &read),
        table: sheet.table(choice.by.caption(portal), ROWS),
        csv: format!("{here}/figures.csv?{}", choice.query()),
        json: format!("{here}/figures.json?{}", choice.query()),
        availability,
    })?))
}

async fn file(
    portal: &Portal,
    figures: &Figures,
    asked: &Asked,
    form: FileForm,
) -> Result<Response, Problem> {
    let choice = Choice::asked(portal, figures, asked);
    let read = read(portal, figures, &choice).await?;
    let name = format!("report-{}-{}-by-{}", choice.first, choice.last, choice.by.word());
    Ok(sheet(portal, figures, &choice, &read).file(&name, form))
}

fn here(reach: Reach) -> &'static str {
    match reach {
        Reach::Own(_) | Reach::Group => "/reports",
        Reach::Market => "/market/reports",
    }
}

async fn since(portal: &Portal) -> Result<String, Problem> {
    Ok(match portal.ledger.reports_since().await? {
        Some(since) => {
            let day = dates::day(dates::today(since));
            portal.words.say("report.since", &[("day", &day)])
        }
        None => portal.words.say("report.counted", &[]),
    })
}

fn key_figures(portal: &Portal, reach: Reach, all: &Sums) -> Vec<Figure> {
    let word = |key: &str| portal.words.say_of("report", key, &[]).unwrap_or_default();
    let figure = |key: &str, value: String, note: String| Figure { label: word(key), value, note };
    let share = all.late_share().map(|share| format!("{share} %"));
    let days = |days: Option<u64>| days.map_or_else(|| "–".to_owned(), |days| days.to_string());
    let of_answers = share.map(|share| portal.words.say("report.of_answers", &[("share", &share)]));
    let mut figures = vec![
        figure("sent", all.sent.to_string(), String::new()),
        figure("in_time", all.in_time.to_string(), String::new()),
        figure("late", all.late.to_string(), of_answers.unwrap_or_default()),
        figure("median", days(all.percentile(50)), word("working_days")),
        figure("p90", days(all.percentile(90)), word("working_days")),
    ];
    if matches!(reach, Reach::Group | Reach::Market) {
        figures.insert(1, figure("received", all.received.to_string(), String::new()));
        figures.push(figure("unanswered", all.unanswered.to_string(), String::new()));
        figures.push(figure("open", all.open.max(0).to_string(), word("open_note")));
    }
    figures
}

/// The rows, with names for files and for people.
fn sheet(portal: &Portal, figures: &Figures, choice: &Choice, read: &Read) -> Sheet {
    let whole = !matches!(figures.reach(), Reach::Own(_)) && choice.by != By::User && choice.user.is_none();
    let keys = [
        "sent",
        "received",
        "assigned",
        "in_time",
        "late",
        "unanswered",
        "escalated",
        "median",
        "p90",
        "open",
    ];
    // What nobody did is no person's figure.
    let of_person = |key: &&str| whole || !["received", "unanswered", "escalated", "open"].contains(key);
    let keys: Vec<&'static str> = keys.into_iter().filter(of_person).collect();
    let label = |key: &str| portal.words.say_of("report", key, &[]).unwrap_or_else(|| key.to_owned());
    let head = Column { key: choice.by.word(), label: choice.by.label(portal) };
    let columns = keys.iter().map(|key| Column { key, label: label(key) });
    let row = |name: String, sums: &Sums| {
        let head = Cell::from(name);
        let cells = keys.iter().map(|key| match *key {
            "sent" => Cell::from(sums.sent),
            "received" => Cell::from(sums.received),
            "assigned" => Cell::from(sums.assigned),
            "in_time" => Cell::from(sums.in_time),
            "late" => Cell::from(sums.late),
            "unanswered" => Cell::from(sums.unanswered),
            "escalated" => Cell::from(sums.escalated),
            "median" => Cell::from(sums.percentile(50)),
            "p90" => Cell::from(sums.percentile(90)),
            _ => Cell::from(u64::try_from(sums.open).unwrap_or_default()),
        });
        [head].into_iter().chain(cells).collect()
    };
    let named = read.rows.iter().map(|(name, sums)| row(choice.by.shown(portal, figures, name), sums));
    let rest = (!read.rest.is_empty()).then(|| row(label("rest"), &read.rest));
    Sheet { columns: [head].into_iter().chain(columns).collect(), rows: named.chain(rest).collect() }
}
