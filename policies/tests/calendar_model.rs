//! The calendar against a second, naive one: it counts days one by one from 1970, works out London's summer time, Easter
//! and the substitute days by rule, and shares neither code nor data with the engine.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::sync::LazyLock;

use jiff::Timestamp;
use policies::{Calendar, due};
use proptest::prelude::*;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

static CALENDAR: LazyLock<Calendar> = LazyLock::new(|| Calendar::shipped().unwrap());

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn deadline_is_the_models(second in 1_735_689_600_i64..1_909_000_000, days in 0_u32..60) {
        let due = due(Timestamp::from_second(second).unwrap(), days, &CALENDAR);
        prop_assert_eq!(due.at.as_second(), model::due(second, days), "{}", due.reason);
    }

    #[test]
    fn later_mail_is_never_due_earlier(
        second in 1_735_689_600_i64..1_900_000_000,
        later in 0_i64..(20 * DAY),
        days in 0_u32..30,
    ) {
        let at = |second| due(Timestamp::from_second(second).unwrap(), days, &CALENDAR).at;
        prop_assert!(at(second) <= at(second + later));
    }
}

#[test]
fn every_listed_holiday_is_the_models_and_the_other_way_round() {
    let mut day = jiff::civil::date(2025, 1, 1);
    let mut number = 20_089;
    while day.year() < 2031 {
        assert_eq!(CALENDAR.is_working_day(day), model::is_working_day(number), "{day}");
        day = day.tomorrow().unwrap();
        number += 1;
    }
}

/// Days are numbers since 1 January 1970, a Thursday.
mod model {
    use super::{DAY, HOUR};

    const SATURDAY: i64 = 2;
    const SUNDAY: i64 = 3;
    const MONDAY: i64 = 4;

    pub(super) fn due(second: i64, days: u32) -> i64 {
        let local = second + offset(second);
        let mut day = local.div_euclid(DAY);
        if local.rem_euclid(DAY) > 17 * HOUR {
            day += 1;
        }
        while !is_working_day(day) {
            day += 1;
        }
        for _ in 0..days {
            day += 1;
            while !is_working_day(day) {
                day += 1;
            }
        }
        let end = day * DAY + 17 * HOUR;
        end - offset(end)
    }

    pub(super) fn is_working_day(day: i64) -> bool {
        let (year, _, _) = civil(day);
        !weekend(day) && !holidays(year).contains(&day)
    }

    /// Summer time from the last Sunday of March to the last Sunday of October, 01:00 UTC.
    fn offset(second: i64) -> i64 {
        let (year, _, _) = civil(second.div_euclid(DAY));
        let from = last(year, 3, SUNDAY) * DAY + HOUR;
        let to = last(year, 10, SUNDAY) * DAY + HOUR;
        if (from..to).contains(&second) { HOUR } else { 0 }
    }

    fn holidays(year: i64) -> Vec<i64> {
        let easter = easter(year);
        let mut all = vec![
            easter - 2,
            easter + 1,
            (1..=7).map(|d| number(year, 5, d)).find(|d| weekday(*d) == MONDAY).unwrap(),
            last(year, 5, MONDAY),
            last(year, 8, MONDAY),
        ];
        // A fixed day on a weekend, or on a day another has taken, is kept on the next free one.
        for (month, date) in [(1, 1), (12, 25), (12, 26)] {
            let mut day = number(year, month, date);
            while weekend(day) || all.contains(&day) {
                day += 1;
            }
            all.push(day);
        }
        all
    }

    /// Thursday is 0.
    fn weekday(day: i64) -> i64 {
        day.rem_euclid(7)
    }

    fn weekend(day: i64) -> bool {
        matches!(weekday(day), SATURDAY | SUNDAY)
    }

    /// The last such weekday of a month of 31 days.
    fn last(year: i64, month: usize, wanted: i64) -> i64 {
        (25..=31).map(|d| number(year, month, d)).find(|d| weekday(*d) == wanted).unwrap()
    }

    fn is_leap(year: i64) -> bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    fn lengths(year: i64) -> [i64; 12] {
        [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    }

    fn number(year: i64, month: usize, date: i64) -> i64 {
        let years: i64 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
        years + lengths(year)[..month - 1].iter().sum::<i64>() + date - 1
    }

    fn civil(mut day: i64) -> (i64, usize, i64) {
        let mut year = 1970;
        while day >= lengths(year).iter().sum() {
            day -= lengths(year).iter().sum::<i64>();
            year += 1;
        }
        let mut month = 0;
        while day >= lengths(year)[month] {
            day -= lengths(year)[month];
            month += 1;
        }
        (year, month + 1, day + 1)
    }

    /// Gauss's rule for 1900 to 2099.
    fn easter(year: i64) -> i64 {
        let d = (19 * (year % 19) + 24) % 30;
        let e = (2 * (year % 4) + 4 * (year % 7) + 6 * d + 5) % 7;
        let exception = if (d == 29 && e == 6) || (d == 28 && e == 6 && year % 19 > 10) { 7 } else { 0 };
        number(year, 3, 22) + d + e - exception
    }
}
