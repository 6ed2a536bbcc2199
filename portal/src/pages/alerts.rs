//! The pages "Alerts": when one is told of what waits, and what holds for a company's people who chose nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};
use mail::ProcessId;
use policies::access::Action;
use store::{AlertPace, AlertRule, Alerts, AlertsOf};
use templates::pages::{self, AlertProcess, NoticeStyleForm, RuleChoice};

use crate::access::Visitor;
use crate::access::alerts;
use crate::error::Problem;
use crate::forms::{Asked, Fields, Form};
use crate::portal::{Place, Portal};
use crate::told::Told;

const OWN: &str = "/account/alerts";
pub(super) const COMPANY: &str = "/company/alerts";

/// Times to choose from: minutes of the day.
const TIMES: [(u16, &str, &str); 3] = [(480, "480", "08:00"), (720, "720", "12:00"), (960, "960", "16:00")];

/// A rule as a form writes it.
const RULES: [(&str, AlertPace, AlertsOf); 5] = [
    ("never", AlertPace::Never, AlertsOf::All),
    ("at-once-all", AlertPace::AtOnce, AlertsOf::All),
    ("at-once-own", AlertPace::AtOnce, AlertsOf::Own),
    ("digest-all", AlertPace::Digest, AlertsOf::All),
    ("digest-own", AlertPace::Digest, AlertsOf::Own),
];

const PACES: [(&str, AlertPace); 3] =
    [("at-once", AlertPace::AtOnce), ("digest", AlertPace::Digest), ("never", AlertPace::Never)];

/// What is chosen, and what is said about it.
struct Shown {
    /// None: as the company has it.
    chosen: Option<Alerts>,
    told: Option<String>,
    problem: Option<String>,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let own = alerts::own(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    own_page(&portal, &own, Shown { chosen: own.chosen(&portal), told, problem: None })
}

pub(crate) async fn choose(State(portal): State<Arc<Portal>>, form: Form) -> Result<Response, Problem> {
    let own = alerts::own(&form.visitor)?;
    let chosen = match form.fields.value("pace") {
        "company" => None,
        _ => Some(read(&form.fields, &own.processes(&portal))?),
    };
    if chosen.as_ref().is_some_and(has_no_time) {
        let problem = Some(portal.words.say("alerts.no_time", &[]));
        let page = own_page(&portal, &own, Shown { chosen, told: None, problem })?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    own.choose(&portal, chosen).await?;
    Ok(Told::AlertsSet.at(&portal, &form.visitor, OWN))
}

pub(crate) async fn company_page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    asked: Asked,
) -> Result<Html<String>, Problem> {
    let company = alerts::of_company(&visitor)?;
    let told = Told::in_words(&portal, &visitor, &asked);
    let chosen = Some(company.chosen(&portal));
    render_company(&portal, &company, Shown { chosen, told, problem: None }, style_of(&portal, &company))
}

pub(crate) async fn choose_for_company(
    State(portal): State<Arc<Portal>>,
    form: Form,
) -> Result<Response, Problem> {
    let company = alerts::of_company(&form.visitor)?;
    let chosen = read(&form.fields, &company.processes(&portal))?;
    if has_no_time(&chosen) {
        let problem = Some(portal.words.say("alerts.no_time", &[]));
        let shown = Shown { chosen: Some(chosen), told: None, problem };
        let page = render_company(&portal, &company, shown, style_of(&portal, &company))?;
        return Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response());
    }
    company.choose(&portal, chosen).await?;
    Ok(Told::AlertsSet.at(&portal, &form.visitor, COMPANY))
}

/// The page of the company where something is wrong with the look of its notices.
pub(super) fn company_page_with(
    portal: &Portal,
    company: &alerts::CompanyAlerts,
    style: NoticeStyleForm,
) -> Result<Html<String>, Problem> {
    let chosen = Some(company.chosen(portal));
    render_company(portal, company, Shown { chosen, told: None, problem: None }, style)
}

fn style_of(portal: &Portal, company: &alerts::CompanyAlerts) -> NoticeStyleForm {
    let style = company.style(portal);
    NoticeStyleForm { phrase: style.phrase.unwrap_or_default(), link_free: style.link_free, problem: None }
}

fn own_page(portal: &Portal, own: &alerts::OwnAlerts, shown: Shown) -> Result<Html<String>, Problem> {
    let visitor = own.visitor();
    let company = own.of_company(portal);
    let follow = RuleChoice {
        value: "company",
        label: portal.words.say("alerts.as_company", &[("rule", &in_words(portal, &company))]),
        chosen: shown.chosen.is_none(),
    };
    let known = shown.chosen.clone().unwrap_or(company);
    Ok(Html(portal.words.page(&pages::Alerts {
        frame: portal.frame(&portal.words.say("alerts.title", &[]), Some(visitor), Place::Account),
        told: shown.told,
        problem: shown.problem,
        token: visitor.form_token().to_owned(),
        action: OWN,
        company: None,
        style: None,
        company_link: visitor.may(Action::SetCompanyAlerts).then_some(COMPANY),
        email: visitor.email().to_string(),
        paces: std::iter::once(follow).chain(paces(portal, &known, shown.chosen.is_some())).collect(),
        times: times(&known),
        whose: whose(portal, &known),
        processes: processes(portal, &known, &own.processes(portal)),
        differ: !known.processes.is_empty(),
    })?))
}

