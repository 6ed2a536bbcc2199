//! British telephone numbers: 0 and nine or ten digits, or +44 without the 0 (Ofcom's national numbering plan). It reads
//! the usual ways to group them and asks nothing about whose they are.

use super::{
    Category,
    scan::{Scan, Shape, is_alphanumeric},
};
use crate::digits;

/// Octets between two digits of one number: ") " and " (0) ".
const GAP: usize = 5;
const COUNTRY: &[u8] = b"44";

/// Reads the number that begins with the run of digits `start..end`.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    let plus = start.checked_sub(1).is_some_and(|at| bytes[at] == b'+');
    if bytes[start] != b'0' && !plus || scan.is_read(start) {
        return;
    }
    let Some(number) = Number::at(bytes, start, end, plus) else { return };
    let from = start - usize::from(plus);
    let from = from - usize::from(from.checked_sub(1).is_some_and(|at| bytes[at] == b'('));
    if digits::is_in_link(scan.text, from, number.end) && !is_link_to_call(&scan.text[..from]) {
        return;
    }
    let shape = match &number.national[..2] {
        b"07" => Shape::Full,
        _ => Shape::Half,
    };
    let prefix = std::str::from_utf8(&number.national[..4]).unwrap_or_default();
    if scan.readers.known.is_company_number(prefix) {
        return;
    }
    scan.read_to(number.end);
    scan.add(Category::Telephone, shape, from, number.end);
}

struct Number {
    /// With the 0.
    national: [u8; 11],
    end: usize,
}

impl Number {
    fn at(bytes: &[u8], start: usize, end: usize, plus: bool) -> Option<Self> {
        let mut digits = Vec::with_capacity(16);
        digits.extend_from_slice(bytes.get(start..end.min(start + 16))?);
        let international = if plus { 0 } else { 2 };
        let abroad = plus && digits.starts_with(COUNTRY) || digits.starts_with(b"0044");
        let skip = if abroad { international + COUNTRY.len() } else { 0 };
        if plus && !abroad || before_is_digits(bytes, start - usize::from(plus)) {
            return None;
        }
        let mut last = end;
        let mut reached = Self::national(&digits, skip).map(|national| Self { national, end: last });
        while digits.len() < skip + 12 && digits.len() < 16 {
            let Some(next) = next_digits(bytes, last) else { break };
            let run = bytes[next..].iter().take(16).take_while(|byte| byte.is_ascii_digit()).count();
            digits.extend_from_slice(&bytes[next..next + run]);
            last = next + run;
            let ten = reached.as_ref().map(|number| number.national[10]);
            match Self::national(&digits, skip) {
                // One of ten digits goes on only as the eleventh stands where it may.
                Some(national) if ten.is_none() || ten == Some(0) => {
                    reached = Some(Self { national, end: last })
                }
                _ => {}
            }
        }
        reached.filter(|number| !is_alphanumeric(bytes, number.end) && !goes_on(bytes, number.end))
    }

    fn national(digits: &[u8], skip: usize) -> Option<[u8; 11]> {
        let rest = digits.get(skip..)?;
        let rest = if skip > 0 { rest.strip_prefix(b"0").unwrap_or(rest) } else { rest.strip_prefix(b"0")? };
        let known = match rest.first()? {
            b'1' => matches!(rest.len(), 9 | 10),
            b'2' | b'3' | b'7' | b'9' => rest.len() == 10,
            b'5' => rest.len() == 10 || rest.len() == 9 && rest.starts_with(b"500"),
            b'8' => rest.len() == 10 || rest.len() == 9 && rest.starts_with(b"800"),
            _ => false,
        };
        if !known {
            return None;
        }
        let mut national = [0; 11];
        national[0] = b'0';
        national[1..=rest.len()].copy_from_slice(rest);
        Some(national)
    }
}

/// Part of a longer number, or of a word.
fn before_is_digits(bytes: &[u8], start: usize) -> bool {
    let Some(before) = start.checked_sub(1) else { return false };
    let joined = |at: usize| matches!(bytes[at], b'-' | b'.');
    is_alphanumeric(bytes, before)
        || bytes[before] == b'+'
        || joined(before) && before.checked_sub(1).is_some_and(|at| bytes[at].is_ascii_digit())
}

/// A date, a decimal number or a longer number of which this is the beginning.
fn goes_on(bytes: &[u8], end: usize) -> bool {
    matches!(bytes.get(end), Some(b'-' | b'.')) && bytes.get(end + 1).is_some_and(u8::is_ascii_digit)
}

fn next_digits(bytes: &[u8], from: usize) -> Option<usize> {
    let gap = bytes.get(from..)?.iter().take(GAP + 1).take_while(|byte| !byte.is_ascii_digit()).count();
    let between = bytes.get(from..from + gap)?;
    let known = between.iter().all(|byte| matches!(byte, b' ' | b'-' | b'.' | b'(' | b')'));
    (known && (1..=GAP).contains(&gap) && bytes.get(from + gap)?.is_ascii_digit()).then_some(from + gap)
}

fn is_link_to_call(before: &str) -> bool {
    before.ends_with("tel:") || before.ends_with("tel://")
}
