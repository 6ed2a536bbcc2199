//! The private CA: it signs server certificates for closed networks and the client certificates that companies' mail
//! systems show.
//!
//! Its key file is its owner's alone. It verifies nothing (rustls does that) and keeps no list of what it signed.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer,
    KeyPair, KeyUsagePurpose, PublicKeyData, SanType, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use crate::secret_file::{self, malformed};
use crate::{KeyError, KeyFileError, random, sha256};

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";

const DAY: u64 = 24 * 60 * 60;
const AUTHORITY_DAYS: u64 = 3650;
/// What public authorities may give at most; renewing yearly keeps the practice alive.
const LEAF_DAYS: u64 = 397;
/// Certificates begin this much earlier than now, for peers whose clocks are behind.
const SKEW: u64 = 60 * 60;

/// Longest common name (RFC 5280 appendix A.1, ub-common-name).
const COMMON_NAME: usize = 64;

/// Why the authority could not be made, loaded or used.
#[derive(Debug, thiserror::Error)]
pub enum AuthorityError {
    #[error(transparent)]
    File(#[from] KeyFileError),
    #[error("`{0}` cannot stand in a certificate; {1}")]
    Name(String, &'static str),
    #[error(
        "the private CA expired on {0} (seconds since 1970); make a new one and hand its certificate out again"
    )]
    Expired(i64),
    #[error("a certificate cannot be made: {0}")]
    Library(#[from] rcgen::Error),
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// A private CA that can sign.
pub struct Authority {
    certificate_pem: String,
    not_after: u64,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate just signed, with its key. The key exists nowhere else.
pub struct Issued {
    pub certificate_pem: String,
    pub key_pem: Zeroizing<String>,
    /// SHA-256 of the certificate's DER bytes.
    pub fingerprint: [u8; 32],
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
}

impl Authority {
    /// Makes a CA valid for ten years: `ca.pem` and `ca-key.pem` (mode 0600) in `dir`, which is made if it is absent.
    /// An existing key is left alone and is an error.
    pub fn create(dir: &Path) -> Result<Self, AuthorityError> {
        make_folder(dir)?;
        let key = KeyPair::generate()?;
        let (params, not_after) = authority_params()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        secret_file::create(&dir.join(KEY), 0o600, key_pem.as_bytes())?;
        secret_file::create(&dir.join(CERTIFICATE), 0o644, certificate_pem.as_bytes())?;
        Ok(Self { certificate_pem, not_after, issuer: Issuer::new(params, key) })
    }

    /// Loads what [`Authority::create`] made. Refused if others can read the key or the two do not belong together.
    pub fn load(dir: &Path) -> Result<Self, AuthorityError> {
        let (certificate, key) = (dir.join(CERTIFICATE), dir.join(KEY));
        let key_pair =
            KeyPair::from_pem(&secret_file::read(&key)?).map_err(|e| malformed(&key, e.to_string()))?;
        let certificate_pem = fs::read_to_string(&certificate)
            .map_err(|source| KeyFileError::Read { path: certificate.clone(), source })?;
        let der = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| malformed(&certificate, error.to_string()))?;
        let not_after = check(&der, &key_pair).map_err(|reason| malformed(&certificate, reason))?;
        Ok(Self { certificate_pem, not_after, issuer: Issuer::from_ca_cert_der(&der, key_pair)? })
    }

    /// The CA's certificate in PEM, to be handed to whoever has to trust it.
    pub fn ca_pem(&self) -> &str {
        &self.certificate_pem
    }

    /// A certificate for a server under each of `names`: host names or IP addresses, at least one.
    pub fn issue_server(&self, names: &[String]) -> Result<Issued, AuthorityError> {
        let first =
            names.first().ok_or(AuthorityError::Name(String::new(), "give at least one host name"))?;
        let mut params = CertificateParams::default();
        params.subject_alt_names =
            names.iter().map(|name| alternative_name(name)).collect::<Result<_, _>>()?;
        // A host name may be longer than a common name; then the first 64 characters serve, nobody matches on them.
        params.distinguished_name = common_name(first.get(..COMMON_NAME).unwrap_or(first))?;
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        self.issue(params)
    }

    /// A certificate with which a company's mail system shows who it is; `name` is its common name, 1 to 64
    /// characters, and a host name in it becomes an alternative name too.
    pub fn issue_client(&self, name: &str) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name)?;
        params.subject_alt_names = alternative_name(name).into_iter().collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params)
    }

    fn issue(&self, mut params: CertificateParams) -> Result<Issued, AuthorityError> {
        let now = now();
        if now >= self.not_after {
            return Err(AuthorityError::Expired(self.not_after as i64));
        }
        let not_after = self.not_after.min(now + LEAF_DAYS * DAY);
        valid_until(not_after, now, &mut params);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            fingerprint: sha256(certificate.der()),
            not_after: not_after as i64,
        })
    }
}

