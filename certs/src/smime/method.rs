//! Which algorithms a signature names, and what to verify it with. Only ways that aws-lc-rs knows, under their own names
//! (RFC 5754, RFC 4056, RFC 8419); whatever else is named is no way at all.

use aws_lc_rs::digest::{Context, Digest, SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512};
use aws_lc_rs::signature::{self, VerificationAlgorithm};
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

use super::der::{Element, Elements, ID, INTEGER, SEQUENCE, context};

/// A digest that a signature can be made over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hash {
    Sha1,
    Sha256,
    Sha384,
    Sha512,
}

/// All digests of the same bytes while they pass: which one a signature wants stands behind them.
pub struct Digesting([Context; 4]);

/// The digests of what is signed.
#[derive(Clone)]
pub struct Digests([Digest; 4]);

impl Default for Digesting {
    fn default() -> Self {
        Self([&SHA1_FOR_LEGACY_USE_ONLY, &SHA256, &SHA384, &SHA512].map(Context::new))
    }
}

impl Digesting {
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.iter_mut().for_each(|context| context.update(bytes));
    }

    pub fn finish(self) -> Digests {
        Digests(self.0.map(Context::finish))
    }
}

impl Digests {
    pub(super) fn of(&self, hash: Hash) -> &[u8] {
        self.0[hash as usize].as_ref()
    }
}

impl Hash {
    /// The digest that an `AlgorithmIdentifier` names. Its parameters mean nothing (RFC 5754 §2).
    pub(super) fn named(algorithm: Element<'_>) -> Option<Self> {
        Some(match algorithm.elements().read(ID)?.content {
            b"\x2b\x0e\x03\x02\x1a" => Self::Sha1,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x01" => Self::Sha256,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x02" => Self::Sha384,
            b"\x60\x86\x48\x01\x65\x03\x04\x02\x03" => Self::Sha512,
            _ => return None,
        })
    }

    fn length(self) -> u8 {
        match self {
            Self::Sha1 => 20,
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

enum Scheme {
    Pkcs1,
    Pss,
    Ecdsa,
    Ed25519,
}

/// How to verify a signature that names `algorithm`, over a digest `hash` and by the holder of `key`.
pub(super) fn verifier(
    algorithm: Element<'_>,
    hash: Hash,
    key: &SubjectPublicKeyInfo<'_>,
) -> Option<&'static dyn VerificationAlgorithm> {
    use signature as known;
    let bits = match key.parsed().ok()? {
        PublicKey::RSA(rsa) => rsa.key_size(),
        _ => 0,
    };
    let curve = key.algorithm.parameters.as_ref().map(|parameters| parameters.data).unwrap_or_default();
    Some(match (scheme(algorithm, hash)?, hash, bits, curve) {
        (Scheme::Pkcs1, Hash::Sha1, 2048..=8192, _) => &known::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
        (Scheme::Pkcs1, Hash::Sha256, 2048..=8192, _) => &known::RSA_PKCS1_2048_8192_SHA256,
        (Scheme::Pkcs1, Hash::Sha384, 2048..=8192, _) => &known::RSA_PKCS1_2048_8192_SHA384,
        (Scheme::Pkcs1, Hash::Sha512, 2048..=8192, _) => &known::RSA_PKCS1_2048_8192_SHA512,
        (Scheme::Pss, Hash::Sha256, 2048..=8192, _) => &known::RSA_PSS_2048_8192_SHA256,
        (Scheme::Pss, Hash::Sha384, 2048..=8192, _) => &known::RSA_PSS_2048_8192_SHA384,
        (Scheme::Pss, Hash::Sha512, 2048..=8192, _) => &known::RSA_PSS_2048_8192_SHA512,
        (Scheme::Ecdsa, Hash::Sha256, _, P256) => &known::ECDSA_P256_SHA256_ASN1,
        (Scheme::Ecdsa, Hash::Sha384, _, P256) => &known::ECDSA_P256_SHA384_ASN1,
        (Scheme::Ecdsa, Hash::Sha512, _, P256) => &known::ECDSA_P256_SHA512_ASN1,
        (Scheme::Ecdsa, Hash::Sha256, _, P384) => &known::ECDSA_P384_SHA256_ASN1,
        (Scheme::Ecdsa, Hash::Sha384, _, P384) => &known::ECDSA_P384_SHA384_ASN1,
        (Scheme::Ecdsa, Hash::Sha512, _, P384) => &known::ECDSA_P384_SHA512_ASN1,
        (Scheme::Ecdsa, Hash::Sha256, _, P521) => &known::ECDSA_P521_SHA256_ASN1,
        (Scheme::Ecdsa, Hash::Sha384, _, P521) => &known::ECDSA_P521_SHA384_ASN1,
        (Scheme::Ecdsa, Hash::Sha512, _, P521) => &known::ECDSA_P521_SHA512_ASN1,
        (Scheme::Ed25519, ..) => &known::ED25519,
        _ => return None,
    })
}

const P256: &[u8] = b"\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x2b\x81\x04\x00\x22";
const P521: &[u8] = b"\x2b\x81\x04\x00\x23";

/// A scheme that names its own digest must name the one that is used (RFC 5652 §5.4 takes one for both).
fn scheme(algorithm: Element<'_>, hash: Hash) -> Option<Scheme> {
    let mut elements = algorithm.elements();
    let id = elements.read(ID)?.content;
    let (scheme, own) = match id {
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01" => (Scheme::Pkcs1, hash),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05" => (Scheme::Pkcs1, Hash::Sha1),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b" => (Scheme::Pkcs1, Hash::Sha256),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c" => (Scheme::Pkcs1, Hash::Sha384),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d" => (Scheme::Pkcs1, Hash::Sha512),
        b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a" => (Scheme::Pss, pss(elements.read(SEQUENCE)?)?),
        b"\x2a\x86\x48\xce\x3d\x04\x03\x02" => (Scheme::Ecdsa, Hash::Sha256),
        b"\x2a\x86\x48\xce\x3d\x04\x03\x03" => (Scheme::Ecdsa, Hash::Sha384),
        b"\x2a\x86\x48\xce\x3d\x04\x03\x04" => (Scheme::Ecdsa, Hash::Sha512),
        // RFC 8419 §3: always with SHA-512.
        b"\x2b\x65\x70" => (Scheme::Ed25519, Hash::Sha512),
        _ => return None,
    };
    (own == hash).then_some(scheme)
}

/// The one digest of `RSASSA-PSS-params` (RFC 4056 §2.2): for the mask too, and as long as the salt. Others are legal, and
/// nobody here can verify them.
fn pss(parameters: Element<'_>) -> Option<Hash> {
    const MGF1: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08";
    let mut elements = parameters.elements();
    let mut parameter = |number| elements.read(context(number)).map(|element| element.elements());
    let hash = Hash::named(parameter(0)?.read(SEQUENCE)?)?;
    let mut mask = parameter(1)?.read(SEQUENCE)?.elements();
    let is_usual = mask.read(ID)?.content == MGF1 && Hash::named(mask.read(SEQUENCE)?) == Some(hash);
    let salt: Elements<'_> = parameter(2)?;
    let has_length = { salt }.read(INTEGER)?.content == [hash.length()];
    (is_usual && has_length).then_some(hash)
}
