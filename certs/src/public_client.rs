//! Client certificates of public authorities, which mail providers show (`mail.protection.outlook.com`). They prove
//! one of the names that were asked for, and no company: all customers of a provider come with the same one.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::RootCertStore;
use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::ServerCertVerifier;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;

use crate::provider::tls_provider;
use crate::{PeerCertificate, TlsError, pem_file};

/// The public authorities that are trusted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PublicRoots {
    /// Those of the system.
    System,
    /// Those of a PEM file, no others.
    File(PathBuf),
}

pub(crate) struct PublicClients {
    clients: Arc<dyn ClientCertVerifier>,
    servers: Arc<WebPkiServerVerifier>,
}

impl PublicClients {
    pub(crate) fn load(roots: &PublicRoots) -> Result<Self, TlsError> {
        let mut store = RootCertStore::empty();
        match roots {
            PublicRoots::System => {
                // Systems ship roots that a strict reader refuses; the others stay usable.
                store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
            }
            PublicRoots::File(path) => pem_file::add_roots(path, &mut store)?,
        }
        if store.is_empty() {
            return Err(TlsError::NoRoots);
        }
        let store = Arc::new(store);
        let refused = |error: rustls::server::VerifierBuilderError| {
            TlsError::Library(rustls::Error::General(error.to_string()))
        };
        Ok(Self {
            clients: WebPkiClientVerifier::builder_with_provider(store.clone(), tls_provider())
                .allow_unauthenticated()
                .build()
                .map_err(refused)?,
            servers: WebPkiServerVerifier::builder_with_provider(store, tls_provider())
                .build()
                .map_err(refused)?,
        })
    }

    /// For the handshake, which needs signatures checked and nothing else.
    pub(crate) fn signatures(&self) -> Arc<dyn ClientCertVerifier> {
        self.clients.clone()
    }

    /// The first of `names` that the chain proves; `*.` in a name stands for one label. Public authorities no longer
    /// certify clients as such, so that a mail server shows what it also answers with: a certificate for servers counts.
    pub(crate) fn name<'a>(
        &self,
        chain: &[CertificateDer<'_>],
        names: &'a [String],
        now: UnixTime,
    ) -> Option<&'a str> {
        let (own, intermediates) = chain.split_first()?;
        let for_clients = self.clients.verify_client_cert(own, intermediates, now).is_ok();
        let certificate = PeerCertificate::parse(own).ok()?;
        let as_server = |name: &str| {
            ServerName::try_from(name.replacen("*.", "any.", 1)).is_ok_and(|name| {
                self.servers.verify_server_cert(own, intermediates, &name, &[], now).is_ok()
            })
        };
        names.iter().map(String::as_str).find(|name| {
            let mut certified = certificate.names.iter().filter(|other| stands_for(name, other));
            certified.any(|certified| for_clients || as_server(certified))
                || (!name.starts_with("*.") && as_server(name))
        })
    }
}

/// Whether a wanted name means a certified one.
fn stands_for(wanted: &str, certified: &str) -> bool {
    let any_label = || Some((wanted.strip_prefix("*.")?, certified.split_once('.')?.1));
    wanted.eq_ignore_ascii_case(certified)
        || any_label().is_some_and(|(wanted, certified)| wanted.eq_ignore_ascii_case(certified))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_one_label() {
        for (wanted, certified) in [
            ("mail.provider.example", "Mail.Provider.example"),
            ("*.provider.example", "mail.provider.example"),
            ("*.provider.example", "*.provider.example"),
        ] {
            assert!(stands_for(wanted, certified), "{wanted} {certified}");
        }
        for (wanted, certified) in [
            ("mail.provider.example", "*.provider.example"),
            ("*.provider.example", "provider.example"),
            ("*.provider.example", "a.mail.provider.example"),
            ("*.provider.example", "mail.other.example"),
            ("*", "example"),
        ] {
            assert!(!stands_for(wanted, certified), "{wanted} {certified}");
        }
    }
}
