//! The root key: 32 random bytes in a file, from which every other long-lived key of a ledger is derived.
//!
//! The bytes themselves are never kept: only the subkeys derived from them are, each for one use.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use aws_lc_rs::{aead::LessSafeKey, hkdf, hmac};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use zeroize::Zeroizing;

use crate::provider::{aes_256_gcm, random};
use crate::secret_file::{self, malformed};
use crate::{KeyError, KeyFileError};

/// What the one line of a root key file begins with: format and version. 43 characters of base64url follow
/// (RFC 4648 §5).
const PREFIX: &str = "postern-root-key-1:";

const SALT: &[u8] = b"postern root key v1";

/// The subkeys of one root key. Whoever holds it can open every group's content.
pub struct RootKey {
    /// Seals groups' private keys.
    pub(crate) opening: LessSafeKey,
    /// Seals groups' tag keys.
    pub(crate) index: LessSafeKey,
    /// Keys [`RootKey::mac`].
    pub(crate) mac: hmac::Key,
    /// Wraps the keys of mail that is on its way.
    pub(crate) transit: Arc<LessSafeKey>,
    /// Seals what people sign in with.
    pub(crate) secrets: LessSafeKey,
    fingerprint: [u8; 32],
}

impl RootKey {
    /// A fresh root key that lives in memory only.
    pub fn generate() -> Result<Self, KeyError> {
        Self::derive(&*fresh()?)
    }

    /// Reads a root key file. Refused unless the file is its owner's alone (mode 0600 or less).
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let bytes = parse(&secret_file::read(path)?).map_err(|reason| malformed(path, reason))?;
        Self::derive(&bytes).map_err(|source| KeyFileError::Key { path: path.into(), source })
    }

    /// Makes a fresh root key in a new file of mode 0600; an existing file is left alone and is an error. The file is
    /// durable when this returns: nothing may be sealed under a key that a power cut could take.
    pub fn create(path: &Path) -> Result<Self, KeyFileError> {
        let failed = |source| KeyFileError::Key { path: path.into(), source };
        let bytes = fresh().map_err(failed)?;
        let root = Self::derive(&bytes).map_err(failed)?;
        let mut line = Zeroizing::new(String::with_capacity(128));
        line.push_str(PREFIX);
        URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut line);
        line.push('\n');
        secret_file::create(path, 0o600, line.as_bytes())?;
        Ok(root)
    }

    /// Names this root key without telling anything about it: a ledger stores it and refuses another key.
    pub fn fingerprint(&self) -> [u8; 32] {
        self.fingerprint
    }

    fn derive(root: &[u8; 32]) -> Result<Self, KeyError> {
        let subkey = |label: &str| hkdf_sha256(SALT, root, label.as_bytes());
        Ok(Self {
            opening: aes_256_gcm(&*subkey("group private keys")?)?,
            index: aes_256_gcm(&*subkey("group tag keys")?)?,
            mac: hmac::Key::new(hmac::HMAC_SHA256, &*subkey("message authentication")?),
            transit: Arc::new(aes_256_gcm(&*subkey("mail in transit")?)?),
            secrets: aes_256_gcm(&*subkey("sign-in secrets")?)?,
            fingerprint: *subkey("fingerprint")?,
        })
    }
}

impl fmt::Debug for RootKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RootKey")
    }
}

fn fresh() -> Result<Zeroizing<[u8; 32]>, KeyError> {
    Ok(Zeroizing::new(random()?))
}

fn parse(text: &str) -> Result<Zeroizing<[u8; 32]>, &'static str> {
    let encoded =
        text.trim_end().strip_prefix(PREFIX).ok_or("it does not begin with `postern-root-key-1:`")?;
    let mut buffer = Zeroizing::new([0; 64]);
    match URL_SAFE_NO_PAD.decode_slice(encoded, &mut *buffer) {
        Ok(32) => buffer.first_chunk().map(|key| Zeroizing::new(*key)).ok_or("the key is not 32 bytes"),
        Ok(_) => Err("the key is not 32 bytes"),
        Err(_) => Err("the key is not 43 characters of base64url"),
    }
}

