//! Packed rich text (MS-OXRTFCP) as a stream: a window of 4 KiB, tokens of two bytes that copy from it. Knows nothing of
//! what the text says.

/// What stands in the window before the first byte (MS-OXRTFCP §2.2.2.1).
const INITIAL: &[u8; 207] =
    b"{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \
\\fscript \\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par \
\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx";
const WINDOW: usize = 4096;
const HEADER: usize = 16;

/// Undoes the packing; what is not packed rich text gives nothing.
#[derive(Debug)]
pub(super) struct Unpacker {
    header: Vec<u8>,
    form: Form,
    /// Bytes still to come out: the header's word for it.
    left: u32,
}

#[derive(Debug)]
enum Form {
    /// In the header.
    Unknown,
    /// `MELA`: not packed at all.
    Plain,
    /// `LZFu`
    Packed(Box<Packed>),
    /// Ended, or never was any.
    Ended,
}

#[derive(Debug)]
struct Packed {
    window: [u8; WINDOW],
    at: usize,
    /// Kinds of the next tokens, the lowest bit first: 1 is a copy.
    kinds: u8,
    kinds_left: u8,
    /// First byte of a token of two.
    first: Option<u8>,
}

impl Default for Unpacker {
    fn default() -> Self {
        Self { header: Vec::with_capacity(HEADER), form: Form::Unknown, left: 0 }
    }
}

impl Unpacker {
    /// Takes the next bytes and appends what they stand for: at most nine times as much.
    pub(super) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        let room = (HEADER - self.header.len()).min(bytes.len());
        let (header, bytes) = bytes.split_at(room);
        self.header.extend_from_slice(header);
        if matches!(self.form, Form::Unknown) && self.header.len() == HEADER {
            self.begin();
        }
        let before = out.len();
        let ended = match &mut self.form {
            Form::Unknown | Form::Ended => false,
            Form::Plain => {
                out.extend_from_slice(bytes);
                false
            }
            Form::Packed(packed) => packed.feed(bytes, out),
        };
        let most = before + self.left as usize;
        out.truncate(most);
        self.left -= (out.len() - before) as u32;
        if !matches!(self.form, Form::Unknown) && (ended || self.left == 0) {
            self.form = Form::Ended;
        }
    }

    /// Whether the header was one.
    pub(super) fn sound(&self) -> bool {
        self.header.len() == HEADER && matches!(&self.header[8..12], b"LZFu" | b"MELA")
    }

    /// §2.1.3.1.1: packed size, unpacked size, the form, a check sum, which nobody trusts.
    fn begin(&mut self) {
        let [_, _, _, _, a, b, c, d, form @ ..] = &self.header[..] else {
            return;
        };
        self.left = u32::from_le_bytes([*a, *b, *c, *d]);
        self.form = match form {
            [b'L', b'Z', b'F', b'u', ..] => Form::Packed(Box::default()),
            [b'M', b'E', b'L', b'A', ..] => Form::Plain,
            _ => Form::Ended,
        };
    }
}

impl Default for Packed {
    fn default() -> Self {
        let mut window = [0; WINDOW];
        window[..INITIAL.len()].copy_from_slice(INITIAL);
        Self { window, at: INITIAL.len(), kinds: 0, kinds_left: 0, first: None }
    }
}

impl Packed {
    /// Whether the end mark came.
    fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) -> bool {
        for &byte in bytes {
            if let Some(first) = self.first.take() {
                if self.copy(first, byte, out) {
                    return true;
                }
            } else if self.kinds_left == 0 {
                (self.kinds, self.kinds_left) = (byte, 8);
            } else if self.kind() {
                self.first = Some(byte);
            } else {
                self.put(byte, out);
            }
        }
        false
    }

    fn kind(&mut self) -> bool {
        let kind = self.kinds & 1;
        self.kinds >>= 1;
        self.kinds_left -= 1;
        kind == 1
    }

    /// Twelve bits of place, four of length less two; the place where the next byte goes is the end mark.
    fn copy(&mut self, first: u8, second: u8, out: &mut Vec<u8>) -> bool {
        let token = u16::from_be_bytes([first, second]);
        let from = usize::from(token >> 4);
        if from == self.at {
            return true;
        }
        for i in 0..usize::from(token & 0xf) + 2 {
            self.put(self.window[(from + i) % WINDOW], out);
        }
        false
    }

    fn put(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.window[self.at] = byte;
        self.at = (self.at + 1) % WINDOW;
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked(packed: &[u8], piece: usize) -> Vec<u8> {
        let (mut out, mut unpacker) = (Vec::new(), Unpacker::default());
        packed.chunks(piece).for_each(|piece| unpacker.feed(piece, &mut out));
        out
    }

    fn packed(form: &[u8], unpacked: u32, body: &[u8]) -> Vec<u8> {
        [&(body.len() as u32 + 12).to_le_bytes()[..], &unpacked.to_le_bytes(), form, &[0; 4], body].concat()
    }

    /// Written by hand: six bytes from the window's start, which then stands at 213; "ab"; eight bytes from 213, which
    /// copies what it writes; the end mark at 223.
    #[test]
    fn tokens_copy_from_the_window() {
        let body = [0b1_1001, 0x00, 0x04, b'a', b'b', 0x0d, 0x56, 0x0d, 0xf0, b'x'];
        let packed = packed(b"LZFu", 100, &body);
        for piece in [1, 3, 100] {
            assert_eq!(unpacked(&packed, piece), b"{\\rtf1ababababab");
        }
    }

    #[test]
    fn the_header_bounds_what_comes_out() {
        assert_eq!(unpacked(&packed(b"MELA", 3, b"abcdef"), 1), b"abc");
        assert_eq!(unpacked(&packed(b"ABCD", 3, b"abcdef"), 100), b"");
        assert_eq!(unpacked(b"short", 1), b"");
    }
}
