//! What a server answers: bytes in, one reply out, within limits. It never waits, never keeps more than the limits
//! allow, and never takes a line for more than text.

use std::fmt;

use mail::Status;

/// Longest line, its end included. RFC 5321 §4.5.3.1.5 says 512; some servers write more.
const LINE: usize = 2_000;
/// Most lines of one reply: EHLO has the longest ones (RFC 5321 §4.2.1).
const LINES: usize = 100;
/// Longest reply in all.
const WHOLE: usize = 16 * 1024;
/// Characters of a reply that are repeated to people.
const SHOWN: usize = 300;

/// A whole reply (RFC 5321 §4.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// 200 to 599.
    pub code: u16,
    /// The enhanced code of the first line that has one (RFC 2034 §4).
    pub status: Option<Status>,
    /// The text of each line behind its code, controls and broken UTF-8 replaced.
    pub lines: Vec<String>,
}

/// Not a reply, or more of one than anybody needs. The connection is not to be used any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("a reply line is longer than {LINE} bytes")]
    LineTooLong,
    #[error("a reply has more than {LINES} lines or {WHOLE} bytes")]
    TooLong,
    #[error("a reply line does not begin with a code of three digits")]
    NoCode,
    #[error("the lines of one reply have different codes")]
    CodesDiffer,
}

impl Reply {
    /// 2xx
    pub fn is_positive(&self) -> bool {
        self.code / 100 == 2
    }
}

/// On one line, cut short: for the administrator and for delivery reports.
impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.lines.join(" ");
        let text: String = text.chars().take(SHOWN).collect();
        write!(f, "{} {}", self.code, text.trim())
    }
}

/// Takes a reply in pieces, as the network cuts it.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The line that has not ended yet.
    line: Vec<u8>,
    taken: usize,
    code: Option<u16>,
    status: Option<Status>,
    lines: Vec<String>,
}

impl ReplyReader {
    /// Takes bytes until the reply is whole; says how many were taken. `None`: all were, and more is wanted.
    ///
    /// A bare LF ends a line too: nothing hangs on where a line of a reply ends, and old servers write it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
        let mut taken = 0;
        while let Some(end) = memchr::memchr(b'\n', &bytes[taken..]) {
            self.hold(&bytes[taken..=taken + end])?;
            taken += end + 1;
            if self.end_line()? {
                return Ok(Some((self.whole(), taken)));
            }
        }
        self.hold(&bytes[taken..])?;
        Ok(None)
    }

    fn hold(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.taken += bytes.len();
        if self.line.len() + bytes.len() > LINE {
            return Err(Malformed::LineTooLong);
        }
        if self.taken > WHOLE {
            return Err(Malformed::TooLong);
        }
        self.line.extend_from_slice(bytes);
        Ok(())
    }

    /// Whether it was the last line.
    fn end_line(&mut self) -> Result<bool, Malformed> {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\n").unwrap_or(&line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let (code, rest) = code(line).ok_or(Malformed::NoCode)?;
        if *self.code.get_or_insert(code) != code {
            return Err(Malformed::CodesDiffer);
        }
        // RFC 5321 §4.2: a code alone is a last line too.
        let (last, text) = match rest.split_first() {
            None => (true, rest),
            Some((b' ', text)) => (true, text),
            Some((b'-', text)) => (false, text),
            Some(_) => return Err(Malformed::NoCode),
        };
        if self.lines.len() == LINES {
            return Err(Malformed::TooLong);
        }
        let text = String::from_utf8_lossy(text);
        self.status = self.status.or_else(|| status(&text, code));
        self.lines.push(text.chars().map(|symbol| if symbol.is_control() { ' ' } else { symbol }).collect());
        Ok(last)
    }

    fn whole(&mut self) -> Reply {
        let Self { code, status, lines, .. } = std::mem::take(self);
        Reply { code: code.unwrap_or_default(), status, lines }
    }
}