fn render_company(
    portal: &Portal,
    company: &alerts::CompanyAlerts,
    shown: Shown,
    style: NoticeStyleForm,
) -> Result<Html<String>, Problem> {
    let visitor = company.visitor();
    let known = shown.chosen.unwrap_or_default();
    Ok(Html(portal.words.page(&pages::Alerts {
        frame: portal.frame(&portal.words.say("alerts.company_title", &[]), Some(visitor), Place::Account),
        told: shown.told,
        problem: shown.problem,
        token: visitor.form_token().to_owned(),
        action: COMPANY,
        company: Some(visitor.company()),
        style: Some(style),
        company_link: None,
        email: visitor.email().to_string(),
        paces: paces(portal, &known, true).collect(),
        times: times(&known),
        whose: whose(portal, &known),
        processes: processes(portal, &known, &company.processes(portal)),
        differ: !known.processes.is_empty(),
    })?))
}

fn paces<'a>(portal: &'a Portal, known: &Alerts, own: bool) -> impl Iterator<Item = RuleChoice> + use<'a> {
    let pace = known.every.pace;
    PACES.into_iter().map(move |(value, choice)| RuleChoice {
        value,
        label: portal.words.say_of("alert_pace", &value.replace('-', "_"), &[]).unwrap_or_default(),
        chosen: own && choice == pace,
    })
}

fn times(known: &Alerts) -> Vec<RuleChoice> {
    // A first digest has a time already, so that choosing one is one click.
    let chosen = |minute| match known.times.is_empty() {
        true => minute == TIMES[0].0,
        false => known.times.contains(&minute),
    };
    let time = |(minute, value, label): (u16, _, &str)| RuleChoice {
        value,
        label: label.to_owned(),
        chosen: chosen(minute),
    };
    TIMES.into_iter().map(time).collect()
}

fn whose(portal: &Portal, known: &Alerts) -> Vec<RuleChoice> {
    let choice =
        |value, label: String, whose| RuleChoice { value, label, chosen: known.every.whose == whose };
    vec![
        choice("all", portal.words.say("alerts.all", &[]), AlertsOf::All),
        choice("own", portal.words.say("alerts.own", &[]), AlertsOf::Own),
    ]
}

fn processes(portal: &Portal, known: &Alerts, processes: &[ProcessId]) -> Vec<AlertProcess> {
    let catalogue = portal.catalogue();
    let of = |process: &ProcessId| {
        let rule = known.processes.iter().find(|(id, _)| id == process).map(|(_, rule)| *rule);
        let same =
            RuleChoice { value: "", label: portal.words.say("alerts.as_above", &[]), chosen: rule.is_none() };
        let choice = |(value, pace, whose): (&'static str, _, _)| RuleChoice {
            value,
            label: portal.words.say_of("alert_rule", &value.replace('-', "_"), &[]).unwrap_or_default(),
            chosen: rule == Some(AlertRule { pace, whose }),
        };
        AlertProcess {
            field: field(process),
            name: catalogue.process(process).map_or_else(|| process.to_string(), |known| known.name.clone()),
            choices: std::iter::once(same).chain(RULES.into_iter().map(choice)).collect(),
        }
    };
    processes.iter().map(of).collect()
}

fn field(process: &ProcessId) -> String {
    format!("for-{process}")
}

/// What a form says; a word that is not on the page is no form of ours.
fn read(fields: &Fields, processes: &[ProcessId]) -> Result<Alerts, Problem> {
    let pace = PACES.into_iter().find(|(word, _)| *word == fields.value("pace"));
    let (_, pace) = pace.ok_or(Problem::BadForm)?;
    let whose = match fields.value("whose") {
        "own" => AlertsOf::Own,
        "all" => AlertsOf::All,
        _ => return Err(Problem::BadForm),
    };
    let asked: Vec<_> = fields.values("time").collect();
    let times = TIMES.into_iter().filter(|(_, value, _)| asked.contains(value)).map(|(minute, ..)| minute);
    let mut rules = Vec::new();
    for process in processes {
        let field = field(process);
        let word = fields.value(&field);
        if word.is_empty() {
            continue;
        }
        let rule = RULES.into_iter().find(|(known, ..)| *known == word).ok_or(Problem::BadForm)?;
        rules.push((process.clone(), AlertRule { pace: rule.1, whose: rule.2 }));
    }
    Ok(Alerts { times: times.collect(), every: AlertRule { pace, whose }, processes: rules })
}

fn has_no_time(alerts: &Alerts) -> bool {
    let mut paces = alerts.processes.iter().map(|(_, rule)| rule.pace).chain([alerts.every.pace]);
    alerts.times.is_empty() && paces.any(|pace| pace == AlertPace::Digest)
}

/// `digest at 08:00 and 16:00, every case you may read`
fn in_words(portal: &Portal, alerts: &Alerts) -> String {
    let whose = match alerts.every.whose {
        AlertsOf::All => portal.words.say("alerts.all", &[]),
        AlertsOf::Own => portal.words.say("alerts.own", &[]),
    };
    let said = match alerts.every.pace {
        AlertPace::Never => return portal.words.say("alerts.rule_never", &[]),
        AlertPace::AtOnce => portal.words.say("alerts.rule_at_once", &[]),
        AlertPace::Digest => {
            let times: Vec<_> = alerts.times.iter().map(|minute| clock(*minute)).collect();
            portal.words.say("alerts.rule_digest", &[("times", &times.join(", "))])
        }
    };
    format!("{said}, {}", whose.to_lowercase())
}

fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}
