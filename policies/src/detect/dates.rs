//! Dates as people in Britain write them, of people who may be alive: 1900 to 2099. Only a date of birth is of interest,
//! and what makes it one stands around it.

use super::{
    Category,
    scan::{Scan, Shape, is_alphanumeric, is_letter},
};

const YEARS: std::ops::RangeInclusive<u32> = 1900..=2099;
const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const MONTH_LONGEST: usize = 9;

/// Reads the date that begins with the run of digits `start..end`, or with the month before it.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    if end - start > 4 || scan.is_read(start) {
        return;
    }
    let date = numeric(bytes, start, end)
        .or_else(|| day_first(bytes, start, end))
        .or_else(|| month_first(bytes, start, end));
    if let Some((from, to)) = date {
        scan.read_to(to);
        scan.add(Category::DateOfBirth, Shape::Half, from, to);
    }
}

/// 1/2/1980, 01-02-80, 1.2.1980, 1980-02-01, 01 02 1980
fn numeric(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let separator = *bytes.get(end).filter(|byte| matches!(byte, b'/' | b'-' | b'.' | b' '))?;
    let (second, at) = number(bytes, end + 1)?;
    if *bytes.get(at)? != separator {
        return None;
    }
    let (third, at) = number(bytes, at + 1)?;
    let first = number(bytes, start)?.0;
    let date = match end - start {
        4 => is_date(third, second, first),
        1 | 2 => {
            is_date(first, second, year(third, at, bytes)?) || is_date(second, first, year(third, at, bytes)?)
        }
        _ => false,
    };
    (date && !is_alphanumeric(bytes, at)).then_some((start, at))
}

/// 1 February 1980, 1st Feb 80, 1st of February, 1980
fn day_first(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let mut at = end;
    for ordinal in [&b"st"[..], b"nd", b"rd", b"th"] {
        if bytes.get(at..at + 2).is_some_and(|found| found.eq_ignore_ascii_case(ordinal)) {
            at += 2;
            break;
        }
    }
    at = gap(bytes, at);
    if bytes.get(at..at + 3).is_some_and(|of| of.eq_ignore_ascii_case(b"of ")) {
        at += 3;
    }
    let (month, at) = month(bytes, at)?;
    let (years, to) = number(bytes, gap(bytes, at))?;
    let day = number(bytes, start)?.0;
    (is_date(day, month, year(years, to, bytes)?) && !is_alphanumeric(bytes, to)).then_some((start, to))
}

/// February 1, 1980 and Feb 1st 1980: `start..end` is the day.
fn month_first(bytes: &[u8], start: usize, end: usize) -> Option<(usize, usize)> {
    let letters =
        start.checked_sub(2).filter(|last| is_letter(bytes, *last) && matches!(bytes[last + 1], b' '))?;
    let before = bytes[..=letters].iter().rev().take(MONTH_LONGEST + 1);
    let from = letters + 1 - before.take_while(|byte| byte.is_ascii_alphabetic()).count();
    let (month, _) = month(bytes, from)?;
    let skip = if is_letter(bytes, end) { end + 2 } else { end };
    let (years, to) = number(bytes, gap(bytes, skip))?;
    let day = number(bytes, start)?.0;
    (is_date(day, month, year(years, to, bytes)?) && !is_alphanumeric(bytes, to)).then_some((from, to))
}

fn month(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let length =
        bytes.get(at..)?.iter().take(MONTH_LONGEST + 1).take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &bytes[at..at + length];
    if !word.first().is_some_and(|first| b"jfmasond".contains(&first.to_ascii_lowercase())) {
        return None;
    }
    let is = |name: &&str| {
        word.len() >= 3
            && name.len() >= word.len()
            && name.as_bytes()[..word.len()].eq_ignore_ascii_case(word)
    };
    let place = MONTHS
        .iter()
        .position(|name| is(name) || word.eq_ignore_ascii_case(b"sept") && *name == "september")?;
    let end = at + length;
    Some((place as u32 + 1, end + usize::from(bytes.get(end) == Some(&b'.'))))
}

/// Up to four digits at `at`, and their end.
fn number(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let digits = bytes.get(at..)?.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    let value = bytes[at..at + digits].iter().fold(0, |value, byte| value * 10 + u32::from(byte - b'0'));
    (1..=4).contains(&digits).then_some((value, at + digits))
}

/// The year of two or four digits that end at `end`. Which century a short one means does not matter.
fn year(value: u32, end: usize, bytes: &[u8]) -> Option<u32> {
    let digits = bytes[..end].iter().rev().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    match digits {
        4 => Some(value),
        2 => Some(1900 + value),
        _ => None,
    }
}

fn is_date(day: u32, month: u32, year: u32) -> bool {
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 29,
        _ => 31,
    };
    (1..=days).contains(&day) && (1..=12).contains(&month) && YEARS.contains(&year)
}

fn gap(bytes: &[u8], at: usize) -> usize {
    let gap = bytes.get(at..).unwrap_or_default().iter().take(3);
    at + gap.take_while(|byte| matches!(byte, b' ' | b',' | b'-' | b'.' | b'/')).count()
}