/// RFC 5321 §4.2: the first digit is 2 to 5.
fn code(line: &[u8]) -> Option<(u16, &[u8])> {
    let (digits, rest) = line.split_first_chunk::<3>()?;
    if !matches!(digits[0], b'2'..=b'5') || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some((digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0')), rest))
}

/// RFC 3463 §2; it counts only if its class agrees with the code (RFC 2034 §4).
fn status(text: &str, code: u16) -> Option<Status> {
    let mut parts = text.split(' ').next()?.split('.');
    let mut number = || {
        let part = parts.next()?;
        (part.len() <= 3 && part.bytes().all(|digit| digit.is_ascii_digit())).then(|| part.parse().ok())?
    };
    let (class, subject, detail): (u16, u16, u16) = (number()?, number()?, number()?);
    let class = u8::try_from(class).ok()?;
    let agrees = u16::from(class) == code / 100 && matches!(class, 2 | 4 | 5);
    (parts.next().is_none() && agrees).then_some(Status { class, subject, detail })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Option<(Reply, usize)>, Malformed> {
        ReplyReader::default().feed(bytes)
    }

    fn whole(bytes: &[u8]) -> Reply {
        read(bytes).unwrap().unwrap().0
    }

    #[test]
    fn a_reply_is_the_same_however_it_is_cut() {
        let bytes = b"250-mx.example greets you\r\n250-SIZE 100\r\n250 2.1.0 HELP\r\nleft";
        let (reply, taken) = read(bytes).unwrap().unwrap();
        assert_eq!(&bytes[taken..], b"left");
        assert_eq!((reply.code, reply.lines.len()), (250, 3));
        assert_eq!(reply.status.map(|status| status.to_string()).as_deref(), Some("2.1.0"));
        for cut in 0..taken {
            let mut reader = ReplyReader::default();
            assert_eq!(reader.feed(&bytes[..cut]), Ok(None), "cut at {cut}");
            assert_eq!(reader.feed(&bytes[cut..]), Ok(Some((reply.clone(), taken - cut))), "cut at {cut}");
        }
    }

    #[test]
    fn a_code_alone_and_a_bare_line_feed_are_taken() {
        assert_eq!(whole(b"250\r\n").lines, [""]);
        assert_eq!(whole(b"354 go\n").code, 354);
        assert_eq!(whole(b"220-\r\n220 x\r\n").lines, ["", "x"]);
    }

    #[test]
    fn what_is_no_reply_is_told_apart() {
        for bad in
            [&b"\r\n"[..], b"25\r\n", b"2500 x\r\n", b"hello\r\n", b"150 x\r\n", b"600 x\r\n", b"250_x\r\n"]
        {
            assert_eq!(read(bad), Err(Malformed::NoCode), "{}", bad.escape_ascii());
        }
        assert_eq!(read(b"250-a\r\n251 b\r\n"), Err(Malformed::CodesDiffer));
    }

    #[test]
    fn nothing_grows_beyond_its_limit() {
        assert_eq!(read(&[b'2'; LINE + 1]), Err(Malformed::LineTooLong));
        assert_eq!(read(&b"250-\r\n".repeat(LINES + 1)), Err(Malformed::TooLong));
        let long = [b"250-".as_slice(), &[b'x'; LINE - 6], b"\r\n"].concat();
        assert_eq!(read(&long.repeat(20)), Err(Malformed::TooLong));
        let mut reader = ReplyReader::default();
        let endless = (0..u32::MAX).map(|_| reader.feed(b"x")).position(|fed| fed.is_err());
        assert_eq!(endless, Some(LINE));
    }

    #[test]
    fn what_a_stranger_writes_is_shown_on_one_short_line() {
        let reply =
            whole(&[b"550-5.1.1 no\x1b[2J\x00\xff such\r\n550 ", [b'y'; 900].as_slice(), b"\r\n"].concat());
        let shown = reply.to_string();
        assert!(shown.starts_with("550 5.1.1 no [2J \u{fffd} such yyy"), "{shown}");
        assert!(shown.chars().count() <= SHOWN + 4 && !shown.contains(char::is_control));
    }

    #[test]
    fn an_enhanced_code_must_agree_with_the_code() {
        assert_eq!(whole(b"450 5.1.1 x\r\n").status, None);
        assert_eq!(whole(b"550 5.1 x\r\n").status, None);
        assert_eq!(whole(b"550 5.1.1.1 x\r\n").status, None);
        assert_eq!(whole(b"550 5.1.9999 x\r\n").status, None);
        assert!(whole(b"550 5.7.26\r\n").status.is_some());
    }
}
