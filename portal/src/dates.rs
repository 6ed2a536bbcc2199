//! Dates and times as people in Britain write them, always UK time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use templates::pages::{Due, When};

/// `Fri 5 June 2026, 14:32 BST`
pub(crate) fn when(at: Timestamp) -> When {
    let local = at.to_zoned(london());
    When {
        text: local.strftime("%a %-d %B %Y, %H:%M %Z").to_string(),
        machine: local.strftime("%Y-%m-%dT%H:%M:%S%:z").to_string(),
    }
}

/// `Fri 5 June 2026`
pub(crate) fn day(day: Date) -> String {
    day.strftime("%a %-d %B %Y").to_string()
}

/// `June 2026`
pub(crate) fn month(day: Date) -> String {
    day.strftime("%B %Y").to_string()
}

/// `Jun 26`, beside a chart.
pub(crate) fn short_month(day: Date) -> String {
    day.strftime("%b %y").to_string()
}

/// The end of the day it is at `now`.
pub(crate) fn midnight(now: Timestamp) -> Timestamp {
    let tomorrow = now.to_zoned(london()).date().tomorrow();
    tomorrow.and_then(|day| day.to_zoned(london())).map_or(now, |midnight| midnight.timestamp())
}

/// The beginning of a day.
pub(crate) fn beginning(day: Date) -> Option<Timestamp> {
    day.to_zoned(london()).ok().map(|zoned| zoned.timestamp())
}

/// The day it is at `now`.
pub(crate) fn today(now: Timestamp) -> Date {
    now.to_zoned(london()).date()
}

/// A due date as it stands at `now`; `who` must answer.
pub(crate) fn due(at: Timestamp, who: String, now: Timestamp) -> Due {
    let last = today(at);
    let (state, mark) = if now > at {
        ("overdue", Some("Overdue"))
    } else if last == today(now) {
        ("today", Some("Due today"))
    } else {
        ("later", None)
    };
    Due { date: day(last), machine: last.strftime("%Y-%m-%d").to_string(), state, mark, who }
}

/// The market's time zone; compiled in, so it is there on every machine.
fn london() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_uk_time_and_say_which() {
        assert_eq!(when(at("2026-06-05T13:32:00Z")).text, "Fri 5 June 2026, 14:32 BST");
        assert_eq!(when(at("2026-06-05T13:32:00Z")).machine, "2026-06-05T14:32:00+01:00");
        assert_eq!(when(at("2026-12-01T00:05:00Z")).text, "Tue 1 December 2026, 00:05 GMT");
    }

    #[test]
    fn a_date_is_late_only_after_its_end() {
        let end = at("2026-06-05T16:00:00Z");
        let state = |now: &str| due(end, String::new(), at(now)).state;
        assert_eq!(state("2026-06-04T22:59:59Z"), "later");
        assert_eq!(state("2026-06-04T23:00:00Z"), "today", "midnight in London");
        assert_eq!(state("2026-06-05T16:00:00Z"), "today");
        assert_eq!(state("2026-06-05T16:00:01Z"), "overdue");
        assert_eq!(due(end, String::new(), end).date, "Fri 5 June 2026");
    }
}
