//! The participants of a company: entered, changed, taken out, and moved to another company from a day on.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use jiff::civil::Date;
use mail::Mpid;
use store::{DirectoryChange, Fuel, Group, Move, Participant};
use templates::pages::{Choice, NewParticipant, ParticipantRow};

use super::company::{Again, page_again, told};
use super::{name, refused};
use crate::access::market::{self, Market};
use crate::dates;
use crate::error::Problem;
use crate::forms::{Fields, Form};
use crate::portal::Portal;

const FUELS: [(&str, Option<Fuel>); 4] = [
    ("", None),
    ("electricity", Some(Fuel::Electricity)),
    ("gas", Some(Fuel::Gas)),
    ("dual", Some(Fuel::Dual)),
];

pub(super) fn rows(portal: &Portal, market: &Market, group: &Group) -> Vec<ParticipantRow> {
    let row = |known: &Participant| ParticipantRow {
        mpid: known.mpid.to_string(),
        name: known.name.clone(),
        role: role_name(&known.role),
        fuel: fuel_name(portal, known.fuel),
        moving: known.moving.as_ref().map(|moving| {
            let from = dates::when(moving.from).text;
            let to = market.visitor().group_name(&moving.to);
            portal.words.say("market.moves", &[("company", &to), ("from", &from)])
        }),
    };
    market.participants(&group.id).map(row).collect()
}

pub(super) fn fresh(portal: &Portal, again: &Again) -> NewParticipant {
    let (role, fuel) = (again.typed("role", ""), again.typed("fuel", ""));
    let choice = |value: &str, label: String, chosen: &str| Choice {
        value: value.to_owned(),
        label,
        chosen: value == chosen,
    };
    NewParticipant {
        mpid: again.typed("mpid", ""),
        name: again.typed("participant", ""),
        roles: roles(portal).iter().map(|known| choice(known, role_name(known), &role)).collect(),
        fuels: fuels(portal).map(|(word, known)| choice(word, fuel_name(portal, *known), &fuel)).collect(),
        mpid_problem: again.problem(portal, "mpid"),
        name_problem: again.problem(portal, "participant"),
        move_problem: again.problem(portal, "move"),
    }
}

/// The roles that take part in some process.
fn roles(portal: &Portal) -> BTreeSet<String> {
    portal.catalogue().processes().flat_map(|process| process.roles.clone()).collect()
}

fn role_name(role: &str) -> String {
    role.replace('-', " ")
}

/// Where nothing is filed under a branch of the market, nobody has a fuel.
fn fuels(portal: &Portal) -> impl Iterator<Item = &'static (&'static str, Option<Fuel>)> {
    let branched = portal.catalogue().processes().any(|process| process.branch.is_some());
    FUELS.iter().filter(move |_| branched)
}

fn fuel_name(portal: &Portal, fuel: Option<Fuel>) -> String {
    let word = FUELS.iter().find(|(_, known)| *known == fuel).map_or("", |(word, _)| word);
    let key = if word.is_empty() { "none" } else { word };
    portal.words.say_of("market_fuel", key, &[]).unwrap_or_default()
}

pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    Path(id): Path<String>,
    form: Form,
) -> Result<Response, Problem> {
    let market = market::whole(&form.visitor)?;
    let group = market.group(&id)?;
    let fields = &form.fields;
    let step = match fields.value("do") {
        "add" => added(&portal, &market, group, fields),
        "remove" => known(&market, group, fields)
            .map(|known| (DirectoryChange::RemoveParticipant(known.mpid.clone()), "participant-removed")),
        "stay" => known(&market, group, fields)
            .map(|known| (DirectoryChange::MoveParticipant(known.mpid.clone(), None), "move-cancelled")),
        "move" => moved(&portal, &market, group, fields),
        _ => return Err(Problem::BadForm),
    };
    let (change, done) = match step {
        Ok(step) => step,
        Err(problems) => {
            let typed = |name| fields.value(name).trim().to_owned();
            let again = Again {
                fields: vec![
                    ("mpid", typed("mpid")),
                    ("participant", typed("participant")),
                    ("role", typed("role")),
                    ("fuel", typed("fuel")),
                ],
                problems,
            };
            return page_again(&portal, &market, group, &again);
        }
    };
    match market.change(&portal, vec![change]).await {
        Ok(()) => told(&portal, &market, &id, done),
        Err(error) => told(&portal, &market, &id, refused(error)?),
    }
}

/// A step and what to say of it, or fields and what is wrong with them.
type Step = Result<(DirectoryChange, &'static str), Vec<(&'static str, &'static str)>>;

fn known<'m>(
    market: &'m Market,
    group: &Group,
    fields: &Fields,
) -> Result<&'m Participant, Vec<(&'static str, &'static str)>> {
    let known = market.participant(fields.value("mpid")).filter(|known| known.group == group.id);
    known.ok_or_else(|| vec![("mpid", "mpid")])
}

fn added(portal: &Portal, market: &Market, group: &Group, fields: &Fields) -> Step {
    let (mpid, role) = (fields.value("mpid").trim().to_uppercase(), fields.value("role"));
    let mut problems = Vec::new();
    let id = mpid.parse::<Mpid>().ok();
    if id.is_none() {
        problems.push(("mpid", "mpid"));
    }
    if market.participant(&mpid).is_some_and(|known| known.group != group.id) {
        problems.push(("mpid", "mpid-taken"));
    }
    let name = name(fields.value("participant"));
    if name.is_none() {
        problems.push(("participant", "name"));
    }
    let fuel = FUELS.iter().find(|(word, _)| *word == fields.value("fuel"));
    let role = roles(portal).into_iter().find(|known| known == role);
    match (id, name, role, fuel) {
        (Some(id), Some(name), Some(role), Some((_, fuel))) if problems.is_empty() => {
            let before = market.participant(id.as_str()).cloned();
            let before = before
                .unwrap_or_else(|| Participant::new(id, group.id.clone(), String::new(), String::new()));
            let after = Participant { name, role, fuel: *fuel, ..before };
            Ok((DirectoryChange::Participant(after), "participant-saved"))
        }
        _ => Err(problems),
    }
}

fn moved(portal: &Portal, market: &Market, group: &Group, fields: &Fields) -> Step {
    let known = known(market, group, fields)?;
    let to = market.group(fields.value("to")).ok().filter(|to| to.id != group.id);
    let day = fields.value("from").parse::<Date>().ok();
    let from = day.and_then(dates::beginning).filter(|from| *from > portal.ledger.now());
    match (to, from) {
        (Some(to), Some(from)) => {
            let arranged = Move { to: to.id.clone(), from };
            Ok((DirectoryChange::MoveParticipant(known.mpid.clone(), Some(arranged)), "move-arranged"))
        }
        _ => Err(vec![("move", "move")]),
    }
}
