//! The calendars by which deadlines are reckoned: which processes go by which, and the holidays to come. They are rules,
//! changed as files; this page shows what stands.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;
use jiff::ToSpan;
use policies::Calendar;
use templates::pages::{CalendarCard, CalendarDay, Calendars};

use crate::access::{Visitor, market};
use crate::dates;
use crate::error::Problem;
use crate::portal::{Place, Portal};

/// Days ahead that are shown.
const AHEAD: i64 = 400;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Html<String>, Problem> {
    market::whole(&visitor)?;
    let rules = portal.rules();
    let calendars = rules.iter().flat_map(|rules| rules.calendars().all());
    Ok(Html(portal.words.page(&Calendars {
        frame: portal.frame(&portal.words.say("market.calendars", &[]), Some(&visitor), Place::Market),
        cards: calendars.map(|calendar| card(&portal, calendar)).collect(),
    })?))
}

fn card(portal: &Portal, calendar: &Calendar) -> CalendarCard {
    let today = dates::today(portal.ledger.now());
    let last = today.saturating_add(AHEAD.days());
    let catalogue = portal.catalogue();
    let by_it = catalogue.processes().filter(|process| process.calendar == *calendar.name());
    CalendarCard {
        name: calendar.name().as_str().to_owned(),
        version: calendar.version().to_owned(),
        processes: by_it.map(|process| process.name.clone()).collect(),
        days: calendar
            .holidays()
            .filter(|(day, _)| (today..=last).contains(day))
            .map(|(day, name)| CalendarDay { day: dates::day(day), name: name.to_owned() })
            .collect(),
    }
}
