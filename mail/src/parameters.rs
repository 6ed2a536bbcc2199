//! A type with parameters: `Content-Type`, `Content-Disposition` (RFC 2045 §5.1, RFC 2183, RFC 2231), as clients write it:
//! unquoted blanks, encoded words in quotes, missing semicolons. Linear time.

use crate::{charset, words};

/// `main/sub; name=value`, names in lower case, values decoded.
#[derive(Debug, Default)]
pub(crate) struct Parameters {
    pub(crate) main: String,
    pub(crate) sub: Option<String>,
    attributes: Vec<(String, String)>,
}

/// A piece of a value after RFC 2231: `name*3*=`.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    name: String,
    number: u32,
    encoded: bool,
    bytes: Vec<u8>,
}

impl Parameters {
    /// Reads a raw field value, folded or not. Never fails; what cannot be read is left out.
    pub(crate) fn parse(value: &[u8]) -> Self {
        let unfolded: Vec<u8> = value.iter().copied().filter(|b| !matches!(b, b'\r' | b'\n')).collect();
        let mut input = Input(&unfolded);
        let (main, sub) = input.media_type();
        let mut plain = Vec::new();
        let mut segments = Vec::new();
        while let Some((name, value)) = input.attribute() {
            match segment(&name, &value) {
                Some(segment) => segments.push(segment),
                None => plain.push((name, words::decode(&value).trim().to_owned())),
            }
        }
        // The extended form wins over a plain one of the same name, which is there for old readers.
        let mut attributes = joined(segments);
        attributes.append(&mut plain);
        Self { main, sub, attributes }
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

struct Input<'a>(&'a [u8]);

impl Input<'_> {
    fn media_type(&mut self) -> (String, Option<String>) {
        self.skip();
        let main = self.token(b"/;( \t");
        self.skip();
        if self.0.first() != Some(&b'/') {
            return (main, None);
        }
        self.0 = &self.0[1..];
        self.skip();
        let sub = self.token(b";( \t");
        (main, (!sub.is_empty()).then_some(sub))
    }

    /// The next `name=value`; a name without value is passed over.
    fn attribute(&mut self) -> Option<(String, Vec<u8>)> {
        loop {
            self.skip();
            while let [b';', rest @ ..] = self.0 {
                self.0 = rest;
                self.skip();
            }
            if self.0.is_empty() {
                return None;
            }
            let name = self.token(b"=;");
            if let [b'=', rest @ ..] = self.0 {
                self.0 = rest;
                self.skip();
                return Some((name, self.value()));
            }
        }
    }

    fn value(&mut self) -> Vec<u8> {
        if let [b'"', rest @ ..] = self.0 {
            self.0 = rest;
            return self.quoted();
        }
        let end = self.0.iter().position(|&b| b == b';').unwrap_or(self.0.len());
        let (value, rest) = self.0.split_at(end);
        self.0 = rest;
        let comment = value.windows(2).position(|pair| matches!(pair, [b' ' | b'\t', b'(']));
        value[..comment.unwrap_or(value.len())].trim_ascii().to_vec()
    }

    /// Up to the closing quote; a backslash stands for the character behind it (RFC 5322 §3.2.4).
    fn quoted(&mut self) -> Vec<u8> {
        let mut value = Vec::new();
        loop {
            match self.0 {
                [b'\\', escaped, rest @ ..] => {
                    value.push(*escaped);
                    self.0 = rest;
                }
                [b'"', rest @ ..] => {
                    self.0 = rest;
                    return value;
                }
                [byte, rest @ ..] => {
                    value.push(*byte);
                    self.0 = rest;
                }
                [] => return value,
            }
        }
    }

    fn token(&mut self, ends: &[u8]) -> String {
        let end = self.0.iter().position(|b| ends.contains(b)).unwrap_or(self.0.len());
        let (token, rest) = self.0.split_at(end);
        self.0 = rest;
        String::from_utf8_lossy(token.trim_ascii()).to_ascii_lowercase()
    }

    /// Blanks and comments; an unclosed comment takes the rest (RFC 5322 §3.2.2).
    fn skip(&mut self) {
        self.0 = self.0.trim_ascii_start();
        while self.0.first() == Some(&b'(') {
            let mut depth = 0_usize;
            let closed = self.0.iter().position(|b| {
                match b {
                    b'(' => depth += 1,
                    b')' => depth -= 1,
                    _ => {}
                }
                depth == 0
            });
            self.0 = closed.map_or(&[][..], |at| &self.0[at + 1..]).trim_ascii_start();
        }
    }
}

