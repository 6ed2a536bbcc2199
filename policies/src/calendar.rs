//! The working-day calendar: from the instant a message came to the instant its answer is due, with one sentence that
//! explains the date. Holidays, time zone and cut-off are data of files. It never reads a clock, and it takes the tz
//! database of the binary, so that every machine and both sides of a case see the same date.

mod file;
mod set;

use std::collections::BTreeMap;

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};

pub use self::set::Calendars;
use crate::PolicyError;

const SHIPPED_NAME: &str = "shipped/calendars/england-and-wales.toml";
const SHIPPED: &str = include_str!("../shipped/calendars/england-and-wales.toml");

/// The name of a calendar, as its file gives it: `england-and-wales`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CalendarName(String);

/// Working days: Monday to Friday without the listed holidays, each ending at the cut-off in local time.
#[derive(Debug, Clone)]
pub struct Calendar {
    name: CalendarName,
    version: String,
    zone: TimeZone,
    cut_off: Time,
    holidays: BTreeMap<Date, String>,
    /// First and last year with listed holidays; outside them only weekends are known.
    known: (i16, i16),
}

/// When an answer is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueDate {
    /// The end of the last day: the calendar's cut-off on `date`.
    pub at: Timestamp,
    /// The last day, local.
    pub date: Date,
    /// One plain sentence that explains the date.
    pub reason: String,
    /// What it was reckoned from.
    pub received: Timestamp,
    /// What it was reckoned from.
    pub working_days: u32,
    /// The calendar that it was reckoned by, with its version.
    pub calendar: String,
}

/// When an answer is due to a message that came at `received` and may take `working_days`.
///
/// Day zero is the day of receipt. What comes after the cut-off or on no working day counts as received on the next
/// working day; what comes on the stroke of the cut-off is in time, as an answer then would be.
pub fn due(received: Timestamp, working_days: u32, calendar: &Calendar) -> DueDate {
    let local = received.to_zoned(calendar.zone.clone());
    let late = local.time() > calendar.cut_off;
    let counted = calendar.counted_from(local.date(), late);
    let date = calendar.later(counted, working_days);
    let receipt = Receipt { day: local.date(), counted };
    DueDate {
        at: calendar.end_of(date),
        date,
        reason: reason(receipt, working_days, date, calendar),
        received,
        working_days,
        calendar: format!("{} {}", calendar.name.as_str(), calendar.version),
    }
}

/// How many working days a question that came at `received` waited for its answer, by the same rules: an answer within its
/// response time takes at most so many, and a later one more. Stops counting at `most`.
pub fn working_days(received: Timestamp, answered: Timestamp, most: u32, calendar: &Calendar) -> u32 {
    let counted = |at: Timestamp| {
        let local = at.to_zoned(calendar.zone.clone());
        calendar.counted_from(local.date(), local.time() > calendar.cut_off)
    };
    let (mut day, end, mut days) = (counted(received), counted(answered), 0);
    while day < end && days < most {
        day = calendar.next_working_day(day);
        days += 1;
    }
    days
}

/// The day a message came and the day it counts from.
struct Receipt {
    day: Date,
    counted: Date,
}

impl Calendar {
    /// The calendar that is part of the binary: England and Wales.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// Reads a calendar file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        file::calendar(file, text)
    }

    /// The name the file gives itself.
    pub fn name(&self) -> &CalendarName {
        &self.name
    }

    /// The version the file gives itself, with that of the one-off holidays that it keeps.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The days off that are listed, with what they are called.
    pub fn holidays(&self) -> impl Iterator<Item = (Date, &str)> {
        self.holidays.iter().map(|(day, name)| (*day, name.as_str()))
    }

    /// Whether people work on that day.
    pub fn is_working_day(&self, date: Date) -> bool {
        !is_weekend(date) && !self.holidays.contains_key(&date)
    }

    fn counted_from(&self, received: Date, late: bool) -> Date {
        if late || !self.is_working_day(received) { self.next_working_day(received) } else { received }
    }

    fn later(&self, day_zero: Date, working_days: u32) -> Date {
        let mut date = day_zero;
        for _ in 0..working_days {
            if date == Date::MAX {
                break;
            }
            date = self.next_working_day(date);
        }
        date
    }

    /// The cut-off so many working days before the day of `at`.
    pub fn earlier(&self, at: Timestamp, working_days: u32) -> Timestamp {
        let mut date = at.to_zoned(self.zone.clone()).date();
        for _ in 0..working_days {
            while let Ok(yesterday) = date.yesterday() {
                date = yesterday;
                if self.is_working_day(date) {
                    break;
                }
            }
        }
        self.end_of(date)
    }

    /// The next working day; at the end of the calendar (year 9999) the last day of all.
    fn next_working_day(&self, date: Date) -> Date {
        let mut next = date;
        loop {
            let Ok(tomorrow) = next.tomorrow() else {
                return Date::MAX;
            };
            next = tomorrow;
            if self.is_working_day(next) {
                return next;
            }
        }
    }

    /// A time that a clock change makes ambiguous or skips is resolved as jiff does (RFC 5545 §3.3.5).
    fn end_of(&self, date: Date) -> Timestamp {
        let end = date.to_datetime(self.cut_off).to_zoned(self.zone.clone());
        end.map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    }
}

