//! Elements of DER (X.690) out of bytes at hand, with definite lengths and short tags only. Total; copies nothing.

pub(super) const INTEGER: u8 = 0x02;
pub(super) const OCTETS: u8 = 0x04;
pub(super) const ID: u8 = 0x06;
pub(super) const SEQUENCE: u8 = 0x30;
pub(super) const SET: u8 = 0x31;

/// `[number]`, constructed.
pub(super) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// One element.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Element<'a> {
    pub(super) tag: u8,
    pub(super) content: &'a [u8],
    /// With its tag and length.
    pub(super) whole: &'a [u8],
}

/// Elements after each other. What is no element ends them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Elements<'a>(pub(super) &'a [u8]);

impl<'a> Elements<'a> {
    /// The next element; none if it has another tag.
    pub(super) fn read(&mut self, tag: u8) -> Option<Element<'a>> {
        self.next().filter(|element| element.tag == tag)
    }

    /// The next element if it has this tag, which otherwise stays the next.
    pub(super) fn read_if(&mut self, tag: u8) -> Option<Element<'a>> {
        let (element, rest) = split(self.0)?;
        (element.tag == tag).then(|| {
            self.0 = rest;
            element
        })
    }
}

impl<'a> Iterator for Elements<'a> {
    type Item = Element<'a>;

    fn next(&mut self) -> Option<Element<'a>> {
        let found = split(self.0);
        self.0 = found.map_or(&[], |(_, rest)| rest);
        found.map(|(element, _)| element)
    }
}

impl<'a> Element<'a> {
    pub(super) fn elements(&self) -> Elements<'a> {
        Elements(self.content)
    }
}

fn split(bytes: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = bytes.split_first().filter(|(tag, _)| *tag & 0x1f != 0x1f)?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |length, &octet| length << 8 | usize::from(octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    let whole = bytes.get(..bytes.len() - rest.len())?;
    Some((Element { tag, content, whole }, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_come_one_by_one_and_only_whole() {
        let bytes = b"\x30\x03\x02\x01\x07\x04\x81\x01x";
        let mut elements = Elements(bytes);
        assert_eq!(elements.read_if(SET), None);
        let first = elements.read(SEQUENCE).unwrap();
        assert_eq!((first.content, first.whole), (&b"\x02\x01\x07"[..], &bytes[..5]));
        assert_eq!(first.elements().read(INTEGER).unwrap().content, b"\x07");
        assert_eq!(elements.read_if(OCTETS).unwrap().content, b"x");
        assert_eq!(elements.next(), None);
        for cut in [
            &b"\x04"[..],
            b"\x04\x02x",
            b"\x04\x82\x01",
            b"\x04\x80",
            b"\x1f\x81\x00",
            b"\x04\x84\xff\xff\xff\xff",
        ] {
            assert_eq!(Elements(cut).next(), None);
        }
    }
}
