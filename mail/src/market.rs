//! Names of the market: group, process, contact type, market participant. Each is checked when it is made, so a value
//! of these types is always fit for a key, a URL or a page; none of them ever says whether such a thing exists.

use std::{fmt, str::FromStr};

use minicbor::{Decode, Decoder, Encode, Encoder, decode, encode};

const SLUG_MAX: usize = 32;
const MPID_LENGTH: usize = 4;

/// Why a text is no name of the market.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MarketError {
    /// Not a slug: group, process or contact type.
    #[error(
        "{0:?} is not a name: use 1 to 32 lower-case letters, digits and hyphens, such as \"alpha\" or \"escalation-1\""
    )]
    Slug(String),
    /// Not a market participant id.
    #[error("{0:?} is not a market participant id: use 4 characters A-Z or 0-9, such as \"ALPH\"")]
    Mpid(String),
}

/// A company group, the security boundary: `alpha`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct GroupId(#[n(0)] Slug);

/// A business process of the catalogue: `erroneous-transfers`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ProcessId(#[n(0)] Slug);

/// A rung of a process's ladder: `initial-request`, `escalation-1`, `contract-manager`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct ContactType(#[n(0)] Slug);

/// A market participant id: four characters `A-Z 0-9`. Lower case is not accepted: an id has one spelling.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mpid(String);

impl GroupId {
    /// The name as text, as given.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl ProcessId {
    /// The name as text, as given.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl ContactType {
    /// The name as text, as given.
    pub fn as_str(&self) -> &str {
        &self.0.0
    }
}

impl Mpid {
    /// The id as text, as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupId {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        text.parse().map(Self)
    }
}

impl FromStr for ProcessId {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        text.parse().map(Self)
    }
}

impl FromStr for ContactType {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        text.parse().map(Self)
    }
}

impl FromStr for Mpid {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        let allowed = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        if text.len() == MPID_LENGTH && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MarketError::Mpid(text.to_owned()))
        }
    }
}

impl fmt::Display for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for ContactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Mpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for GroupId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "GroupId({self})")
    }
}

impl fmt::Debug for ProcessId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProcessId({self})")
    }
}

impl fmt::Debug for ContactType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ContactType({self})")
    }
}

impl fmt::Debug for Mpid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mpid({self})")
    }
}

impl<C> Encode<C> for Mpid {
    fn encode<W: encode::Write>(
        &self,
        out: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        out.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Mpid {
    fn decode(input: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        input.str()?.parse().map_err(decode::Error::custom)
    }
}

/// Lower-case ASCII letters, digits and hyphens, 1 to 32 of them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct Slug(String);

impl FromStr for Slug {
    type Err = MarketError;

    fn from_str(text: &str) -> Result<Self, MarketError> {
        let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        if (1..=SLUG_MAX).contains(&text.len()) && text.bytes().all(allowed) {
            Ok(Self(text.to_owned()))
        } else {
            Err(MarketError::Slug(text.to_owned()))
        }
    }
}

impl<C> Encode<C> for Slug {
    fn encode<W: encode::Write>(
        &self,
        out: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), encode::Error<W::Error>> {
        out.str(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Slug {
    fn decode(input: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        input.str()?.parse().map_err(decode::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_slugs() {
        for good in ["alpha", "erroneous-transfers", "escalation-1", "a", "0", &"x".repeat(32)] {
            assert_eq!(good.parse::<GroupId>().unwrap().as_str(), good);
            assert_eq!(good.parse::<ProcessId>().unwrap().to_string(), good);
            assert_eq!(good.parse::<ContactType>().unwrap().to_string(), good);
        }
        for bad in ["", "Alpha", "al pha", "a/b", "ä", "a\n", &"x".repeat(33)] {
            assert!(bad.parse::<GroupId>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn participant_ids_have_four_characters() {
        assert_eq!("ALPH".parse::<Mpid>().unwrap().as_str(), "ALPH");
        assert_eq!("2B3C".parse::<Mpid>().unwrap().to_string(), "2B3C");
        for bad in ["", "ALP", "ALPHA", "alph", "AL H", "ÄLP"] {
            assert!(bad.parse::<Mpid>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn stored_form_is_a_text_and_is_checked_when_read() {
        let group: GroupId = "alpha".parse().unwrap();
        let stored = minicbor::to_vec(&group).unwrap();
        assert_eq!(stored, b"\x65alpha");
        assert_eq!(minicbor::decode::<GroupId>(&stored).unwrap(), group);
        assert!(minicbor::decode::<GroupId>(b"\x65ALPHA").is_err());
        assert!(minicbor::decode::<Mpid>(b"\x64alph").is_err());
    }
}
