//! A header block taken apart into its fields, as bytes (RFC 5322 §2.2). It decodes nothing; what a mail
//! says is for the parser.

use memchr::{memchr, memmem};

/// Bytes of a header block that are looked at; a longer one is the sender's fault.
pub(crate) const LARGEST_HEAD: usize = 100 * 1024;

/// One field, or one line that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    /// What stands before the colon; empty for a line without one, or a folded line before the first field.
    name: &'a [u8],
    /// What stands behind it, folded lines and their line ends included, the last line end not.
    pub(crate) value: &'a [u8],
}

impl<'a> Field<'a> {
    /// Whether the field has this name, in any case, also in the obsolete form with white space behind it
    /// (RFC 5322 §4.5).
    pub(crate) fn is(&self, name: &str) -> bool {
        self.name.trim_ascii_end().eq_ignore_ascii_case(name.as_bytes())
    }

    /// Whether every reader takes the line for the same field: printable characters, then the colon.
    pub(crate) fn is_regular(&self) -> bool {
        !self.name.is_empty() && self.name.iter().all(u8::is_ascii_graphic)
    }

    /// The value on one line, without the white space around it. Bytes that are no UTF-8 are replaced.
    pub(crate) fn text(&self) -> String {
        let unfolded: Vec<u8> = self.value.iter().copied().filter(|byte| !b"\r\n".contains(byte)).collect();
        String::from_utf8_lossy(&unfolded).trim().to_owned()
    }
}

/// Name and value of every regular field of the mail's header, as far as a header block may reach.
pub fn header_fields(mail: &[u8]) -> Vec<(String, String)> {
    let head = &mail[..mail.len().min(LARGEST_HEAD)];
    let regular = fields(head).filter(Field::is_regular);
    regular.map(|field| (String::from_utf8_lossy(field.name).into_owned(), field.text())).collect()
}

/// The fields of a header block, up to its end or an empty line.
pub(crate) fn fields(head: &[u8]) -> impl Iterator<Item = Field<'_>> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = head.get(at..).filter(|rest| !rest.is_empty() && !rest.starts_with(b"\r\n"))?;
        let length = length(rest);
        at += length;
        let whole = rest.get(..length).unwrap_or_default();
        let colon = first_line(whole).and_then(|line| memchr(b':', line)).filter(|_| !is_folded(whole));
        let (name, from) = colon.map_or((&[][..], 0), |colon| (&whole[..colon], colon + 1));
        let value = whole.get(from..).unwrap_or_default();
        let value = value.strip_suffix(b"\r\n").unwrap_or(value);
        Some(Field { name, value })
    })
}

/// Where the header block ends in what has arrived of a mail, the empty line included; none if it has not ended yet.
/// `before` are bytes that are known to hold no end, save for its beginning.
pub(crate) fn end(mail: &[u8], before: usize) -> Option<usize> {
    if mail.starts_with(b"\r\n") {
        return Some(2);
    }
    let from = before.saturating_sub(3);
    memmem::find(mail.get(from..)?, b"\r\n\r\n").map(|place| from + place + 4)
}

/// Of the first line and all that are folded onto it, line ends included.
fn length(rest: &[u8]) -> usize {
    let mut length = 0;
    while let Some(place) = memmem::find(&rest[length..], b"\r\n") {
        length += place + 2;
        if !is_folded(&rest[length..]) {
            return length;
        }
    }
    rest.len()
}

fn is_folded(line: &[u8]) -> bool {
    matches!(line.first(), Some(b' ' | b'\t'))
}

fn first_line(whole: &[u8]) -> Option<&[u8]> {
    whole.split(|&byte| byte == b'\n').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_of_a_mail_are_those_of_its_header() {
        let mail = b"X-Process:  CM\r\nnonsense\r\nSubject: a\r\n b\r\n\r\nX-Body: 1\r\n";
        let field = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header_fields(mail), [field("X-Process", "CM"), field("Subject", "a b")]);
    }

    fn names(head: &[u8]) -> Vec<String> {
        fields(head).map(|field| String::from_utf8_lossy(field.name).into_owned()).collect()
    }

    #[test]
    fn fields_are_found_with_their_folded_lines() {
        let head =
            b"From: a@alpha.example\r\nSubject: one\r\n two\r\n\tthree\r\nX-Empty:\r\n\r\nTo: body\r\n";
        let all: Vec<Field<'_>> = fields(head).collect();
        assert_eq!(names(head), ["From", "Subject", "X-Empty"]);
        assert_eq!(all[1].text(), "one two\tthree");
        assert_eq!(all[2].value, b"");
        assert!(all.iter().all(Field::is_regular));
        assert!(all[0].is("from") && !all[0].is("fro"));
    }

    #[test]
    fn odd_lines_are_seen_and_told_apart() {
        assert_eq!(names(b" folded: first\r\nno colon\r\nTo : b\r\n"), ["", "", "To "]);
        let odd: Vec<_> = fields(b" folded: first\r\nno colon\r\nTo : b\r\nT\xc3\xb6: x\r\n: y").collect();
        assert!(odd.iter().all(|field| !field.is_regular()));
        assert!(odd[2].is("To"));
        assert_eq!(odd[4].value, b" y");
        assert_eq!(fields(b"").count(), 0);
        assert_eq!(fields(b"\r\nbody: x").count(), 0);
        assert_eq!(fields(b"a\r\n b: c").count(), 1, "a colon in a folded line is no name");
    }

    #[test]
    fn the_end_is_found_wherever_the_mail_is_cut() {
        let mail = b"From: a\r\n\r\nbody\r\n\r\n";
        for length in 0..=mail.len() {
            for before in 0..=length {
                if end(&mail[..before], 0).is_none() {
                    assert_eq!(end(&mail[..length], before), (length >= 11).then_some(11));
                }
            }
        }
        assert_eq!(end(b"\r\nbody", 0), Some(2));
    }
}
