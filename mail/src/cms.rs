//! Signed and encrypted data of S/MIME (RFC 8551, RFC 5652): tells them apart and hands on what is signed while it
//! passes. Checks no signature and holds no content.

use crate::{
    Coding, Defect, Encoding, Inside, Part, PartRole, Scanner, Signed, Slice,
    ber::{self, Ber, Event},
    closed::Watch,
    contents::{Contents, Opened},
};

/// Object identifiers of content types, encoded: 1.2.840.113549.1.7.1, .2 (RFC 5652 §4, §5).
const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
const ID_MAX: usize = 32;

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const INTEGER: u8 = 0x02;
const ID: u8 = 0x06;
/// `[0] EXPLICIT`
const CONTENT: u8 = 0xa0;

/// Takes the decoded bytes of an S/MIME part in pieces of any size.
#[derive(Debug)]
pub(crate) struct Cms {
    ber: Ber,
    at: At,
    id: Vec<u8>,
    slice: Slice,
    reader: Reader,
}

/// Where in `ContentInfo` and the `SignedData` in it the next element stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Info,
    Kind,
    Explicit,
    SignedData,
    Version,
    Digests,
    /// Inside the digests, until no more than this many elements are open.
    InDigests {
        outside: usize,
    },
    Signed,
    ContentKind,
    Content,
    Octets,
    InOctets,
    /// In a string of segments, until no more than this many elements are open; whether a segment is passing.
    InSegments {
        outside: usize,
        octets: bool,
    },
    End(End),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The signed content has passed whole.
    Signed,
    /// Certificates only, or a signature of something elsewhere: there is nothing to read.
    Nothing,
    /// Encrypted, or of another kind that cannot be looked into.
    Closed,
    Broken,
}

/// Who reads the signed content.
#[derive(Debug)]
pub(crate) enum Reader {
    /// It is an entity of mail (RFC 8551 §3.1).
    Entity(Box<Scanner>),
    /// It is a file of this name, signed for itself: `contract.pdf.p7m`.
    File { name: String, watch: Watch },
}

impl Cms {
    pub(crate) fn new(reader: Reader) -> Self {
        let slice = Slice { offset: 0, length: 0, coding: Coding::Identity };
        Self { ber: Ber::default(), at: At::Info, id: Vec::new(), slice, reader }
    }

    /// The next bytes, any number.
    pub(crate) fn feed(&mut self, mut bytes: &[u8]) {
        while !matches!(self.at, At::End(_))
            && let Some(event) = self.ber.next(&mut bytes)
        {
            self.event(event);
        }
    }

    /// The end of the part.
    pub(crate) fn finish(self) -> Contents {
        let contents = match self.at {
            At::End(End::Closed) => return Contents::closed(Defect::Opaque),
            At::End(End::Nothing) => return Contents::default(),
            At::End(End::Signed) => Contents { opened: Opened::Whole, ..self.reader.finish(self.slice) },
            // Cut off inside the content: what came is shown.
            At::InOctets | At::InSegments { .. } => {
                let came = self.ber.offset() - self.slice.offset;
                let mut contents =
                    self.reader.finish(Slice { length: self.slice.length.min(came), ..self.slice });
                contents.defects.push(Defect::ContainerUnreadable);
                contents
            }
            _ => return Contents::closed(Defect::ContainerUnreadable),
        };
        Contents { signed: Some(Signed::Smime), ..contents }
    }

