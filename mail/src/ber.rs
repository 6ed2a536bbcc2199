//! BER (X.690) as a stream: elements open, give their bytes and close, with definite and indefinite lengths. Holds
//! nothing of an element but its header, and knows no meaning.

/// Constructed elements inside one another. Signed data needs about eight.
const DEPTH_MAX: usize = 64;
/// Tag of an octet string in one piece (X.690 §8.7.2).
pub(crate) const OCTETS: u8 = 0x04;
/// Tag of an octet string in segments (X.690 §8.7.3).
pub(crate) const OCTETS_IN_SEGMENTS: u8 = 0x24;

/// What comes next in the stream. Offsets count from the first byte fed.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// A constructed element begins; its content starts at `offset`.
    Open { tag: u8, offset: u64 },
    /// The innermost constructed element ended; its content ended at `offset`.
    Close { offset: u64 },
    /// A primitive element begins.
    Primitive { tag: u8, offset: u64, length: u64 },
    /// Bytes of the primitive element.
    Bytes(&'a [u8]),
    /// The primitive element ended.
    End,
    /// This is no BER; nothing comes after it.
    Broken,
}

/// Takes a stream of elements apart.
#[derive(Debug, Default)]
pub(crate) struct Ber {
    offset: u64,
    /// Where each open element ends; `None` for one that ends with an end-of-contents mark.
    open: Vec<Option<u64>>,
    at: At,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Tag,
    /// In a tag of more than one byte (X.690 §8.1.2.4), of which the first is enough here.
    LongTag {
        tag: u8,
    },
    Length {
        tag: u8,
    },
    /// In a length of more than one byte.
    LongLength {
        tag: u8,
        left: u8,
        length: u64,
    },
    Content {
        left: u64,
    },
    Broken,
}

impl Ber {
    /// Bytes taken so far.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Constructed elements that are open.
    pub(crate) fn depth(&self) -> usize {
        self.open.len()
    }

    /// The next event in `bytes`, of which it takes what it needs; `None` when more is needed.
    pub(crate) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        loop {
            if let At::Content { left } = self.at {
                return self.content(left, bytes);
            }
            if let (At::Tag, Some(Some(end))) = (self.at, self.open.last())
                && *end == self.offset
            {
                self.open.pop();
                return Some(Event::Close { offset: self.offset });
            }
            let (&byte, rest) = bytes.split_first()?;
            *bytes = rest;
            self.offset += 1;
            if let Some(event) = self.header(byte) {
                return Some(event);
            }
        }
    }

    fn content<'a>(&mut self, left: u64, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        if left == 0 {
            self.at = At::Tag;
            return Some(Event::End);
        }
        if bytes.is_empty() {
            return None;
        }
        let taken = left.min(bytes.len() as u64);
        let (content, rest) = bytes.split_at(taken as usize);
        *bytes = rest;
        self.offset += taken;
        self.at = At::Content { left: left - taken };
        Some(Event::Bytes(content))
    }

    /// One byte of a tag or a length.
    fn header(&mut self, byte: u8) -> Option<Event<'static>> {
        self.at = match self.at {
            At::Tag if byte & 0x1f == 0x1f => At::LongTag { tag: byte },
            At::Tag => At::Length { tag: byte },
            At::LongTag { tag } if byte & 0x80 != 0 => At::LongTag { tag },
            At::LongTag { tag } => At::Length { tag },
            At::Length { tag } if byte < 0x80 => return Some(self.begin(tag, u64::from(byte))),
            At::Length { tag } if byte == 0x80 => return Some(self.begin_indefinite(tag)),
            At::Length { tag } if byte <= 0x88 => At::LongLength { tag, left: byte & 0x7f, length: 0 },
            At::LongLength { tag, left: 1, length } => {
                return Some(self.begin(tag, length << 8 | u64::from(byte)));
            }
            At::LongLength { tag, left, length } => {
                At::LongLength { tag, left: left - 1, length: length << 8 | u64::from(byte) }
            }
            At::Length { .. } | At::Content { .. } | At::Broken => return Some(self.broken()),
        };
        None
    }

    fn begin(&mut self, tag: u8, length: u64) -> Event<'static> {
        if tag == 0 && length == 0 && self.open.last() == Some(&None) {
            self.open.pop();
            self.at = At::Tag;
            return Event::Close { offset: self.offset - 2 };
        }
        let outer = self.open.iter().rev().find_map(|end| *end);
        let end = self.offset.checked_add(length);
        match end {
            Some(end) if outer.is_none_or(|outer| end <= outer) => {}
            _ => return self.broken(),
        }
        match tag & 0x20 {
            0 => {
                self.at = At::Content { left: length };
                Event::Primitive { tag, offset: self.offset, length }
            }
            _ => self.open(tag, end),
        }
    }

    /// X.690 §8.1.3.6: only constructed elements may have no length.
    fn begin_indefinite(&mut self, tag: u8) -> Event<'static> {
        match tag & 0x20 {
            0 => self.broken(),
            _ => self.open(tag, None),
        }
    }

    fn open(&mut self, tag: u8, end: Option<u64>) -> Event<'static> {
        if self.open.len() == DEPTH_MAX {
            return self.broken();
        }
        self.open.push(end);
        self.at = At::Tag;
        Event::Open { tag, offset: self.offset }
    }

    fn broken(&mut self) -> Event<'static> {
        self.at = At::Broken;
        Event::Broken
    }
}

