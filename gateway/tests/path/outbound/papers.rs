//! Certificates of a server, good ones and bad ones, and a client that trusts the one authority among them.

use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::HOST;

/// What is wrong with a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    None,
    SelfSigned,
    UnknownRoot,
    OtherName,
    Expired,
}

impl Flaw {
    /// By the file that a script of the corpus names.
    pub(crate) fn of(certificate: &str) -> Self {
        let ends = [
            ("self-signed.pem", Self::SelfSigned),
            ("unknown-root.pem", Self::UnknownRoot),
            ("other.example.org.pem", Self::OtherName),
            ("expired.pem", Self::Expired),
        ];
        ends.into_iter().find(|(end, _)| certificate.ends_with(end)).map_or(Self::None, |(_, flaw)| flaw)
    }
}

pub(crate) struct Papers {
    authority: Issuer<'static, KeyPair>,
    pub(crate) trusting: Arc<ClientConfig>,
}

impl Papers {
    pub(crate) fn new() -> Self {
        certs::install_provider();
        let (authority, certificate) = authority();
        let mut roots = RootCertStore::empty();
        roots.add(certificate).unwrap();
        let trusting = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Self { authority, trusting: Arc::new(trusting) }
    }

    pub(crate) fn server(&self, flaw: Flaw) -> Arc<ServerConfig> {
        let name = if flaw == Flaw::OtherName { "other.example.org" } else { HOST };
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        if flaw == Flaw::Expired {
            (params.not_before, params.not_after) = (date_time_ymd(2019, 1, 1), date_time_ymd(2020, 1, 1));
        }
        let key = KeyPair::generate().unwrap();
        let certificate = match flaw {
            Flaw::SelfSigned => params.self_signed(&key),
            Flaw::UnknownRoot => params.signed_by(&key, &authority().0),
            Flaw::None | Flaw::OtherName | Flaw::Expired => params.signed_by(&key, &self.authority),
        };
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder().with_no_client_auth();
        Arc::new(config.with_single_cert(vec![certificate.unwrap().der().clone()], key).unwrap())
    }
}

fn authority() -> (Issuer<'static, KeyPair>, rustls::pki_types::CertificateDer<'static>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap().der().clone();
    (Issuer::new(params, key), certificate)
}
