//! The lines of a message whose octets are counted (BDAT, RFC 3030): there is no end to look for and no dot to take
//! out, but the rule is the same as for DATA. A CR or LF that stands alone, or a NUL, is never passed on, however the
//! chunks cut the message.

use super::{Column, Text, Violation};

/// Watches the lines of one message from its first chunk to its last.
#[derive(Debug)]
pub(crate) struct Counted {
    place: Place,
    column: Column,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Inside,
    /// Behind a CR; the next chunk may begin with its LF.
    Cr,
}

/// Whether a message ends where a line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whole {
    Yes,
    /// Its last line has no end. RFC 3030 does not ask for one, but every server that passes the message on by DATA
    /// adds it, and a second one here could not be told from the sender's.
    NoLineEnd,
}

impl Counted {
    /// At the start of a message. No line may be longer than `line_limit`, CRLF included.
    pub(crate) fn new(line_limit: usize) -> Self {
        Self { place: Place::LineStart, column: Column::new(line_limit) }
    }

    /// Judges the next octets of the message. All of them are content.
    pub(crate) fn judge(&mut self, piece: &[u8]) -> Result<(), Violation> {
        let mut rest = piece;
        while let Some(&octet) = rest.first() {
            let used = match (self.place, octet) {
                (Place::Cr, b'\n') => {
                    self.place = Place::LineStart;
                    self.column.restart();
                    1
                }
                (Place::Cr, _) => return Err(Violation::BareCr),
                (Place::LineStart | Place::Inside, _) => {
                    let (length, text) = self.column.text(rest)?;
                    self.place = match text {
                        Text::Open => Place::Inside,
                        Text::Cr => Place::Cr,
                    };
                    length
                }
            };
            rest = &rest[used..];
        }
        Ok(())
    }

    /// Judges the end of the message.
    pub(crate) fn end(self) -> Result<Whole, Violation> {
        match self.place {
            Place::LineStart => Ok(Whole::Yes),
            Place::Inside => Ok(Whole::NoLineEnd),
            Place::Cr => Err(Violation::BareCr),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> Result<Whole, Violation> {
        let mut counted = Counted::new(limit);
        pieces.into_iter().try_for_each(|piece| counted.judge(piece))?;
        counted.end()
    }

    /// The same, found with the whole message at hand.
    fn expected(message: &[u8]) -> Result<Whole, Violation> {
        let mut rest = message;
        loop {
            let Some(bad) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0)) else {
                return Ok(if rest.is_empty() { Whole::Yes } else { Whole::NoLineEnd });
            };
            match &rest[bad..] {
                [b'\r', b'\n', behind @ ..] => rest = behind,
                [b'\r', ..] => return Err(Violation::BareCr),
                [b'\n', ..] => return Err(Violation::BareLf),
                _ => return Err(Violation::Nul),
            }
        }
    }

    #[test]
    fn the_verdict_does_not_depend_on_the_chunks() {
        let mut strings: Vec<Vec<u8>> = vec![Vec::new()];
        let mut count = 0;
        for _ in 0..6 {
            for string in &strings {
                let wanted = expected(string);
                for split in 0..=string.len() {
                    let (head, tail) = string.split_at(split);
                    assert_eq!(judged([head, tail], 1000), wanted, "{string:?} split at {split}");
                }
                assert_eq!(judged(string.chunks(1), 1000), wanted, "{string:?} octet by octet");
                count += 1;
            }
            strings = strings
                .iter()
                .flat_map(|string| b"\r\n\0x".map(|symbol| [string.as_slice(), &[symbol]].concat()))
                .collect();
        }
        assert_eq!(count, 1365);
    }

    #[test]
    fn a_line_is_long_across_chunks() {
        let fits = [b"x".repeat(5), b"x".repeat(3), b"\r\n".to_vec(), b"y".to_vec()];
        assert_eq!(judged(fits.iter().map(Vec::as_slice), 10), Ok(Whole::NoLineEnd));
        let long = [b"x".repeat(5), b"x".repeat(4), b"\r\n".to_vec()];
        assert_eq!(judged(long.iter().map(Vec::as_slice), 10), Err(Violation::LongLine));
    }
}
