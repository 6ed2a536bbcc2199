//! A record of one group, sealed under a fresh key that only the group's own key unwraps, bound to the place where it is
//! kept. A changed record gets another key: one key never seals two texts. Nothing here knows what a record means.

use certs::{MessageKey, SealedPart};
use minicbor::{Decode, Encode};

use crate::{directory::KeyRing, error::StoreError, records};

#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
pub(super) struct Sealed {
    #[cbor(n(0), with = "minicbor::bytes")]
    wrapped: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

impl Sealed {
    /// Seals `record` for the group of this ring; it opens at `place`, the key of its row, and nowhere else.
    pub(super) fn new<T: Encode<()>>(ring: &KeyRing, place: &[u8], record: &T) -> Result<Self, StoreError> {
        let key = MessageKey::generate()?;
        Ok(Self {
            wrapped: key.wrap_to(&ring.public, place)?,
            sealed: key.seal(place, SealedPart::Headline, &records::encode(record)?)?,
        })
    }

    pub(super) fn open<T: for<'b> Decode<'b, ()>>(
        &self,
        ring: &KeyRing,
        place: &[u8],
    ) -> Result<T, StoreError> {
        let key = ring.opener.unwrap(&self.wrapped, place)?;
        records::decode(&key.open(place, SealedPart::Headline, &self.sealed)?)
    }
}
