//! Sealing of content under a message's own key, chunk by chunk, so that it streams both ways and cannot be cut,
//! reordered or swapped (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár, 2015).
//!
//! A key seals each part of one content once. Never seal two different texts at the same part and position under the
//! same key: the nonce is made of them, and AES-GCM gives both texts away when a nonce repeats.

use std::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::provider::{aes_256_gcm, random};
use crate::{GroupPublic, KeyError};

/// Bytes of plaintext in each chunk but the last, which has 0 to `CHUNK`. A sealed chunk is longer by [`TAG`].
pub const CHUNK: usize = 65536;

/// Bytes by which sealing makes a chunk longer.
pub const TAG: usize = 16;

/// Version of the chunk layout, bound to every chunk.
const LAYOUT: u8 = 1;

/// Which part of a message's content a chunk belongs to. The numbers are stored: never reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SealedPart {
    Headline = 1,
    Original = 2,
}

/// Why a chunk was not sealed or opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("a chunk of {0} bytes is longer than the 65536 that one chunk holds; cut it first")]
    TooLong(usize),
    #[error(
        "sealed content does not open: it is damaged, cut, or not of this message, part and position; restore it"
    )]
    Refused,
}

/// The key of one message's content; it exists outside memory only wrapped to groups.
pub struct MessageKey {
    bytes: Zeroizing<[u8; 32]>,
    /// The expanded form of `bytes`; aws-lc clears it when it is freed.
    cipher: LessSafeKey,
}

impl MessageKey {
    /// A fresh random key.
    pub fn generate() -> Result<Self, KeyError> {
        Self::from_bytes(Zeroizing::new(random()?))
    }

    pub(crate) fn from_bytes(bytes: Zeroizing<[u8; 32]>) -> Result<Self, KeyError> {
        Ok(Self { cipher: aes_256_gcm(&bytes)?, bytes })
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.bytes
    }

    /// Wraps this key to a group's public key: HPKE base mode (RFC 9180 §5.1.1) with DHKEM(X25519, HKDF-SHA256),
    /// HKDF-SHA256 and AES-256-GCM. 80 bytes; opens only with the same `context`.
    pub fn wrap(&self, group_public: &[u8], context: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.wrap_to(&GroupPublic::parse(group_public)?, context)
    }

    /// [`MessageKey::wrap`] to a public key that was checked before.
    pub fn wrap_to(&self, group: &GroupPublic, context: &[u8]) -> Result<Vec<u8>, KeyError> {
        group.wrap(&self.bytes, context)
    }

    /// Seals one chunk of at most [`CHUNK`] bytes. `content` is the content's permanent id; positions count from 0;
    /// `last` is true for exactly one chunk of a part, which may be empty.
    pub fn seal_chunk(
        &self,
        content: &[u8],
        part: SealedPart,
        position: u64,
        last: bool,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut chunk = Vec::with_capacity(plaintext.len() + TAG);
        chunk.extend_from_slice(plaintext);
        self.seal_in_place(content, part, position, last, &mut chunk)?;
        Ok(chunk)
    }

    /// [`MessageKey::seal_chunk`] without a copy: `chunk` holds the plaintext before and the sealed chunk after. With
    /// room for [`TAG`] more bytes it does not move.
    pub fn seal_in_place(
        &self,
        content: &[u8],
        part: SealedPart,
        position: u64,
        last: bool,
        chunk: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        if chunk.len() > CHUNK {
            return Err(SealError::TooLong(chunk.len()));
        }
        self.cipher
            .seal_in_place_append_tag(nonce(part, position, last), bound_to(content, part), chunk)
            .map_err(|_| SealError::Refused)
    }

    /// Opens one chunk that was sealed with the same content, part, position and `last`.
    pub fn open_chunk(
        &self,
        content: &[u8],
        part: SealedPart,
        position: u64,
        last: bool,
        sealed: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let mut plaintext = vec![0; sealed.len().checked_sub(TAG).ok_or(SealError::Refused)?];
        self.open_into(content, part, position, last, sealed, &mut plaintext)?;
        Ok(plaintext)
    }

    /// Seals a whole part: all its chunks, one after the other.
    pub fn seal(&self, content: &[u8], part: SealedPart, plaintext: &[u8]) -> Result<Vec<u8>, SealError> {
        let count = plaintext.len().div_ceil(CHUNK).max(1);
        let mut sealed = vec![0; plaintext.len() + count * TAG];
        for (position, out) in sealed.chunks_mut(CHUNK + TAG).enumerate() {
            let rest = plaintext.get(position * CHUNK..).unwrap_or_default();
            let (text, last) = (&rest[..rest.len().min(CHUNK)], position + 1 == count);
            let (body, tag) = out.split_at_mut(text.len());
            self.cipher
                .seal_out_of_place_scatter(
                    nonce(part, position as u64, last),
                    bound_to(content, part),
                    text,
                    body,
                    b"",
                    tag,
                )
                .map_err(|_| SealError::Refused)?;
        }
        Ok(sealed)
    }

