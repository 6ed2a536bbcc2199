//! The number straight behind a subject code. The code speaks for it, so its check digits are enough; a company's own
//! reference has none and needs a pattern.

use mail::Tag;
use regex::Regex;

/// More groups than an MPAN of 21 digits is written in.
const MOST_GROUPS: usize = 8;

/// The tag at the beginning of what stands behind a code.
pub(super) fn tag(rest: &str, reference: Option<&Regex>) -> Option<Tag> {
    let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || ":-\u{2013}#".contains(c));
    number(rest).or_else(|| {
        let captures = reference?.captures(rest)?;
        let group = captures.get(1)?;
        (captures.get(0)?.start() == 0).then(|| Tag::reference(group.as_str()))?
    })
}

/// One group that is a number before several that together are one: what follows a number may be a number too.
fn number(rest: &str) -> Option<Tag> {
    let ends = group_ends(rest);
    let first = *ends.first()?;
    let joined = |read: fn(&str) -> Option<Tag>| ends[1..].iter().find_map(|end| read(&rest[..*end]));
    Tag::mpan(&rest[..first])
        .or_else(|| Tag::mprn(&rest[..first]))
        .or_else(|| joined(Tag::mpan))
        .or_else(|| joined(long_mprn))
}

/// Ten digits: fewer in several groups are too likely to be something else.
fn long_mprn(text: &str) -> Option<Tag> {
    Tag::mprn(text).filter(|tag| tag.value().len() == 10)
}

/// Where the groups of digits at the beginning end, as far as one separator stands between them. A group that goes on in
/// letters is none.
fn group_ends(rest: &str) -> Vec<usize> {
    let mut ends = Vec::with_capacity(MOST_GROUPS);
    let mut at = usize::from(rest.starts_with(['M', 'm']));
    while ends.len() < MOST_GROUPS {
        let digits = rest[at..].bytes().take_while(u8::is_ascii_digit).count();
        let end = at + digits;
        let after = rest[end..].chars().next();
        if digits == 0 || after.is_some_and(|c| c.is_alphanumeric() || c == '_') {
            break;
        }
        ends.push(end);
        match after {
            Some(separator) if matches!(separator, ' ' | '-' | '\u{a0}' | '\u{2013}') => {
                at = end + separator.len_utf8();
            }
            _ => break,
        }
    }
    ends
}

#[cfg(test)]
mod tests {
    use mail::TagKind;

    use crate::TagRules;

    fn tag(rest: &str) -> Option<(TagKind, String)> {
        let tag = TagRules::shipped().unwrap().behind_code(rest)?;
        Some((tag.kind(), tag.value().to_owned()))
    }

    #[test]
    fn right_check_digits_are_enough() {
        for rest in [
            " 1200023305967",
            "1200023305967 wrong supplier",
            ": 1200023305967, wrong supplier",
            " - 1200023305967.",
            " #1200023305967",
            " 12 0002 3305 967 wrong supplier",
            " 12-0002-3305-967 wrong supplier",
            " 12\u{a0}00023305\u{a0}967",
            " 01 111 802 12 0002 3305 967",
            " 1200023305967 20 July",
            // No distributor's, but nobody doubts it here.
        ] {
            assert_eq!(tag(rest), Some((TagKind::Mpan, "1200023305967".to_owned())), "{rest}");
        }
        assert_eq!(tag(" 9512345678908"), Some((TagKind::Mpan, "9512345678908".to_owned())));
        for (rest, value) in [
            (" 3938424403 x", "3938424403"),
            (" M3938424403", "3938424403"),
            (" 39384 24403", "3938424403"),
            (" 12345601", "12345601"),
            (" 123409 reading 5", "123409"),
        ] {
            assert_eq!(tag(rest), Some((TagKind::Mprn, value.to_owned())), "{rest}");
        }
    }

    #[test]
    fn reference_needs_no_label_behind_a_code() {
        assert_eq!(tag(" abc-123456 x"), Some((TagKind::Reference, "ABC-123456".to_owned())));
        assert_eq!(tag(" see ABC-123456"), None);
    }

    #[test]
    fn anything_else_is_no_tag() {
        for rest in [
            "",
            " ",
            " 1200023305968",
            " 1200023305967x",
            " x1200023305967",
            " about 1200023305967",
            " 1",
            " M",
            " MM123409",
        ] {
            assert_eq!(tag(rest), None, "{rest}");
        }
    }
}
