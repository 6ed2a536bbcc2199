//! Connectors of mail providers. All customers of a provider send from the same addresses and with the same certificate,
//! so those prove the provider only. Whose mail it is, its header must say, with a secret that the company's own
//! administrator had put there: the connector that matches both binds the mail to one group.
//!
//! Also here: how mail that goes round is known again. Nothing here decides what becomes of a mail.

use std::net::IpAddr;

use store::Network;

mod blot;
mod fuse;
mod gate;
mod mark;

pub use self::blot::Blotter;
pub use self::fuse::Fuse;
pub use self::gate::{Bound, HeaderGate, Unbound};
pub use self::mark::{Trail, mark};

/// A mail provider, as the configuration names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// What connectors of its customers name.
    pub name: String,
    /// Addresses that its mail servers send from.
    pub networks: Vec<Network>,
    /// Names in the client certificates of its mail servers, which a public authority must certify.
    pub certificate_names: Vec<String>,
}

/// All providers of the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Providers {
    all: Vec<Provider>,
    names: Vec<String>,
}

impl Providers {
    pub fn new(all: Vec<Provider>) -> Self {
        let names = all.iter().flat_map(|provider| provider.certificate_names.clone()).collect();
        Self { all, names }
    }

    /// The provider that sends from this address.
    pub fn by_network(&self, peer: IpAddr) -> Option<&Provider> {
        self.all.iter().find(|provider| provider.networks.iter().any(|network| network.contains(peer)))
    }

    /// The provider of this name in a certificate, which
    /// [`ServerIdentity::public_name`](certs::ServerIdentity::public_name) found among
    /// [`certificate_names`](Self::certificate_names).
    pub fn by_certificate_name(&self, name: &str) -> Option<&Provider> {
        let named = |provider: &&Provider| {
            provider.certificate_names.iter().any(|one| one.eq_ignore_ascii_case(name))
        };
        self.all.iter().find(named)
    }

    /// The names of all providers' certificates.
    pub fn certificate_names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn providers_are_known_by_network_or_certificate() {
        let provider = |name: &str, network: &str, certificate: &str| Provider {
            name: name.to_owned(),
            networks: vec![network.parse().unwrap()],
            certificate_names: vec![certificate.to_owned()],
        };
        let providers = Providers::new(vec![
            provider("exchange-online", "192.0.2.0/24", "mail.protection.example"),
            provider("google", "198.51.100.0/24", "smtp.google.example"),
        ]);
        let at = |address: &str| providers.by_network(address.parse().unwrap()).map(|one| one.name.as_str());
        assert_eq!(at("192.0.2.7"), Some("exchange-online"));
        assert_eq!(at("::ffff:198.51.100.7"), Some("google"));
        assert_eq!(at("203.0.113.1"), None);
        let named = |name: &str| providers.by_certificate_name(name).map(|one| one.name.as_str());
        assert_eq!(named("SMTP.google.example"), Some("google"));
        assert_eq!(named("google.example"), None);
        assert_eq!(providers.certificate_names(), ["mail.protection.example", "smtp.google.example"]);
    }
}
