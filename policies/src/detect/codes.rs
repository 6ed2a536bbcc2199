//! Codes of letters and digits: postcodes, National Insurance numbers, IBANs, serial numbers and identifiers of meters.
//! Each is read from the token it begins with; shapes only.

use super::{
    Category, iban,
    lexicon::Hit,
    postcode,
    scan::{Scan, Shape, is_alphanumeric},
};
use crate::digits;

/// Words up to this may begin a code.
pub(super) const SHORT_WORD: usize = 3;
const NATIONAL_INSURANCE: usize = 9;
/// Letters with which no National Insurance number begins, and which are not its second (HMRC NIM39110).
const NEVER_FIRST: &[u8] = b"DFIQUV";
const NEVER_SECOND: &[u8] = b"DFIOQUV";
const NEVER_PREFIX: [&[u8]; 7] = [b"BG", b"GB", b"KN", b"NK", b"NT", b"TN", b"ZZ"];
/// A serial number has at most 14 characters.
const SERIAL: std::ops::RangeInclusive<usize> = 6..=14;
const SERIAL_DIGITS: usize = 4;
const GUID_PAIRS: usize = 8;
const GUID: usize = GUID_PAIRS * 2;

/// Reads the token `start..end` of letters and digits.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize) {
    if scan.is_read(start) {
        return;
    }
    let bytes = scan.text.as_bytes();
    let is_code = bytes[start].is_ascii_alphabetic()
        && (postcode::read(scan, start, end)
            || national_insurance(scan, start)
            || iban::read(scan, start, end));
    if is_code {
        return;
    }
    if end - start == 2 || end - start == GUID {
        guid(scan, start, end);
    }
    serial(scan, start, end);
}

/// Reads what begins with a short word.
#[inline]
pub(super) fn short_word(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    match (end - start, bytes.get(end)) {
        (2, Some(b' ' | b'-')) if is_digit(bytes, end + 1) && national_insurance(scan, start) => {}
        (2, Some(b'-' | b':')) => guid(scan, start, end),
        (3, Some(b' ')) if &bytes[start..end] == b"GIR" => {
            postcode::read(scan, start, end);
        }
        _ => {}
    }
}

/// A postcode straight behind its label, even if somebody spaced it out or wrote letters for digits.
pub(super) fn spelt_postcode(scan: &mut Scan<'_>, label: Hit) {
    postcode::spelt(scan, label.end as usize);
}

fn national_insurance(scan: &mut Scan<'_>, start: usize) -> bool {
    let bytes = scan.text.as_bytes();
    let Some((code, end, gaps)) = collect::<NATIONAL_INSURANCE>(bytes, start) else { return false };
    let upper = code.map(|byte| byte.to_ascii_uppercase());
    let [first, second, digits @ .., last] = &upper;
    let sound = first.is_ascii_alphabetic()
        && second.is_ascii_alphabetic()
        && !NEVER_FIRST.contains(first)
        && !NEVER_SECOND.contains(second)
        && !NEVER_PREFIX.contains(&&upper[..2])
        && digits.iter().all(u8::is_ascii_digit)
        && matches!(last, b'A'..=b'D');
    if !sound || is_alphanumeric(bytes, end) || !digits::stands_alone(scan.text, start, end) {
        return false;
    }
    let usual = code == upper && matches!(gaps, 0 | 4 | 1 | 2);
    scan.add(Category::NationalInsurance, if usual { Shape::Full } else { Shape::Half }, start, end);
    scan.read_to(end);
    true
}

/// The next `N` letters and digits, where they end, and how many single separators stand between.
fn collect<const N: usize>(bytes: &[u8], start: usize) -> Option<([u8; N], usize, usize)> {
    let mut code = [0; N];
    let (mut at, mut gaps) = (start, 0);
    for place in &mut code {
        if matches!(bytes.get(at)?, b' ' | b'-' | b'.') && at > start {
            gaps += 1;
            at += 1;
        }
        *place = *bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric())?;
        at += 1;
    }
    Some((code, at, gaps))
}

/// `S06DS123456`, `S76A 13884` and what else has letters and digits enough.
fn serial(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    let token = &bytes[start..end];
    let more = trailing_digits(bytes, end);
    let (end, usual) = match usual_serial(token) {
        Some(5..=6) => (end, true),
        // The digits may stand apart.
        Some(0) if matches!(more, 5 | 6) => (end + 1 + more, true),
        _ => (end, false),
    };
    let digits = token.iter().filter(|byte| byte.is_ascii_digit()).count();
    let upper = !token.iter().any(u8::is_ascii_lowercase);
    let fits = SERIAL.contains(&token.len()) && digits >= SERIAL_DIGITS && digits < token.len() && upper;
    if !(usual || fits) || !digits::stands_alone(scan.text, start, end) {
        return;
    }
    scan.add(Category::MeterSerial, if usual { Shape::Full } else { Shape::Half }, start, end);
    if usual {
        scan.read_to(end);
    }
}

/// Letter, two digits of the year, one or two letters: the number of digits behind them.
fn usual_serial(token: &[u8]) -> Option<usize> {
    let [b'A'..=b'Z', b'0'..=b'9', b'0'..=b'9', b'A'..=b'Z', rest @ ..] = token else { return None };
    let rest = match rest {
        [b'A'..=b'Z', rest @ ..] => rest,
        rest => rest,
    };
    rest.iter().all(u8::is_ascii_digit).then_some(rest.len())
}

fn trailing_digits(bytes: &[u8], end: usize) -> usize {
    if bytes.get(end) != Some(&b' ') {
        return 0;
    }
    let digits = bytes[end + 1..].iter().take(7).take_while(|byte| byte.is_ascii_digit()).count();
    if is_alphanumeric(bytes, end + 1 + digits) { 0 } else { digits }
}

/// Eight pairs of hexadecimal digits (EUI-64), parted by hyphens or colons, or all in one.
pub(super) fn guid(scan: &mut Scan<'_>, start: usize, end: usize) {
    let bytes = scan.text.as_bytes();
    let is_hex = |from: usize, to: usize| {
        bytes.get(from..to).is_some_and(|pair| pair.iter().all(u8::is_ascii_hexdigit))
    };
    if scan.is_read(start) || !is_hex(start, end) {
        return;
    }
    if end - start == GUID {
        let mixed = bytes[start..end].iter().any(u8::is_ascii_alphabetic)
            && digits::stands_alone(scan.text, start, end);
        if mixed {
            scan.add(Category::MeterGuid, Shape::Half, start, end);
        }
        return;
    }
    let Some(separator @ (b'-' | b':')) = bytes.get(end).copied() else { return };
    let mut pairs = 1;
    let mut at = end;
    while bytes.get(at) == Some(&separator) && is_hex(at + 1, at + 3) && !is_alphanumeric(bytes, at + 3) {
        pairs += 1;
        at += 3;
    }
    // Fewer are a network card's, more are a fingerprint's; neither is looked at again.
    scan.read_to(at);
    if pairs == GUID_PAIRS {
        scan.add(Category::MeterGuid, Shape::Full, start, at);
    }
}

fn is_digit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(u8::is_ascii_digit)
}