impl CalendarName {
    /// As its file gives it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_weekend(date: Date) -> bool {
    matches!(date.weekday(), Weekday::Saturday | Weekday::Sunday)
}

fn reason(receipt: Receipt, working_days: u32, due: Date, calendar: &Calendar) -> String {
    let year = receipt.day.year();
    let mut text = format!("Received {}", long(receipt.day));
    if receipt.counted != receipt.day {
        let why = if calendar.is_working_day(receipt.day) {
            format!(" after {}", calendar.cut_off.strftime("%H:%M"))
        } else {
            ", not a working day".to_owned()
        };
        text.push_str(&format!("{why}, so counted from {}", short(receipt.counted, year)));
    }
    let days = if working_days == 1 { "working day" } else { "working days" };
    text.push_str(&format!("; {working_days} {days} later is {}", long(due)));
    let left_out: Vec<String> = calendar
        .holidays
        .range(receipt.day..due)
        .map(|(date, name)| format!("{name} on {}", short(*date, year)))
        .collect();
    if let Some((last, others)) = left_out.split_last() {
        let and = if others.is_empty() { "" } else { " and " };
        text.push_str(&format!(", with {}{and}{last} left out", others.join(", ")));
    }
    let (first, last) = calendar.known;
    if receipt.day.year() < first || due.year() > last {
        text.push_str(&format!("; holidays are known for {first} to {last} only"));
    }
    text.push('.');
    text
}

/// `Tuesday 2 June 2026`
fn long(date: Date) -> String {
    date.strftime("%A %-d %B %Y").to_string()
}

