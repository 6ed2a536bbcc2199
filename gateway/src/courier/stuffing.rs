//! The body of a mail on its way out, made safe for DATA: dots doubled, line ends checked. Works piece by piece in
//! constant memory and changes nothing else.

/// A line end that is not CRLF, or a NUL: another server might see an end of data there (RFC 5321 §2.3.8, §4.1.1.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the mail has a bare CR, a bare LF or a NUL in it")]
pub(crate) struct Bare;

#[derive(Debug)]
pub(crate) struct Stuffing {
    place: Place,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    LineStart,
    Within,
    /// Behind a CR: only LF may follow.
    AfterCr,
}

impl Stuffing {
    pub(crate) fn new() -> Self {
        Self { place: Place::LineStart }
    }

    /// Adds a piece to `out` as it goes over the wire.
    pub(crate) fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), Bare> {
        out.reserve(piece.len() + piece.len() / 64);
        let mut rest = piece;
        while let Some(first) = rest.first() {
            match self.place {
                Place::AfterCr if *first != b'\n' => return Err(Bare),
                Place::AfterCr => {
                    out.push(b'\n');
                    rest = &rest[1..];
                    self.place = Place::LineStart;
                }
                Place::LineStart => {
                    if *first == b'.' {
                        out.push(b'.');
                    }
                    self.place = Place::Within;
                }
                Place::Within => rest = self.within(rest, out)?,
            }
        }
        Ok(())
    }

    /// Copies up to and with the next CR.
    fn within<'a>(&mut self, rest: &'a [u8], out: &mut Vec<u8>) -> Result<&'a [u8], Bare> {
        match memchr::memchr3(b'\r', b'\n', 0, rest) {
            Some(end) if rest[end] == b'\r' => {
                out.extend_from_slice(&rest[..=end]);
                self.place = Place::AfterCr;
                Ok(&rest[end + 1..])
            }
            Some(_) => Err(Bare),
            None => {
                out.extend_from_slice(rest);
                Ok(&[])
            }
        }
    }

    /// The end of data. A mail that came by BDAT may end within a line: DATA cannot say that, so the line is ended.
    pub(crate) fn finish(self, out: &mut Vec<u8>) -> Result<(), Bare> {
        match self.place {
            Place::AfterCr => return Err(Bare),
            Place::Within => out.extend_from_slice(b"\r\n.\r\n"),
            Place::LineStart => out.extend_from_slice(b".\r\n"),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuffed(pieces: &[&[u8]]) -> Result<Vec<u8>, Bare> {
        let (mut stuffing, mut out) = (Stuffing::new(), Vec::new());
        for piece in pieces {
            stuffing.push(piece, &mut out)?;
        }
        stuffing.finish(&mut out)?;
        Ok(out)
    }

    #[test]
    fn dots_at_line_starts_are_doubled_wherever_the_pieces_end() {
        let mail = b".a\r\n..\r\nb.c\r\n\r\n.\r\n";
        let wire = b"..a\r\n...\r\nb.c\r\n\r\n..\r\n.\r\n";
        for first in 0..=mail.len() {
            for second in first..=mail.len() {
                let pieces = [&mail[..first], &mail[first..second], &mail[second..]];
                assert_eq!(stuffed(&pieces).unwrap(), wire, "cut at {first} and {second}");
            }
        }
    }

    #[test]
    fn an_unfinished_line_is_ended_and_no_mail_is_an_end_alone() {
        assert_eq!(stuffed(&[b"a"]).unwrap(), b"a\r\n.\r\n");
        assert_eq!(stuffed(&[]).unwrap(), b".\r\n");
    }

    /// Every string of up to six symbols: what comes out has one end of data, and it is the last thing.
    #[test]
    fn nothing_ends_the_data_early() {
        let symbols = *b"\r\n.\0x";
        let mut strings: Vec<Vec<u8>> = vec![Vec::new()];
        for _ in 0..6 {
            let longer = strings.iter().flat_map(|string| {
                symbols.iter().map(|symbol| [string.as_slice(), &[*symbol]].concat()).collect::<Vec<_>>()
            });
            strings = longer.collect();
            for string in &strings {
                let crlf_only = String::from_utf8_lossy(string).replace("\r\n", "");
                let sound = !crlf_only.contains(['\r', '\n', '\0']);
                assert_eq!(stuffed(&[string]).is_ok(), sound, "{}", string.escape_ascii());
                let Ok(wire) = stuffed(&[string]) else { continue };
                let whole = [b"\r\n".as_slice(), &wire].concat();
                let ends = memchr::memmem::find_iter(&whole, b"\r\n.\r\n").count();
                assert_eq!(ends, 1, "{}", string.escape_ascii());
            }
        }
    }
}
