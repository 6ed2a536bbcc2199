//! A list of MAPI properties (MS-OXTNEF §2.1.3.4): a count, then tags with their values. Knows the form of each type and
//! the meaning of none.

use super::field::Field;

/// A type of which there is a list of values.
const MANY: u16 = 0x1000;
/// From here on, ids stand for names that are written out.
const NAMED: u16 = 0x8000;

/// Splits the list into values.
#[derive(Debug, Default)]
pub(super) struct Properties {
    at: At,
    field: Field,
    offset: u64,
    /// Properties still to come.
    count: u32,
    /// The property being read.
    tag: Tag,
    /// Its values still to come.
    values: u32,
}

/// Id and type of a property.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) id: u16,
    pub(super) kind: u16,
}

#[derive(Debug, Default, Clone, Copy)]
enum At {
    #[default]
    Count,
    Tag,
    /// The set that a name belongs to, and whether a number or a text is the name.
    NameSet,
    NameNumber,
    NameLength,
    Name {
        left: u32,
    },
    Values,
    Length,
    Fixed,
    Value {
        left: u32,
        padding: u32,
    },
    Padding {
        left: u32,
    },
    /// All properties have come; what else comes is passed over.
    Whole,
    Broken,
}

/// What comes next in the list.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event<'a> {
    /// A value begins, `length` bytes from `offset` on, which counts from the start of the list.
    Begin {
        tag: Tag,
        offset: u64,
        length: u32,
    },
    Bytes(&'a [u8]),
    End,
    /// This is no list of properties; nothing comes after it.
    Broken,
}

/// What a step found.
enum Step<'a> {
    On,
    Begin(u32),
    Bytes(&'a [u8]),
    End,
    Broken,
}

/// How values of a type are written.
enum Size {
    Fixed(u32),
    Counted,
}

impl Properties {
    /// The next event in `bytes`, of which it takes what it needs; `None` when more is needed.
    pub(super) fn next<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Event<'a>> {
        loop {
            let before = bytes.len();
            let step = self.step(bytes);
            self.offset += (before - bytes.len()) as u64;
            match step? {
                Step::On => {}
                Step::Begin(length) => {
                    return Some(Event::Begin { tag: self.tag, offset: self.offset, length });
                }
                Step::Bytes(bytes) => return Some(Event::Bytes(bytes)),
                Step::End => return Some(Event::End),
                Step::Broken => {
                    self.at = At::Broken;
                    return Some(Event::Broken);
                }
            }
        }
    }

    /// Whether all properties of the list have come.
    pub(super) fn whole(&self) -> bool {
        matches!(self.at, At::Whole)
    }

    fn step<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Step<'a>> {
        match self.at {
            At::Count => {
                self.count = self.field.number(bytes)?;
                self.next_property();
            }
            At::Tag => {
                let tag = self.field.number(bytes)?;
                self.tag = Tag { id: (tag >> 16) as u16, kind: tag as u16 };
                self.at = if self.tag.id >= NAMED { At::NameSet } else { At::Values };
            }
            At::NameSet => {
                let [.., a, b, c, d] = self.field.take::<20>(bytes)?;
                self.at = if [a, b, c, d] == [0; 4] { At::NameNumber } else { At::NameLength };
            }
            At::NameNumber => {
                self.field.number(bytes)?;
                self.at = At::Values;
            }
            At::NameLength => match self.field.number(bytes)?.checked_next_multiple_of(4) {
                Some(left) => self.at = At::Name { left },
                None => return Some(Step::Broken),
            },
            At::Name { left } => {
                let left = left - taken(left, bytes)?.len() as u32;
                self.at = if left == 0 { At::Values } else { At::Name { left } };
            }
            At::Values => return self.values(bytes),
            At::Length => {
                let length = self.field.number(bytes)?;
                return Some(self.value(length));
            }
            At::Fixed => return Some(self.value(self.size_of_one())),
            At::Value { left: 0, padding } => {
                self.at = At::Padding { left: padding };
                return Some(Step::End);
            }
            At::Value { left, padding } => {
                let value = taken(left, bytes)?;
                self.at = At::Value { left: left - value.len() as u32, padding };
                return Some(Step::Bytes(value));
            }
            At::Padding { left: 0 } => self.next_value(),
            At::Padding { left } => {
                self.at = At::Padding { left: left - taken(left, bytes)?.len() as u32 };
            }
            At::Whole | At::Broken => {
                *bytes = &[];
                return None;
            }
        }
        Some(Step::On)
    }

    /// How many values there are: one, unless the type is a list's or values have lengths of their own.
    fn values<'a>(&mut self, bytes: &mut &'a [u8]) -> Option<Step<'a>> {
        let many = self.tag.kind & MANY != 0;
        self.values = match Size::of(self.tag.kind & !MANY) {
            None => return Some(Step::Broken),
            // A list of nothings could be four billion long and take no byte.
            Some(Size::Fixed(0)) if many => return Some(Step::Broken),
            Some(Size::Fixed(_)) if !many => 1,
            Some(_) => self.field.number(bytes)?,
        };
        self.next_value();
        Some(Step::On)
    }

    /// A value of `length` bytes begins; it is filled up to a multiple of four.
    fn value(&mut self, length: u32) -> Step<'static> {
        match length.checked_next_multiple_of(4) {
            Some(filled) => {
                self.at = At::Value { left: length, padding: filled - length };
                Step::Begin(length)
            }
            None => Step::Broken,
        }
    }

    fn size_of_one(&self) -> u32 {
        match Size::of(self.tag.kind & !MANY) {
            Some(Size::Fixed(size)) => size,
            Some(Size::Counted) | None => 0,
        }
    }

    fn next_value(&mut self) {
        let Some(left) = self.values.checked_sub(1) else {
            return self.next_property();
        };
        self.values = left;
        self.at = match Size::of(self.tag.kind & !MANY) {
            Some(Size::Fixed(_)) => At::Fixed,
            Some(Size::Counted) | None => At::Length,
        };
    }

    fn next_property(&mut self) {
        match self.count.checked_sub(1) {
            Some(left) => {
                self.count = left;
                self.at = At::Tag;
            }
            None => self.at = At::Whole,
        }
    }
}

