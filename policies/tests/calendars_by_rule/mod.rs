//! A second, naive calendar: it counts days one by one from 1970, works out London's summer time, Easter and the substitute
//! days of the three jurisdictions by rule, and shares neither code nor data with the engine.

use std::collections::BTreeSet;

pub(crate) const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

const SATURDAY: i64 = 2;
const SUNDAY: i64 = 3;
const MONDAY: i64 = 4;

/// Days are numbers since 1 January 1970, a Thursday.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Land {
    England,
    Scotland,
    Ireland,
}

impl Land {
    pub(crate) const ALL: [Self; 3] = [Self::England, Self::Scotland, Self::Ireland];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::England => "england-and-wales",
            Self::Scotland => "scotland",
            Self::Ireland => "northern-ireland",
        }
    }
}

/// The holidays of 2025 to 2030, and some more.
#[derive(Clone)]
pub(crate) struct Days(BTreeSet<i64>);

impl Days {
    pub(crate) fn of(land: Land, one_off: &[i64]) -> Self {
        Self((2025..=2030).flat_map(|year| holidays(land, year)).chain(one_off.iter().copied()).collect())
    }

    pub(crate) fn works(&self, day: i64) -> bool {
        !weekend(day) && !self.0.contains(&day)
    }

    /// When an answer is due to what came at `second`.
    pub(crate) fn due(&self, second: i64, days: u32) -> i64 {
        let local = second + offset(second);
        let mut day = local.div_euclid(DAY);
        if local.rem_euclid(DAY) > 17 * HOUR {
            day += 1;
        }
        while !self.works(day) {
            day += 1;
        }
        for _ in 0..days {
            day += 1;
            while !self.works(day) {
                day += 1;
            }
        }
        let end = day * DAY + 17 * HOUR;
        end - offset(end)
    }
}

/// Summer time from the last Sunday of March to the last Sunday of October, 01:00 UTC.
fn offset(second: i64) -> i64 {
    let (year, _, _) = civil(second.div_euclid(DAY));
    let from = last(year, 3, SUNDAY) * DAY + HOUR;
    let to = last(year, 10, SUNDAY) * DAY + HOUR;
    if (from..to).contains(&second) { HOUR } else { 0 }
}

fn holidays(land: Land, year: i64) -> Vec<i64> {
    let easter = easter(year);
    let mut all = vec![easter - 2, first_monday(year, 5), last(year, 5, MONDAY)];
    match land {
        Land::Scotland => all.push(first_monday(year, 8)),
        Land::England | Land::Ireland => all.extend([easter + 1, last(year, 8, MONDAY)]),
    }
    let fixed: &[(usize, i64)] = match land {
        Land::England => &[(1, 1), (12, 25), (12, 26)],
        Land::Scotland => &[(1, 1), (1, 2), (11, 30), (12, 25), (12, 26)],
        Land::Ireland => &[(1, 1), (3, 17), (7, 12), (12, 25), (12, 26)],
    };
    // A fixed day on a weekend, or on a day another has taken, is kept on the next free one.
    for (month, date) in fixed {
        let mut day = number(year, *month, *date);
        while weekend(day) || all.contains(&day) {
            day += 1;
        }
        all.push(day);
    }
    all
}

fn first_monday(year: i64, month: usize) -> i64 {
    (1..=7).map(|date| number(year, month, date)).find(|day| weekday(*day) == MONDAY).unwrap()
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
    (25..=31).map(|date| number(year, month, date)).find(|day| weekday(*day) == wanted).unwrap()
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn lengths(year: i64) -> [i64; 12] {
    [31, if is_leap(year) { 29 } else { 28 }, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
}

pub(crate) fn number(year: i64, month: usize, date: i64) -> i64 {
    let years: i64 = (1970..year).map(|y| if is_leap(y) { 366 } else { 365 }).sum();
    years + lengths(year)[..month - 1].iter().sum::<i64>() + date - 1
}

/// Year, month and day of the month.
pub(crate) fn civil(mut day: i64) -> (i64, usize, i64) {
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