impl Issued {
    /// Writes both files in place of whatever is there (the key with mode 0600), each whole and durable. A server that
    /// reloads between the two finds that they do not match and keeps what it has.
    pub fn save(&self, certificate: &Path, key: &Path) -> Result<(), KeyFileError> {
        secret_file::replace(key, 0o600, self.key_pem.as_bytes())?;
        secret_file::replace(certificate, 0o644, self.certificate_pem.as_bytes())
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("not_after", &self.not_after).finish_non_exhaustive()
    }
}

fn make_folder(dir: &Path) -> Result<(), KeyFileError> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(dir);
    made.map_err(|source| KeyFileError::Write { path: dir.into(), source })
}

fn authority_params() -> Result<(CertificateParams, u64), AuthorityError> {
    let now = now();
    let not_after = now + AUTHORITY_DAYS * DAY;
    let mut params = CertificateParams::default();
    // Two authorities must not share a name, or verifiers try one's key on the other's certificates.
    let mark = u32::from_be_bytes(random()?);
    params.distinguished_name = common_name(&format!("Postern private CA {mark:08x}"))?;
    valid_until(not_after, now, &mut params);
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    Ok((params, not_after))
}

/// Whether a certificate is an authority's and belongs to this key; when it ends, in seconds since 1970.
fn check(der: &CertificateDer<'_>, key: &KeyPair) -> Result<u64, String> {
    let (_, certificate) = X509Certificate::from_der(der).map_err(|error| error.to_string())?;
    if !certificate.is_ca() {
        return Err("it is not the certificate of an authority".into());
    }
    if certificate.public_key().subject_public_key.data != key.der_bytes() {
        return Err(format!("it does not belong to the key in {KEY}"));
    }
    u64::try_from(certificate.validity().not_after.timestamp()).map_err(|_| "it ended before 1970".into())
}

/// A host name or an IP address, nothing that a verifier would read differently.
fn alternative_name(name: &str) -> Result<SanType, AuthorityError> {
    let refused =
        || AuthorityError::Name(name.into(), "give a host name such as mail.example.com or an IP address");
    match ServerName::try_from(name).map_err(|_| refused())? {
        ServerName::IpAddress(address) => Ok(SanType::IpAddress(address.into())),
        ServerName::DnsName(host) => Ok(SanType::DnsName(host.as_ref().try_into()?)),
        _ => Err(refused()),
    }
}

fn common_name(name: &str) -> Result<DistinguishedName, AuthorityError> {
    if name.trim().is_empty() || name.chars().count() > COMMON_NAME || name.chars().any(char::is_control) {
        return Err(AuthorityError::Name(name.into(), "give 1 to 64 printable characters"));
    }
    let mut distinguished = DistinguishedName::new();
    distinguished.push(DnType::CommonName, name);
    Ok(distinguished)
}

/// Whole seconds since 1970: certificates know no fractions.
fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map(|past| past.as_secs()).unwrap_or_default()
}

