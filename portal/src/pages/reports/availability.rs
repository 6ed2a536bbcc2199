//! How much of each month Postern ran, from the minutes that it marked itself. What was not marked is a gap, whatever the cause;
//! before the first mark nothing is claimed.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use store::{ReportMonth, Uptime};
use templates::pages::Availability;

use super::asked::Choice;
use crate::dates;
use crate::error::Problem;
use crate::portal::Portal;
use crate::sheet::{Cell, Column, Sheet};

const MOST_GAPS: usize = 10;

pub(super) async fn of(portal: &Portal, choice: &Choice) -> Result<Availability, Problem> {
    let now = portal.ledger.now();
    let uptime = portal.ledger.uptime((Timestamp::UNIX_EPOCH, now)).await?;
    let words = &portal.words;
    let column = |key, label| Column { key, label };
    let mut sheet = Sheet {
        columns: vec![
            column("month", words.say("report.month", &[])),
            column("measured", words.say("report.measured", &[])),
            column("gap", words.say("report.gap_minutes", &[])),
            column("share", words.say("report.share", &[])),
        ],
        rows: Vec::new(),
    };
    let Some(begun) = uptime.first() else {
        let says = words.say("report.never_measured", &[]);
        return Ok(Availability { says, table: sheet.table(String::new(), 0), gaps: Vec::new() });
    };
    for month in choice.months() {
        let Some(time) = time_of(month, begun, now) else { continue };
        let (alive, all) = uptime.between(time);
        if all > 0 {
            sheet.rows.push(vec![
                Cell::from(dates::month(month.first_day())),
                Cell::from(all),
                Cell::from(all - alive),
                Cell::from(percent(alive, all)),
            ]);
        }
    }
    let day = dates::day(dates::today(begun));
    Ok(Availability {
        says: words.say("report.measured_since", &[("day", &day)]),
        table: sheet.table(words.say("report.availability", &[]), usize::MAX),
        gaps: gaps(portal, &uptime, choice, (begun, now)),
    })
}

fn gaps(
    portal: &Portal,
    uptime: &Uptime,
    choice: &Choice,
    (begun, now): (Timestamp, Timestamp),
) -> Vec<String> {
    let (first, last) = (time_of(choice.first, begun, now), time_of(choice.last, begun, now));
    let from = first.map_or(begun, |(from, _)| from);
    let Some((_, to)) = last else { return Vec::new() };
    let gaps = uptime.gaps((from, to), MOST_GAPS).into_iter();
    let says = |(at, minutes): (Timestamp, u64)| {
        let values = [("at", dates::when(at).text), ("n", minutes.to_string())];
        let values = values.each_ref().map(|(name, value)| (*name, value.as_str()));
        portal.words.say("report.gap", &values)
    };
    gaps.map(says).collect()
}

/// The part of a month that was measured up to the last whole minute.
fn time_of(month: ReportMonth, begun: Timestamp, now: Timestamp) -> Option<(Timestamp, Timestamp)> {
    let start = |month: ReportMonth| {
        month.first_day().to_zoned(TimeZone::UTC).map_or(Timestamp::MAX, |zoned| zoned.timestamp())
    };
    let time = (start(month).max(begun), start(month.next()).min(now));
    (time.0 <= time.1).then_some(time)
}

/// `99.95 %`; only what has no gap is a hundred.
fn percent(alive: u64, all: u64) -> String {
    let hundredths = alive * 10_000 / all.max(1);
    format!("{}.{:02} %", hundredths / 100, hundredths % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_never_rounded_away() {
        assert_eq!(percent(43_200, 43_200), "100.00 %");
        assert_eq!(percent(43_199, 43_200), "99.99 %");
        assert_eq!(percent(0, 60), "0.00 %");
    }
}
