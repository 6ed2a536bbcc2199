//! Search tags: the numbers by which people find a case. Normalised and checked here; whether a number counts as a tag
//! in its surroundings is the policies' business, and no tag is ever stored readable.

use std::fmt;

use minicbor::{Decode, Encode};

const MPAN_CORE: usize = 13;
const MPAN_FULL: usize = 21;
const MPAN_WEIGHTS: [u32; 12] = [3, 5, 7, 13, 17, 19, 23, 29, 31, 37, 41, 43];
const REFERENCE_MAX: usize = 64;

/// Which number it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
pub enum TagKind {
    /// Electricity meter point.
    #[n(0)]
    Mpan,
    /// Gas meter point.
    #[n(1)]
    Mprn,
    /// A company's own reference.
    #[n(2)]
    Reference,
}

/// A number in its one normal form. Equal numbers are equal however they were written.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Tag {
    #[n(0)]
    kind: TagKind,
    #[n(1)]
    value: String,
}

impl Tag {
    /// An electricity meter point number: the core of 13 digits, or all 21 of which the core is the end. White space,
    /// hyphens and the `S` of the printed form may stand between. The check digit must be right; 10 % of all numbers
    /// are so by chance.
    pub fn mpan(text: &str) -> Option<Self> {
        let digits = digits(text, MPAN_FULL, |c| is_separator(c) || matches!(c, 'S' | 's'))?;
        let core = match digits.len() {
            MPAN_CORE => &digits[..],
            MPAN_FULL => &digits[MPAN_FULL - MPAN_CORE..],
            _ => return None,
        };
        let sum: u32 = MPAN_WEIGHTS.iter().zip(core).map(|(weight, digit)| weight * digit).sum();
        // Distributor ids begin at 10, so no core begins with 0.
        let sound = sum % 11 % 10 == core[MPAN_CORE - 1] && core[0] != 0;
        sound.then(|| Self::new(TagKind::Mpan, core))
    }

    /// A gas meter point number: 6 to 10 digits, perhaps an `M` before them. The last two digits must be the check of
    /// the others; 1 % of all numbers pass by chance.
    pub fn mprn(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix(['M', 'm']).unwrap_or(text);
        let digits = digits(text, 10, is_separator)?;
        let counted = digits.len().checked_sub(2).filter(|&counted| counted >= 4)?;
        let (number, check) = digits.split_at(counted);
        let sum: u32 = (1..).zip(number.iter().rev()).map(|(weight, digit)| weight * digit).sum();
        (sum % 11 == check[0] * 10 + check[1]).then(|| Self::new(TagKind::Mprn, &digits))
    }

    /// A company's own reference: capital letters, runs of white space made one space. At most 64 bytes.
    pub fn reference(text: &str) -> Option<Self> {
        let value = text.split_whitespace().collect::<Vec<_>>().join(" ").to_uppercase();
        let sound = (1..=REFERENCE_MAX).contains(&value.len()) && !value.chars().any(char::is_control);
        sound.then_some(Self { kind: TagKind::Reference, value })
    }

    /// Which number it is.
    pub fn kind(&self) -> TagKind {
        self.kind
    }

    /// The normal form: digits only, or a reference in capitals. Personal data: not for logs.
    pub fn value(&self) -> &str {
        &self.value
    }

    fn new(kind: TagKind, digits: &[u32]) -> Self {
        let value = digits.iter().filter_map(|&digit| char::from_digit(digit, 10)).collect();
        Self { kind, value }
    }
}

impl TagKind {
    /// The name as stored and shown: `mpan`, `mprn`, `reference`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mpan => "mpan",
            Self::Mprn => "mprn",
            Self::Reference => "reference",
        }
    }
}

/// The kind only: a tag's value must not reach a log by way of a debug line.
impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({})", self.kind.as_str())
    }
}

/// The digits of a text of nothing but digits and separators, at most `most` of them.
fn digits(text: &str, most: usize, separator: impl Fn(char) -> bool) -> Option<Vec<u32>> {
    let mut digits = Vec::with_capacity(most);
    for c in text.chars().filter(|&c| !separator(c)) {
        if digits.len() == most {
            return None;
        }
        digits.push(c.to_digit(10)?);
    }
    Some(digits)
}

fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, '-' | '\u{2010}'..='\u{2015}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mpan_vectors() {
        for good in ["1234567890126", "2000000000015", "1200023305967", "1010000000000"] {
            let tag = Tag::mpan(good).unwrap();
            assert_eq!((tag.kind(), tag.value()), (TagKind::Mpan, good));
        }
        for bad in
            ["1234567890123", "1012345678809", "0000000000000", "123456789012", "12345678901260", "", "x"]
        {
            assert!(Tag::mpan(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn mpan_is_one_however_written() {
        for written in
            ["12 0002 3305 967", "12-00023-305967", "S 12 0002 3305 967", "12\u{a0}0002\r\n3305967"]
        {
            assert_eq!(Tag::mpan(written).unwrap().value(), "1200023305967", "{written}");
        }
        assert_eq!(Tag::mpan("01 801 100 12 0002 3305 967").unwrap().value(), "1200023305967");
        assert!(Tag::mpan("12.0002.3305.967").is_none());
    }

    #[test]
    fn mprn_vectors() {
        for good in ["3938424403", "12345601", "1234567810", "123409"] {
            assert_eq!(Tag::mprn(good).unwrap().value(), good);
        }
        assert_eq!(Tag::mprn("M3938 424-403").unwrap().value(), "3938424403");
        for bad in ["3938424600", "12345678", "12309", "39384244031", "", "M", "MM123409"] {
            assert!(Tag::mprn(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn references_lose_case_and_spaces() {
        assert_eq!(Tag::reference(" et-2026 / 77a\n"), Tag::reference("ET-2026 /  77A"));
        assert!(Tag::reference("  ").is_none());
        assert!(Tag::reference("a\u{0}b").is_none());
        assert!(Tag::reference(&"x".repeat(65)).is_none());
    }

    #[test]
    fn debug_form_hides_the_number() {
        assert_eq!(format!("{:?}", Tag::mpan("1200023305967").unwrap()), "Tag(mpan)");
    }

    #[test]
    fn stored_form_comes_back() {
        let tag = Tag::mprn("123409").unwrap();
        assert_eq!(minicbor::decode::<Tag>(&minicbor::to_vec(&tag).unwrap()).unwrap(), tag);
    }
}
