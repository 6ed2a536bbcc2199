//! The outer form of TNEF (MS-OXTNEF §2.1.3): a signature, then attributes one behind the other. Looks into none of them.

use super::field::Field;

/// First four bytes, little-endian 0x223E9F78.
pub(crate) const SIGNATURE: [u8; 4] = [0x78, 0x9f, 0x3e, 0x22];
/// What may follow the last attribute without being one: line ends that came with the mail.
const REMAINDER_MAX: u64 = 8;

/// Splits a stream into attributes.
#[derive(Debug, Default)]
pub(super) struct Attributes {
    at: At,
    field: Field,
    offset: u64,
    /// Where the last whole attribute ended.
    whole: u64,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Signature,
    Header,
    Value {
        left: u32,
        sum: u16,
    },
    Checksum {
        sum: u16,
    },
    Ended,
}

/// What comes next in the stream.
#[derive(Debug)]
pub(super) enum Event<'a> {
    Begin(Attribute),
    Bytes(&'a [u8]),
    /// Whether its checksum is right.
    End {
        sound: bool,
    },
    /// What comes is no attribute; nothing comes after it.
    Broken,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Attribute {
    pub(super) of_file: bool,
    /// Without the type, which says nothing that the id does not.
    pub(super) id: u16,
    /// Where its value starts.
    pub(super) offset: u64,
}

impl Attributes {
    /// The next event in `bytes`, of which it takes what it needs; `None` when more is needed.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        let before = bytes.len();
        let event = self.step(bytes);
        self.offset += (before - bytes.len()) as u64;
        match &mut self.at {
            At::Header if matches!(event, Some(Event::End { .. })) => self.whole = self.offset,
            _ => {}
        }
        match event {
            Some(Event::Begin(attribute)) => {
                Some(Event::Begin(Attribute { offset: self.offset, ..attribute }))
            }
            event => event,
        }
    }

    /// Whether the stream ended where an attribute did.
    pub(super) fn whole(&self) -> bool {
        self.whole > 0 && self.offset - self.whole <= REMAINDER_MAX
    }

    /// Passes over the rest of the stream.
    pub(super) fn stop(&mut self) {
        self.at = At::Ended;
    }

    /// Whether nothing more comes.
    pub(super) fn ended(&self) -> bool {
        matches!(self.at, At::Ended)
    }

    fn step<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        if matches!(self.at, At::Signature) {
            let [signature @ .., _, _] = self.field.take::<6>(bytes)?;
            if signature != SIGNATURE {
                return Some(self.broken());
            }
            self.at = At::Header;
        }
        match self.at {
            At::Signature | At::Ended => {
                *bytes = &[];
                None
            }
            At::Header => {
                let [level, id @ .., a, b, c, d] = self.field.take::<9>(bytes)?;
                let (id, length) = (u32::from_le_bytes(id) as u16, u32::from_le_bytes([a, b, c, d]));
                if !matches!(level, 1 | 2) {
                    return Some(self.broken());
                }
                self.at = At::Value { left: length, sum: 0 };
                Some(Event::Begin(Attribute { of_file: level == 2, id, offset: 0 }))
            }
            At::Value { left: 0, sum } => {
                self.at = At::Checksum { sum };
                self.step(bytes)
            }
            At::Value { .. } if bytes.is_empty() => None,
            At::Value { left, sum } => {
                let taken = bytes.len().min(left as usize);
                let (value, rest) = bytes.split_at(taken);
                *bytes = rest;
                let sum = value.iter().fold(sum, |sum, &byte| sum.wrapping_add(u16::from(byte)));
                self.at = At::Value { left: left - taken as u32, sum };
                Some(Event::Bytes(value))
            }
            At::Checksum { sum } => {
                let written = u16::from_le_bytes(self.field.take(bytes)?);
                self.at = At::Header;
                Some(Event::End { sound: written == sum })
            }
        }
    }

    fn broken(&mut self) -> Event<'static> {
        self.at = At::Ended;
        Event::Broken
    }
}
