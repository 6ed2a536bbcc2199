//! What a signed mail says is signed, and by what: the bytes for a digest, the signature for who can check it. Reads a
//! mail a second time, beside the [`Scanner`](crate::Scanner), whose list of parts says whether all that is shown of it
//! is signed. Checks nothing; needs the same memory for a mail of any size.

use std::{mem, ops::Range};

use memchr::memchr;

use crate::{
    Decoder, Defect, Headline, Part, Signed,
    block::Block,
    entity::{Around, Entity, Kind},
};

mod cut;
mod split;

use self::cut::Cut;
use self::split::{Piece, Splitter};

/// Longest head of a mail or of a signature that is read.
const HEAD_MAX: usize = 128 * 1024;
/// Longest signature in its transfer encoding.
const SIGNATURE_MAX: usize = 512 * 1024;
/// Bytes of an opaque-signed mail that are decoded at a time.
const STEP: usize = 16 * 1024;

/// Takes a mail in pieces of any size.
#[derive(Debug)]
pub struct SignatureScanner {
    offset: u64,
    state: State,
}

/// What is signed and by what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signature {
    /// The bytes that were handed on are signed by this `ContentInfo` (RFC 5652 §3), whose elements have definite
    /// lengths and which does not hold what is signed.
    Smime(Vec<u8>),
    /// RFC 3156
    Pgp,
    /// It covers only some of what is shown of the mail.
    NotAll,
    /// It is damaged, too large or not there.
    Unreadable,
}

#[derive(Debug)]
enum State {
    Head(Vec<u8>),
    Detached(Box<Splitter>, Half),
    Opaque {
        start: u64,
        decoder: Decoder,
        cut: Box<Cut>,
    },
    Pgp,
    /// Not signed as a whole.
    Else,
}

/// Where in a `multipart/signed` the next byte stands (RFC 1847 §2.1).
#[derive(Debug)]
enum Half {
    Before,
    Signed { start: u64 },
    Signature { signed: Range<u64>, start: u64, bytes: Vec<u8> },
    Behind { signed: Range<u64>, start: u64, bytes: Vec<u8> },
    TooLong,
}

impl Default for SignatureScanner {
    fn default() -> Self {
        Self { offset: 0, state: State::Head(Vec::new()) }
    }
}

impl SignatureScanner {
    /// The next bytes of the mail, any number; those that are signed are handed on.
    pub fn feed(&mut self, bytes: &[u8], mut signed: impl FnMut(&[u8])) {
        let State::Head(head) = &mut self.state else {
            return self.body(bytes, &mut signed);
        };
        let seen = head.len();
        head.extend_from_slice(bytes);
        match head_end(head, seen) {
            Some(end) => {
                let body = head.split_off(end);
                let head = mem::take(head);
                self.offset = end as u64;
                self.state = State::of(&head, self.offset);
                self.body(&body, &mut signed);
            }
            None if head.len() > HEAD_MAX => self.state = State::Else,
            None => {}
        }
    }

    /// The end of the mail that has this headline; none if nothing in it says that it is signed.
    pub fn finish(mut self, headline: &Headline) -> Option<Signature> {
        headline.signed?;
        if let State::Detached(..) = self.state {
            // The last line may lack its end.
            self.body(b"\n", &mut |_| ());
        }
        Some(match self.state {
            State::Head(_) | State::Else => Signature::NotAll,
            State::Pgp => Signature::Pgp,
            State::Opaque { start, .. } if headline.parts.iter().any(|part| part.offset != start) => {
                Signature::NotAll
            }
            State::Opaque { decoder, cut, .. } => opaque(decoder, *cut),
            State::Detached(
                _,
                Half::Signature { signed, start, bytes } | Half::Behind { signed, start, bytes },
            ) => detached(&signed, start, bytes, headline),
            State::Detached(..) => Signature::Unreadable,
        })
    }

    fn body(&mut self, bytes: &[u8], signed: &mut dyn FnMut(&[u8])) {
        match &mut self.state {
            State::Detached(splitter, half) => splitter.feed(bytes, |piece| half.take(piece, signed)),
            State::Opaque { decoder, cut, .. } => {
                for piece in bytes.chunks(STEP) {
                    let mut decoded = Vec::new();
                    decoder.feed(piece, &mut decoded);
                    cut.feed(&decoded, signed);
                }
            }
            State::Head(_) | State::Pgp | State::Else => {}
        }
    }
}

