//! Bytes in, frames out: a command line, message data, the end of the data, or a violation. No I/O, no clock, and no
//! leniency: a line ends with CRLF and data end with CRLF.CRLF (RFC 5321 §2.3.8, §4.1.1.4). A CR or LF that stands
//! alone, or a NUL, is never passed on, because the next server might read a line end into it (SMTP smuggling).

use memchr::{memchr, memchr2, memchr3};

/// What makes a peer unfit to talk to. The connection is closed after the reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Violation {
    /// CR without LF.
    BareCr,
    /// LF without CR.
    BareLf,
    /// NUL (RFC 5321 §4.5.2, RFC 5322 §4).
    Nul,
    /// A line beyond the limit.
    LongLine,
    /// A message beyond the limit, and beyond what is read to be polite.
    Endless,
    /// Octets behind a command that ends its group (RFC 2920 §3.1, RFC 3207 §4.2).
    Pipelined,
}

/// What stands at the front of the octets that a peer sent.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// A whole line of this many octets, CRLF included.
    Whole(usize),
    /// No line end yet.
    Partial,
    /// Not a line, and no more lines.
    Violation(Violation),
}

/// Reads one command line from the front of `input`; `limit` counts the CRLF. Whatever way the same octets are split
/// over several calls, the verdict is the same, because only a whole line is judged.
pub(crate) fn line(input: &[u8], limit: usize) -> Line {
    let window = &input[..input.len().min(limit)];
    match memchr(b'\n', window) {
        Some(end) => match judge(&window[..end]) {
            None => Line::Whole(end + 1),
            Some(violation) => Line::Violation(violation),
        },
        None if input.len() >= limit => Line::Violation(Violation::LongLine),
        None => Line::Partial,
    }
}

/// Judges a line that an LF followed: its only CR must be its last octet.
fn judge(line: &[u8]) -> Option<Violation> {
    let Some((b'\r', text)) = line.split_last() else {
        return Some(Violation::BareLf);
    };
    memchr2(b'\r', 0, text).map(|at| if text[at] == 0 { Violation::Nul } else { Violation::BareCr })
}

/// Where the decoder of a message stands between two octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Behind the CRLF of a line, or at the start of the data: a dot here is not content.
    LineStart,
    /// Inside a line.
    Inside,
    /// Behind a CR.
    Cr,
    /// Behind a dot at the start of a line, which was dropped.
    Dot,
    /// Behind a dot and a CR at the start of a line.
    DotCr,
}

/// Decodes the data of one message: takes the dots out that were stuffed in (RFC 5321 §4.5.2), finds the end.
#[derive(Debug)]
pub(crate) struct Decoder {
    place: Place,
    /// Octets of the line so far.
    column: usize,
    line_limit: usize,
}

/// What one piece of input came to. The content stands at its front.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decoded {
    /// So many octets of content; the message goes on.
    More(usize),
    /// So many octets of content; the message is complete, and so many octets of the piece belong to it and its end.
    End(usize, usize),
    /// The message must not be taken.
    Violation(Violation),
}

impl Decoder {
    /// At the start of the data. No line may be longer than `line_limit`, CRLF included.
    pub(crate) fn new(line_limit: usize) -> Self {
        Self { place: Place::LineStart, column: 0, line_limit }
    }

    /// Decodes a piece in place: without stuffed dots nothing is moved, with them each octet is moved at most once.
    pub(crate) fn decode(&mut self, piece: &mut [u8]) -> Decoded {
        let mut read = 0;
        let mut written = 0;
        while read < piece.len() {
            // All content up to the next dropped dot moves at once.
            let (stretch, stop) = match self.stretch(&piece[read..]) {
                Ok(found) => found,
                Err(violation) => return Decoded::Violation(violation),
            };
            if written != read {
                piece.copy_within(read..read + stretch, written);
            }
            read += stretch;
            written += stretch;
            match stop {
                Stop::Exhausted => break,
                Stop::Dropped => read += 1,
                Stop::End => return Decoded::End(written, read + 1),
            }
        }
        Decoded::More(written)
    }

    /// The content at the front of `input`, and the octet behind it that is none, if there is one.
    fn stretch(&mut self, input: &[u8]) -> Result<(usize, Stop), Violation> {
        let mut at = 0;
        while let Some(&octet) = input.get(at) {
            match (self.place, octet) {
                (Place::LineStart, b'.') => {
                    self.place = Place::Dot;
                    return Ok((at, Stop::Dropped));
                }
                (Place::Dot, b'\r') => {
                    self.place = Place::DotCr;
                    return Ok((at, Stop::Dropped));
                }
                (Place::DotCr, b'\n') => return Ok((at, Stop::End)),
                (Place::Cr, b'\n') => {
                    at += 1;
                    self.place = Place::LineStart;
                    self.column = 0;
                }
                (Place::Cr | Place::DotCr, _) => return Err(Violation::BareCr),
                (Place::LineStart | Place::Dot | Place::Inside, _) => at += self.text(&input[at..])?,
            }
        }
        Ok((at, Stop::Exhausted))
    }

    /// Text up to and with the next CR.
    fn text(&mut self, input: &[u8]) -> Result<usize, Violation> {
        let (length, place) = match memchr3(b'\r', b'\n', 0, input) {
            None => (input.len(), Place::Inside),
            Some(at) if input[at] == b'\r' => (at + 1, Place::Cr),
            Some(at) if input[at] == 0 => return Err(Violation::Nul),
            Some(_) => return Err(Violation::BareLf),
        };
        self.column += length;
        if self.column >= self.line_limit {
            return Err(Violation::LongLine);
        }
        self.place = place;
        Ok(length)
    }
}

/// Why a stretch of content stops.
enum Stop {
    /// The piece ends.
    Exhausted,
    /// The next octet is not content.
    Dropped,
    /// The next octet is the last of the end of the data.
    End,
}