    /// Opens a whole part as [`MessageKey::seal`] made it, or chunk by chunk with every chunk but the last full.
    pub fn open(&self, content: &[u8], part: SealedPart, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let count = sealed.len().div_ceil(CHUNK + TAG).max(1);
        let length = sealed.len().checked_sub(count * TAG).ok_or(SealError::Refused)?;
        let mut plaintext = vec![0; length];
        for (position, chunk) in sealed.chunks(CHUNK + TAG).enumerate() {
            let last = position + 1 == count;
            let start = position * CHUNK;
            let end = (start + chunk.len()).checked_sub(TAG).ok_or(SealError::Refused)?;
            let out = plaintext.get_mut(start..end).ok_or(SealError::Refused)?;
            self.open_into(content, part, position as u64, last, chunk, out)?;
        }
        Ok(plaintext)
    }

    fn open_into(
        &self,
        content: &[u8],
        part: SealedPart,
        position: u64,
        last: bool,
        sealed: &[u8],
        plaintext: &mut [u8],
    ) -> Result<(), SealError> {
        let (body, tag) = sealed.split_last_chunk::<TAG>().ok_or(SealError::Refused)?;
        if body.len() > CHUNK {
            return Err(SealError::Refused);
        }
        self.cipher
            .open_separate_gather(nonce(part, position, last), bound_to(content, part), body, tag, plaintext)
            .map_err(|_| SealError::Refused)
    }
}

impl fmt::Debug for MessageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MessageKey")
    }
}

/// Part, position and last-flag, each in bytes of its own: no two chunks of one key share a nonce.
fn nonce(part: SealedPart, position: u64, last: bool) -> Nonce {
    let mut nonce = [0; NONCE_LEN];
    let [first, .., end] = &mut nonce;
    (*first, *end) = (part as u8, u8::from(last));
    nonce[NONCE_LEN - 9..NONCE_LEN - 1].copy_from_slice(&position.to_be_bytes());
    Nonce::assume_unique_for_key(nonce)
}

