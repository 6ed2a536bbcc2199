//! Writes over the values of secret header fields while a mail arrives, whoever brings it: the one exception to storing
//! mail byte for byte (docs/decisions/0006). It holds nothing back and changes no length; line ends and white space stay.

use std::borrow::Cow;

/// What a secret is written over with, byte for byte.
const BLOT: u8 = b'x';

/// Bytes in front of a colon that are kept; no line of a header is longer (RFC 5322 §2.1.1).
const LONGEST: usize = 998;

/// Follows one mail to the end of its header.
pub struct Blotter {
    /// The names of the secret fields.
    names: Vec<String>,
    place: Place,
}

enum Place {
    /// In front of the colon of a line, with what stands there so far; and what becomes of the line if it goes on with the
    /// field before.
    Name(Vec<u8>, Value),
    Value(Value),
    Body,
}

#[derive(Clone, Copy)]
enum Value {
    Secret,
    Open,
}

impl Blotter {
    /// For a mail in which fields of these names hold secrets.
    pub fn new(names: Vec<String>) -> Self {
        let place = match names.is_empty() {
            true => Place::Body,
            false => Place::Name(Vec::new(), Value::Open),
        };
        Self { names, place }
    }

    /// The next bytes of the mail, as they may be kept.
    pub fn pass<'a>(&mut self, bytes: &'a [u8]) -> Cow<'a, [u8]> {
        if matches!(self.place, Place::Body) {
            return Cow::Borrowed(bytes);
        }
        let mut kept = bytes.to_vec();
        kept.iter_mut().for_each(|byte| self.step(byte));
        Cow::Owned(kept)
    }

    fn step(&mut self, byte: &mut u8) {
        let after = |value| Place::Name(Vec::new(), value);
        match &mut self.place {
            Place::Value(value) if *byte == b'\n' => self.place = after(*value),
            Place::Value(Value::Secret) if !byte.is_ascii_whitespace() => *byte = BLOT,
            Place::Value(_) | Place::Body => {}
            Place::Name(name, value) => match *byte {
                // A folded line (RFC 5322 §2.2.3).
                b' ' | b'\t' if name.is_empty() => self.place = Place::Value(*value),
                b':' => self.place = Place::Value(value_of(name, &self.names)),
                b'\n' if matches!(name.as_slice(), b"" | b"\r") => self.place = Place::Body,
                b'\n' => self.place = after(Value::Open),
                other if name.len() < LONGEST => name.push(other),
                _ => {}
            },
        }
    }
}

/// White space in front of the colon makes no other field of it (RFC 5322 §4.5.8).
fn value_of(name: &[u8], secrets: &[String]) -> Value {
    let secret = |one: &String| one.as_bytes().eq_ignore_ascii_case(name.trim_ascii_end());
    if secrets.iter().any(secret) { Value::Secret } else { Value::Open }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(names: &[&str], pieces: &[&[u8]]) -> String {
        let mut blotter = Blotter::new(names.iter().map(|&name| name.to_owned()).collect());
        let kept: Vec<u8> = pieces.iter().flat_map(|piece| blotter.pass(piece).into_owned()).collect();
        String::from_utf8(kept).unwrap()
    }

    #[test]
    fn the_values_of_secret_fields_are_gone_however_the_mail_is_cut() {
        let mail = "From: ann@alpha.example\r\nX-Secret: open sesame\r\n\tand more\r\nx-other : 1\r\nSubject: X-Secret: y\r\n \
                    folded\r\nX-Secrets: kept\r\nno colon\r\n\r\nX-Secret: body\r\n";
        let blotted = mail.replacen("open sesame\r\n\tand more", "xxxx xxxxxx\r\n\txxx xxxx", 1).replacen(
            "x-other : 1",
            "x-other : x",
            1,
        );
        let names = ["x-secret", "X-Other"];
        for cut in 0..=mail.len() {
            let (first, second) = mail.as_bytes().split_at(cut);
            assert_eq!(kept(&names, &[first, second]), blotted, "cut at {cut}");
        }
        let bytes: Vec<&[u8]> = mail.as_bytes().chunks(1).collect();
        assert_eq!(kept(&names, &bytes), blotted);
        assert_eq!(kept(&[], &[mail.as_bytes()]), mail, "nobody has a secret");
    }

    #[test]
    fn endless_names_are_let_go_of() {
        let mut blotter = Blotter::new(vec!["X-Secret".to_owned()]);
        for _ in 0..1000 {
            blotter.pass(&[b'X'; 1000]);
        }
        assert!(matches!(&blotter.place, Place::Name(name, _) if name.len() == LONGEST));
        assert_eq!(blotter.pass(b": value\r\nX-Secret: v\r\n").as_ref(), b": value\r\nX-Secret: x\r\n");
    }
}
