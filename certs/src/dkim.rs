//! Keys that sign outgoing mail for its domain (RFC 6376): Ed25519 (RFC 8463) and RSA with 2048 bits, as PKCS#8 in PEM
//! files of mode 0600, and the text that the domain publishes for each. It signs nothing itself.

use std::fmt;
use std::path::Path;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivatePkcs8KeyDer;
use rustls_pki_types::pem::PemObject;
use zeroize::Zeroizing;

use crate::secret_file::{self, malformed};
use crate::{KeyError, KeyFileError};

/// Bits that an RSA key must have to sign here (RFC 8301 §3.2).
const RSA_BITS: usize = 2048;

/// Octets of a PEM line (RFC 7468 §2).
const LINE: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    Ed25519,
    Rsa2048,
}

/// One key pair.
pub struct DkimKey {
    algorithm: Algorithm,
    pkcs8: Zeroizing<Vec<u8>>,
    public: Vec<u8>,
}

impl DkimKey {
    /// A fresh key pair; RSA takes a tenth of a second or so.
    pub fn generate(algorithm: Algorithm) -> Result<Self, KeyError> {
        let pkcs8 = match algorithm {
            Algorithm::Ed25519 => Ed25519KeyPair::generate()
                .and_then(|pair| pair.to_pkcs8v1())
                .map(|document| document.as_ref().to_vec()),
            Algorithm::Rsa2048 => RsaKeyPair::generate(KeySize::Rsa2048)
                .and_then(|pair| AsDer::<Pkcs8V1Der<'_>>::as_der(&pair))
                .map(|document| document.as_ref().to_vec()),
        };
        let pkcs8 = Zeroizing::new(pkcs8.map_err(|_| KeyError::Library)?);
        Self::read(pkcs8).map_err(|_| KeyError::Library)
    }

    /// Makes a key in a new file of mode 0600; an existing file is left alone and is an error.
    pub fn create(path: &Path, algorithm: Algorithm) -> Result<Self, KeyFileError> {
        let key =
            Self::generate(algorithm).map_err(|source| KeyFileError::Key { path: path.into(), source })?;
        secret_file::create(path, 0o600, key.pem().as_bytes())?;
        Ok(key)
    }

    /// Reads one PKCS#8 key (`-----BEGIN PRIVATE KEY-----`), of this program or another. Refused unless the file is its
    /// owner's alone.
    pub fn load(path: &Path) -> Result<Self, KeyFileError> {
        let text = secret_file::read(path)?;
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| {
            malformed(
                path,
                "it holds no `-----BEGIN PRIVATE KEY-----` block; `openssl pkcs8 -topk8 -nocrypt` makes one",
            )
        })?;
        Self::read(Zeroizing::new(der.secret_pkcs8_der().to_vec())).map_err(|reason| malformed(path, reason))
    }

    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The private key in DER, for whoever signs.
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The text record for `SELECTOR._domainkey.DOMAIN` (RFC 6376 §3.6.1, RFC 8463 §4).
    pub fn record(&self) -> String {
        let kind = match self.algorithm {
            Algorithm::Ed25519 => "ed25519",
            Algorithm::Rsa2048 => "rsa",
        };
        format!("v=DKIM1; k={kind}; p={}", STANDARD.encode(&self.public))
    }

    fn read(pkcs8: Zeroizing<Vec<u8>>) -> Result<Self, &'static str> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(&pkcs8) {
            let public = pair.public_key().as_ref().to_vec();
            return Ok(Self { algorithm: Algorithm::Ed25519, pkcs8, public });
        }
        let pair = RsaKeyPair::from_pkcs8(&pkcs8).map_err(|_| "it is no Ed25519 or RSA key")?;
        if pair.public_modulus_len() * 8 < RSA_BITS {
            return Err("it is an RSA key of fewer than 2048 bits; make a new one");
        }
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(pair.public_key())
            .map_err(|_| "its public half cannot be written")?;
        Ok(Self { algorithm: Algorithm::Rsa2048, public: public.as_ref().to_vec(), pkcs8 })
    }

    fn pem(&self) -> Zeroizing<String> {
        // Reserved at once: a growing buffer would leave copies of the key behind.
        let mut encoded = Zeroizing::new(String::with_capacity(self.pkcs8.len() * 2 + 8));
        STANDARD.encode_string(&*self.pkcs8, &mut encoded);
        let mut pem = Zeroizing::new(String::with_capacity(encoded.len() * 2 + 128));
        pem.push_str("-----BEGIN PRIVATE KEY-----\n");
        let mut rest = encoded.as_str();
        while let Some((line, after)) =
            rest.split_at_checked(LINE.min(rest.len())).filter(|_| !rest.is_empty())
        {
            pem.push_str(line);
            pem.push('\n');
            rest = after;
        }
        pem.push_str("-----END PRIVATE KEY-----\n");
        pem
    }
}

impl fmt::Debug for DkimKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DkimKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    // RFC 8463 §A.1 and §A.2: the seed of the private key, in the PKCS#8 form of RFC 8410 §7, and its record.
    const SEED: &str = "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=";
    const RECORD: &str = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";

    fn seeded() -> Vec<u8> {
        let head =
            [0x30, 0x2e, 0x02, 0x01, 0, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
        [head.to_vec(), STANDARD.decode(SEED).unwrap()].concat()
    }

    fn pem_of(der: &[u8]) -> String {
        format!("-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n", STANDARD.encode(der))
    }

    #[test]
    fn record_of_rfc_8463() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dkim.pem");
        secret_file::create(&path, 0o600, pem_of(&seeded()).as_bytes()).unwrap();
        let key = DkimKey::load(&path).unwrap();
        assert_eq!((key.algorithm(), key.record().as_str()), (Algorithm::Ed25519, RECORD));
    }

    #[test]
    fn created_keys_load_as_the_same_keys() {
        let folder = tempfile::tempdir().unwrap();
        for (algorithm, head) in
            [(Algorithm::Ed25519, "v=DKIM1; k=ed25519; p="), (Algorithm::Rsa2048, "v=DKIM1; k=rsa; p=MIIB")]
        {
            let path = folder.path().join(format!("{algorithm:?}.pem"));
            let created = DkimKey::create(&path, algorithm).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.lines().all(|line| line.len() <= LINE) && text.ends_with("KEY-----\n"), "{text}");
            let loaded = DkimKey::load(&path).unwrap();
            assert_eq!((loaded.algorithm(), loaded.pkcs8()), (algorithm, created.pkcs8()));
            assert_eq!(loaded.record(), created.record());
            assert!(created.record().starts_with(head), "{}", created.record());
            assert!(matches!(DkimKey::create(&path, algorithm), Err(KeyFileError::Exists { .. })));
            assert!(!format!("{created:?}").contains("pkcs8"));
        }
    }

    #[test]
    fn what_cannot_sign_is_refused_with_the_reason() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("dkim.pem");
        let refused = |text: &str, mode: u32| {
            let _absent = fs::remove_file(&path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            DkimKey::load(&path).unwrap_err().to_string()
        };
        assert!(refused(&pem_of(&seeded()), 0o644).contains("chmod 600"));
        assert!(refused("no key", 0o600).contains("BEGIN PRIVATE KEY"));
        assert!(refused(&pem_of(&seeded()[..40]), 0o600).contains("no Ed25519 or RSA key"));
        assert!(refused(&pem_of(b""), 0o600).contains("no Ed25519 or RSA key"));
    }
}