/// RFC 2231 §3 and §4: `name*=`, `name*0=`, `name*0*=`.
fn segment(name: &str, value: &[u8]) -> Option<Segment> {
    let (base, mark) = name.split_once('*')?;
    let (number, encoded) = match mark.strip_suffix('*') {
        Some(number) => (number, true),
        None => (mark, mark.is_empty()),
    };
    let number = if number.is_empty() { 0 } else { number.parse().ok()? };
    Some(Segment { name: base.to_owned(), number, encoded, bytes: value.to_vec() })
}

fn joined(mut segments: Vec<Segment>) -> Vec<(String, String)> {
    segments.sort();
    segments.chunk_by(|a, b| a.name == b.name).filter_map(whole).collect()
}

/// Puts the segments of one name together, then undoes the charset that the first one names.
fn whole(segments: &[Segment]) -> Option<(String, String)> {
    let first = segments.first()?;
    let (charset, skipped) = if first.encoded { charset_prefix(&first.bytes) } else { (None, 0) };
    let mut bytes = Vec::new();
    for (i, segment) in segments.iter().enumerate() {
        let raw = if i == 0 { &segment.bytes[skipped..] } else { &segment.bytes[..] };
        match segment.encoded {
            true => percent(raw, &mut bytes),
            false => bytes.extend_from_slice(raw),
        }
    }
    let text = match segments.iter().any(|segment| segment.encoded) {
        true => charset::read(&bytes, charset.as_deref()).text,
        false => words::decode(&bytes),
    };
    Some((first.name.clone(), text.trim().to_owned()))
}

/// `charset'language'` and its length.
fn charset_prefix(value: &[u8]) -> (Option<String>, usize) {
    let mut quotes = value.iter().enumerate().filter(|(_, b)| **b == b'\'').map(|(at, _)| at);
    match (quotes.next(), quotes.next()) {
        (Some(end), Some(second)) => (Some(String::from_utf8_lossy(&value[..end]).into_owned()), second + 1),
        _ => (None, 0),
    }
}

fn percent(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|&b| char::from(b).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high << 4 | low) as u8);
                rest = &after[2..];
            }
            _ => {
                out.push(byte);
                rest = after;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Parameters;

    fn attribute(value: &str, name: &str) -> Option<String> {
        Parameters::parse(value.as_bytes()).attribute(name).map(str::to_owned)
    }

    #[test]
    fn types() {
        for (value, main, sub) in [
            ("text/plain", "text", Some("plain")),
            (" TEXT / HTML ; charset=x", "text", Some("html")),
            ("(c) text (d)/ plain(e)", "text", Some("plain")),
            ("text/plain charset=utf-8", "text", Some("plain")),
            ("attachment", "attachment", None),
            ("", "", None),
        ] {
            let read = Parameters::parse(value.as_bytes());
            assert_eq!((read.main.as_str(), read.sub.as_deref()), (main, sub), "{value}");
        }
    }

    #[test]
    fn values() {
        assert_eq!(attribute("a/b; Name=\"x; y\"; z=1", "name").unwrap(), "x; y");
        assert_eq!(attribute("a/b; name=\r\n \"x\"", "name").unwrap(), "x");
        assert_eq!(attribute("a/b; name=two words.pdf ; z=1", "name").unwrap(), "two words.pdf");
        assert_eq!(attribute("a/b; charset=us-ascii (plain)", "charset").unwrap(), "us-ascii");
        assert_eq!(attribute("a/b; name=\"a\\\\b\\\"q\\\".pdf\"", "name").unwrap(), "a\\b\"q\".pdf");
        assert_eq!(attribute("a/b;;; bare; name=\"open", "name").unwrap(), "open");
        assert_eq!(attribute("a/b; name=\"=?utf-8?B?w6Q=?=.pdf\"", "name").unwrap(), "ä.pdf");
    }

    #[test]
    fn continued_and_encoded_values() {
        assert_eq!(attribute("a/b; name*=utf-8'en'%C3%A4%20b", "name").unwrap(), "ä b");
        assert_eq!(attribute("a/b; name*1=b; name*0=a; name*2*=%63", "name").unwrap(), "abc");
        assert_eq!(attribute("a/b; name*0*=utf-8''%C3; name*1*=%A4", "name").unwrap(), "ä");
        assert_eq!(attribute("a/b; name=old; name*=iso-8859-1''%E4", "name").unwrap(), "ä");
        assert_eq!(attribute("a/b; name*=%zz%4", "name").unwrap(), "%zz%4");
    }
}
