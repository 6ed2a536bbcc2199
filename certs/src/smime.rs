//! Checks S/MIME signatures (RFC 8551, RFC 5652 §5): whether they are over these bytes, and whose certificate made them.
//! Decides nothing of what that is worth for a mail. Total and bounded: whatever the bytes, it says something.

use aws_lc_rs::signature::UnparsedPublicKey;
use rustls_pki_types::CertificateDer;
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::FromDer;

use self::der::{Element, Elements, ID, INTEGER, OCTETS, SEQUENCE, SET, context};
use self::method::Hash;

mod authorities;
mod der;
mod method;
#[cfg(test)]
mod tests;

pub use self::authorities::Authorities;
pub use self::method::{Digesting, Digests};

/// Signatures and certificates looked at; honest mail has one of the one and three of the other.
const MOST_SIGNERS: usize = 4;
const MOST_CERTIFICATES: usize = 16;
/// Addresses of one certificate, and characters of a name, that are of interest.
const MOST_ADDRESSES: usize = 16;
const LONGEST_NAME: usize = 200;

const DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01";
const SIGNED_DATA: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02";
/// RFC 5652 §11.1, §11.2
const CONTENT_TYPE: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x03";
const MESSAGE_DIGEST: &[u8] = b"\x2a\x86\x48\x86\xf7\x0d\x01\x09\x04";

/// Whose certificate made a signature that is intact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// Mail addresses that the certificate names (RFC 8550 §3).
    pub addresses: Vec<String>,
    /// Whom it is for, in the words of its issuer.
    pub subject: String,
    pub worth: Worth,
}

/// What a signature with this certificate is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worth {
    /// An authority vouches for it.
    Vouched,
    /// No authority does, or not for signing mail.
    Unknown,
    /// It is not valid now.
    Expired,
    /// Made with SHA-1.
    Weak,
}

/// Why nobody is known to have signed these bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("the signature is not over these bytes, or not by this certificate")]
    Broken,
    #[error("the signature cannot be read")]
    Unreadable,
    #[error("the signer's certificate is not there")]
    NoCertificate,
    #[error("the signature is made in a way that is not known here")]
    Unsupported,
}

/// The signers of the bytes that were digested, at least one. `signature` is a `ContentInfo` with definite lengths that
/// does not hold the bytes; `now` is in seconds since 1970.
pub fn check(
    signature: &[u8],
    digests: &Digests,
    authorities: &Authorities,
    now: i64,
) -> Result<Vec<Signer>, Fault> {
    let data = SignedData::read(signature).ok_or(Fault::Unreadable)?;
    let mut signers = Vec::new();
    let mut fault = Fault::Unreadable;
    for info in data.signers.elements().take(MOST_SIGNERS) {
        match data.signer(info, digests, authorities, now) {
            Ok(signer) => signers.push(signer),
            Err(Fault::Broken) => fault = Fault::Broken,
            Err(other) if fault == Fault::Unreadable => fault = other,
            Err(_) => {}
        }
    }
    if signers.is_empty() { Err(fault) } else { Ok(signers) }
}

/// RFC 5652 §5.1
struct SignedData<'a> {
    certificates: Vec<&'a [u8]>,
    signers: Element<'a>,
}

impl<'a> SignedData<'a> {
    fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut info = Elements(bytes).read(SEQUENCE)?.elements();
        info.read(ID).filter(|id| id.content == SIGNED_DATA)?;
        let mut data = info.read(context(0))?.elements().read(SEQUENCE)?.elements();
        data.read(INTEGER)?;
        data.read(SET)?;
        let mut content = data.read(SEQUENCE)?.elements();
        content.read(ID).filter(|id| id.content == DATA)?;
        let certificates = data.read_if(context(0)).map(|set| set.elements());
        let certificates = certificates.into_iter().flatten().take(MOST_CERTIFICATES);
        let certificates =
            certificates.filter(|element| element.tag == SEQUENCE).map(|element| element.whole);
        let certificates = certificates.collect();
        let _revoked = data.read_if(context(1));
        Some(Self { certificates, signers: data.read(SET)? })
    }

    fn signer(
        &self,
        info: Element<'a>,
        digests: &Digests,
        authorities: &Authorities,
        now: i64,
    ) -> Result<Signer, Fault> {
        let info = SignerInfo::read(info).ok_or(Fault::Unreadable)?;
        let (der, certificate) = self
            .certificates
            .iter()
            .find_map(|der| {
                let (_, certificate) = X509Certificate::from_der(der).ok()?;
                info.is_by(&certificate).then_some((*der, certificate))
            })
            .ok_or(Fault::NoCertificate)?;
        let hash = info.verify(&certificate, digests)?;
        let worth = if hash == Hash::Sha1 {
            Worth::Weak
        } else if !is_valid(&certificate, now) {
            Worth::Expired
        } else if may_sign(&certificate) && self.is_vouched_for(der, authorities, now) {
            Worth::Vouched
        } else {
            Worth::Unknown
        };
        Ok(Signer { addresses: addresses(&certificate), subject: subject(&certificate), worth })
    }

    fn is_vouched_for(&self, der: &[u8], authorities: &Authorities, now: i64) -> bool {
        let others = self.certificates.iter().filter(|other| **other != der);
        let others: Vec<_> = others.map(|other| CertificateDer::from(*other)).collect();
        u64::try_from(now).is_ok_and(|now| authorities.vouch_for(der, &others, now))
    }
}