/// Joins the segments of an octet string: its content is fed, without its own header.
#[derive(Debug, Default)]
pub(crate) struct Segments {
    ber: Ber,
    octets: bool,
    broken: bool,
}

impl Segments {
    pub(crate) fn feed(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while !self.broken
            && let Some(event) = self.ber.next(&mut bytes)
        {
            match event {
                Event::Primitive { tag, .. } => self.octets = tag == OCTETS,
                Event::Bytes(bytes) if self.octets => out.extend_from_slice(bytes),
                Event::Bytes(_) | Event::Open { .. } | Event::Close { .. } | Event::End => {}
                Event::Broken => self.broken = true,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One line for each event; bytes of one element joined.
    fn events(pieces: &[&[u8]]) -> Vec<String> {
        let mut ber = Ber::default();
        let mut said: Vec<String> = Vec::new();
        for mut piece in pieces.iter().copied() {
            while let Some(event) = ber.next(&mut piece) {
                match event {
                    Event::Bytes(bytes) => {
                        let text = bytes.escape_ascii().to_string();
                        said.last_mut().unwrap().push_str(&text);
                    }
                    Event::Open { tag, offset } => said.push(format!("open {tag:02x} at {offset}")),
                    Event::Close { offset } => said.push(format!("close at {offset}")),
                    Event::Primitive { tag, length, .. } => said.push(format!("{tag:02x} of {length}: ")),
                    Event::End => {}
                    Event::Broken => {
                        said.push("broken".to_owned());
                        return said;
                    }
                }
            }
        }
        said
    }

    #[test]
    fn definite_and_indefinite_lengths() {
        assert_eq!(
            events(&[b"\x30\x05\x04\x03abc\x30\x80\x04\x81\x01x\x00\x00\x04\x00"]),
            [
                "open 30 at 2",
                "04 of 3: abc",
                "close at 7",
                "open 30 at 9",
                "04 of 1: x",
                "close at 13",
                "04 of 0: "
            ]
        );
    }

    #[test]
    fn what_is_no_ber_is_broken() {
        for bytes in [
            &b"\x04\x80"[..],
            b"\x04\xff",
            b"\x30\x02\x04\x02ab",
            b"\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff",
            &[0x30, 0x80].repeat(DEPTH_MAX + 1),
        ] {
            assert_eq!(events(&[bytes]).last().unwrap(), "broken", "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn segments_are_joined() {
        let mut out = Vec::new();
        let mut segments = Segments::default();
        for byte in b"\x04\x02ab\x24\x80\x04\x01c\x00\x00\x04\x01d" {
            segments.feed(&[*byte], &mut out);
        }
        assert_eq!(out, b"abcd");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            bytes in proptest::collection::vec(prop_oneof![Just(0x30_u8), Just(0x80), Just(0), Just(4), Just(0x24), 0_u8..20, any::<u8>()], 0..200),
        ) {
            let single: Vec<&[u8]> = bytes.chunks(1).collect();
            prop_assert_eq!(events(&single), events(&[&bytes]));
        }
    }
}
