//! The one crypto provider: which library computes, where random bytes come from, how secrets are compared.
//!
//! Never a second provider: with two of them switched on, rustls panics at its first configuration.

use std::sync::Arc;

use aws_lc_rs::{aead, constant_time, digest, rand};
use rustls::crypto::{CryptoProvider, aws_lc_rs as provider};

use crate::KeyError;

/// Makes aws-lc-rs the provider of the process: the first line of `main` and of tests. A second call changes nothing.
pub fn install_provider() {
    let _already_installed = provider::default_provider().install_default();
}

/// The provider for configurations built here, whatever the process installed.
pub(crate) fn tls_provider() -> Arc<CryptoProvider> {
    Arc::new(provider::default_provider())
}

/// `N` bytes from the system's random source.
pub fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}

/// SHA-256 (FIPS 180-4).
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    array(digest::digest(&digest::SHA256, bytes).as_ref())
}

/// Compares two secrets (tokens, keyed digests) in a time that depends on their lengths only.
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(left, right).is_ok()
}

/// The 32 bytes of a SHA-256 sized output, whose length its type does not say.
pub(crate) fn array(digest: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    for (to, from) in out.iter_mut().zip(digest) {
        *to = *from;
    }
    out
}

pub(crate) fn aes_256_gcm(key: &[u8; 32]) -> Result<aead::LessSafeKey, KeyError> {
    let key = aead::UnboundKey::new(&aead::AES_256_GCM, key).map_err(|_| KeyError::Library)?;
    Ok(aead::LessSafeKey::new(key))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> = text.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    #[test]
    fn sha256_of_fips_180_example() {
        assert_eq!(
            sha256(b"abc").to_vec(),
            hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        );
    }

    // Galois/Counter Mode, McGrew and Viega, test case 16.
    #[test]
    fn aes_256_gcm_of_the_gcm_paper() {
        let key = hex("feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308");
        let nonce = hex("cafebabefacedbaddecaf888").try_into().unwrap();
        let associated = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
        let mut text = hex("d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
             1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39");
        aes_256_gcm(&array(&key))
            .unwrap()
            .seal_in_place_append_tag(
                aead::Nonce::assume_unique_for_key(nonce),
                aead::Aad::from(associated),
                &mut text,
            )
            .unwrap();
        assert_eq!(
            text,
            hex("522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                 8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662\
                 76fc6ece0f4e1768cddf8853bb2d551b")
        );
    }

    #[test]
    fn equal_means_every_byte_and_the_length() {
        assert!(equal(b"token", b"token"));
        for other in [&b"tokem"[..], b"Token", b"toke", b"tokens", b""] {
            assert!(!equal(b"token", other));
        }
    }

    #[test]
    fn random_bytes_do_not_repeat() {
        assert_ne!(random::<32>().unwrap(), random::<32>().unwrap());
    }

    #[test]
    fn provider_may_be_installed_twice() {
        install_provider();
        install_provider();
        assert!(CryptoProvider::get_default().is_some());
    }
}
