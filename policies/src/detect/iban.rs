//! International bank account numbers (ISO 13616): country, length and the remainder of 97.

use super::{
    Category,
    scan::{Scan, Shape, is_alphanumeric},
};

/// Countries and the lengths of their numbers, as the registry gives them.
const LENGTHS: [(&[u8; 2], usize); 76] = [
    (b"AD", 24),
    (b"AE", 23),
    (b"AL", 28),
    (b"AT", 20),
    (b"AZ", 28),
    (b"BA", 20),
    (b"BE", 16),
    (b"BG", 22),
    (b"BH", 22),
    (b"BR", 29),
    (b"BY", 28),
    (b"CH", 21),
    (b"CR", 22),
    (b"CY", 28),
    (b"CZ", 24),
    (b"DE", 22),
    (b"DK", 18),
    (b"DO", 28),
    (b"EE", 20),
    (b"EG", 29),
    (b"ES", 24),
    (b"FI", 18),
    (b"FO", 18),
    (b"FR", 27),
    (b"GB", 22),
    (b"GE", 22),
    (b"GI", 23),
    (b"GL", 18),
    (b"GR", 27),
    (b"GT", 28),
    (b"HR", 21),
    (b"HU", 28),
    (b"IE", 22),
    (b"IL", 23),
    (b"IQ", 23),
    (b"IS", 26),
    (b"IT", 27),
    (b"JO", 30),
    (b"KW", 30),
    (b"KZ", 20),
    (b"LB", 28),
    (b"LC", 32),
    (b"LI", 21),
    (b"LT", 20),
    (b"LU", 20),
    (b"LV", 21),
    (b"LY", 25),
    (b"MC", 27),
    (b"MD", 24),
    (b"ME", 22),
    (b"MK", 19),
    (b"MR", 27),
    (b"MT", 31),
    (b"MU", 30),
    (b"NL", 18),
    (b"NO", 15),
    (b"PK", 24),
    (b"PL", 28),
    (b"PS", 29),
    (b"PT", 25),
    (b"QA", 29),
    (b"RO", 24),
    (b"RS", 22),
    (b"SA", 24),
    (b"SC", 31),
    (b"SD", 18),
    (b"SE", 24),
    (b"SI", 19),
    (b"SK", 24),
    (b"SM", 27),
    (b"ST", 25),
    (b"SV", 28),
    (b"TL", 23),
    (b"TN", 24),
    (b"TR", 26),
    (b"UA", 29),
];
const LONGEST: usize = 34;

/// Reads the number that begins with the token `start..end`.
pub(super) fn read(scan: &mut Scan<'_>, start: usize, end: usize) -> bool {
    let bytes = scan.text.as_bytes();
    let [first, second, b'0'..=b'9', b'0'..=b'9', ..] = bytes[start..end] else { return false };
    let country = [first.to_ascii_uppercase(), second.to_ascii_uppercase()];
    let Some((_, length)) = LENGTHS.iter().find(|(known, _)| **known == country) else { return false };
    let Some((number, to)) = collect(bytes, start, *length) else { return false };
    if !is_sound(&number) {
        return false;
    }
    scan.add(Category::Iban, Shape::Full, start, to);
    scan.read_to(to);
    true
}

/// So many letters and digits, single spaces or hyphens between them, and where they end.
fn collect(bytes: &[u8], start: usize, length: usize) -> Option<(Vec<u8>, usize)> {
    let mut number = Vec::with_capacity(LONGEST);
    let mut at = start;
    while number.len() < length {
        if matches!(bytes.get(at)?, b' ' | b'-' | b'\n' | b'\t') && at > start {
            at += 1;
        }
        number.push(bytes.get(at).filter(|byte| byte.is_ascii_alphanumeric())?.to_ascii_uppercase());
        at += 1;
    }
    (!is_alphanumeric(bytes, at)).then_some((number, at))
}

/// ISO/IEC 7064, MOD 97-10: the first four characters are read last.
fn is_sound(number: &[u8]) -> bool {
    let turned = number[4..].iter().chain(&number[..4]);
    let remainder = turned.fold(0_u32, |remainder, byte| match byte {
        b'0'..=b'9' => (remainder * 10 + u32::from(byte - b'0')) % 97,
        _ => (remainder * 100 + u32::from(byte - b'A') + 10) % 97,
    });
    remainder == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remainders() {
        assert!(is_sound(b"GB82WEST12345698765432") && is_sound(b"GB26MIDL40051512345674"));
        assert!(!is_sound(b"GB82WEST12345698765433"));
        assert!(LENGTHS.is_sorted());
    }
}
