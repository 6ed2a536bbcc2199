//! Locators: what cases, messages, users, jobs and contents are called.
//!
//! A locator is 20 bytes: four of big-endian seconds, so that neighbours in time are neighbours in
//! the ordered store, and sixteen random ones, so that nobody guesses it. It says nothing about
//! what it names, and it opens nothing: who follows one still needs a permission.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    marker::PhantomData,
    str::FromStr,
};

use jiff::Timestamp;
use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

use crate::error::StoreError;

pub type CaseId = Locator<OfCase>;
pub type MessageId = Locator<OfMessage>;
pub type UserId = Locator<OfUser>;
pub type JobId = Locator<OfJob>;
pub type ContentId = Locator<OfContent>;
pub type PassageId = Locator<OfPassage>;
pub type HeldId = Locator<OfHeld>;
pub type TaskId = Locator<OfTask>;
pub type DraftId = Locator<OfDraft>;
pub type TextId = Locator<OfText>;
pub type AppPasswordId = Locator<OfAppPassword>;
pub type LinkId = Locator<OfLink>;
pub type NoteId = Locator<OfNote>;

#[derive(Debug)]
pub enum OfCase {}
#[derive(Debug)]
pub enum OfMessage {}
#[derive(Debug)]
pub enum OfUser {}
#[derive(Debug)]
pub enum OfJob {}
#[derive(Debug)]
pub enum OfContent {}
#[derive(Debug)]
pub enum OfPassage {}
#[derive(Debug)]
pub enum OfHeld {}
#[derive(Debug)]
pub enum OfTask {}
#[derive(Debug)]
pub enum OfAppPassword {}
#[derive(Debug)]
pub enum OfDraft {}
#[derive(Debug)]
pub enum OfText {}
#[derive(Debug)]
pub enum OfLink {}
#[derive(Debug)]
pub enum OfNote {}

/// The name of one thing of kind `K`; printed as 32 characters of lower-case base32.
pub struct Locator<K>([u8; 20], PhantomData<fn() -> K>);

/// Base32 without letters that are read as digits; lower case, so that it survives every mail client.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

impl<K> Locator<K> {
    /// A new name, from the clock and the system's randomness.
    pub fn new(now: Timestamp) -> Result<Self, StoreError> {
        let random = certs::random::<16>().map_err(|error| StoreError::Broken(error.to_string()))?;
        let seconds = u32::try_from(now.as_second()).unwrap_or(u32::MAX);
        let mut bytes = [0; 20];
        bytes[..4].copy_from_slice(&seconds.to_be_bytes());
        bytes[4..].copy_from_slice(&random);
        Ok(Self(bytes, PhantomData))
    }

    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes, PhantomData)
    }

    /// When it was made, in seconds since 1970.
    pub(crate) fn second(&self) -> i64 {
        let [a, b, c, d, ..] = self.0;
        i64::from(u32::from_be_bytes([a, b, c, d]))
    }

    pub fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

/// `bytes` as lower-case base32, without padding.
pub(crate) fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 8 / 5 + 1);
    let (mut held, mut bits) = (0u32, 0);
    for byte in bytes {
        held = (held << 8 | u32::from(*byte)) & 0xfff;
        bits += 8;
        while bits >= 5 {
            bits -= 5;
            text.push(char::from(ALPHABET[(held >> bits & 31) as usize]));
        }
    }
    if bits > 0 {
        text.push(char::from(ALPHABET[(held << (5 - bits) & 31) as usize]));
    }
    text
}

/// The text is not a locator. Shown to nobody: a wrong locator is an absent thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a locator is 32 characters out of 0-9 and a-z without i, l, o and u")]
pub struct NotALocator;

impl<K> FromStr for Locator<K> {
    type Err = NotALocator;

    fn from_str(text: &str) -> Result<Self, NotALocator> {
        if text.len() != 32 {
            return Err(NotALocator);
        }
        let mut bytes = [0; 20];
        for (index, symbol) in text.bytes().enumerate() {
            let value = ALPHABET.iter().position(|known| *known == symbol).ok_or(NotALocator)?;
            for bit in 0..5 {
                if value >> (4 - bit) & 1 == 1 {
                    let place = index * 5 + bit;
                    bytes[place / 8] |= 0x80 >> (place % 8);
                }
            }
        }
        Ok(Self(bytes, PhantomData))
    }
}

impl<K> fmt::Display for Locator<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base32(&self.0))
    }
}

