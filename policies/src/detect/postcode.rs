//! British postcodes: outward and inward part, in capitals or not, together or apart. An area that Royal Mail does not
//! have is a weaker shape.

use super::{
    Category,
    scan::{Scan, Shape, is_alphanumeric},
};
use crate::digits;

const AREAS: [&str; 126] = [
    "AB", "AL", "B", "BA", "BB", "BD", "BF", "BH", "BL", "BN", "BR", "BS", "BT", "BX", "CA", "CB", "CF",
    "CH", "CM", "CO", "CR", "CT", "CV", "CW", "DA", "DD", "DE", "DG", "DH", "DL", "DN", "DT", "DY", "E",
    "EC", "EH", "EN", "EX", "FK", "FY", "G", "GL", "GU", "GY", "HA", "HD", "HG", "HP", "HR", "HS", "HU",
    "HX", "IG", "IM", "IP", "IV", "JE", "KA", "KT", "KW", "KY", "L", "LA", "LD", "LE", "LL", "LN", "LS",
    "LU", "M", "ME", "MK", "ML", "N", "NE", "NG", "NN", "NP", "NR", "NW", "OL", "OX", "PA", "PE", "PH", "PL",
    "PO", "PR", "RG", "RH", "RM", "S", "SA", "SE", "SG", "SK", "SL", "SM", "SN", "SO", "SP", "SR", "SS",
    "ST", "SW", "SY", "TA", "TD", "TF", "TN", "TQ", "TR", "TS", "TW", "UB", "W", "WA", "WC", "WD", "WF",
    "WN", "WR", "WS", "WV", "YO", "ZE",
];
/// Letters that no inward part has.
const NEVER_INWARD: &[u8] = b"CIKMOV";
const INWARD: usize = 3;
const LONGEST: usize = 7;
/// From a label to what it labels: a colon, a verb, some spaces.
const BEHIND_LABEL: usize = 6;
/// Units of computers, with a digit before them.
const UNITS: [&[u8]; 2] = [b"GB", b"TB"];

/// Reads the postcode that begins with the token `start..end`.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize) -> bool {
    let bytes = scan.text.as_bytes();
    let token = &bytes[start..end];
    let (outward, inward, to, apart) = match token.len() {
        2..=4 => {
            let gap = gap(bytes, end);
            let from = end + gap;
            let Some(inward) = bytes.get(from..from + INWARD) else { return false };
            (token, inward, from + INWARD, &bytes[end..from])
        }
        5..=LONGEST => {
            let (outward, inward) = token.split_at(token.len() - INWARD);
            (outward, inward, end, &b""[..])
        }
        _ => return false,
    };
    if is_alphanumeric(bytes, to)
        || !is_inward(inward)
        || !is_outward(outward)
        || !stands_alone(bytes, start, to)
    {
        return false;
    }
    let capitals = !bytes[start..to].iter().any(u8::is_ascii_lowercase);
    let spaced = matches!(apart, b" " | b"  " | b"\t");
    let usual = capitals && spaced && has_known_area(outward) && !UNITS.contains(&&inward[1..]);
    let shape = match (usual, apart.is_empty() || spaced || apart == b"-") {
        (true, _) => Shape::Full,
        (false, true) => Shape::Half,
        (false, false) => Shape::Bare,
    };
    if digits::is_in_link(scan.text, start, to) {
        return false;
    }
    scan.add(Category::Postcode, shape, start, to);
    if shape == Shape::Full {
        scan.read_to(to);
    }
    shape == Shape::Full
}

/// Reads letter by letter what stands behind a label that ends at `end`.
pub(super) fn spelt(scan: &mut Scan<'_>, end: usize) {
    let bytes = scan.text.as_bytes();
    let before = bytes.get(end..).unwrap_or_default().iter().take(BEHIND_LABEL);
    let start =
        end + before.take_while(|byte| matches!(byte, b' ' | b':' | b'=' | b'-' | b'"' | b'*')).count();
    let mut code = Vec::with_capacity(LONGEST);
    let (mut at, mut to) = (start, start);
    while code.len() < LONGEST {
        match bytes.get(at) {
            Some(b' ' | b'-' | b'.' | b'_') if at == to && at > start => {}
            Some(byte) if byte.is_ascii_alphanumeric() => {
                code.push(byte.to_ascii_uppercase());
                to = at + 1;
                if is_spelt(&code) && !is_alphanumeric(bytes, to) {
                    scan.add(Category::Postcode, Shape::Half, start, to);
                    return;
                }
            }
            _ => return,
        }
        at += 1;
    }
}