/// RFC 5652 §5.3
struct SignerInfo<'a> {
    by: Element<'a>,
    digest: Element<'a>,
    /// Absent in a form that is legal and not taken: such a signature could be taken from a mail with attributes, whose
    /// encoding would then be the content.
    attributes: Option<Element<'a>>,
    algorithm: Element<'a>,
    signature: &'a [u8],
}

impl<'a> SignerInfo<'a> {
    fn read(info: Element<'a>) -> Option<Self> {
        let mut elements = info.elements();
        elements.read(INTEGER)?;
        Some(Self {
            by: elements.next()?,
            digest: elements.read(SEQUENCE)?,
            attributes: elements.read_if(context(0)),
            algorithm: elements.read(SEQUENCE)?,
            signature: elements.read(OCTETS)?.content,
        })
    }

    /// By issuer and number, or by the identifier of its key.
    fn is_by(&self, certificate: &X509Certificate<'_>) -> bool {
        match self.by.tag {
            SEQUENCE => {
                let mut named = self.by.elements();
                let issuer = named.next().map(|issuer| issuer.whole);
                let number = named.read(INTEGER).map(|number| number.content);
                issuer == Some(certificate.issuer().as_raw()) && number == Some(certificate.raw_serial())
            }
            // `[0] IMPLICIT OCTET STRING`
            0x80 => certificate.extensions().iter().any(|extension| {
                let parsed = extension.parsed_extension();
                matches!(parsed, ParsedExtension::SubjectKeyIdentifier(key) if key.0 == self.by.content)
            }),
            _ => false,
        }
    }

    /// RFC 5652 §5.4, §5.6: the attributes name the digest of the content, and the signature is over the attributes.
    fn verify(&self, certificate: &X509Certificate<'_>, digests: &Digests) -> Result<Hash, Fault> {
        let hash = Hash::named(self.digest).ok_or(Fault::Unsupported)?;
        let key = certificate.public_key();
        let algorithm = method::verifier(self.algorithm, hash, key).ok_or(Fault::Unsupported)?;
        let attributes = self.attributes.ok_or(Fault::Unsupported)?;
        let named = |id| attribute(attributes, id).ok_or(Fault::Unreadable);
        if named(CONTENT_TYPE)?.content != DATA {
            return Err(Fault::Unsupported);
        }
        if named(MESSAGE_DIGEST)?.content != digests.of(hash) {
            return Err(Fault::Broken);
        }
        // What is signed is the set as such, not as the field of a structure.
        let mut set = attributes.whole.to_vec();
        set[0] = SET;
        let key = UnparsedPublicKey::new(algorithm, &key.subject_public_key.data);
        key.verify(&set, self.signature).map(|()| hash).map_err(|_| Fault::Broken)
    }
}

/// The one value of an attribute that stands once, as those that are read must.
fn attribute<'a>(attributes: Element<'a>, id: &[u8]) -> Option<Element<'a>> {
    let mut found = attributes.elements().filter_map(|attribute| {
        let mut elements = attribute.elements();
        elements.read(ID).filter(|own| own.content == id)?;
        elements.read(SET)
    });
    let mut values = found.next()?.elements();
    let value = values.next()?;
    (found.next().is_none() && values.next().is_none()).then_some(value)
}

fn is_valid(certificate: &X509Certificate<'_>, now: i64) -> bool {
    let validity = certificate.validity();
    (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now)
}

/// RFC 8550 §4.4.2
fn may_sign(certificate: &X509Certificate<'_>) -> bool {
    match certificate.key_usage() {
        Ok(None) => true,
        Ok(Some(usage)) => usage.value.digital_signature() || usage.value.non_repudiation(),
        Err(_) => false,
    }
}

/// RFC 8550 §3: alternative names, and in old certificates the subject.
fn addresses(certificate: &X509Certificate<'_>) -> Vec<String> {
    let names = certificate.subject_alternative_name().ok().flatten();
    let names = names.into_iter().flat_map(|names| names.value.general_names.iter());
    let alternatives = names.filter_map(|name| match name {
        GeneralName::RFC822Name(address) => Some(*address),
        _ => None,
    });
    let subject = certificate.subject().iter_email().filter_map(|address| address.as_str().ok());
    let all = alternatives.chain(subject).take(MOST_ADDRESSES);
    all.filter(|address| address.len() <= LONGEST_NAME).map(str::to_owned).collect()
}

fn subject(certificate: &X509Certificate<'_>) -> String {
    let common = certificate.subject().iter_common_name().find_map(|name| name.as_str().ok());
    let name = common.map_or_else(|| certificate.subject().to_string(), str::to_owned);
    name.chars().take(LONGEST_NAME).collect()
}
