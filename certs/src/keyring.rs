//! A group's keys: a key pair to which message keys are wrapped (HPKE, RFC 9180) and a key for its search tags.
//!
//! Private halves exist outside this crate only sealed under a subkey of the root key and bound to their group. Nothing
//! here decides who may open: a caller that holds an [`Opener`] has been allowed to.

use std::fmt;

use aws_lc_rs::aead::{Aad, LessSafeKey, NONCE_LEN, Nonce};
use aws_lc_rs::hmac;
use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE;
use rustls::crypto::hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey, HpkePublicKey};
use zeroize::Zeroizing;

use crate::provider::{array, random};
use crate::seal::TAG;
use crate::{MessageKey, RootKey};

/// First byte of a sealed group key: says how the rest is laid out (nonce, then ciphertext with tag).
const SEALED_VERSION: u8 = 1;

/// Separates message keys from anything else that may one day be sent to a group's public key.
const WRAP_LABEL: &[u8] = b"postern message key v1\0";

/// Length of the encapsulated X25519 key at the front of a wrap (RFC 9180 §7.1).
const ENCAPSULATED: usize = 32;

/// Length of a wrap: encapsulated key, then the message key with its tag.
const WRAP: usize = ENCAPSULATED + 32 + TAG;

/// What the ledger stores for a group. Only `public` is of use without the root key.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupKeys {
    /// X25519 public key, 32 bytes.
    pub public: Vec<u8>,
    pub sealed_private: Vec<u8>,
    pub sealed_index: Vec<u8>,
}

impl fmt::Debug for GroupKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GroupKeys").field("public", &self.public).finish_non_exhaustive()
    }
}

/// Why a key could not be made or used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("the system's random source failed; check that the machine provides getrandom")]
    Random,
    #[error("the cryptographic library refused a key of the right length; the installation is damaged")]
    Library,
    #[error("the group's public key is not a usable X25519 key; restore the group's record from a backup")]
    PublicKey,
    #[error(
        "the group's sealed key does not open: it belongs to another root key or another group, or is damaged; check \
         that the root key is the one this ledger was made with"
    )]
    Sealed,
    #[error(
        "the wrapped message key does not open: it is for another group or another message, or is damaged"
    )]
    Wrap,
}

impl RootKey {
    /// Fresh keys for a group; `group` is its permanent id, to which the sealed halves are bound.
    pub fn new_group(&self, group: &[u8]) -> Result<GroupKeys, KeyError> {
        let (public, private) = SUITE.generate_key_pair().map_err(|_| KeyError::Random)?;
        let index = Zeroizing::new(random::<32>()?);
        Ok(GroupKeys {
            public: public.0,
            sealed_private: seal(&self.opening, group, private.secret_bytes())?,
            sealed_index: seal(&self.index, group, &*index)?,
        })
    }

    /// The opening half of a group's keys.
    pub fn opener(&self, group: &[u8], sealed_private: &[u8]) -> Result<Opener, KeyError> {
        let private = open(&self.opening, group, sealed_private)?;
        Ok(Opener(HpkePrivateKey::from(private.to_vec())))
    }

    /// The key under which a group's search tags are digested.
    pub fn indexer(&self, group: &[u8], sealed_index: &[u8]) -> Result<Indexer, KeyError> {
        let key = open(&self.index, group, sealed_index)?;
        Ok(Indexer(hmac::Key::new(hmac::HMAC_SHA256, &*key)))
    }

    /// HMAC-SHA-256 (RFC 2104) of `data` under a subkey that belongs to `purpose` alone.
    pub fn mac(&self, purpose: &str, data: &[u8]) -> [u8; 32] {
        keyed(&self.mac, purpose, data)
    }
}

/// A group's public key, checked once, for callers that wrap many message keys to it.
#[derive(Clone, Debug)]
pub struct GroupPublic(HpkePublicKey);

impl GroupPublic {
    /// Takes the 32 bytes of [`GroupKeys::public`].
    pub fn parse(public: &[u8]) -> Result<Self, KeyError> {
        match public.len() {
            32 => Ok(Self(HpkePublicKey(public.to_vec()))),
            _ => Err(KeyError::PublicKey),
        }
    }

