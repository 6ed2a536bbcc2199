//! Small secrets of sign-in at rest: sealed under a subkey of the root key of their own, each bound to what it is for.

use aws_lc_rs::aead::{Aad, NONCE_LEN, Nonce};
use zeroize::Zeroizing;

use crate::provider::random;
use crate::seal::TAG;
use crate::{KeyError, RootKey};

/// First byte of a sealed secret: says how the rest is laid out (nonce, then ciphertext with tag).
const VERSION: u8 = 1;

impl RootKey {
    /// Seals a secret so that it opens only with the same `context`.
    pub fn seal_secret(&self, context: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce: [u8; NONCE_LEN] = random()?;
        // Reserved at once: a growing buffer would leave a copy of the secret behind.
        let mut body = Vec::with_capacity(secret.len() + TAG);
        body.extend_from_slice(secret);
        self.secrets
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(context), &mut body)
            .map_err(|_| KeyError::Library)?;
        Ok([&[VERSION][..], &nonce, &body].concat())
    }

    /// Opens what [`RootKey::seal_secret`] made with the same context.
    pub fn open_secret(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let (&[VERSION], rest) = sealed.split_first_chunk().ok_or(KeyError::Sealed)? else {
            return Err(KeyError::Sealed);
        };
        let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::Sealed)?;
        let mut body = Zeroizing::new(body.to_vec());
        let length = self
            .secrets
            .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(context), &mut body)
            .map_err(|_| KeyError::Sealed)?
            .len();
        body.truncate(length);
        Ok(body)
    }
}

fn bound_to(context: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[VERSION], context].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_with_its_root_and_its_context() {
        let root = RootKey::generate().unwrap();
        for secret in [b"".as_slice(), b"12345678901234567890", &[7; 500]] {
            let sealed = root.seal_secret(b"user 1", secret).unwrap();
            assert_eq!(root.open_secret(b"user 1", &sealed).unwrap().as_slice(), secret);
            assert_eq!(root.open_secret(b"user 2", &sealed).unwrap_err(), KeyError::Sealed);
            assert!(RootKey::generate().unwrap().open_secret(b"user 1", &sealed).is_err());
            for length in 0..sealed.len() {
                assert!(root.open_secret(b"user 1", &sealed[..length]).is_err());
            }
            for bit in 0..sealed.len() * 8 {
                let mut damaged = sealed.clone();
                damaged[bit / 8] ^= 1 << (bit % 8);
                assert!(root.open_secret(b"user 1", &damaged).is_err());
            }
        }
    }
}
