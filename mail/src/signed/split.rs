//! Finds the delimiter lines of one multipart in a stream, as the scanner does, and says exactly which bytes stand
//! between them. Knows nothing of what is inside.

use memchr::{memchr, memmem};

/// Bytes of a line that decide whether it is a delimiter; the scanner looks at no more either.
const BEGINNING: usize = 1024;

/// What comes next. Offsets count from the start of the mail.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    Bytes(&'a [u8]),
    /// A delimiter line. `start` is where the bytes before it end: the line end in front of it is its own (RFC 2046
    /// §5.1.1).
    Delimiter {
        start: u64,
        end: u64,
    },
}

#[derive(Debug)]
pub(super) struct Splitter {
    boundary: Vec<u8>,
    /// Bytes of which it is not decided yet whether a delimiter begins in them.
    held: Vec<u8>,
    /// Where they stand in the mail.
    offset: u64,
    /// Whether a line begins with them.
    line_start: bool,
    finder: memmem::Finder<'static>,
}

/// What is decided about the first of some bytes; the numbers count from them.
enum Step {
    Pass(usize),
    Delimiter {
        start: usize,
        end: usize,
    },
    /// All after these may be a delimiter.
    Wait(usize),
}

impl Splitter {
    /// At the first byte behind a header block.
    pub(super) fn new(boundary: Vec<u8>, offset: u64) -> Self {
        Self { boundary, held: Vec::new(), offset, line_start: true, finder: memmem::Finder::new(b"\n-") }
    }

    /// The next bytes, any number.
    pub(super) fn feed(&mut self, bytes: &[u8], mut out: impl FnMut(Piece<'_>)) {
        self.held.extend_from_slice(bytes);
        let mut done = 0;
        loop {
            let rest = &self.held[done..];
            let step = self.step(rest);
            let (Step::Pass(passed) | Step::Wait(passed) | Step::Delimiter { start: passed, .. }) = step;
            if passed > 0 {
                out(Piece::Bytes(&rest[..passed]));
            }
            match step {
                Step::Pass(passed) => (done, self.line_start) = (done + passed, false),
                Step::Delimiter { start, end } => {
                    let at = self.offset + done as u64;
                    out(Piece::Delimiter { start: at + start as u64, end: at + end as u64 });
                    (done, self.line_start) = (done + end, true);
                }
                Step::Wait(passed) => {
                    self.line_start &= passed == 0;
                    done += passed;
                    break;
                }
            }
        }
        self.held.drain(..done);
        self.offset += done as u64;
    }

    fn step(&self, bytes: &[u8]) -> Step {
        let line = match self.line_start && bytes.first().is_none_or(|&first| first == b'-') {
            true => 0,
            false => match self.finder.find(bytes) {
                Some(at) => at + 1,
                None => return Step::Wait(bytes.len() - line_end(bytes)),
            },
        };
        let before = line - line_end(&bytes[..line]);
        let beginning = &bytes[line..bytes.len().min(line + BEGINNING)];
        match memchr(b'\n', beginning) {
            Some(end) if self.is_delimiter(&beginning[..end]) => {
                Step::Delimiter { start: before, end: line + end + 1 }
            }
            // Its line end may be that of the next delimiter.
            Some(end) => Step::Pass(line + end - usize::from(beginning[..end].ends_with(b"\r"))),
            None if beginning.len() == BEGINNING => Step::Pass(line + BEGINNING - 1),
            None => Step::Wait(before),
        }
    }

    /// RFC 2046 §5.1.1: two hyphens, the boundary, perhaps two hyphens, perhaps white space.
    fn is_delimiter(&self, line: &[u8]) -> bool {
        let text = line.trim_ascii_end().strip_prefix(b"--");
        let behind = text.and_then(|text| text.strip_prefix(&self.boundary[..]));
        matches!(behind, Some(b"" | b"--"))
    }
}

/// How many bytes of line end these bytes end with, as far as they have come.
fn line_end(bytes: &[u8]) -> usize {
    match bytes {
        [.., b'\r', b'\n'] => 2,
        [.., b'\n' | b'\r'] => 1,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What stands between delimiters, and the offsets of these.
    fn split(pieces: &[&[u8]]) -> (Vec<String>, Vec<(u64, u64)>) {
        let mut splitter = Splitter::new(b"b".to_vec(), 100);
        let (mut between, mut places) = (vec![String::new()], Vec::new());
        for piece in pieces.iter().copied().chain([&b"\n"[..]]) {
            splitter.feed(piece, |piece| match piece {
                Piece::Bytes(bytes) => {
                    between.last_mut().unwrap().push_str(&bytes.escape_ascii().to_string())
                }
                Piece::Delimiter { start, end } => {
                    places.push((start, end));
                    between.push(String::new());
                }
            });
        }
        (between, places)
    }

    #[test]
    fn the_line_end_before_a_delimiter_is_its_own() {
        let (between, places) = split(&[b"pre\r\n--b \t\r\n\r\n-x\n--bb\n--b--x\nlast\r\n\r\n--b--\r\n"]);
        assert_eq!(between, ["pre", r"\r\n-x\n--bb\n--b--x\nlast\r\n", ""]);
        assert_eq!(places, [(103, 112), (135, 144)]);
    }

    #[test]
    fn a_delimiter_may_come_first_and_may_lack_a_line_end() {
        assert_eq!(split(&[b"--b\nx\n--b--"]).0, ["", "x", ""]);
        assert_eq!(split(&[b"--b\r\n--b\r\n\r\n--b"]).0, ["", "", "", ""]);
    }

    #[test]
    fn a_line_that_is_too_long_is_none() {
        let long = [b"--b", &[b' '; BEGINNING][..], b"\nx\r\n--b\r\n"].concat();
        assert_eq!(split(&[&long]).1, [(1129, 1136)]);
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            bytes in proptest::collection::vec(prop_oneof![Just(b'-'), Just(b'b'), Just(b'\n'), Just(b'\r'), Just(b' ')], 0..60),
        ) {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(split(&single), split(&[&bytes]));
        }
    }
}
