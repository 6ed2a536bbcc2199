//! The gate that every octet of an IMAP server passes: it cuts them into whole responses within limits, and lets
//! through what [`reduce`] leaves of each. No I/O, no clock.
//!
//! The parser behind it (imap-proto 0.17) panics on `* OK [ALERT]é` and on `INTERNALDATE NIL`, recurses as deep as a
//! BODYSTRUCTURE nests, and async-imap parses half a line again with every read. It gets to see none of that.

use std::collections::VecDeque;

use memchr::memchr;

use super::reduce::{LITERAL_FREE, reduce};

/// A line of a response; RFC 9051 §4 recommends to expect 8,192 octets.
const LINE: usize = 16 * 1024;

/// What a server did that ends the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    #[error("a line of the server is too long")]
    LongLine,
    #[error("a line of the server does not end with CRLF")]
    BareLf,
    #[error("a line of the server holds a NUL")]
    Nul,
    #[error("a literal of the server is larger than what was asked for")]
    Literal,
    #[error("the server sends more than its answer can need")]
    Flood,
    #[error("a response of the server cannot be understood")]
    Syntax,
}

/// What a server may send until the next command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Responses, those included that nobody asked for.
    pub responses: usize,
    /// Octets, literals included.
    pub octets: usize,
    /// Octets of one literal, and of all literals of one response.
    pub literal: usize,
}

impl Allowance {
    /// For commands with a short answer. A server may tell much in between of what other clients do.
    pub const SHORT: Self = Self { responses: 10_000, octets: 1 << 20, literal: 64 };
}

/// Takes what the server sent, in any pieces; gives back whole responses that the parser may see.
#[derive(Debug)]
pub struct Gate {
    left: Allowance,
    /// The response that is not complete yet.
    response: Vec<u8>,
    place: Place,
    /// What is left of the octets for literals in this response.
    literals: usize,
    ready: VecDeque<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
enum Place {
    /// In a line that begins there.
    Line { start: usize },
    /// In a literal that ends there.
    Literal { end: usize },
}

impl Default for Gate {
    fn default() -> Self {
        Self {
            left: Allowance::SHORT,
            response: Vec::new(),
            place: Place::Line { start: 0 },
            literals: Allowance::SHORT.literal,
            ready: VecDeque::new(),
        }
    }
}

impl Gate {
    /// A command begins: from here on the server may send that much.
    pub fn allow(&mut self, allowance: Allowance) {
        self.left = allowance;
        self.literals = allowance.literal;
    }

    /// Takes octets. After a violation the gate is of no use any more.
    pub fn feed(&mut self, mut octets: &[u8]) -> Result<(), Violation> {
        self.left.octets = self.left.octets.checked_sub(octets.len()).ok_or(Violation::Flood)?;
        while !octets.is_empty() {
            octets = match self.place {
                Place::Line { start } => self.line(start, octets)?,
                Place::Literal { end } => self.literal(end, octets),
            };
        }
        Ok(())
    }

    /// The next response that may be seen.
    pub fn next_response(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    /// Nothing is held back: neither whole responses nor the beginning of one.
    pub fn is_empty(&self) -> bool {
        self.ready.is_empty() && self.response.is_empty()
    }

    fn line<'a>(&mut self, start: usize, octets: &'a [u8]) -> Result<&'a [u8], Violation> {
        let end = memchr(b'\n', octets).map(|at| at + 1);
        let (taken, rest) = octets.split_at(end.unwrap_or(octets.len()));
        if self.response.len() - start + taken.len() > LINE {
            return Err(Violation::LongLine);
        }
        if memchr(0, taken).is_some() {
            return Err(Violation::Nul);
        }
        self.response.extend_from_slice(taken);
        if end.is_some() {
            self.line_ended(start)?;
        }
        Ok(rest)
    }

    fn line_ended(&mut self, start: usize) -> Result<(), Violation> {
        let line = self.response[start..].strip_suffix(b"\r\n").ok_or(Violation::BareLf)?;
        let announced = match LITERAL_FREE.iter().any(|word| starts_with(&self.response, word)) {
            true => None,
            false if self.response.starts_with(b"* ") => announced(line)?,
            false => None,
        };
        match announced {
            Some(length) => {
                self.literals = self.literals.checked_sub(length).ok_or(Violation::Literal)?;
                self.place = Place::Literal { end: self.response.len() + length };
                // Asked for already, so memory that the limits count.
                self.response.reserve(length);
                self.leave_literal_if_over();
                Ok(())
            }
            None => self.complete(),
        }
    }

