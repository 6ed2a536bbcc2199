//! The key of mail on its way: wraps the message keys of what is relayed, or held, by no group's power but the
//! installation's. Opens nothing that was sealed for a group.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::provider::{array, random};
use crate::seal::TAG;
use crate::{KeyError, MessageKey, RootKey};

/// First byte of a wrap: says how the rest is laid out (nonce, then the key with its tag).
const VERSION: u8 = 1;

/// Wraps and unwraps the keys of mail in transit: AES-256-GCM under a subkey of the root key.
#[derive(Clone)]
pub struct TransitKey(Arc<LessSafeKey>);

impl RootKey {
    /// The installation's own key for mail that waits to leave.
    pub fn transit(&self) -> TransitKey {
        TransitKey(Arc::clone(&self.transit))
    }
}

impl TransitKey {
    /// 61 bytes that open only with the same `context`.
    pub fn wrap(&self, key: &MessageKey, context: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        // Reserved at once: a growing buffer would leave a copy of the key behind.
        let mut body = Vec::with_capacity(32 + TAG);
        body.extend_from_slice(key.bytes());
        self.0
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(context), &mut body)
            .map_err(|_| KeyError::Library)?;
        Ok([&[VERSION][..], &nonce, &body].concat())
    }

    /// Opens what [`TransitKey::wrap`] made with the same context.
    pub fn unwrap(&self, wrapped: &[u8], context: &[u8]) -> Result<MessageKey, KeyError> {
        let (&[VERSION], rest) = wrapped.split_first_chunk().ok_or(KeyError::Wrap)? else {
            return Err(KeyError::Wrap);
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::Wrap)?;
        if body.len() != 32 + TAG {
            return Err(KeyError::Wrap);
        }
        let mut body = Zeroizing::new(body.to_vec());
        let key = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(context), &mut body)
            .map_err(|_| KeyError::Wrap)?;
        MessageKey::from_bytes(Zeroizing::new(array(key)))
    }
}

impl fmt::Debug for TransitKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TransitKey")
    }
}

fn bound_to(context: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[VERSION], context].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SealedPart;

    #[test]
    fn a_key_comes_back_only_with_its_root_and_its_context() {
        let root = RootKey::generate().unwrap();
        let key = MessageKey::generate().unwrap();
        let wrap = root.transit().wrap(&key, b"content 1").unwrap();
        assert_eq!(wrap.len(), 61);
        let sealed = key.seal(b"content 1", SealedPart::Original, b"text").unwrap();
        let opened = root.transit().unwrap(&wrap, b"content 1").unwrap();
        assert_eq!(opened.open(b"content 1", SealedPart::Original, &sealed).unwrap(), b"text");
        assert_eq!(root.transit().unwrap(&wrap, b"content 2").unwrap_err(), KeyError::Wrap);
        let stranger = RootKey::generate().unwrap();
        assert_eq!(stranger.transit().unwrap(&wrap, b"content 1").unwrap_err(), KeyError::Wrap);
        assert_ne!(wrap, root.transit().wrap(&key, b"content 1").unwrap(), "each wrap is fresh");
    }

    #[test]
    fn every_changed_bit_and_every_cut_is_refused() {
        let root = RootKey::generate().unwrap();
        let wrap = root.transit().wrap(&MessageKey::generate().unwrap(), b"content").unwrap();
        let refused = |wrap: &[u8]| matches!(root.transit().unwrap(wrap, b"content"), Err(KeyError::Wrap));
        for bit in 0..wrap.len() * 8 {
            let mut damaged = wrap.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            assert!(refused(&damaged));
        }
        assert!((0..wrap.len()).all(|length| refused(&wrap[..length])));
        assert_eq!(format!("{:?}", root.transit()), "TransitKey");
    }
}