/// Whether it is a postcode once O is taken for 0 and I for 1 where digits stand.
fn is_spelt(code: &[u8]) -> bool {
    let Some(split) = code.len().checked_sub(INWARD).filter(|split| (2..=4).contains(split)) else {
        return false;
    };
    let digit = |byte: u8| match byte {
        b'O' => b'0',
        b'I' | b'L' => b'1',
        other => other,
    };
    // A word of the right length is no postcode, however it is read.
    if !code.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let (outward, inward) = code.split_at(split);
    let inward = [digit(inward[0]), inward[1], inward[2]];
    let mut tail = outward.to_vec();
    if let Some(last) = tail.last_mut() {
        *last = digit(*last);
    }
    is_inward(&inward) && (is_outward(outward) || is_outward(&tail))
}

fn gap(bytes: &[u8], at: usize) -> usize {
    let gap = bytes.get(at..).unwrap_or_default().iter().take(3);
    gap.take_while(|byte| matches!(byte, b' ' | b'-' | b'\t' | b'\r' | b'\n' | b'.' | b'_')).count()
}

fn is_inward(inward: &[u8]) -> bool {
    matches!(inward, [b'0'..=b'9', first, second]
        if [first, second].into_iter().all(|byte| byte.is_ascii_alphabetic() && !NEVER_INWARD.contains(&byte.to_ascii_uppercase())))
}

fn is_outward(outward: &[u8]) -> bool {
    let upper: Vec<u8> = outward.iter().map(u8::to_ascii_uppercase).collect();
    let first = |byte: u8| byte.is_ascii_uppercase() && !b"QVX".contains(&byte);
    let second = |byte: u8| byte.is_ascii_uppercase() && !b"IJZ".contains(&byte);
    match upper.as_slice() {
        b"GIR" => true,
        [a, b'0'..=b'9'] | [a, b'0'..=b'9', b'0'..=b'9'] => first(*a),
        [a, b, b'0'..=b'9'] if b.is_ascii_uppercase() => first(*a) && second(*b),
        [a, b, b'0'..=b'9', b'0'..=b'9'] => first(*a) && second(*b),
        [a, b'0'..=b'9', last] => first(*a) && b"ABCDEFGHJKPSTUW".contains(last),
        [a, b, b'0'..=b'9', last] => first(*a) && second(*b) && b"ABEHMNPRVWXY".contains(last),
        _ => false,
    }
}

fn has_known_area(outward: &[u8]) -> bool {
    let letters = outward.iter().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let area = std::str::from_utf8(&outward[..letters]).unwrap_or_default();
    outward == b"GIR" || AREAS.binary_search(&area).is_ok()
}

/// Not part of a longer code such as `AB-M1 1AE/7`.
fn stands_alone(bytes: &[u8], start: usize, end: usize) -> bool {
    let joined = |byte: Option<&u8>| {
        byte.is_some_and(|byte| matches!(byte, b'-' | b'/' | b'#' | b'=' | b'%' | b'+' | b'$'))
    };
    let before = start.checked_sub(1).and_then(|at| bytes.get(at));
    let follows = joined(bytes.get(end)) && is_alphanumeric(bytes, end + 1);
    !joined(before.filter(|byte| !matches!(byte, b'=' | b'-'))) && !follows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_postcode(text: &str) -> bool {
        let (outward, inward) = text.split_once(' ').unwrap();
        is_outward(outward.as_bytes()) && is_inward(inward.as_bytes())
    }

    #[test]
    fn vectors() {
        assert!(AREAS.is_sorted());
        for good in ["PO1 3AX", "M1 1AE", "B33 8TH", "CR2 6XH", "DN55 1PT", "W1A 0AX", "EC1A 1BB", "GIR 0AA"]
        {
            assert!(is_postcode(good), "{good}");
        }
        for bad in ["QA1 1AA", "M1 1AC", "A1 1AAA", "AI1 1AA", "AAA 1AA"] {
            assert!(!is_postcode(bad), "{bad}");
        }
    }
}