    pub(crate) fn wrap(&self, key: &[u8; 32], context: &[u8]) -> Result<Vec<u8>, KeyError> {
        let (encapsulated, sealed) =
            SUITE.seal(&wrap_info(context), b"", key, &self.0).map_err(|_| KeyError::PublicKey)?;
        let mut wrap = encapsulated.0;
        wrap.extend_from_slice(&sealed);
        Ok(wrap)
    }
}

/// The opening half of a group's keys: turns wraps back into message keys.
pub struct Opener(HpkePrivateKey);

impl Opener {
    /// Opens a wrap that [`MessageKey::wrap`] made for this group with the same context.
    pub fn unwrap(&self, wrap: &[u8], context: &[u8]) -> Result<MessageKey, KeyError> {
        let (encapsulated, sealed) = wrap.split_at_checked(ENCAPSULATED).ok_or(KeyError::Wrap)?;
        if wrap.len() != WRAP {
            return Err(KeyError::Wrap);
        }
        let key = SUITE
            .open(&EncapsulatedSecret(encapsulated.to_vec()), &wrap_info(context), b"", sealed, &self.0)
            .map(Zeroizing::new)
            .map_err(|_| KeyError::Wrap)?;
        MessageKey::from_bytes(Zeroizing::new(array(&key)))
    }
}

impl fmt::Debug for Opener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opener")
    }
}

/// Digests a group's search tags, so that equal tags can be found and none can be read.
pub struct Indexer(hmac::Key);

impl Indexer {
    /// HMAC-SHA-256 of `value` under a subkey that belongs to this group and `purpose` alone.
    pub fn digest(&self, purpose: &str, value: &[u8]) -> [u8; 32] {
        keyed(&self.0, purpose, value)
    }

    /// The key of one small record of this group, in this place and with this salt. Seal one text with it: a fresh salt
    /// for every writing.
    pub fn record_key(&self, salt: &[u8; 16], place: &[u8]) -> Result<MessageKey, KeyError> {
        let bytes = self.digest("sealed record", &[salt, place].concat());
        MessageKey::from_bytes(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for Indexer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Indexer")
    }
}

/// Two steps, so that no purpose and value can be moved against each other: the purpose makes the key of the value.
fn keyed(key: &hmac::Key, purpose: &str, value: &[u8]) -> [u8; 32] {
    let subkey = Zeroizing::new(hmac_sha256(key, purpose.as_bytes()));
    hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, &*subkey), value)
}

fn hmac_sha256(key: &hmac::Key, data: &[u8]) -> [u8; 32] {
    array(hmac::sign(key, data).as_ref())
}

fn wrap_info(context: &[u8]) -> Vec<u8> {
    [WRAP_LABEL, context].concat()
}

fn seal(key: &LessSafeKey, group: &[u8], secret: &[u8]) -> Result<Vec<u8>, KeyError> {
    let nonce: [u8; NONCE_LEN] = random()?;
    // Reserved at once: a growing buffer would leave a copy of the secret behind.
    let mut body = Vec::with_capacity(secret.len() + TAG);
    body.extend_from_slice(secret);
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), bound_to(group), &mut body)
        .map_err(|_| KeyError::Library)?;
    Ok([&[SEALED_VERSION][..], &nonce, &body].concat())
}

fn open(key: &LessSafeKey, group: &[u8], sealed: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let (&[SEALED_VERSION], rest) = sealed.split_first_chunk().ok_or(KeyError::Sealed)? else {
        return Err(KeyError::Sealed);
    };
    let (nonce, body) = rest.split_first_chunk::<NONCE_LEN>().ok_or(KeyError::Sealed)?;
    if body.len() != 32 + TAG {
        return Err(KeyError::Sealed);
    }
    let mut body = Zeroizing::new(body.to_vec());
    let secret = key
        .open_in_place(Nonce::assume_unique_for_key(*nonce), bound_to(group), &mut body)
        .map_err(|_| KeyError::Sealed)?;
    Ok(Zeroizing::new(array(secret)))
}

