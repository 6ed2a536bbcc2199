//! The private CA: it signs server certificates for closed networks and the client certificates that companies' mail
//! systems show.
//!
//! Its key file is its owner's alone. It verifies nothing (rustls does that). What it signed, and what it took back,
//! stands in a register beside it; the revocation list made of that is written anew with every change.

use std::fmt;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, DnType,
    ExtendedKeyUsagePurpose, IsCa, Issuer, KeyIdMethod, KeyPair, KeyUsagePurpose, PublicKeyData,
    RevokedCertParams, SanType, date_time_ymd,
};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;
use zeroize::Zeroizing;

use self::register::{Entry, Purpose, Reason, Register, Revoked, Serial};
use crate::secret_file::{self, malformed};
use crate::{KeyError, KeyFileError, random, sha256};

pub mod register;

const CERTIFICATE: &str = "ca.pem";
const KEY: &str = "ca-key.pem";
const REVOKED: &str = "crl.pem";

const DAY: u64 = 24 * 60 * 60;
const AUTHORITY_DAYS: u64 = 3650;
/// What public authorities may give at most; renewing yearly keeps the practice alive.
const LEAF_DAYS: u64 = 397;
/// When a revocation list ends, everything that it could speak of has ended too. Each new certificate renews the list,
/// so that it ends only where no certificate is left.
const LIST_DAYS: u64 = LEAF_DAYS;
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
    #[error("this CA has signed no such certificate; give one of the register, or the certificate itself")]
    Unknown,
}

/// A private CA that can sign.
pub struct Authority {
    dir: PathBuf,
    certificate_pem: String,
    not_after: u64,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate just signed, with its key. The key exists nowhere else.
pub struct Issued {
    pub certificate_pem: String,
    pub key_pem: Zeroizing<String>,
    pub serial: Serial,
    /// SHA-256 of the certificate's DER bytes.
    pub fingerprint: [u8; 32],
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
}

impl Authority {
    /// Makes a CA valid for ten years: `ca.pem`, `ca-key.pem` (mode 0600) and an empty `crl.pem` in `dir`, which is made
    /// if it is absent. An existing key is left alone and is an error.
    pub fn create(dir: &Path) -> Result<Self, AuthorityError> {
        make_folder(dir)?;
        let key = KeyPair::generate()?;
        let (params, not_after) = authority_params()?;
        let certificate_pem = params.self_signed(&key)?.pem();
        let key_pem = Zeroizing::new(key.serialize_pem());
        secret_file::create(&dir.join(KEY), 0o600, key_pem.as_bytes())?;
        secret_file::create(&dir.join(CERTIFICATE), 0o644, certificate_pem.as_bytes())?;
        let authority =
            Self { dir: dir.into(), certificate_pem, not_after, issuer: Issuer::new(params, key) };
        authority.publish(&authority.register()?)?;
        Ok(authority)
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
        let issuer = Issuer::from_ca_cert_der(&der, key_pair)?;
        Ok(Self { dir: dir.into(), certificate_pem, not_after, issuer })
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
        self.issue(params, Purpose::Server, first)
    }

    /// A certificate with which a company's mail system shows who it is; `name` is its common name, 1 to 64
    /// characters, and a host name in it becomes an alternative name too.
    pub fn issue_client(&self, name: &str) -> Result<Issued, AuthorityError> {
        let mut params = CertificateParams::default();
        params.distinguished_name = common_name(name)?;
        params.subject_alt_names = alternative_name(name).into_iter().collect();
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
        self.issue(params, Purpose::Client, name)
    }

    /// Every certificate that this CA signed since it keeps a register, oldest first.
    pub fn entries(&self) -> Result<Vec<Entry>, AuthorityError> {
        Ok(register::read(&register::path(&self.dir))?)
    }

    /// Takes a certificate of the register back and writes `crl.pem` anew. What is revoked already stays as it was.
    pub fn revoke(&self, serial: &Serial, reason: Reason) -> Result<Entry, AuthorityError> {
        let mut register = self.register()?;
        let entry = register.entries.iter_mut().find(|entry| entry.serial == *serial);
        let entry = entry.ok_or(AuthorityError::Unknown)?;
        entry.revoked.get_or_insert(Revoked { at: now() as i64, reason });
        let entry = entry.clone();
        register.save()?;
        self.publish(&register)?;
        Ok(entry)
    }

    /// Takes back the certificate in `pem`, also one that is older than the register; it must be of this CA.
    pub fn revoke_certificate(&self, pem: &str, reason: Reason) -> Result<Entry, AuthorityError> {
        let entry = self.read(pem).ok_or(AuthorityError::Unknown)?;
        let mut register = self.register()?;
        if register.entries.iter().all(|known| known.serial != entry.serial) {
            register.entries.push(entry.clone());
            register.save()?;
        }
        drop(register);
        self.revoke(&entry.serial, reason)
    }

    /// Where the revocation list is that servers read.
    pub fn revocation_list(&self) -> PathBuf {
        self.dir.join(REVOKED)
    }

    /// Writes `crl.pem` anew from the register, for another 397 days. Signing and revoking do it too.
    pub fn renew_revocation_list(&self) -> Result<(), AuthorityError> {
        self.publish(&self.register()?)
    }

