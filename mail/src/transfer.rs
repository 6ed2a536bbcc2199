//! The transfer encodings of bodies as streams. Never fails: what is no code is passed over (base64), kept as it stands
//! (quoted-printable) or left out (uuencode). Bounded memory; the output does not depend on where the pieces end.

use memchr::{memchr, memchr3};

/// White space at a line end that may have to be dropped: no sound quoted-printable line is longer than 76.
const BLANKS_MAX: usize = 1024;
/// Longest line of uuencode looked at; a full one has 61 characters.
const UU_LINE_MAX: usize = 256;

/// RFC 2045 §6.8: characters outside the alphabet are ignored, and padding is the end. What mailing lists write behind it
/// is not decoded into noise.
#[derive(Debug)]
pub(crate) enum Base64 {
    Open(Group),
    Ended,
}

/// Up to three digits of a group of four, and the padding signs behind them.
#[derive(Debug, Default)]
pub(crate) struct Group {
    bits: u32,
    digits: u8,
    pads: u8,
}

const NO_DIGIT: u8 = 0xff;

static DIGITS: [u8; 256] = digits();

const fn digits() -> [u8; 256] {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [NO_DIGIT; 256];
    let mut i = 0;
    while i < alphabet.len() {
        table[alphabet[i] as usize] = i as u8;
        i += 1;
    }
    table
}

impl Default for Base64 {
    fn default() -> Self {
        Self::Open(Group::default())
    }
}

impl Base64 {
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        out.reserve(bytes.len() / 4 * 3 + 3);
        while let (Self::Open(group), false) = (&mut *self, bytes.is_empty()) {
            if group.digits == 0 {
                bytes = whole_groups(bytes, out);
            }
            let Some((&byte, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            let digit = DIGITS[usize::from(byte)];
            if digit != NO_DIGIT {
                group.digit(digit, out);
            } else if byte == b'=' && group.pad() {
                group.flush(out);
                *self = Self::Ended;
            }
        }
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        match self {
            Self::Open(group) => group.flush(out),
            Self::Ended => {}
        }
    }
}

impl Group {
    fn digit(&mut self, digit: u8, out: &mut Vec<u8>) {
        self.bits = self.bits << 6 | u32::from(digit);
        self.digits += 1;
        self.pads = 0;
        if self.digits == 4 {
            out.extend_from_slice(&self.bits.to_be_bytes()[1..]);
            self.digits = 0;
        }
    }

    /// Whether this padding sign completes the group; one where two are needed is noise like any other.
    fn pad(&mut self) -> bool {
        self.pads += u8::from(self.digits >= 2);
        self.digits >= 2 && self.digits + self.pads == 4
    }

    /// The bytes that an incomplete group holds.
    fn flush(&self, out: &mut Vec<u8>) {
        match self.digits {
            2 => out.push((self.bits >> 4) as u8),
            3 => out.extend_from_slice(&[(self.bits >> 10) as u8, (self.bits >> 2) as u8]),
            _ => {}
        }
    }
}

/// Decodes groups of four digits as long as nothing else comes; gives back the rest.
fn whole_groups<'a>(mut bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    while let [a, b, c, d, rest @ ..] = bytes {
        let [a, b, c, d] = [a, b, c, d].map(|&byte| DIGITS[usize::from(byte)]);
        if (a | b | c | d) & 0xc0 != 0 {
            break;
        }
        let bits = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
        bytes = rest;
    }
    bytes
}

/// RFC 2045 §6.7.
#[derive(Debug, Default)]
pub(crate) struct Quoted {
    at: QuotedAt,
    /// Blanks that are text only if something follows them on the line; and a CR that may belong to a line end.
    blanks: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy)]
enum QuotedAt {
    #[default]
    Text,
    /// Behind `=`.
    Equals,
    /// Behind `=` and one hexadecimal digit, as written.
    Digit(u8),
    /// Behind `=` and blanks: a soft line break if the line ends here.
    Soft,
}