fn bound_to(group: &[u8]) -> Aad<Vec<u8>> {
    Aad::from([&[SEALED_VERSION], group].concat())
}

#[cfg(test)]
mod tests {
    use rustls::crypto::aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_128;

    use super::*;
    use crate::SealedPart;
    use crate::provider::tests::hex;

    // RFC 9180 §A.1.1.1, sequence number 0: the same key agreement and key schedule as ours, with AES-128-GCM.
    #[test]
    fn hpke_opens_the_vector_of_rfc_9180() {
        let private = hex("4612c550263fc8ad58375df3f557aac531d26850903e55a9f23f21d8534e8ac8");
        let encapsulated = hex("37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431");
        let sealed = hex("f938558b5d72f1a23810b4be2ab4f84331acc02fc97babc53a52ae8218a355a9\
                          6d8770ac83d07bea87e13c512a");
        let opened = DH_KEM_X25519_HKDF_SHA256_AES_128.open(
            &EncapsulatedSecret(encapsulated),
            b"Ode on a Grecian Urn",
            b"Count-0",
            &sealed,
            &HpkePrivateKey::from(private),
        );
        assert_eq!(opened.unwrap(), b"Beauty is truth, truth beauty");
    }

    // RFC 4231 §4.2 and §4.3.
    #[test]
    fn hmac_of_rfc_4231() {
        let mac =
            |key: &[u8], data: &[u8]| hmac_sha256(&hmac::Key::new(hmac::HMAC_SHA256, key), data).to_vec();
        assert_eq!(
            mac(&[0x0b; 20], b"Hi There"),
            hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7")
        );
        assert_eq!(
            mac(b"Jefe", b"what do ya want for nothing?"),
            hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        );
    }

    fn wrapped() -> (RootKey, GroupKeys, MessageKey, Vec<u8>) {
        let root = RootKey::generate().unwrap();
        let keys = root.new_group(b"alpha").unwrap();
        let key = MessageKey::generate().unwrap();
        let wrap = key.wrap(&keys.public, b"message 1").unwrap();
        (root, keys, key, wrap)
    }

    #[test]
    fn wrapped_key_opens_what_the_message_key_sealed() {
        let (root, keys, key, wrap) = wrapped();
        assert_eq!(wrap.len(), WRAP);
        let sealed = key.seal(b"content", SealedPart::Headline, b"text").unwrap();
        let opener = root.opener(b"alpha", &keys.sealed_private).unwrap();
        let unwrapped = opener.unwrap(&wrap, b"message 1").unwrap();
        assert_eq!(unwrapped.open(b"content", SealedPart::Headline, &sealed).unwrap(), b"text");
        assert_ne!(wrap, key.wrap(&keys.public, b"message 1").unwrap(), "each wrap is fresh");
    }

    #[test]
    fn wrap_is_refused_for_another_group_or_context() {
        let (root, keys, _, wrap) = wrapped();
        let opener = root.opener(b"alpha", &keys.sealed_private).unwrap();
        for context in [&b"message 2"[..], b"", b"message 1\0"] {
            assert!(matches!(opener.unwrap(&wrap, context), Err(KeyError::Wrap)));
        }
        let others = root.new_group(b"alpha").unwrap();
        let other = root.opener(b"alpha", &others.sealed_private).unwrap();
        assert!(matches!(other.unwrap(&wrap, b"message 1"), Err(KeyError::Wrap)));
    }

    #[test]
    fn every_changed_bit_and_every_cut_of_a_wrap_is_refused() {
        let (root, keys, _, wrap) = wrapped();
        let opener = root.opener(b"alpha", &keys.sealed_private).unwrap();
        let refused = |wrap: &[u8]| matches!(opener.unwrap(wrap, b"message 1"), Err(KeyError::Wrap));
        every_damage(&wrap, |damaged| assert!(refused(damaged)));
    }

