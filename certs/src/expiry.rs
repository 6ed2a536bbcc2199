//! When certificates and revocation lists end, and when to say so. It reads no clock and renews nothing.

use std::path::{Path, PathBuf};

use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::{PeerCertificate, TlsError, pem_file};

const DAY: i64 = 24 * 60 * 60;

/// Days before the end at which people are told, from the first to the last.
pub const WARNINGS: [u8; 4] = [30, 14, 7, 1];

/// Something that ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expiry {
    pub held: Held,
    pub path: PathBuf,
    /// Whose it is: the server's name, or the authority's as in its certificate.
    pub name: String,
    /// Last second of validity, seconds since 1970.
    pub not_after: i64,
}

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// The server's own chain; the certificate of it that ends first counts.
    ServerCertificate,
    /// An authority whose client certificates prove a company.
    ClientAuthority,
    /// A revocation list; when it has ended, no client certificate of its authority is accepted.
    RevocationList,
}

/// How near the end is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Warning {
    Expired,
    /// No more than so many days are left: the narrowest of [`WARNINGS`] that was reached.
    Days(u8),
}

impl Expiry {
    /// Whether people are to be told at `now` (seconds since 1970).
    pub fn warning(&self, now: i64) -> Option<Warning> {
        warning(self.not_after, now)
    }
}

/// Whether people are to be told at `now` of what ends with the second `not_after` (both seconds since 1970). The answer
/// changes only at a threshold, so one message for each different answer is enough.
pub fn warning(not_after: i64, now: i64) -> Option<Warning> {
    let left = not_after.saturating_sub(now);
    match left {
        ..0 => Some(Warning::Expired),
        _ => WARNINGS
            .iter()
            .rev()
            .find(|&&days| left <= i64::from(days) * DAY)
            .map(|&days| Warning::Days(days)),
    }
}

/// The end of a certificate chain in a PEM file, such as that of a server.
pub fn of_chain(path: &Path) -> Result<Expiry, TlsError> {
    let chain = read(path)?;
    let not_after = chain.iter().map(|one| one.not_after).min().unwrap_or_default();
    let own = chain.into_iter().next().ok_or_else(|| TlsError::NoCertificate { path: path.into() })?;
    Ok(Expiry {
        held: Held::ServerCertificate,
        path: path.into(),
        name: own.name.unwrap_or(own.subject),
        not_after,
    })
}

/// The end of each authority of a PEM file.
pub fn of_authorities(path: &Path) -> Result<Vec<Expiry>, TlsError> {
    let each = read(path)?.into_iter().map(|one| Expiry {
        held: Held::ClientAuthority,
        path: path.into(),
        not_after: one.not_after,
        name: one.subject,
    });
    Ok(each.collect())
}

/// The end of each revocation list of a PEM file (RFC 5280 §5.1.2.5); one that does not say is taken for ended.
pub fn of_revocation_lists(path: &Path) -> Result<Vec<Expiry>, TlsError> {
    let lists = pem_file::revocation_lists(path)?;
    let each = lists.iter().map(|der| {
        let refused =
            |error: &dyn std::fmt::Display| TlsError::Pem { path: path.into(), reason: error.to_string() };
        let (_, list) = CertificateRevocationList::from_der(der).map_err(|error| refused(&error))?;
        Ok(Expiry {
            held: Held::RevocationList,
            path: path.into(),
            name: list.issuer().to_string(),
            not_after: list.next_update().map_or(0, |moment| moment.timestamp()),
        })
    });
    each.collect()
}

fn read(path: &Path) -> Result<Vec<PeerCertificate>, TlsError> {
    pem_file::certificates(path)?.iter().map(|der| PeerCertificate::parse(der)).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Authority;

    #[test]
    fn each_threshold_is_told_once_and_in_time() {
        let end = 1_800_000_000;
        let told = |seconds_left: i64| warning(end, end - seconds_left);
        assert_eq!(told(30 * DAY + 1), None);
        for (days, next) in WARNINGS.into_iter().zip([14, 7, 1, 0]) {
            assert_eq!(told(i64::from(days) * DAY), Some(Warning::Days(days)));
            assert_eq!(told(i64::from(next) * DAY + 1), Some(Warning::Days(days)));
        }
        assert_eq!(told(0), Some(Warning::Days(1)), "the last second counts");
        assert_eq!(told(-1), Some(Warning::Expired));
        assert_eq!(warning(i64::MIN, i64::MAX), Some(Warning::Expired));
        assert_eq!(warning(i64::MAX, i64::MIN), None);
    }

    #[test]
    fn every_file_tells_when_it_ends_and_whose_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::create(folder.path()).unwrap();
        let issued = authority.issue_server(&["mail.example".into()]).unwrap();
        let chain = folder.path().join("server.pem");
        fs::write(&chain, format!("{}{}", issued.certificate_pem, authority.ca_pem())).unwrap();
        let server = of_chain(&chain).unwrap();
        assert_eq!((server.name.as_str(), server.not_after), ("mail.example", issued.not_after));
        assert_eq!(server.warning(issued.not_after - DAY), Some(Warning::Days(1)));

        let authorities = of_authorities(&chain).unwrap();
        assert_eq!(authorities.len(), 2);
        assert!(authorities[1].name.starts_with("CN=Postern private CA"), "{authorities:?}");
        assert!(authorities[1].not_after > issued.not_after);

        let lists = of_revocation_lists(&authority.revocation_list()).unwrap();
        assert_eq!(lists.len(), 1);
        assert!(lists[0].not_after >= issued.not_after, "it outlives what it speaks of");
        assert!(of_revocation_lists(&chain).is_err() && of_chain(&authority.revocation_list()).is_err());
    }
}