    fn event(&mut self, event: Event<'_>) {
        self.at = match (self.at, event) {
            (_, Event::Broken) => match self.at {
                // Damage behind the beginning of the content leaves what was read.
                At::InOctets | At::InSegments { .. } => At::InOctets,
                _ => At::End(End::Broken),
            },
            (At::Info, Event::Open { tag: SEQUENCE, .. }) => At::Kind,
            (At::Kind | At::ContentKind, Event::Primitive { tag: ID, .. }) => {
                self.id.clear();
                self.at
            }
            (At::Kind | At::ContentKind, Event::Bytes(bytes)) if self.id.len() + bytes.len() <= ID_MAX => {
                self.id.extend_from_slice(bytes);
                self.at
            }
            (At::Kind, Event::End) if self.id == SIGNED_DATA => At::Explicit,
            (At::Kind, Event::End) => At::End(End::Closed),
            (At::Explicit, Event::Open { tag: CONTENT, .. }) => At::SignedData,
            (At::SignedData, Event::Open { tag: SEQUENCE, .. }) => At::Version,
            (At::Version, Event::Primitive { tag: INTEGER, .. } | Event::Bytes(_)) => At::Version,
            (At::Version, Event::End) => At::Digests,
            (At::Digests, Event::Open { tag: SET, .. }) => At::InDigests { outside: self.ber.depth() - 1 },
            (At::InDigests { outside }, Event::Close { .. }) if self.ber.depth() == outside => At::Signed,
            (At::InDigests { outside }, _) => At::InDigests { outside },
            (At::Signed, Event::Open { tag: SEQUENCE, .. }) => At::ContentKind,
            (At::ContentKind, Event::End) => At::Content,
            (At::Content, Event::Close { .. }) => At::End(End::Nothing),
            (At::Content, Event::Open { tag: CONTENT, .. }) => match self.id == DATA {
                true => At::Octets,
                false => At::End(End::Closed),
            },
            (at, event) => self.content(at, event),
        };
    }

    /// The octet string with what is signed, in one piece or in segments.
    fn content(&mut self, at: At, event: Event<'_>) -> At {
        match (at, event) {
            (At::Octets, Event::Primitive { tag: ber::OCTETS, offset, length }) => {
                self.slice = Slice { offset, length, coding: Coding::Identity };
                At::InOctets
            }
            (At::Octets, Event::Open { tag: ber::OCTETS_IN_SEGMENTS, offset }) => {
                self.slice = Slice { offset, length: u64::MAX - offset, coding: Coding::Segments };
                At::InSegments { outside: self.ber.depth() - 1, octets: false }
            }
            (At::InOctets, Event::Bytes(bytes)) => {
                self.reader.feed(bytes);
                At::InOctets
            }
            (At::InOctets, Event::End) => At::End(End::Signed),
            (At::InSegments { outside, .. }, Event::Close { offset }) if self.ber.depth() == outside => {
                self.slice.length = offset - self.slice.offset;
                At::End(End::Signed)
            }
            (At::InSegments { outside, .. }, Event::Primitive { tag, .. }) => {
                At::InSegments { outside, octets: tag == ber::OCTETS }
            }
            (At::InSegments { octets: true, .. }, Event::Bytes(bytes)) => {
                self.reader.feed(bytes);
                at
            }
            (At::InSegments { .. }, _) => at,
            _ => At::End(End::Broken),
        }
    }
}

impl Reader {
    /// By the name of the part: `smime.p7m` and other names of one word are mail, a name with a name inside is a file.
    pub(crate) fn of(name: Option<&str>, scanner: Scanner) -> Self {
        let inner = name.and_then(|name| name.rsplit_once('.')).map(|(inner, _)| inner);
        match inner.filter(|inner| inner.trim_matches('.').contains('.')) {
            Some(name) => Self::File { name: name.to_owned(), watch: Watch::default() },
            None => Self::Entity(Box::new(scanner)),
        }
    }

    fn feed(&mut self, bytes: &[u8]) {
        match self {
            Self::Entity(scanner) => scanner.feed(bytes),
            Self::File { watch, .. } => watch.feed(bytes),
        }
    }

    fn finish(self, slice: Slice) -> Contents {
        match self {
            Self::Entity(scanner) => Contents::of_mail(scanner.finish()).shifted(slice),
            Self::File { name, watch } => {
                let Slice { offset, length, coding } = slice;
                let part = Part {
                    offset: 0,
                    length: 0,
                    encoding: Encoding::Identity,
                    media_type: "application/octet-stream".to_owned(),
                    charset: None,
                    name: Some(name),
                    content_id: None,
                    role: PartRole::Attachment,
                    inside: Some(Inside { parent: 0, offset, length, coding, through: Vec::new() }),
                };
                let defects = watch.closed().then_some(Defect::Opaque).into_iter().collect();
                Contents { parts: vec![part], defects, ..Contents::default() }
            }
        }
    }
}
