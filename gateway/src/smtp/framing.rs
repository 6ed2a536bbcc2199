//! Bytes in, frames out: a command line, message data, the end of the data, or a violation. No I/O, no clock, and no
//! leniency: a line ends with CRLF and data end with CRLF.CRLF (RFC 5321 §2.3.8, §4.1.1.4). A CR or LF that stands
//! alone, or a NUL, is never passed on, because the next server might read a line end into it (SMTP smuggling).

use memchr::{memchr, memchr2, memchr3};

mod counted;

pub(crate) use counted::{Counted, Whole};

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
    column: Column,
}

/// How far a line of a message has come.
#[derive(Debug)]
struct Column {
    octets: usize,
    limit: usize,
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
        Self { place: Place::LineStart, column: Column::new(line_limit) }
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
                    self.column.restart();
                }
                (Place::Cr | Place::DotCr, _) => return Err(Violation::BareCr),
                (Place::LineStart | Place::Dot | Place::Inside, _) => {
                    let (length, text) = self.column.text(&input[at..])?;
                    at += length;
                    self.place = match text {
                        Text::Open => Place::Inside,
                        Text::Cr => Place::Cr,
                    };
                }
            }
        }
        Ok((at, Stop::Exhausted))
    }
}

/// What a stretch of text ends with.
enum Text {
    /// With the input, in the middle of a line.
    Open,
    /// With a CR, which an LF has to follow.
    Cr,
}

impl Column {
    fn new(limit: usize) -> Self {
        Self { octets: 0, limit }
    }

    /// Another line begins.
    fn restart(&mut self) {
        self.octets = 0;
    }

    /// Text up to and with the next CR.
    fn text(&mut self, input: &[u8]) -> Result<(usize, Text), Violation> {
        let (length, text) = match memchr3(b'\r', b'\n', 0, input) {
            None => (input.len(), Text::Open),
            Some(at) if input[at] == b'\r' => (at + 1, Text::Cr),
            Some(at) if input[at] == 0 => return Err(Violation::Nul),
            Some(_) => return Err(Violation::BareLf),
        };
        self.octets += length;
        if self.octets >= self.limit {
            return Err(Violation::LongLine);
        }
        Ok((length, text))
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

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 1000;

    /// What the decoder should say, found the slow way: octet by octet, with the whole input at hand.
    fn expected(input: &[u8]) -> (Vec<u8>, Verdict) {
        let mut content = Vec::new();
        let mut rest = input;
        loop {
            let Some(bad) = rest.iter().position(|octet| matches!(octet, b'\r' | b'\n' | 0)) else {
                content.extend_from_slice(rest.strip_prefix(b".").unwrap_or(rest));
                return (content, Verdict::More);
            };
            let (line, tail) = rest.split_at(bad);
            match tail {
                [b'\r', b'\n', behind @ ..] if line == b"." => {
                    return (content, Verdict::End(input.len() - behind.len()));
                }
                [b'\r', b'\n', behind @ ..] => {
                    content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
                    content.extend_from_slice(b"\r\n");
                    rest = behind;
                }
                [b'\r'] => {
                    if line != b"." {
                        content.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
                        content.push(b'\r');
                    }
                    return (content, Verdict::More);
                }
                [b'\r', ..] => return (content, Verdict::Violation(Violation::BareCr)),
                [b'\n', ..] => return (content, Verdict::Violation(Violation::BareLf)),
                _ => return (content, Verdict::Violation(Violation::Nul)),
            }
        }
    }

    #[derive(Debug, PartialEq, Eq)]
    enum Verdict {
        More,
        End(usize),
        Violation(Violation),
    }

    /// Runs the decoder over pieces; positions count from the start of the first.
    fn decoded(pieces: &[&[u8]], limit: usize) -> (Vec<u8>, Verdict) {
        let mut decoder = Decoder::new(limit);
        let mut content = Vec::new();
        let mut before = 0;
        for piece in pieces {
            let mut piece = piece.to_vec();
            match decoder.decode(&mut piece) {
                Decoded::More(octets) => content.extend_from_slice(&piece[..octets]),
                Decoded::End(octets, used) => {
                    content.extend_from_slice(&piece[..octets]);
                    return (content, Verdict::End(before + used));
                }
                Decoded::Violation(violation) => return (content, Verdict::Violation(violation)),
            }
            before += piece.len();
        }
        (content, Verdict::More)
    }

    /// Every string of up to `longest` symbols.
    fn strings(symbols: &[u8], longest: usize) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> = vec![Vec::new()];
        let mut start = 0;
        for _ in 0..longest {
            let end = all.len();
            for at in start..end {
                for symbol in symbols {
                    let mut longer = all[at].clone();
                    longer.push(*symbol);
                    all.push(longer);
                }
            }
            start = end;
        }
        all
    }