    #[test]
    fn every_changed_bit_and_every_cut_of_a_sealed_key_is_refused() {
        let (root, keys, ..) = wrapped();
        every_damage(&keys.sealed_private, |damaged| {
            assert!(matches!(root.opener(b"alpha", damaged), Err(KeyError::Sealed)));
        });
        every_damage(&keys.sealed_index, |damaged| {
            assert!(matches!(root.indexer(b"alpha", damaged), Err(KeyError::Sealed)));
        });
    }

    fn every_damage(whole: &[u8], check: impl Fn(&[u8])) {
        for bit in 0..whole.len() * 8 {
            let mut damaged = whole.to_vec();
            damaged[bit / 8] ^= 1 << (bit % 8);
            check(&damaged);
        }
        (0..whole.len()).for_each(|length| check(&whole[..length]));
        check(&[whole, b"x"].concat());
    }

    #[test]
    fn sealed_keys_are_bound_to_root_group_and_use() {
        let (root, keys, ..) = wrapped();
        let stranger = RootKey::generate().unwrap();
        assert_eq!(stranger.opener(b"alpha", &keys.sealed_private).unwrap_err(), KeyError::Sealed);
        assert_eq!(stranger.indexer(b"alpha", &keys.sealed_index).unwrap_err(), KeyError::Sealed);
        assert_eq!(root.opener(b"beta", &keys.sealed_private).unwrap_err(), KeyError::Sealed);
        assert_eq!(root.indexer(b"beta", &keys.sealed_index).unwrap_err(), KeyError::Sealed);
        assert_eq!(root.opener(b"alpha", &keys.sealed_index).unwrap_err(), KeyError::Sealed);
        assert_eq!(root.indexer(b"alpha", &keys.sealed_private).unwrap_err(), KeyError::Sealed);
    }

    #[test]
    fn unusable_public_keys_are_refused() {
        let key = MessageKey::generate().unwrap();
        // All zero is a point of low order: the agreement would give a secret that everyone knows (RFC 7748 §6.1).
        for public in [&[][..], &[9; 31], &[9; 33], &[0; 32]] {
            assert_eq!(key.wrap(public, b"").unwrap_err(), KeyError::PublicKey);
        }
    }

    #[test]
    fn digests_repeat_and_differ_by_group_purpose_and_value() {
        let root = RootKey::generate().unwrap();
        let keys = root.new_group(b"alpha").unwrap();
        let indexer = root.indexer(b"alpha", &keys.sealed_index).unwrap();
        let again = root.indexer(b"alpha", &keys.sealed_index).unwrap();
        let others = root.new_group(b"beta").unwrap();
        let other = root.indexer(b"beta", &others.sealed_index).unwrap();
        let digest = indexer.digest("mpan", b"2000012345678");
        assert_eq!(digest, again.digest("mpan", b"2000012345678"));
        assert_ne!(digest, other.digest("mpan", b"2000012345678"));
        assert_ne!(digest, indexer.digest("mprn", b"2000012345678"));
        assert_ne!(digest, indexer.digest("mpan", b"2000012345679"));
        assert_ne!(digest, indexer.digest("mpan2", b"000012345678"), "purpose and value have a border");
    }

    #[test]
    fn mac_differs_by_root_purpose_and_data() {
        let root = RootKey::generate().unwrap();
        let mac = root.mac("reply", b"case 1");
        assert_eq!(mac, root.mac("reply", b"case 1"));
        assert_ne!(mac, root.mac("reply", b"case 2"));
        assert_ne!(mac, root.mac("reply2", b"case 1"));
        assert_ne!(mac, RootKey::generate().unwrap().mac("reply", b"case 1"));
    }

    #[test]
    fn debug_shows_no_key() {
        let (root, keys, key, _) = wrapped();
        let opener = root.opener(b"alpha", &keys.sealed_private).unwrap();
        let indexer = root.indexer(b"alpha", &keys.sealed_index).unwrap();
        assert_eq!(format!("{opener:?} {indexer:?} {key:?}"), "Opener Indexer MessageKey");
        assert!(!format!("{keys:?}").contains("sealed"));
    }
}
