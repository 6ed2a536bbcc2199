//! Revocation lists of client authorities (RFC 5280 §5), read so that a wrong file is found when it is loaded and not
//! when a company can no longer send. It keeps no list and asks nobody on the network.

use std::collections::HashSet;
use std::path::Path;

use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::{CertificateRevocationList, FromDer};

use crate::provider::tls_provider;
use crate::{TlsError, peer, pem_file};

/// All lists of a file. Each of `authorities` must have signed one, or its certificates could no longer be judged. An
/// expired list is taken: it is better than none, and whoever judges by it sees that it has expired.
pub(crate) fn lists(
    path: &Path,
    authorities: &[CertificateDer<'_>],
) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let ders = pem_file::revocation_lists(path)?;
    let refused = |reason: String| TlsError::Pem { path: path.into(), reason };
    let lists = ders
        .iter()
        .map(|der| match CertificateRevocationList::from_der(der) {
            Ok((&[], list)) => Ok(list),
            Ok(_) => Err(refused("bytes follow a revocation list".into())),
            Err(error) => Err(refused(format!("a revocation list cannot be read: {error}"))),
        })
        .collect::<Result<Vec<_>, _>>()?;
    for authority in authorities {
        let (_, authority) =
            X509Certificate::from_der(authority).map_err(|error| refused(error.to_string()))?;
        if !lists.iter().any(|list| signed(list, &authority)) {
            let authority = authority.subject().to_string();
            return Err(TlsError::Uncovered { path: path.into(), authority });
        }
    }
    Ok(ders)
}

/// Everything that lists of a file take back, by [`PeerCertificate::issued`](crate::PeerCertificate).
pub(crate) fn taken_back(path: &Path) -> Result<HashSet<[u8; 32]>, TlsError> {
    let mut all = HashSet::new();
    for der in pem_file::revocation_lists(path)? {
        let (_, list) = CertificateRevocationList::from_der(&der)
            .map_err(|error| TlsError::Pem { path: path.into(), reason: error.to_string() })?;
        let issuer = list.issuer().as_raw();
        all.extend(list.iter_revoked_certificates().map(|one| peer::issued(issuer, one.raw_serial())));
    }
    Ok(all)
}

/// Whether a list has an authority's name and signature.
fn signed(list: &CertificateRevocationList<'_>, authority: &X509Certificate<'_>) -> bool {
    let key = &authority.public_key().subject_public_key.data;
    let (text, signature) = (list.tbs_cert_list.as_ref(), &list.signature_value.data);
    // Every algorithm is tried: a signature fits one of them or none.
    list.issuer().as_raw() == authority.subject().as_raw()
        && tls_provider()
            .signature_verification_algorithms
            .all
            .iter()
            .any(|algorithm| algorithm.verify_signature(key, text, signature).is_ok())
}
