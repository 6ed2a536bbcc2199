//! TLS as a client: what the courier trusts when it delivers. Never a way to accept a certificate that does not verify.

use std::path::Path;
use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::provider::tls_provider;
use crate::{TlsError, pem_file};

/// A configuration for TLS 1.2 and 1.3 that trusts the system's roots and, if given, those of a PEM file.
///
/// Without a single root it is an error. Build it once and share it: reading the system's roots costs milliseconds.
pub fn client_config(extra_roots: Option<&Path>) -> Result<Arc<ClientConfig>, TlsError> {
    let mut roots = RootCertStore::empty();
    // Systems ship roots that a strict reader refuses; the others stay usable.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = extra_roots {
        pem_file::add_roots(path, &mut roots)?;
    }
    if roots.is_empty() {
        return Err(TlsError::NoRoots);
    }
    let config = ClientConfig::builder_with_provider(tls_provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::Library)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::Authority;

    #[test]
    fn extra_roots_are_read_or_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("roots.pem");
        let error = client_config(Some(&path)).unwrap_err();
        assert!(
            matches!(&error, TlsError::Read { .. }) && error.to_string().contains(path.to_str().unwrap())
        );

        fs::write(&path, "nothing here").unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsError::NoCertificate { .. })));

        let bad = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        fs::write(&path, bad).unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsError::Root { .. })));
        fs::write(&path, &bad[..40]).unwrap();
        assert!(matches!(client_config(Some(&path)), Err(TlsError::Pem { .. })));

        let authority = Authority::create(&folder.path().join("ca")).unwrap();
        fs::write(&path, authority.ca_pem()).unwrap();
        assert!(client_config(Some(&path)).is_ok());
    }
}
