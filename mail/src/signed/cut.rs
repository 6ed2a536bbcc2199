//! Cuts what is signed out of S/MIME data (RFC 5652 §5) as it passes and hands it on; what stays is the signature, with
//! a definite length everywhere, and short. Checks nothing and knows no algorithm.

use crate::ber::{self, Ber, Event};

/// Most bytes kept: signatures, and the certificates of their signers and of those above. Mostly there are five thousand.
const KEPT_MAX: usize = 256 * 1024;

/// From the outermost element to the string of what is signed: each one's tag and its place among its siblings. The same
/// way as the scanner goes: `ContentInfo`, `[0]`, `SignedData`, `EncapsulatedContentInfo`, `[0]`.
const WAY: [(u8, usize); 5] = [(0x30, 0), (0xa0, 1), (0x30, 0), (0x30, 2), (0xa0, 1)];

/// Tag of an element whose number does not fit into its first byte (X.690 §8.1.2.4): signed data has none.
const LONG_TAG: u8 = 0x1f;

#[derive(Debug, Default)]
pub(super) struct Cut {
    ber: Ber,
    /// Elements that are open, outermost first.
    open: Vec<Open>,
    kept: usize,
    state: State,
}

#[derive(Debug)]
struct Open {
    tag: u8,
    /// Its place among its siblings.
    place: usize,
    children: usize,
    content: Vec<u8>,
}

#[derive(Debug, Default)]
enum State {
    #[default]
    Between,
    /// Inside a primitive element that is kept.
    Kept,
    /// Inside a piece of what is signed.
    Signed,
    Whole(Vec<u8>),
    Broken,
}

impl Cut {
    /// The next bytes, any number.
    pub(super) fn feed(&mut self, mut bytes: &[u8], signed: &mut dyn FnMut(&[u8])) {
        while !matches!(self.state, State::Whole(_) | State::Broken)
            && let Some(event) = self.ber.next(&mut bytes)
        {
            self.event(event, signed);
            if self.kept > KEPT_MAX {
                self.state = State::Broken;
            }
        }
    }

    /// What stays; none if it did not come whole, is too large or is something else.
    pub(super) fn finish(self) -> Option<Vec<u8>> {
        match self.state {
            State::Whole(kept) => Some(kept),
            _ => None,
        }
    }

    fn event(&mut self, event: Event<'_>, signed: &mut dyn FnMut(&[u8])) {
        self.state = match (event, &self.state) {
            (Event::Open { tag, .. } | Event::Primitive { tag, .. }, _) if !self.may_stand_here(tag) => {
                State::Broken
            }
            (Event::Open { tag, .. }, _) => {
                let place = self.open.last().map_or(0, |around| around.children);
                self.open.push(Open { tag, place, children: 0, content: Vec::new() });
                State::Between
            }
            (Event::Primitive { .. }, _) if self.is_signed() => State::Signed,
            (Event::Primitive { tag, length, .. }, _) => {
                self.keep(&[tag]);
                self.keep(&length_octets(length));
                State::Kept
            }
            (Event::Bytes(bytes), State::Signed) => {
                signed(bytes);
                State::Signed
            }
            (Event::Bytes(bytes), _) => {
                self.keep(bytes);
                State::Kept
            }
            (Event::End, _) => {
                self.counted();
                State::Between
            }
            (Event::Close { .. }, _) => self.close(),
            (Event::Broken, _) => State::Broken,
        };
    }

    /// What is signed is one string, in one piece or in segments: a second one would be read by some and not by others.
    fn may_stand_here(&self, tag: u8) -> bool {
        let second = self.open.len() == WAY.len() && self.open.last().is_some_and(|last| last.children > 0);
        match self.is_signed() {
            true => matches!(tag, ber::OCTETS | ber::OCTETS_IN_SEGMENTS) && !second,
            false => tag & LONG_TAG != LONG_TAG && (tag == WAY[0].0 || !self.open.is_empty()),
        }
    }

    fn close(&mut self) -> State {
        let Some(Open { tag, content, .. }) = self.open.pop() else { return State::Broken };
        let head = [&[tag][..], &length_octets(content.len() as u64)].concat();
        self.kept += head.len();
        let element = [head, content].concat();
        match self.open.last_mut() {
            None => State::Whole(element),
            Some(around) => {
                around.content.extend_from_slice(&element);
                around.children += 1;
                State::Between
            }
        }
    }

    /// Whether everything inside what is open is signed.
    fn is_signed(&self) -> bool {
        self.open.len() >= WAY.len()
            && self.open.iter().zip(WAY).all(|(open, (tag, place))| open.tag == tag && open.place == place)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.kept += bytes.len();
        if let Some(around) = self.open.last_mut().filter(|_| self.kept <= KEPT_MAX) {
            around.content.extend_from_slice(bytes);
        }
    }

    fn counted(&mut self) {
        if let Some(around) = self.open.last_mut() {
            around.children += 1;
        }
    }
}

/// The shortest form of a definite length (X.690 §10.1).
fn length_octets(length: u64) -> Vec<u8> {
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => vec![short],
        _ => {
            let octets = length.to_be_bytes();
            let leading = octets.iter().take_while(|&&octet| octet == 0).count();
            let mut form = vec![0x80 | (octets.len() - leading) as u8];
            form.extend_from_slice(&octets[leading..]);
            form
        }
    }
}
