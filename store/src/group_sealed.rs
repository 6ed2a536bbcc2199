//! Small records that one group keeps for itself about a case: internal notes, search tags. Each is sealed under a key of that
//! group, bound to its row's key, with a random salt, so that a row that is written again is never sealed under the same
//! key. Nothing here knows what a record means.

use bytes::Bytes;
use certs::SealedPart;
use minicbor::{Decode, Encode};

use crate::{directory::KeyRing, error::StoreError, records};

#[derive(Encode, Decode)]
#[cbor(map)]
struct Row {
    #[cbor(n(0), with = "minicbor::bytes")]
    salt: Vec<u8>,
    #[cbor(n(1), with = "minicbor::bytes")]
    sealed: Vec<u8>,
}

/// The value of the row under `key`.
pub(crate) fn encode<T: Encode<()>>(ring: &KeyRing, key: &[u8], record: &T) -> Result<Bytes, StoreError> {
    let salt = certs::random::<16>()?;
    let sealed =
        ring.indexer.record_key(&salt, key)?.seal(key, SealedPart::Headline, &records::encode(record)?)?;
    records::encode(&Row { salt: salt.to_vec(), sealed })
}

/// Opens what [`encode`] made for the same group and key.
pub(crate) fn decode<T: for<'b> Decode<'b, ()>>(
    ring: &KeyRing,
    key: &[u8],
    value: &[u8],
) -> Result<T, StoreError> {
    let Row { salt, sealed } = records::decode(value)?;
    let salt: [u8; 16] =
        salt.try_into().map_err(|_| StoreError::Corrupt("a sealed record without its salt".to_owned()))?;
    let opened = ring.indexer.record_key(&salt, key)?.open(key, SealedPart::Headline, &sealed)?;
    records::decode(&opened)
}
