//! Certificates of a server, good ones and bad ones, and whom the client trusts.

use std::path::PathBuf;
use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ServerConfig};
use tempfile::TempDir;

use crate::HOST;

/// An authority, and a folder for what is read from files.
pub(crate) struct Papers {
    folder: TempDir,
    authority: Issuer<'static, KeyPair>,
    config: Arc<ClientConfig>,
}

/// A certificate with its key.
pub(crate) struct Identity {
    pub(crate) certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    SelfSigned,
    UnknownRoot,
    OtherName,
    Expired,
}

impl Papers {
    pub(crate) fn new() -> Self {
        certs::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let (authority, pem) = authority();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, pem).unwrap();
        let config = certs::client_config(Some(&file)).unwrap();
        Self { folder, authority, config }
    }

    /// Trusts the authority.
    pub(crate) fn trusting(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn identity(&self, flaw: Flaw) -> Identity {
        let name = if flaw == Flaw::OtherName { "elsewhere.example" } else { HOST };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if flaw == Flaw::Expired {
            params.not_before = date_time_ymd(2019, 1, 1);
            params.not_after = date_time_ymd(2020, 1, 1);
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match flaw {
            Flaw::SelfSigned => {
                // As openssl makes them; no verifier takes one for a server's own.
                params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
                params.self_signed(&key)
            }
            Flaw::UnknownRoot => params.signed_by(&key, &authority().0),
            _ => params.signed_by(&key, &self.authority),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Identity { certificate: certificate.unwrap().der().clone(), key }
    }
}

impl Identity {
    pub(crate) fn server_config(&self) -> Arc<ServerConfig> {
        let chain = vec![self.certificate.clone()];
        let config = ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(chain, self.key.clone_key()).unwrap())
    }
}

fn authority() -> (Issuer<'static, KeyPair>, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    (Issuer::new(params, key), pem)
}