    fn literal<'a>(&mut self, end: usize, octets: &'a [u8]) -> &'a [u8] {
        let missing = end.saturating_sub(self.response.len());
        let (taken, rest) = octets.split_at(missing.min(octets.len()));
        self.response.extend_from_slice(taken);
        self.leave_literal_if_over();
        rest
    }

    fn leave_literal_if_over(&mut self) {
        if let Place::Literal { end } = self.place
            && self.response.len() >= end
        {
            self.place = Place::Line { start: end };
        }
    }

    fn complete(&mut self) -> Result<(), Violation> {
        self.left.responses = self.left.responses.checked_sub(1).ok_or(Violation::Flood)?;
        self.ready.extend(reduce(&self.response)?);
        self.response.clear();
        self.response.shrink_to(LINE);
        self.literals = self.left.literal;
        self.place = Place::Line { start: 0 };
        Ok(())
    }
}

/// The length of the literal that a line announces at its end (RFC 3501 §4.3).
fn announced(line: &[u8]) -> Result<Option<usize>, Violation> {
    let Some(text) = line.strip_suffix(b"}") else { return Ok(None) };
    let Some(open) = memchr::memrchr(b'{', text) else { return Ok(None) };
    let digits = &text[open + 1..];
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(None);
    }
    let length = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    length.map(Some).ok_or(Violation::Literal)
}

pub(super) fn starts_with(octets: &[u8], word: &[u8]) -> bool {
    octets.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn through(octets: &[u8], piece: usize) -> Result<Vec<u8>, Violation> {
        let mut gate = Gate::default();
        gate.allow(Allowance { responses: 20, octets: 100_000, literal: 300 });
        let mut passed = Vec::new();
        for piece in octets.chunks(piece) {
            gate.feed(piece)?;
            while let Some(response) = gate.next_response() {
                passed.extend(response);
            }
        }
        Ok(passed)
    }

    #[test]
    fn responses_pass_whole_however_they_are_cut() {
        let sent = b"* OK [UIDVALIDITY 7] yes {5}\r\n* 1 FETCH (UID 4 BODY[]<0> {9}\r\na\r\n* BYE\0)\r\nA1 OK done\r\n";
        let left = b"* OK [UIDVALIDITY 7]\r\n* 1 FETCH (UID 4 BODY[]<0> {9}\r\na\r\n* BYE\0)\r\nA1 OK\r\n";
        let whole = through(sent, usize::MAX).unwrap();
        assert_eq!(whole.escape_ascii().to_string(), left.escape_ascii().to_string());
        for piece in 1..sent.len() {
            assert_eq!(through(sent, piece).as_ref(), Ok(&whole), "in pieces of {piece}");
        }
    }

    #[test]
    fn every_limit_ends_the_connection() {
        let long = [b"* OK ".as_slice(), &[b'x'; LINE]].concat();
        let many = b"* 1 EXISTS\r\n".repeat(21);
        let endless = b"* 1 FETCH (UID 1 BODY[]<0> {200}\r\n".to_vec();
        let twice = [endless.as_slice(), &[b'x'; 200], b" BODY[]<0> {200}\r\n"].concat();
        for (octets, violation) in [
            (b"* OK\n".as_slice(), Violation::BareLf),
            (b"* OK \0\r\n", Violation::Nul),
            (b"* 1 FETCH (BODY[]<0> {301}\r\n", Violation::Literal),
            (b"* LIST () {99999999999999999999}\r\n", Violation::Literal),
            (&twice, Violation::Literal),
            (&long, Violation::LongLine),
            (&many, Violation::Flood),
        ] {
            assert_eq!(
                through(octets, 7),
                Err(violation),
                "{}",
                octets[..30.min(octets.len())].escape_ascii()
            );
        }
    }

    #[test]
    fn a_flood_of_octets_is_counted_whatever_they_are() {
        let mut gate = Gate::default();
        let piece = [b'x'; 1000];
        let fed = (0..).take_while(|_| gate.feed(&piece).is_ok()).take(5000).count();
        assert!(fed <= LINE / piece.len());
    }

    #[test]
    fn an_empty_literal_is_one() {
        let passed = through(b"* 1 FETCH (UID 4 BODY[]<9> {0}\r\n)\r\n", 3).unwrap();
        assert_eq!(passed, b"* 1 FETCH (UID 4 BODY[]<9> {0}\r\n)\r\n");
    }
}