impl Size {
    /// MS-OXCDATA §2.11.1
    fn of(kind: u16) -> Option<Self> {
        Some(match kind {
            0x0000 | 0x0001 => Self::Fixed(0),
            0x0002 | 0x000b => Self::Fixed(2),
            0x0003 | 0x0004 | 0x000a => Self::Fixed(4),
            0x0005 | 0x0006 | 0x0007 | 0x0014 | 0x0040 => Self::Fixed(8),
            0x0048 => Self::Fixed(16),
            0x000d | 0x001e | 0x001f | 0x0102 => Self::Counted,
            _ => return None,
        })
    }
}

/// Up to `left` of the bytes there are; `None` when there are none.
fn taken<'a>(left: u32, bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    if bytes.is_empty() && left > 0 {
        return None;
    }
    let (head, rest) = bytes.split_at(bytes.len().min(left as usize));
    *bytes = rest;
    Some(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tag and bytes of every value, with where it starts.
    fn values(list: &[u8], piece: usize) -> (Vec<(u16, u64, Vec<u8>)>, bool) {
        let (mut properties, mut found) = (Properties::default(), Vec::new());
        for mut piece in list.chunks(piece) {
            while let Some(event) = properties.next(&mut piece) {
                match event {
                    Event::Begin { tag, offset, .. } => found.push((tag.id, offset, Vec::new())),
                    Event::Bytes(bytes) => found.last_mut().unwrap().2.extend_from_slice(bytes),
                    Event::End => {}
                    Event::Broken => return (found, false),
                }
            }
        }
        (found, properties.whole())
    }

    fn list(count: u32, properties: &[&[u8]]) -> Vec<u8> {
        [&count.to_le_bytes()[..], &properties.concat()].concat()
    }

    #[test]
    fn values_of_all_forms() {
        let short = b"\x02\x00\x05\x37\x01\x00\x00\x00";
        let text = b"\x1e\x00\x01\x30\x01\0\0\0\x05\0\0\0abcd\0\0\0\0";
        let numbers = b"\x03\x10\x02\x40\x02\0\0\0\x01\0\0\0\x02\0\0\0";
        let by_name =
            b"\x1e\x00\x03\x80SETSETSETSETSETS\x01\0\0\0\x06\0\0\0a\0b\0\0\0..\x01\0\0\0\x01\0\0\0x...";
        let by_number = b"\x0b\x00\x04\x80SETSETSETSETSETS\0\0\0\0\x09\0\0\0\x01\0\0\0";
        let list = list(5, &[short, text, numbers, by_name, by_number]);
        let expected = [
            (0x3705, 8, b"\x01\0".to_vec()),
            (0x3001, 24, b"abcd\0".to_vec()),
            (0x4002, 40, b"\x01\0\0\0".to_vec()),
            (0x4002, 44, b"\x02\0\0\0".to_vec()),
            (0x8003, 92, b"x".to_vec()),
            (0x8004, 124, b"\x01\0".to_vec()),
        ];
        for piece in [1, 5, usize::MAX] {
            assert_eq!(values(&list, piece), (expected.to_vec(), true));
        }
    }

    #[test]
    fn what_is_no_list_is_broken() {
        let nothings = b"\x01\x10\x05\x37\xff\xff\xff\xff";
        let no_type = b"\x77\x00\x05\x37\x01\x00\x00\x00";
        let too_long = b"\x1e\x00\x01\x30\x01\0\0\0\xff\xff\xff\xff";
        for property in [&nothings[..], no_type, too_long] {
            assert!(!values(&list(1, &[property]), 3).1);
        }
        assert!(!values(&list(2, &[b"\x03\0\x01\0\x01\0\0\0"]), 3).1, "one is missing");
    }
}
