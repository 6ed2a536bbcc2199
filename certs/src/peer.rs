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
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
}

impl PeerCertificate {
    /// Reads one certificate in DER.
    pub fn parse(der: &[u8]) -> Result<Self, TlsError> {
        let certificate = read(der)?;
        Ok(Self {
            fingerprint: sha256(der),
            subject: certificate.subject().to_string(),
            names: names(&certificate)?,
            not_after: certificate.validity().not_after.timestamp(),
        })
    }
}

fn read(der: &[u8]) -> Result<X509Certificate<'_>, TlsError> {
    match X509Certificate::from_der(der) {
        Ok((&[], certificate)) => Ok(certificate),
        Ok(_) => Err(TlsError::Peer("bytes follow the certificate".into())),
        Err(error) => Err(TlsError::Peer(error.to_string())),
    }
}

fn names(certificate: &X509Certificate<'_>) -> Result<Vec<String>, TlsError> {
    let extension =
        certificate.subject_alternative_name().map_err(|error| TlsError::Peer(error.to_string()))?;
    let all = extension.map(|extension| extension.value.general_names.as_slice()).unwrap_or_default();
    Ok(all.iter().filter_map(name).collect())
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

        let names = ["mail.example", "192.0.2.1", "2001:db8::1"].map(String::from);
        let server = authority.issue_server(&names).unwrap();
        assert_eq!(PeerCertificate::parse(&der(&server)).unwrap().names, names);
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