    /// The time, if the CA has not expired by then.
    fn alive(&self) -> Result<u64, AuthorityError> {
        Some(now()).filter(|&now| now < self.not_after).ok_or(AuthorityError::Expired(self.not_after as i64))
    }

    fn register(&self) -> Result<Register, AuthorityError> {
        Ok(Register::open(&self.dir, &self.dir.join(CERTIFICATE))?)
    }

    fn publish(&self, register: &Register) -> Result<(), AuthorityError> {
        let list = self.list(&register.entries)?;
        Ok(secret_file::replace(&self.revocation_list(), 0o644, list.as_bytes())?)
    }

    /// The revocation list of RFC 5280 §5 in PEM.
    fn list(&self, entries: &[Entry]) -> Result<String, AuthorityError> {
        let (now, epoch) = (self.alive()?, date_time_ymd(1970, 1, 1));
        let revoked = entries.iter().filter(|entry| entry.not_after >= now as i64).filter_map(taken_back);
        let params = CertificateRevocationListParams {
            this_update: epoch + Duration::from_secs(now.saturating_sub(SKEW)),
            next_update: epoch + Duration::from_secs(self.not_after.min(now + LIST_DAYS * DAY)),
            // Grows with time (RFC 5280 §5.2.3), also after the folder was put back from a backup.
            crl_number: microseconds().into(),
            issuing_distribution_point: None,
            revoked_certs: revoked.collect(),
            key_identifier_method: KeyIdMethod::Sha256,
        };
        Ok(params.signed_by(&self.issuer)?.pem()?)
    }

    /// A certificate as the register would have it; none if another authority signed it.
    fn read(&self, pem: &str) -> Option<Entry> {
        let ca = CertificateDer::from_pem_slice(self.certificate_pem.as_bytes()).ok()?;
        let der = CertificateDer::from_pem_slice(pem.as_bytes()).ok()?;
        let (_, ca) = X509Certificate::from_der(&ca).ok()?;
        let (_, certificate) = X509Certificate::from_der(&der).ok()?;
        let name = certificate.subject().iter_common_name().next()?.as_str().ok()?;
        let usage = certificate.extended_key_usage().ok()??.value;
        let own = certificate.issuer().as_raw() == ca.subject().as_raw();
        (own && !name.contains(char::is_control)).then(|| Entry {
            serial: Serial::from_der(certificate.raw_serial()),
            fingerprint: Some(sha256(&der)),
            purpose: if usage.client_auth { Purpose::Client } else { Purpose::Server },
            name: name.to_owned(),
            not_after: certificate.validity().not_after.timestamp(),
            revoked: None,
        })
    }

    fn issue(
        &self,
        mut params: CertificateParams,
        purpose: Purpose,
        name: &str,
    ) -> Result<Issued, AuthorityError> {
        let now = self.alive()?;
        let not_after = self.not_after.min(now + LEAF_DAYS * DAY);
        valid_until(not_after, now, &mut params);
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.use_authority_key_identifier_extension = true;
        let serial = Serial::fresh()?;
        params.serial_number = Some((&serial).into());
        let key = KeyPair::generate()?;
        let certificate = params.signed_by(&key, &self.issuer)?;
        let issued = Issued {
            certificate_pem: certificate.pem(),
            key_pem: Zeroizing::new(key.serialize_pem()),
            serial,
            fingerprint: sha256(certificate.der()),
            not_after: not_after as i64,
        };
        self.enter(&issued, purpose, name)?;
        Ok(issued)
    }

    /// A certificate that is not in the register is never handed out.
    fn enter(&self, issued: &Issued, purpose: Purpose, name: &str) -> Result<(), AuthorityError> {
        let mut register = self.register()?;
        register.entries.push(Entry {
            serial: issued.serial.clone(),
            fingerprint: Some(issued.fingerprint),
            purpose,
            name: name.to_owned(),
            not_after: issued.not_after,
            revoked: None,
        });
        register.save()?;
        self.publish(&register)
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

fn microseconds() -> u64 {
    let past = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(past.as_micros()).unwrap_or(u64::MAX)
}

fn taken_back(entry: &Entry) -> Option<RevokedCertParams> {
    entry.revoked.map(|revoked| RevokedCertParams {
        serial_number: (&entry.serial).into(),
        revocation_time: date_time_ymd(1970, 1, 1) + Duration::from_secs(revoked.at.unsigned_abs()),
        // RFC 5280 §5.3.1: rather no reason than this one.
        reason_code: Some(revoked.reason).filter(|&reason| reason != Reason::Unspecified).map(Into::into),
        invalidity_date: None,
    })
}

/// Sets a certificate's validity: from now, less the allowance for slow clocks, to `not_after`.
fn valid_until(not_after: u64, now: u64, params: &mut CertificateParams) {
    let epoch = date_time_ymd(1970, 1, 1);
    params.not_before = epoch + Duration::from_secs(now.saturating_sub(SKEW));
    params.not_after = epoch + Duration::from_secs(not_after);
}

#[cfg(test)]
mod tests;