impl<K> fmt::Debug for Locator<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl<K> Clone for Locator<K> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<K> Copy for Locator<K> {}

impl<K> PartialEq for Locator<K> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<K> Eq for Locator<K> {}

impl<K> PartialOrd for Locator<K> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<K> Ord for Locator<K> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp(&other.0)
    }
}

impl<K> Hash for Locator<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}

impl<C, K> Encode<C> for Locator<K> {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C, K> Decode<'b, C> for Locator<K> {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        let bytes = bytes.try_into().map_err(|_| decode::Error::message("a locator is 20 bytes"))?;
        Ok(Self(bytes, PhantomData))
    }
}

/// What people call a case: seven symbols that cannot be misread, such as `K7Q-4M2X`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CaseReference([u8; 7]);

/// No vowels, F, S or W, so that neither words nor the usual abbreviations appear; no 0, 1 and L, which
/// are read as something else.
const SYMBOLS: &[u8; 23] = b"23456789BCDGHJKMNPQRTVX";

impl CaseReference {
    /// A random reference out of some three thousand million; the commit that uses it requires that it is free.
    pub(crate) fn draw() -> Result<Self, StoreError> {
        let mut symbols = [0; 7];
        let mut filled = 0;
        while filled < symbols.len() {
            let random = certs::random::<16>().map_err(|error| StoreError::Broken(error.to_string()))?;
            // Eleven times the alphabet is 253: dropping the rest keeps every symbol equally likely.
            for byte in random.into_iter().filter(|byte| *byte < 253).take(symbols.len() - filled) {
                symbols[filled] = SYMBOLS[usize::from(byte % 23)];
                filled += 1;
            }
        }
        Ok(Self(symbols))
    }

    pub(crate) fn as_bytes(&self) -> &[u8; 7] {
        &self.0
    }
}

impl fmt::Display for CaseReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, symbol) in self.0.iter().enumerate() {
            if index == 3 {
                f.write_str("-")?;
            }
            write!(f, "{}", char::from(*symbol))?;
        }
        Ok(())
    }
}

/// The text is not a case reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a case reference looks like K7Q-4M2X: seven letters and digits, a hyphen after the third")]
pub struct NotAReference;

impl FromStr for CaseReference {
    type Err = NotAReference;

    /// Lower case, and a missing hyphen, are forgiven.
    fn from_str(text: &str) -> Result<Self, NotAReference> {
        let mut symbols =
            text.trim().bytes().filter(|byte| *byte != b'-').map(|byte| byte.to_ascii_uppercase());
        let mut reference = [0; 7];
        for place in &mut reference {
            *place = symbols.next().filter(|symbol| SYMBOLS.contains(symbol)).ok_or(NotAReference)?;
        }
        if symbols.next().is_some() {
            return Err(NotAReference);
        }
        Ok(Self(reference))
    }
}

impl<C> Encode<C> for CaseReference {
    fn encode<W: encode::Write>(&self, e: &mut Encoder<W>, _: &mut C) -> Result<(), encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for CaseReference {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d.bytes()?;
        bytes.try_into().map(Self).map_err(|_| decode::Error::message("a case reference is 7 bytes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locator_survives_being_written_down() {
        let id = CaseId::new(Timestamp::now()).unwrap();
        let text = id.to_string();
        assert_eq!(text.len(), 32);
        assert_eq!(text.parse::<CaseId>().unwrap(), id);
        assert!(
            text.to_uppercase().parse::<CaseId>().is_err() || !text.contains(|c: char| c.is_alphabetic())
        );
        assert!(text[1..].parse::<CaseId>().is_err());
    }

    #[test]
    fn later_locators_sort_behind_earlier_ones() {
        let first = JobId::new(Timestamp::from_second(1_000).unwrap()).unwrap();
        let second = JobId::new(Timestamp::from_second(1_001).unwrap()).unwrap();
        assert!(first < second);
        assert!(first.to_string() < second.to_string());
    }

    #[test]
    fn a_reference_is_read_as_people_type_it() {
        let reference = CaseReference::draw().unwrap();
        let text = reference.to_string();
        assert_eq!(text.len(), 8);
        assert_eq!(text.to_lowercase().replace('-', "").parse::<CaseReference>().unwrap(), reference);
        assert!("K7Q-4M2".parse::<CaseReference>().is_err());
        assert!("K7Q-4M2XX".parse::<CaseReference>().is_err());
        assert!("L7Q-4M2X".parse::<CaseReference>().is_err());
    }
}
