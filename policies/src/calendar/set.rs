//! The calendars of an installation by name: the shipped ones, those that stand in for them, and the one-off holidays that
//! all of them share. Which one a process reckons with, its catalogue says.

use std::collections::BTreeMap;

use super::{Calendar, CalendarName, file};
use crate::{Catalogue, PolicyError};

const SHIPPED: [(&str, &str); 3] = [
    (
        "shipped/calendars/england-and-wales.toml",
        include_str!("../../shipped/calendars/england-and-wales.toml"),
    ),
    ("shipped/calendars/scotland.toml", include_str!("../../shipped/calendars/scotland.toml")),
    (
        "shipped/calendars/northern-ireland.toml",
        include_str!("../../shipped/calendars/northern-ireland.toml"),
    ),
];
const ONE_OFF_NAME: &str = "shipped/calendars/one-off.toml";
const ONE_OFF: &str = include_str!("../../shipped/calendars/one-off.toml");

/// Calendars by name.
#[derive(Debug, Clone)]
pub struct Calendars(BTreeMap<CalendarName, Calendar>);

impl Calendars {
    /// The calendars that are part of the binary, with the one-off holidays that are.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::of([], (ONE_OFF_NAME, ONE_OFF))
    }

    /// The shipped calendars, with those of `files` (name and text) beside them or in the place of the one of the same
    /// name, and the one-off holidays of `one_off`, or the shipped ones.
    pub fn with<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        one_off: Option<(&'a str, &'a str)>,
    ) -> Result<Self, PolicyError> {
        Self::of(files, one_off.unwrap_or((ONE_OFF_NAME, ONE_OFF)))
    }

    fn of<'a>(
        files: impl IntoIterator<Item = (&'a str, &'a str)>,
        (one_off_name, one_off): (&str, &str),
    ) -> Result<Self, PolicyError> {
        let mut all = BTreeMap::new();
        for (name, text) in SHIPPED.into_iter().chain(files) {
            let calendar = file::calendar(name, text)?;
            all.insert(calendar.name.clone(), calendar);
        }
        file::one_offs(one_off_name, one_off, &mut all)?;
        Ok(Self(all))
    }

    /// The names and texts that [`Calendars::shipped`] is made of.
    pub fn shipped_files() -> impl Iterator<Item = (&'static str, &'static str)> {
        SHIPPED.into_iter().chain([(ONE_OFF_NAME, ONE_OFF)])
    }

    /// The calendar of that name.
    pub fn calendar(&self, name: &CalendarName) -> Option<&Calendar> {
        self.0.get(name)
    }

    /// Tells apart whatever makes the same catalogue reckon otherwise: 16 hexadecimal digits.
    pub fn edition(&self, catalogue: &Catalogue) -> String {
        let mut text = String::new();
        for process in catalogue.processes() {
            let name = process.calendar.as_str();
            text.push_str(&format!("{} {name}\n", process.id));
        }
        for calendar in self.all() {
            text.push_str(&format!("{} {} {:?}", calendar.name.as_str(), calendar.cut_off, calendar.zone));
            for (date, name) in &calendar.holidays {
                text.push_str(&format!(" {date} {name}"));
            }
        }
        format!("{:016x}", fnv(text.as_bytes()))
    }

    /// All of them, by name.
    pub fn all(&self) -> impl Iterator<Item = &Calendar> {
        self.0.values()
    }
}

/// FNV-1a: no secret and no adversary, only a change to notice.
fn fnv(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