impl State {
    fn of(head: &[u8], offset: u64) -> Self {
        let Entity { kind, part, signed, .. } = entity(head);
        match (kind, signed) {
            (_, Some(Signed::Pgp)) => Self::Pgp,
            (Kind::Multipart { boundary, .. }, Some(Signed::Smime)) => {
                Self::Detached(Box::new(Splitter::new(boundary, offset)), Half::Before)
            }
            (Kind::Cms, _) => {
                Self::Opaque { start: offset, decoder: Decoder::new(part.encoding), cut: Box::default() }
            }
            _ => Self::Else,
        }
    }
}

impl Half {
    fn take(&mut self, piece: Piece<'_>, signed: &mut dyn FnMut(&[u8])) {
        match (mem::replace(self, Self::TooLong), piece) {
            (Self::Before, Piece::Delimiter { end, .. }) => *self = Self::Signed { start: end },
            (Self::Signed { start: from }, Piece::Delimiter { start, end }) => {
                *self = Self::Signature { signed: from..start, start: end, bytes: Vec::new() };
            }
            (Self::Signed { start }, Piece::Bytes(bytes)) => {
                signed(bytes);
                *self = Self::Signed { start };
            }
            (Self::Signature { signed, start, bytes }, Piece::Delimiter { .. }) => {
                *self = Self::Behind { signed, start, bytes };
            }
            (Self::Signature { bytes, .. }, Piece::Bytes(more))
                if bytes.len() + more.len() > SIGNATURE_MAX => {}
            (Self::Signature { signed, start, mut bytes }, Piece::Bytes(more)) => {
                bytes.extend_from_slice(more);
                *self = Self::Signature { signed, start, bytes };
            }
            (before @ Self::Before, Piece::Bytes(_))
            | (before @ (Self::Behind { .. } | Self::TooLong), _) => {
                *self = before;
            }
        }
    }
}

/// Reads the second half of a `multipart/signed`, which begins at `start`; the first stands at `signed`.
fn detached(signed: &Range<u64>, start: u64, bytes: Vec<u8>, headline: &Headline) -> Signature {
    let Some(body) = head_end(&bytes, 0) else { return Signature::Unreadable };
    let part = entity(&bytes[..body]).part;
    let is_signature =
        matches!(part.media_type.as_str(), "application/pkcs7-signature" | "application/x-pkcs7-signature");
    let covered = |part: &Part| {
        let own = part.offset == start + body as u64;
        own || (part.offset >= signed.start && part.offset + part.length <= signed.end)
    };
    // Where a head can be read in two ways, others may have read it otherwise than we.
    let ambiguous = [Defect::ManyContentType, Defect::BadHeader];
    if !is_signature
        || !headline.parts.iter().all(covered)
        || headline.defects.iter().any(|defect| ambiguous.contains(defect))
    {
        return Signature::NotAll;
    }
    let (mut decoder, mut cut, mut decoded) = (Decoder::new(part.encoding), Cut::default(), Vec::new());
    decoder.feed(&bytes[body..], &mut decoded);
    // What it may hold for itself is not what the mail shows.
    cut.feed(&decoded, &mut |_| ());
    opaque(decoder, cut)
}

/// The end of a body in which signature and signed content are one.
fn opaque(decoder: Decoder, mut cut: Cut) -> Signature {
    let mut last = Vec::new();
    decoder.finish(&mut last);
    cut.feed(&last, &mut |_| ());
    cut.finish().map_or(Signature::Unreadable, Signature::Smime)
}

fn entity(head: &[u8]) -> Entity {
    let mut block = Block::default();
    block.push(head, 2 * HEAD_MAX);
    Entity::read(&block.fields(), Around::Mail, false)
}

/// Where the body begins; the first `seen` bytes were looked at before.
fn head_end(head: &[u8], seen: usize) -> Option<usize> {
    let mut at = seen.saturating_sub(3);
    loop {
        let blank = match &head[at..] {
            [b'\r', b'\n', ..] => 2,
            [b'\n', ..] => 1,
            _ => 0,
        };
        let line_start = at == 0 || head[at - 1] == b'\n';
        if line_start && blank > 0 {
            return Some(at + blank);
        }
        at += memchr(b'\n', &head[at..])? + 1;
    }
}
