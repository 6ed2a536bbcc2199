//! The files of calendars and of one-off holidays: their raw forms, and the way from them to dates, with each mistake
//! named at its line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{
    civil::{Date, Time},
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::Deserialize;
use toml::{Spanned, value::Datetime};

use super::{Calendar, CalendarName, is_weekend, long};
use crate::{PolicyError, source::Source};

const NAME_MAX: usize = 60;
const ID_MAX: usize = 40;
const VERSION_MAX: usize = 30;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawCalendar {
    name: Spanned<String>,
    version: Spanned<String>,
    zone: Spanned<String>,
    cut_off: Spanned<String>,
    holidays: Spanned<Vec<RawHoliday>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHoliday {
    date: Spanned<Datetime>,
    name: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOneOffs {
    version: Spanned<String>,
    #[serde(default, rename = "holiday")]
    holidays: Vec<RawOneOff>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOneOff {
    date: Spanned<Datetime>,
    name: Spanned<String>,
    calendars: Spanned<Vec<Spanned<String>>>,
}

impl CalendarName {
    pub(crate) fn parse(source: Source<'_>, key: &str, raw: &Spanned<String>) -> Result<Self, PolicyError> {
        let name = raw.as_ref();
        let letters = name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if letters && !name.is_empty() && name.len() <= ID_MAX {
            return Ok(Self(name.clone()));
        }
        let problem = format!("{name:?} is no name of a calendar");
        let remedy = format!("write 1 to {ID_MAX} lower-case letters, digits and hyphens");
        Err(source.error(raw.span(), key, problem, remedy))
    }
}

pub(super) fn calendar(file: &str, text: &str) -> Result<Calendar, PolicyError> {
    let source = Source::new(file, text);
    let raw: RawCalendar = source.read()?;
    let holidays = holidays(source, &raw.holidays)?;
    let (Some(first), Some(last)) = (holidays.keys().next(), holidays.keys().next_back()) else {
        let remedy = "list the holidays of each year the calendar is to be right for";
        return Err(source.error(raw.holidays.span(), "holidays", "no holiday is listed", remedy));
    };
    Ok(Calendar {
        name: CalendarName::parse(source, "name", &raw.name)?,
        version: source.words("version", &raw.version, VERSION_MAX)?,
        zone: zone(source, &raw.zone)?,
        cut_off: cut_off(source, &raw.cut_off)?,
        known: (first.year(), last.year()),
        holidays,
    })
}

/// Adds the holidays of the file to the calendars that they name.
pub(super) fn one_offs(
    file: &str,
    text: &str,
    calendars: &mut BTreeMap<CalendarName, Calendar>,
) -> Result<(), PolicyError> {
    let source = Source::new(file, text);
    let raw: RawOneOffs = source.read()?;
    let version = source.words("version", &raw.version, VERSION_MAX)?;
    let mut touched = BTreeSet::new();
    for entry in &raw.holidays {
        let date = holiday(source, &entry.date)?;
        let name = source.words("name", &entry.name, NAME_MAX)?;
        if entry.calendars.as_ref().is_empty() {
            let remedy = "name the calendars that keep it";
            return Err(source.error(
                entry.calendars.span(),
                "calendars",
                "nobody keeps the holiday",
                remedy,
            ));
        }
        for kept_by in entry.calendars.as_ref() {
            let key = CalendarName::parse(source, "calendars", kept_by)?;
            let known: Vec<&str> = calendars.keys().map(CalendarName::as_str).collect();
            let remedy = format!("use one of {}", known.join(", "));
            let Some(calendar) = calendars.get_mut(&key) else {
                let problem = format!("there is no calendar {}", key.as_str());
                return Err(source.error(kept_by.span(), "calendars", problem, remedy));
            };
            if let Some(listed) = calendar.holidays.insert(date, name.clone()) {
                let problem = format!("{date} is {listed} there already");
                let remedy = "leave the calendar out, or correct the date";
                return Err(source.error(kept_by.span(), "calendars", problem, remedy));
            }
            touched.insert(key);
        }
    }
    for calendar in touched.iter().filter_map(|name| calendars.remove(name)).collect::<Vec<_>>() {
        let version = format!("{} with {version}", calendar.version);
        calendars.insert(calendar.name.clone(), Calendar { version, ..calendar });
    }
    Ok(())
}

fn zone(source: Source<'_>, raw: &Spanned<String>) -> Result<TimeZone, PolicyError> {
    TimeZoneDatabase::bundled().get(raw.as_ref()).map_err(|_| {
        let problem = format!("{:?} is no time zone", raw.as_ref());
        let remedy = "use a name of the IANA tz database, such as \"Europe/London\"";
        source.error(raw.span(), "zone", problem, remedy)
    })
}

fn cut_off(source: Source<'_>, raw: &Spanned<String>) -> Result<Time, PolicyError> {
    Time::strptime("%H:%M", raw.as_ref()).map_err(|_| {
        let problem = format!("{:?} is no time of day", raw.as_ref());
        source.error(raw.span(), "cut_off", problem, "write hours and minutes, such as \"17:00\"")
    })
}

fn holidays(
    source: Source<'_>,
    raw: &Spanned<Vec<RawHoliday>>,
) -> Result<BTreeMap<Date, String>, PolicyError> {
    let mut all = BTreeMap::new();
    for entry in raw.as_ref() {
        let date = holiday(source, &entry.date)?;
        let name = source.words("name", &entry.name, NAME_MAX)?;
        if all.insert(date, name).is_some() {
            let problem = format!("{date} is there twice");
            return Err(source.error(entry.date.span(), "date", problem, "keep one of the two"));
        }
    }
    Ok(all)
}

fn holiday(source: Source<'_>, raw: &Spanned<Datetime>) -> Result<Date, PolicyError> {
    let plain = match raw.as_ref() {
        Datetime { date: Some(day), time: None, offset: None } => Some(day),
        _ => None,
    };
    let date = plain.and_then(|day| {
        let (month, number) = (i8::try_from(day.month).ok()?, i8::try_from(day.day).ok()?);
        Date::new(i16::try_from(day.year).ok()?, month, number).ok()
    });
    let Some(date) = date else {
        let problem = format!("{} is no date", raw.as_ref());
        return Err(source.error(raw.span(), "date", problem, "write a date such as 2027-12-27"));
    };
    if is_weekend(date) {
        let problem = format!("{} is no working day anyway", long(date));
        let remedy = "list the substitute day, or leave the holiday out";
        return Err(source.error(raw.span(), "date", problem, remedy));
    }
    Ok(date)
}