impl Quoted {
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some((&byte, rest)) = bytes.split_first() {
            bytes = match self.at {
                QuotedAt::Text if self.blanks.is_empty() => self.plain(bytes, out),
                QuotedAt::Text => {
                    self.text(byte, out);
                    rest
                }
                _ => {
                    self.escape(byte, out);
                    rest
                }
            };
        }
    }

    /// Copies up to the next byte that means something.
    fn plain<'a>(&mut self, bytes: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
        let special = memchr3(b'=', b'\n', b'\r', bytes).unwrap_or(bytes.len());
        let line = &bytes[..special];
        let kept = line.trim_ascii_end().len();
        out.extend_from_slice(&line[..kept]);
        for &blank in &line[kept..] {
            self.text(blank, out);
        }
        match bytes[special..].split_first() {
            Some((&byte, rest)) => {
                self.text(byte, out);
                rest
            }
            None => &[],
        }
    }

    fn text(&mut self, byte: u8, out: &mut Vec<u8>) {
        match byte {
            b' ' | b'\t' | b'\r' if self.blanks.len() < BLANKS_MAX => self.blanks.push(byte),
            b'\n' => self.line_end(out),
            b'=' => {
                out.append(&mut self.blanks);
                self.at = QuotedAt::Equals;
            }
            byte => {
                out.append(&mut self.blanks);
                out.push(byte);
            }
        }
    }

    /// Blanks before a line end are transport padding and go.
    fn line_end(&mut self, out: &mut Vec<u8>) {
        if self.blanks.last() == Some(&b'\r') {
            out.push(b'\r');
        }
        self.blanks.clear();
        out.push(b'\n');
    }

    fn escape(&mut self, byte: u8, out: &mut Vec<u8>) {
        let at = std::mem::take(&mut self.at);
        match (at, byte) {
            (QuotedAt::Equals | QuotedAt::Soft, b'\n') => self.blanks.clear(),
            (QuotedAt::Equals | QuotedAt::Soft, b' ' | b'\t' | b'\r') if self.blanks.len() < BLANKS_MAX => {
                self.blanks.push(byte);
                self.at = QuotedAt::Soft;
            }
            (QuotedAt::Equals, byte) if byte.is_ascii_hexdigit() => self.at = QuotedAt::Digit(byte),
            (QuotedAt::Digit(first), byte) if byte.is_ascii_hexdigit() => {
                out.push(hex(first) << 4 | hex(byte));
            }
            (QuotedAt::Digit(first), byte) => {
                out.extend_from_slice(&[b'=', first]);
                self.text(byte, out);
            }
            (_, byte) => {
                out.push(b'=');
                self.text(byte, out);
            }
        }
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        match self.at {
            QuotedAt::Digit(first) => out.extend_from_slice(&[b'=', first]),
            QuotedAt::Equals | QuotedAt::Soft => self.blanks.clear(),
            QuotedAt::Text => {}
        }
    }
}

fn hex(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        b'a'..=b'f' => digit - b'a' + 10,
        _ => digit - b'A' + 10,
    }
}

/// Lines between `begin` and `end` (POSIX uuencode): a length, then groups of four characters for three bytes.
#[derive(Debug, Default)]
pub(crate) struct Uu {
    at: UuAt,
    line: Vec<u8>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum UuAt {
    #[default]
    Before,
    Inside,
    After,
}

impl Uu {
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !bytes.is_empty() && self.at != UuAt::After {
            let end = memchr(b'\n', bytes).unwrap_or(bytes.len());
            let room = UU_LINE_MAX - self.line.len().min(UU_LINE_MAX);
            self.line.extend_from_slice(&bytes[..end.min(room)]);
            if end < bytes.len() {
                self.line_end(out);
                bytes = &bytes[end + 1..];
            } else {
                bytes = &[];
            }
        }
    }

    pub(crate) fn finish(mut self, out: &mut Vec<u8>) {
        self.line_end(out);
    }

    fn line_end(&mut self, out: &mut Vec<u8>) {
        let line = std::mem::take(&mut self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(&line);
        match self.at {
            UuAt::Before if line.starts_with(b"begin ") => self.at = UuAt::Inside,
            UuAt::Inside if line == b"end" => self.at = UuAt::After,
            UuAt::Inside => uu_line(line, out),
            UuAt::Before | UuAt::After => {}
        }
    }
}

fn uu_line(line: &[u8], out: &mut Vec<u8>) {
    let Some((&first, digits)) = line.split_first() else {
        return;
    };
    let length = usize::from(first.wrapping_sub(b' ') & 0x3f);
    let start = out.len();
    for group in digits.chunks(4) {
        let digit = |i: usize| u32::from(group.get(i).map_or(0, |&c| c.wrapping_sub(b' ') & 0x3f));
        let bits = digit(0) << 18 | digit(1) << 12 | digit(2) << 6 | digit(3);
        out.extend_from_slice(&bits.to_be_bytes()[1..]);
    }
    out.truncate(start + length);
}
