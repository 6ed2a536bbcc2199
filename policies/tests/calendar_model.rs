//! The calendars against a table worked by hand, and against a naive model that knows the rules and not the files.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod calendars_by_rule;

use std::sync::LazyLock;

use calendars_by_rule::{DAY, Days, Land, civil, number};
use jiff::{Timestamp, civil::DateTime, civil::date, tz::TimeZone};
use policies::{Calendar, Calendars, due, working_days};
use proptest::prelude::*;

static CALENDARS: LazyLock<Calendars> = LazyLock::new(|| Calendars::shipped().unwrap());
static MODELS: LazyLock<[Days; 3]> = LazyLock::new(|| Land::ALL.map(|land| Days::of(land, &world_cup(land))));

/// The one holiday that no rule gives.
fn world_cup(land: Land) -> Vec<i64> {
    if land == Land::Scotland { vec![number(2026, 6, 15)] } else { Vec::new() }
}

fn calendar(name: &str) -> &'static Calendar {
    CALENDARS.all().find(|calendar| calendar.name().as_str() == name).unwrap()
}

fn model(land: Land) -> &'static Days {
    &MODELS[land as usize]
}

fn lands() -> impl Strategy<Value = Land> {
    prop::sample::select(Land::ALL.to_vec())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn deadline_is_the_models(
        land in lands(),
        second in 1_735_689_600_i64..1_909_000_000,
        days in 0_u32..60,
    ) {
        let due = due(Timestamp::from_second(second).unwrap(), days, calendar(land.name()));
        prop_assert_eq!(due.at.as_second(), model(land).due(second, days), "{:?}: {}", land, due.reason);
    }

    #[test]
    fn an_answer_took_as_many_days_as_would_have_made_it_timely(
        land in lands(),
        second in 1_735_689_600_i64..1_900_000_000,
        waited in 0_i64..(40 * DAY),
    ) {
        let (received, answered) = (Timestamp::from_second(second), Timestamp::from_second(second + waited));
        let (received, answered) = (received.unwrap(), answered.unwrap());
        let days = working_days(received, answered, 60, calendar(land.name()));
        let by = |days| due(received, days, calendar(land.name())).at;
        prop_assert!(answered <= by(days), "{days} days");
        prop_assert!(days == 0 || by(days - 1) < answered, "{days} days");
        prop_assert_eq!(working_days(received, answered, 2, calendar(land.name())), days.min(2));
    }

    #[test]
    fn later_mail_is_never_due_earlier(
        land in lands(),
        second in 1_735_689_600_i64..1_900_000_000,
        later in 0_i64..(20 * DAY),
        days in 0_u32..30,
    ) {
        let at = |second| due(Timestamp::from_second(second).unwrap(), days, calendar(land.name())).at;
        prop_assert!(at(second) <= at(second + later));
    }
}

/// Every day of six years in three calendars.
#[test]
fn every_listed_holiday_is_the_models_and_the_other_way_round() {
    for land in Land::ALL {
        for day in number(2025, 1, 1)..number(2031, 1, 1) {
            let (year, month, of_month) = civil(day);
            let date = date(year as i16, month as i8, of_month as i8);
            assert_eq!(calendar(land.name()).is_working_day(date), model(land).works(day), "{land:?} {date}");
        }
    }
}

/// Calendar, received (London), working days, due (UTC), because.
#[test]
fn deadlines_are_those_worked_by_hand() {
    let london = TimeZone::get("Europe/London").unwrap();
    let rows = include_str!("deadlines.txt").lines().filter(|line| !line.starts_with('#'));
    let mut count = 0;
    for row in rows {
        let cells: Vec<&str> = row.split_whitespace().collect();
        let [name, day, time, days, due_day, due_time, ..] = cells[..] else { panic!("{row}") };
        let local: DateTime = format!("{day}T{time}").parse().unwrap();
        let received = local.to_zoned(london.clone()).unwrap().timestamp();
        let due = due(received, days.parse().unwrap(), calendar(name));
        let expected: Timestamp = format!("{due_day}T{due_time}").parse().unwrap();
        assert_eq!(due.at, expected, "{row}: {}", due.reason);
        assert_eq!(due.date.to_string(), due_day, "{row}");
        count += 1;
    }
    assert!(count >= 80, "{count} rows");
}

#[test]
fn a_one_off_holiday_is_named_in_the_sentence_and_in_the_version() {
    let received = "2026-06-12T10:00:00Z".parse().unwrap();
    let scotland = due(received, 1, calendar("scotland"));
    assert_eq!(
        scotland.reason,
        "Received Friday 12 June 2026; 1 working day later is Tuesday 16 June 2026, \
         with World Cup bank holiday on Monday 15 June left out."
    );
    assert_eq!(scotland.calendar, "scotland 2026-11-23 with 2026-11-23");
    assert_eq!(due(received, 1, calendar("england-and-wales")).calendar, "england-and-wales 2026-11-23");
}