/// HKDF (RFC 5869) with SHA-256, 32 bytes out.
fn hkdf_sha256(salt: &[u8], secret: &[u8], info: &[u8]) -> Result<Zeroizing<[u8; 32]>, KeyError> {
    let mut out = Zeroizing::new([0; 32]);
    hkdf::Salt::new(hkdf::HKDF_SHA256, salt)
        .extract(secret)
        .expand(&[info], hkdf::HKDF_SHA256)
        .and_then(|okm| okm.fill(&mut *out))
        .map_err(|_| KeyError::Library)?;
    Ok(out)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::provider::tests::hex;

    // RFC 5869 §A.1 and §A.2, the first 32 bytes of each output: outputs of different lengths share their beginning.
    #[test]
    fn hkdf_of_rfc_5869() {
        let out = hkdf_sha256(&hex("000102030405060708090a0b0c"), &[0x0b; 22], &hex("f0f1f2f3f4f5f6f7f8f9"));
        assert_eq!(
            out.unwrap().to_vec(),
            hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf")
        );
        let bytes = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
        let out = hkdf_sha256(&bytes(0x60, 0xaf), &bytes(0x00, 0x4f), &bytes(0xb0, 0xff));
        assert_eq!(
            out.unwrap().to_vec(),
            hex("b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c")
        );
    }

    #[test]
    fn created_key_reads_back_as_the_same_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let created = RootKey::create(&path).unwrap();
        let read = RootKey::read(&path).unwrap();
        assert_eq!(created.fingerprint(), read.fingerprint());
        let keys = created.new_group(b"alpha").unwrap();
        assert!(read.opener(b"alpha", &keys.sealed_private).is_ok());
        assert_ne!(created.fingerprint(), RootKey::generate().unwrap().fingerprint());
    }

    #[test]
    fn existing_root_key_is_never_overwritten() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        let first = RootKey::create(&path).unwrap().fingerprint();
        assert!(matches!(RootKey::create(&path), Err(KeyFileError::Exists { .. })));
        assert_eq!(RootKey::read(&path).unwrap().fingerprint(), first);
    }

    #[test]
    fn damaged_files_are_refused_without_showing_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("root.key");
        RootKey::create(&path).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let secret = good.trim_end().strip_prefix(PREFIX).unwrap().to_owned();
        let damaged = [
            String::new(),
            secret.clone(),
            good.replace("key-1", "key-2"),
            good[..good.len() - 2].to_owned(),
            good[..good.len() - 5].to_owned(),
            format!("{}AAAA", good.trim_end()),
            format!("{PREFIX}{}", "A".repeat(1000)),
            good.replace(&secret, &format!("!{}", &secret[1..])),
            format!("{good}{good}"),
        ];
        for text in damaged {
            fs::write(&path, &text).unwrap();
            let error = RootKey::read(&path).unwrap_err();
            assert!(matches!(error, KeyFileError::Malformed { .. }), "{text:?}");
            assert!(error.to_string().contains(path.to_str().unwrap()));
            assert!(!format!("{error} {error:?}").contains(&secret[4..20]));
        }
    }

    #[test]
    fn fingerprint_and_subkeys_differ_from_each_other_and_from_the_root() {
        let root = [7; 32];
        let subkey = |label: &str| hkdf_sha256(SALT, &root, label.as_bytes()).unwrap().to_vec();
        let all = [
            root.to_vec(),
            subkey("group private keys"),
            subkey("group tag keys"),
            subkey("message authentication"),
            subkey("mail in transit"),
            subkey("sign-in secrets"),
            RootKey::derive(&root).unwrap().fingerprint().to_vec(),
        ];
        for (i, one) in all.iter().enumerate() {
            assert!(all.iter().skip(i + 1).all(|other| other != one));
        }
    }

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", RootKey::derive(&[7; 32]).unwrap()), "RootKey");
    }
}