    #[test]
    fn decoder_agrees_with_the_slow_way_however_the_octets_are_split() {
        for input in strings(b"\r\n.\0x", 6) {
            let (content, verdict) = expected(&input);
            for split in 0..=input.len() {
                let (head, tail) = input.split_at(split);
                let (got, said) = decoded(&[head, tail], LIMIT);
                assert_eq!(said, verdict, "{input:?} split at {split}");
                if !matches!(verdict, Verdict::Violation(_)) {
                    assert_eq!(got, content, "{input:?} split at {split}");
                }
            }
            let octets: Vec<&[u8]> = input.chunks(1).collect();
            assert_eq!(decoded(&octets, LIMIT).1, verdict, "{input:?} octet by octet");
        }
    }

    #[test]
    fn dots_are_unstuffed_on_every_line_and_nowhere_else() {
        for (sent, content) in [
            (".\r\n", ""),
            ("..\r\n.\r\n", ".\r\n"),
            ("..first\r\na.b\r\n...\r\n.x\r\n.\r\n", ".first\r\na.b\r\n..\r\nx\r\n"),
            ("\r\n.\r\n", "\r\n"),
        ] {
            let end = Verdict::End(sent.len());
            assert_eq!(decoded(&[sent.as_bytes()], LIMIT), (content.into(), end), "{sent:?}");
        }
    }

    #[test]
    fn what_follows_the_end_is_left_alone() {
        let sent = b"a\r\n.\r\nQUIT\r\n";
        assert_eq!(decoded(&[sent], LIMIT), (b"a\r\n".to_vec(), Verdict::End(6)));
    }

    #[test]
    fn a_line_of_data_may_be_as_long_as_the_limit_and_no_longer() {
        let fits = [vec![b'x'; 8], b"\r\n.\r\n".to_vec()].concat();
        assert_eq!(decoded(&[&fits], 10).1, Verdict::End(13));
        let long = [vec![b'x'; 9], b"\r\n.\r\n".to_vec()].concat();
        for split in 0..long.len() {
            let (head, tail) = long.split_at(split);
            assert_eq!(decoded(&[head, tail], 10).1, Verdict::Violation(Violation::LongLine));
        }
        assert_eq!(decoded(&[&[b'x'; 100]], 10).1, Verdict::Violation(Violation::LongLine));
    }

    #[test]
    fn only_crlf_ends_a_command_line() {
        for (input, found) in [
            ("", Line::Partial),
            ("NOOP", Line::Partial),
            ("NOOP\r", Line::Partial),
            ("NOOP\r\n", Line::Whole(6)),
            ("NOOP\r\nQUIT\r\n", Line::Whole(6)),
            ("NOOP\n", Line::Violation(Violation::BareLf)),
            ("\n", Line::Violation(Violation::BareLf)),
            ("NO\rOP\r\n", Line::Violation(Violation::BareCr)),
            ("NOOP\r\r\n", Line::Violation(Violation::BareCr)),
            ("NO\0OP\r\n", Line::Violation(Violation::Nul)),
            ("123456789\r\n", Line::Violation(Violation::LongLine)),
            ("1234567890", Line::Violation(Violation::LongLine)),
            ("12345678\r\n", Line::Whole(10)),
        ] {
            assert_eq!(line(input.as_bytes(), 10), found, "{input:?}");
        }
    }

    #[test]
    fn a_command_line_is_judged_the_same_however_it_is_split() {
        for input in strings(b"\r\n\0x", 6) {
            let whole = line(&input, 4);
            let mut found = Line::Partial;
            for end in 1..=input.len() {
                found = line(&input[..end], 4);
                if found != Line::Partial {
                    break;
                }
            }
            assert_eq!(found, whole, "{input:?}");
        }
    }
}
