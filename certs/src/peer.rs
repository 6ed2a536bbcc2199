//! What a client's certificate says about its holder, for mapping it to a group and for showing it.
//!
//! Verifies nothing: only certificates that rustls has verified against the private CA belong here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::FromDer;

use crate::{TlsError, sha256};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerCertificate {
    /// SHA-256 of the DER bytes: the identity that a directory stores.
    pub fingerprint: [u8; 32],
    /// Subject as text, e.g. `CN=mail.alpha.example`.
    pub subject: String,
    /// Subject alternative names (RFC 5280 §4.2.1.6) that are host names, mail addresses, URIs or IP addresses.
    pub names: Vec<String>,
    /// The one name by which a directory finds the holder, in lower case; it stays when the certificate is renewed. The
    /// only host name among the alternative names, else the only common name (RFC 6125 §2.3); none if neither is
    /// the only one of its kind.
    pub name: Option<String>,
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
    /// What a revocation list knows it by: SHA-256 of its issuer's name and its serial number.
    pub(crate) issued: [u8; 32],
}

impl PeerCertificate {
    /// Reads one certificate in DER.
    pub fn parse(der: &[u8]) -> Result<Self, TlsError> {
        let certificate = read(der)?;
        Ok(Self {
            fingerprint: sha256(der),
            subject: certificate.subject().to_string(),
            names: names(&certificate)?,
            name: one_name(&certificate)?,
            not_after: certificate.validity().not_after.timestamp(),
            issued: issued(certificate.issuer().as_raw(), certificate.raw_serial()),
        })
    }
}

/// Both in DER.
pub(crate) fn issued(issuer: &[u8], serial: &[u8]) -> [u8; 32] {
    sha256(&[&sha256(issuer), serial].concat())
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, TlsError> {
    match X509Certificate::from_der(der) {
        Ok((&[], certificate)) => Ok(certificate),
        Ok(_) => Err(TlsError::Peer("bytes follow the certificate".into())),
        Err(error) => Err(TlsError::Peer(error.to_string())),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, TlsError> {
    Ok(alternatives(certificate)?.iter().filter_map(|other| name(other)).collect())
}

fn one_name(certificate: &X509Certificate<'_>) -> Result<Option<String>, TlsError> {
    let alternatives = alternatives(certificate)?;
    let hosts: Vec<&str> = alternatives.iter().filter_map(|name| host(name)).collect();
    let common: Vec<&str> =
        certificate.subject().iter_common_name().filter_map(|name| name.as_str().ok()).collect();
    let one = match (hosts.as_slice(), common.as_slice()) {
        ([one], _) | ([], [one]) => *one,
        // One among several is the holder's own if the subject says which.
        (several, [one]) if several.iter().any(|name| name.eq_ignore_ascii_case(one)) => one,
        _ => return Ok(None),
    };
    Ok(Some(one.to_lowercase()).filter(|name| !name.trim().is_empty() && !name.contains(char::is_control)))
}

fn alternatives<'a>(certificate: &'a X509Certificate<'_>) -> Result<&'a [GeneralName<'a>], TlsError> {
    let extension =
        certificate.subject_alternative_name().map_err(|error| TlsError::Peer(error.to_string()))?;
    Ok(extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default())
}

fn host<'a>(name: &GeneralName<'a>) -> Option<&'a str> {
    match name {
        GeneralName::DNSName(text) => Some(text),
        _ => None,
    }
}

fn name(name: &GeneralName<'_>) -> Option<String> {
    match name {
        GeneralName::DNSName(text) | GeneralName::RFC822Name(text) | GeneralName::URI(text) => {
            Some((*text).to_owned())
        }
        GeneralName::IPAddress(bytes) => address(bytes).map(|address| address.to_string()),
        _ => None,
    }
}

fn address(bytes: &[u8]) -> Option<IpAddr> {
    let v4 = <[u8; 4]>::try_from(bytes).map(|octets| Ipv4Addr::from(octets).into());
    v4.or_else(|_| <[u8; 16]>::try_from(bytes).map(|octets| Ipv6Addr::from(octets).into())).ok()
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject;

    use super::*;
    use crate::{Authority, Issued};

    fn der(issued: &Issued) -> Vec<u8> {
        CertificateDer::from_pem_slice(issued.certificate_pem.as_bytes()).unwrap().to_vec()
    }

    fn authority() -> (tempfile::TempDir, Authority) {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path()).unwrap();
        (folder, authority)
    }

    #[test]
    fn says_what_was_issued() {
        let (_folder, authority) = authority();
        let client = authority.issue_client("mail.alpha.example").unwrap();
        let peer = PeerCertificate::parse(&der(&client)).unwrap();
        assert_eq!(peer.fingerprint, client.fingerprint);
        assert_eq!(peer.subject, "CN=mail.alpha.example");
        assert_eq!(peer.names, ["mail.alpha.example"]);
        assert_eq!(peer.not_after, client.not_after);
        assert_eq!(peer.name.as_deref(), Some("mail.alpha.example"));

        let names = ["mail.example", "192.0.2.1", "2001:db8::1"].map(String::from);
        let server = authority.issue_server(&names).unwrap();
        assert_eq!(PeerCertificate::parse(&der(&server)).unwrap().names, names);
    }

    #[test]
    fn one_name_finds_the_holder_and_stays_with_the_renewed_certificate() {
        let (_folder, authority) = authority();
        let name = |issued: Issued| PeerCertificate::parse(&der(&issued)).unwrap().name;
        for (given, found) in [("Mail.Alpha.example", "mail.alpha.example"), ("Alpha Energy", "alpha energy")]
        {
            let (first, renewed) = (authority.issue_client(given), authority.issue_client(given));
            assert_eq!(name(first.unwrap()).as_deref(), Some(found));
            assert_eq!(name(renewed.unwrap()).as_deref(), Some(found));
        }
        let server = |names: &[&str]| {
            let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            name(authority.issue_server(&names).unwrap())
        };
        assert_eq!(
            server(&["a.example", "b.example"]).as_deref(),
            Some("a.example"),
            "the subject says which"
        );
        assert_eq!(server(&["192.0.2.1"]).as_deref(), Some("192.0.2.1"));
    }

    #[test]
    fn damaged_certificates_are_an_error_or_read_as_what_they_are() {
        let (_folder, authority) = authority();
        let whole = der(&authority.issue_client("Alpha Energy").unwrap());
        for length in 0..whole.len() {
            assert!(PeerCertificate::parse(&whole[..length]).is_err(), "{length}");
        }
        assert!(PeerCertificate::parse(&[&whole[..], b"x"].concat()).is_err());
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x55;
            let read = PeerCertificate::parse(&damaged);
            assert!(read.is_err() || read.unwrap().fingerprint == sha256(&damaged));
        }
    }
}
