//! Certificates, private keys and revocation lists out of PEM files. Says which file is wrong; never accepts an empty one.

use std::fs::{self, File};
use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustls::RootCertStore;
use rustls_pki_types::pem::{self, PemObject};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use zeroize::Zeroizing;

use crate::TlsError;

/// Far above any private key in PEM; the rest of a larger file is not read.
const LARGEST_KEY: usize = 64 * 1024;

/// All certificates of a file, at least one, in the file's order.
pub(crate) fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let text = fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })?;
    let all = CertificateDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem { path: path.into(), reason: error.to_string() })?;
    match all.is_empty() {
        true => Err(TlsError::NoCertificate { path: path.into() }),
        false => Ok(all),
    }
}

/// All revocation lists of a file, at least one.
pub(crate) fn revocation_lists(path: &Path) -> Result<Vec<CertificateRevocationListDer<'static>>, TlsError> {
    let text = fs::read(path).map_err(|source| TlsError::Read { path: path.into(), source })?;
    let all = CertificateRevocationListDer::pem_slice_iter(&text)
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| TlsError::Pem { path: path.into(), reason: error.to_string() })?;
    match all.is_empty() {
        true => Err(TlsError::NoRevocationList { path: path.into() }),
        false => Ok(all),
    }
}

/// The first private key of a file. A group may read it (Debian's `ssl-cert`), everybody may not.
pub(crate) fn private_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    let failed = |source| TlsError::Read { path: path.into(), source };
    let file = File::open(path).map_err(failed)?;
    let mode = file.metadata().map_err(failed)?.mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Err(TlsError::Exposed { path: path.into(), mode });
    }
    // Reserved at once: a growing buffer would leave copies of the key behind.
    let mut text = Zeroizing::new(Vec::with_capacity(LARGEST_KEY));
    file.take(LARGEST_KEY as u64).read_to_end(&mut text).map_err(failed)?;
    PrivateKeyDer::from_pem_slice(&text).map_err(|error| match error {
        pem::Error::NoItemsFound => TlsError::NoKey { path: path.into() },
        other => TlsError::Pem { path: path.into(), reason: other.to_string() },
    })
}

/// Adds every certificate of a file to the trusted ones; one that is no usable root is an error, not skipped.
pub(crate) fn add_roots(path: &Path, roots: &mut RootCertStore) -> Result<(), TlsError> {
    certificates(path)?.into_iter().try_for_each(|certificate| {
        let refused = |error: rustls::Error| TlsError::Root { path: path.into(), reason: error.to_string() };
        roots.add(certificate).map_err(refused)
    })
}