/// The content's id comes last, so that its length needs no field of its own.
fn bound_to(content: &[u8], part: SealedPart) -> Aad<Vec<u8>> {
    Aad::from([&[LAYOUT, part as u8], content].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &[u8] = b"content 1";
    const PART: SealedPart = SealedPart::Original;

    fn key() -> MessageKey {
        MessageKey::generate().unwrap()
    }

    fn text(length: usize) -> Vec<u8> {
        (0..length).map(|i| (i * 7 + i / 251) as u8).collect()
    }

    /// A part of two full chunks and a short one, sealed.
    fn three_chunks(key: &MessageKey) -> Vec<Vec<u8>> {
        let sealed = key.seal(ID, PART, &text(2 * CHUNK + 100)).unwrap();
        sealed.chunks(CHUNK + TAG).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn every_length_around_a_chunk_border_comes_back() {
        let key = key();
        for length in [0, 1, 15, 16, 17, 4096, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] {
            let sealed = key.seal(ID, PART, &text(length)).unwrap();
            assert_eq!(sealed.len(), length + length.div_ceil(CHUNK).max(1) * TAG);
            assert_eq!(key.open(ID, PART, &sealed).unwrap(), text(length), "{length}");
        }
    }

    #[test]
    fn whole_and_chunked_sealing_give_the_same_bytes() {
        let key = key();
        for length in [0, 5, CHUNK, CHUNK + 1, 2 * CHUNK] {
            let whole = text(length);
            let count = length.div_ceil(CHUNK).max(1);
            let mut sealed = Vec::new();
            for position in 0..count {
                let chunk = &whole[position * CHUNK..length.min((position + 1) * CHUNK)];
                let last = position + 1 == count;
                let one = key.seal_chunk(ID, PART, position as u64, last, chunk).unwrap();
                assert_eq!(key.open_chunk(ID, PART, position as u64, last, &one).unwrap(), chunk);
                sealed.extend(one);
            }
            assert_eq!(sealed, key.seal(ID, PART, &whole).unwrap());
        }
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let key = key();
        let sealed = key.seal(ID, PART, &text(40)).unwrap();
        for bit in 0..sealed.len() * 8 {
            let mut damaged = sealed.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(key.open(ID, PART, &damaged), Err(SealError::Refused));
            assert_eq!(key.open_chunk(ID, PART, 0, true, &damaged), Err(SealError::Refused));
        }
        for length in 0..sealed.len() {
            assert_eq!(key.open(ID, PART, &sealed[..length]), Err(SealError::Refused));
            assert_eq!(key.open_chunk(ID, PART, 0, true, &sealed[..length]), Err(SealError::Refused));
        }
    }

    #[test]
    fn a_changed_bit_in_any_chunk_of_many_is_refused() {
        let key = key();
        let chunks = three_chunks(&key);
        for (i, at) in [(0, 0), (0, CHUNK + TAG - 1), (1, 5), (1, CHUNK), (2, 0), (2, 99), (2, 115)] {
            let mut damaged = chunks.clone();
            damaged[i][at] ^= 1;
            assert_eq!(key.open(ID, PART, &damaged.concat()), Err(SealError::Refused));
        }
    }

    #[test]
    fn dropped_doubled_and_reordered_chunks_are_refused() {
        let key = key();
        let [a, b, c] = three_chunks(&key).try_into().unwrap();
        assert!(key.open(ID, PART, &[&a[..], &b, &c].concat()).is_ok());
        let wrong = [
            vec![&a, &b],
            vec![&a],
            vec![&b, &c],
            vec![&a, &c],
            vec![&c],
            vec![&b, &a, &c],
            vec![&a, &a, &c],
            vec![&a, &b, &b, &c],
            vec![&a, &b, &c, &c],
            vec![&c, &a, &b],
        ];
        for chunks in wrong {
            let sealed: Vec<u8> = chunks.into_iter().flatten().copied().collect();
            assert_eq!(key.open(ID, PART, &sealed), Err(SealError::Refused));
        }
        // The dropped last chunk once more, where the border falls on a full one.
        let sealed = key.seal(ID, PART, &text(2 * CHUNK)).unwrap();
        assert_eq!(key.open(ID, PART, &sealed[..CHUNK + TAG]), Err(SealError::Refused));
    }

    #[test]
    fn another_content_part_position_last_flag_or_key_is_refused() {
        let right = key();
        let sealed = right.seal_chunk(ID, PART, 3, false, b"text").unwrap();
        assert_eq!(right.open_chunk(ID, PART, 3, false, &sealed).unwrap(), b"text");
        let refused = |key: &MessageKey, id: &[u8], part, position, last| {
            key.open_chunk(id, part, position, last, &sealed).is_err()
        };
        assert!(refused(&right, b"content 2", PART, 3, false));
        assert!(refused(&right, b"content 1 ", PART, 3, false));
        assert!(refused(&right, b"", PART, 3, false));
        assert!(refused(&right, ID, SealedPart::Headline, 3, false));
        assert!(refused(&right, ID, PART, 2, false));
        assert!(refused(&right, ID, PART, 3 + (1 << 32), false));
        assert!(refused(&right, ID, PART, 3 << 8, false));
        assert!(refused(&right, ID, PART, 3, true));
        assert!(refused(&key(), ID, PART, 3, false));
    }

    #[test]
    fn nonces_never_meet() {
        let mut seen = std::collections::HashSet::new();
        let positions = [0, 1, 2, 255, 256, 65535, 65536, 1 << 24, 1 << 32, 1 << 56, u64::MAX];
        for part in [SealedPart::Headline, SealedPart::Original] {
            for position in positions {
                for last in [false, true] {
                    assert!(seen.insert(*nonce(part, position, last).as_ref()));
                }
            }
        }
    }

    #[test]
    fn chunks_longer_than_one_are_refused() {
        let key = key();
        let long = text(CHUNK + 1);
        assert_eq!(key.seal_chunk(ID, PART, 0, true, &long), Err(SealError::TooLong(CHUNK + 1)));
        let mut kept = long.clone();
        assert!(key.seal_in_place(ID, PART, 0, true, &mut kept).is_err());
        assert_eq!(kept, long);
        assert_eq!(key.open_chunk(ID, PART, 0, true, &text(CHUNK + TAG + 1)), Err(SealError::Refused));
    }

    #[test]
    fn sealing_in_place_does_not_move_the_buffer() {
        let key = key();
        let mut chunk = Vec::with_capacity(CHUNK + TAG);
        chunk.extend_from_slice(&text(CHUNK));
        let before = chunk.as_ptr();
        key.seal_in_place(ID, PART, 0, true, &mut chunk).unwrap();
        assert_eq!(chunk.as_ptr(), before);
        assert_eq!(key.open_chunk(ID, PART, 0, true, &chunk).unwrap(), text(CHUNK));
    }
}