/// Sets a certificate's validity: from now, less the allowance for slow clocks, to `not_after`.
fn valid_until(not_after: u64, now: u64, params: &mut CertificateParams) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(SKEW));
    params.not_after = epoch + Duration::from_secs(not_after);
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    use super::*;

    fn folder() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    fn der(pem: &str) -> CertificateDer<'static> {
        CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
    }

    #[test]
    fn created_authority_loads_and_signs_under_the_same_certificate() {
        let folder = folder();
        let dir = folder.path().join("deep/ca");
        let created = Authority::create(&dir).unwrap();
        assert_eq!(fs::metadata(dir.join(KEY)).unwrap().mode() & 0o777, 0o600);
        let loaded = Authority::load(&dir).unwrap();
        assert_eq!(loaded.ca_pem(), created.ca_pem());
        for authority in [created, loaded] {
            let issued = authority.issue_client("Alpha Energy").unwrap();
            let (ca, leaf) = (der(authority.ca_pem()), der(&issued.certificate_pem));
            let (_, ca) = X509Certificate::from_der(&ca).unwrap();
            let (_, leaf) = X509Certificate::from_der(&leaf).unwrap();
            assert_eq!(leaf.issuer(), ca.subject());
            assert!(ca.is_ca() && !leaf.is_ca());
            assert_eq!(leaf.validity().not_after.timestamp(), issued.not_after);
            assert!(leaf.validity().is_valid() && ca.validity().is_valid());
        }
    }

    #[test]
    fn existing_authority_is_never_overwritten() {
        let folder = folder();
        let first = Authority::create(folder.path()).unwrap();
        assert!(matches!(
            Authority::create(folder.path()),
            Err(AuthorityError::File(KeyFileError::Exists { .. }))
        ));
        assert_eq!(Authority::load(folder.path()).unwrap().ca_pem(), first.ca_pem());
    }

    #[test]
    fn mixed_up_and_exposed_files_are_refused() {
        let (one, other) = (folder(), folder());
        let authority = Authority::create(one.path()).unwrap();
        Authority::create(other.path()).unwrap();
        let load = || Authority::load(one.path()).unwrap_err().to_string();

        fs::copy(other.path().join(CERTIFICATE), one.path().join(CERTIFICATE)).unwrap();
        assert!(load().contains("does not belong to the key"));
        let leaf = authority.issue_client("Alpha Energy").unwrap();
        leaf.save(&one.path().join(CERTIFICATE), &one.path().join(KEY)).unwrap();
        assert!(load().contains("not the certificate of an authority"));
        fs::remove_file(one.path().join(CERTIFICATE)).unwrap();
        assert!(load().contains("cannot read the key file"));
        fs::write(one.path().join(KEY), "no key").unwrap();
        assert!(load().contains("damaged"));
        fs::set_permissions(one.path().join(KEY), fs::Permissions::from_mode(0o644)).unwrap();
        assert!(load().contains("chmod 600"));
    }

    #[test]
    fn names_that_cannot_stand_in_a_certificate_are_refused() {
        let folder = folder();
        let authority = Authority::create(folder.path()).unwrap();
        let server = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            matches!(authority.issue_server(&names), Err(AuthorityError::Name(..)))
        };
        assert!(server(&[]));
        for bad in ["", " ", "mail example", "mail.example\n", "-", "*.example", "münchen.example"] {
            assert!(server(&["mail.example", bad]), "{bad:?}");
        }
        for bad in ["", "  ", "a\0b", "a\nb", &"a".repeat(COMMON_NAME + 1)] {
            assert!(matches!(authority.issue_client(bad), Err(AuthorityError::Name(..))), "{bad:?}");
        }
        assert!(authority.issue_client(&"é".repeat(COMMON_NAME)).is_ok());
        assert!(!server(&[&format!("{0}.{0}.example", "a".repeat(60))]));
    }

    #[test]
    fn issued_certificates_end_with_their_authority() {
        let folder = folder();
        let mut authority = Authority::create(folder.path()).unwrap();
        authority.not_after = now() + DAY;
        assert_eq!(authority.issue_client("Alpha Energy").unwrap().not_after, authority.not_after as i64);
        authority.not_after = now();
        assert!(matches!(authority.issue_client("Alpha Energy"), Err(AuthorityError::Expired(_))));
    }

    #[test]
    fn saved_files_hold_certificate_and_private_key() {
        let folder = folder();
        let authority = Authority::create(folder.path()).unwrap();
        let issued = authority.issue_client("Alpha Energy").unwrap();
        let (certificate, key) = (folder.path().join("client.pem"), folder.path().join("client-key.pem"));
        issued.save(&certificate, &key).unwrap();
        assert_eq!(fs::read_to_string(&certificate).unwrap(), issued.certificate_pem);
        assert_eq!(fs::read_to_string(&key).unwrap(), *issued.key_pem);
        assert_eq!(fs::metadata(&key).unwrap().mode() & 0o777, 0o600);
        assert_eq!(fs::metadata(&certificate).unwrap().mode() & 0o777, 0o644);
    }

    #[test]
    fn debug_shows_no_key() {
        let folder = folder();
        let authority = Authority::create(folder.path()).unwrap();
        let issued = authority.issue_client("Alpha Energy").unwrap();
        assert!(!format!("{authority:?}{issued:?}").to_lowercase().contains("key"));
    }
}