/// `Tuesday 2 June`, with the year where it is not `year`.
fn short(date: Date, year: i16) -> String {
    if date.year() == year { date.strftime("%A %-d %B").to_string() } else { long(date) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked by hand: received (UTC), working days, due (UTC).
    const TABLE: &[(&str, u32, &str)] = &[
        // An ordinary Tuesday; summer time, so 17:00 in London is 16:00 UTC.
        ("2026-06-02T09:00:00Z", 10, "2026-06-16T16:00:00Z"),
        // On the stroke of the cut-off, and a second later.
        ("2026-06-02T16:00:00Z", 10, "2026-06-16T16:00:00Z"),
        ("2026-06-02T16:00:01Z", 10, "2026-06-17T16:00:00Z"),
        // Late in the evening in UTC is already the next day in London.
        ("2026-06-02T23:30:00Z", 1, "2026-06-04T16:00:00Z"),
        // Saturday, Sunday, and Friday evening all count from Monday.
        ("2026-06-06T08:00:00Z", 1, "2026-06-09T16:00:00Z"),
        ("2026-06-07T20:00:00Z", 1, "2026-06-09T16:00:00Z"),
        ("2026-06-05T17:00:00Z", 1, "2026-06-09T16:00:00Z"),
        // Friday in time: Monday.
        ("2026-06-05T15:00:00Z", 1, "2026-06-08T16:00:00Z"),
        // Received on the Spring bank holiday (25 May 2026).
        ("2026-05-25T09:00:00Z", 1, "2026-05-27T16:00:00Z"),
        // Over Easter: 2025 (21 April), 2026 (6 April), 2028 (17 April), 2030 (22 April).
        ("2025-04-17T09:00:00Z", 5, "2025-04-28T16:00:00Z"),
        ("2026-04-02T09:00:00Z", 1, "2026-04-07T16:00:00Z"),
        ("2028-04-13T09:00:00Z", 2, "2028-04-19T16:00:00Z"),
        ("2030-04-18T09:00:00Z", 1, "2030-04-23T16:00:00Z"),
        // Easter and the change to summer time (25 March 2029, Easter Monday 2 April).
        ("2029-03-23T09:00:00Z", 5, "2029-04-03T16:00:00Z"),
        // Both clock changes of 2026: 29 March, 25 October.
        ("2026-03-27T17:00:00Z", 1, "2026-03-30T16:00:00Z"),
        ("2026-03-27T17:00:01Z", 1, "2026-03-31T16:00:00Z"),
        ("2026-03-30T16:30:00Z", 1, "2026-04-01T16:00:00Z"),
        ("2026-10-23T15:59:00Z", 1, "2026-10-26T17:00:00Z"),
        ("2026-10-23T16:30:00Z", 1, "2026-10-27T17:00:00Z"),
        ("2026-10-26T16:30:00Z", 1, "2026-10-27T17:00:00Z"),
        // Boxing Day 2026 is a Saturday, kept on Monday 28 December; then over the year's end.
        ("2026-12-24T10:00:00Z", 1, "2026-12-29T17:00:00Z"),
        ("2026-12-24T17:30:00Z", 1, "2026-12-30T17:00:00Z"),
        ("2026-12-24T10:00:00Z", 10, "2027-01-12T17:00:00Z"),
        // Christmas 2027 falls on the weekend: Monday and Tuesday are kept instead; so is New Year's Day 2028.
        ("2027-12-24T10:00:00Z", 1, "2027-12-29T17:00:00Z"),
        ("2027-12-31T10:00:00Z", 1, "2028-01-04T17:00:00Z"),
        // Leap day.
        ("2028-02-28T10:00:00Z", 1, "2028-02-29T17:00:00Z"),
        ("2028-02-28T10:00:00Z", 2, "2028-03-01T17:00:00Z"),
        // No time at all: the end of day zero.
        ("2026-06-02T09:00:00Z", 0, "2026-06-02T16:00:00Z"),
    ];

    fn due_at(received: &str, days: u32) -> DueDate {
        due(received.parse().unwrap(), days, &Calendar::shipped().unwrap())
    }

    #[test]
    fn deadlines_are_those_worked_by_hand() {
        for (received, days, expected) in TABLE {
            let due = due_at(received, *days);
            assert_eq!(due.at.to_string(), *expected, "{received} + {days}: {}", due.reason);
            assert!(expected.starts_with(&due.date.to_string()), "{received} + {days}");
        }
    }

    #[test]
    fn reason_explains_the_date_in_one_sentence() {
        for (received, days, sentence) in [
            (
                "2026-06-02T09:00:00Z",
                10,
                "Received Tuesday 2 June 2026; 10 working days later is Tuesday 16 June 2026.",
            ),
            (
                "2026-06-02T16:00:01Z",
                1,
                "Received Tuesday 2 June 2026 after 17:00, so counted from Wednesday 3 June; \
                 1 working day later is Thursday 4 June 2026.",
            ),
            (
                "2026-08-29T09:00:00Z",
                5,
                "Received Saturday 29 August 2026, not a working day, so counted from Tuesday 1 September; \
                 5 working days later is Tuesday 8 September 2026, \
                 with Summer bank holiday on Monday 31 August left out.",
            ),
            (
                "2026-12-23T18:00:00Z",
                5,
                "Received Wednesday 23 December 2026 after 17:00, so counted from Thursday 24 December; \
                 5 working days later is Tuesday 5 January 2027, \
                 with Christmas Day on Friday 25 December, \
                 Boxing Day (substitute day) on Monday 28 December and \
                 New Year's Day on Friday 1 January 2027 left out.",
            ),
            (
                "2030-12-31T10:00:00Z",
                1,
                "Received Tuesday 31 December 2030; 1 working day later is Wednesday 1 January 2031; \
                 holidays are known for 2025 to 2030 only.",
            ),
        ] {
            assert_eq!(due_at(received, days).reason, sentence);
        }
    }

    #[test]
    fn a_warning_leaves_weekends_and_holidays_out() {
        let calendar = Calendar::shipped().unwrap();
        for (due, days, warned) in [
            ("2026-06-16T16:00:00Z", 1, "2026-06-15T16:00:00Z"),
            ("2026-06-15T16:00:00Z", 1, "2026-06-12T16:00:00Z"),
            ("2026-12-29T17:00:00Z", 1, "2026-12-24T17:00:00Z"),
            ("2026-03-31T16:00:00Z", 2, "2026-03-27T17:00:00Z"),
        ] {
            assert_eq!(calendar.earlier(due.parse().unwrap(), days).to_string(), warned, "{due}");
        }
        assert!(calendar.earlier(Timestamp::MIN, 3) >= Timestamp::MIN);
    }

    #[test]
    fn any_instant_and_any_length_have_an_end() {
        let calendar = Calendar::shipped().unwrap();
        assert_eq!(due(Timestamp::MAX, 5, &calendar).at, Timestamp::MAX);
        assert_eq!(
            due(Timestamp::MIN, 1, &calendar).date.year(),
            Timestamp::MIN.to_zoned(TimeZone::UTC).year()
        );
        assert_eq!(due(Timestamp::UNIX_EPOCH, u32::MAX, &calendar).date, Date::MAX);
    }
}
