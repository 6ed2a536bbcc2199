//! Name look-ups: one resolver for the proof of domains, the courier and whoever else asks.
//!
//! "There is no such name" and "nobody could tell" are two answers and are never mixed up: the first may refuse a mail,
//! the second may only delay it. It validates no DNSSEC, and speaks no TLS to name servers.

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig, ResolverOpts};
use hickory_resolver::lookup::Lookup;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use mail_auth::MessageAuthenticator;
use rustls::{ClientConfig, RootCertStore};

#[cfg(test)]
pub(crate) mod zone;

/// Answers that are kept, at most: whoever sends mail chooses the names, so it must not grow with them.
const CACHED: u64 = 4096;

/// How often a name server is asked before it counts as silent.
const TRIES: usize = 2;

/// Records of one answer that are looked at; more is not mail routing.
const RECORDS: usize = 100;

/// Where names are looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsSettings {
    /// Name servers, asked over UDP and, for long answers, TCP. Empty: those of the system.
    pub servers: Vec<SocketAddr>,
    /// How long one look-up may take in all.
    pub timeout: Duration,
}

impl Default for DnsSettings {
    fn default() -> Self {
        Self { servers: Vec::new(), timeout: Duration::from_secs(10) }
    }
}

/// Why the resolver could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("names cannot be looked up: {0}; name the DNS servers in the configuration")]
pub struct DnsUnusable(String);

/// Why a name was not found.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DnsFailure {
    /// The name does not exist or has no such record: a final answer.
    #[error("there is no such name or record")]
    NotFound,
    /// No answer, or none that says anything: ask again later.
    #[error("names cannot be looked up now: {0}")]
    Temporary(String),
}

/// The one resolver of a process. A clone shares its cache.
#[derive(Clone)]
pub struct Resolver {
    inner: MessageAuthenticator,
    timeout: Duration,
}

impl Resolver {
    /// Sets up, asks nobody yet. Call it inside of a runtime.
    pub fn new(settings: &DnsSettings) -> Result<Self, DnsUnusable> {
        let (config, mut options) = match settings.servers.as_slice() {
            [] => read_system_conf().map_err(|error| DnsUnusable(error.to_string()))?,
            servers => (named(servers), ResolverOpts::default()),
        };
        options.cache_size = CACHED;
        options.attempts = TRIES - 1;
        options.timeout = settings.timeout / (TRIES as u32 + 1);
        let inner = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
            .with_options(options)
            .with_tls_config(no_tls().map_err(|error| DnsUnusable(error.to_string()))?)
            .build()
            .map_err(|error| DnsUnusable(error.to_string()))?;
        Ok(Self { inner: MessageAuthenticator(inner), timeout: settings.timeout })
    }

    /// Mail exchangers of a domain (RFC 5321 §5.1), most preferred first, without a final dot. A domain that takes no
    /// mail (RFC 7505) has the one exchanger `""`. `NotFound`: the domain has none, or is none; its address may serve.
    pub async fn mx(&self, domain: &str) -> Result<Vec<(u16, String)>, DnsFailure> {
        let lookup = self.lookup(domain, RecordType::MX).await?;
        let mut hosts: Vec<(u16, String)> = records(&lookup)
            .filter_map(|data| match data {
                RData::MX(mx) => Some((mx.preference, plain(&mx.exchange))),
                _ => None,
            })
            .collect();
        hosts.sort();
        some(hosts)
    }

    /// Addresses of a host, IPv6 and IPv4. A fault of one kind is not told if the other kind gave some.
    pub async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsFailure> {
        let (six, four) = tokio::join!(self.lookup(host, RecordType::AAAA), self.lookup(host, RecordType::A));
        let found: BTreeSet<IpAddr> =
            [&six, &four].into_iter().flatten().flat_map(records).filter_map(address).collect();
        match (found.is_empty(), six, four) {
            // IPv6 sorts last; it is offered first (RFC 6724 §2.1).
            (false, ..) => Ok(found.into_iter().rev().collect()),
            (true, Err(DnsFailure::Temporary(why)), _) | (true, _, Err(DnsFailure::Temporary(why))) => {
                Err(DnsFailure::Temporary(why))
            }
            (true, ..) => Err(DnsFailure::NotFound),
        }
    }

    /// Text records of a name, the strings of each joined; bytes that are no UTF-8 are replaced.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, DnsFailure> {
        let lookup = self.lookup(name, RecordType::TXT).await?;
        let texts = records(&lookup).filter_map(|data| match data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        });
        some(texts.collect())
    }

    /// The same resolver and cache, for the proof of domains.
    pub(crate) fn authenticator(&self) -> &MessageAuthenticator {
        &self.inner
    }

    async fn lookup(&self, name: &str, kind: RecordType) -> Result<Lookup, DnsFailure> {
        // What cannot be asked for cannot exist.
        let mut name = Name::from_str_relaxed(name).map_err(|_| DnsFailure::NotFound)?;
        // Otherwise the system's search list would be tried.
        name.set_fqdn(true);
        match tokio::time::timeout(self.timeout, self.inner.resolver().lookup(name, kind)).await {
            Ok(answer) => answer.map_err(|error| failure(&error)),
            Err(_) => Err(DnsFailure::Temporary("no name server answers in time".to_owned())),
        }
    }
}

fn named(servers: &[SocketAddr]) -> ResolverConfig {
    let servers = servers.iter().map(|server| {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = server.port();
            connection
        });
        NameServerConfig::new(server.ip(), true, connections.to_vec())
    });
    ResolverConfig::from_parts(None, Vec::new(), servers.collect())
}

/// Without one given, the resolver would read the system's roots, and fail where there are none.
fn no_tls() -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

/// Only an answer that says so means that nothing is there.
fn failure(error: &NetError) -> DnsFailure {
    match error.is_no_records_found() {
        true => DnsFailure::NotFound,
        false => DnsFailure::Temporary(error.to_string()),
    }
}

fn records(lookup: &Lookup) -> impl Iterator<Item = &RData> {
    lookup.answers().iter().map(|record| &record.data).take(RECORDS)
}

fn address(data: &RData) -> Option<IpAddr> {
    match data {
        RData::A(address) => Some(address.0.into()),
        RData::AAAA(address) => Some(address.0.into()),
        _ => None,
    }
}

fn plain(name: &Name) -> String {
    name.to_lowercase().to_ascii().trim_end_matches('.').to_owned()
}

/// An answer in which only other kinds of record stand (an alias that leads nowhere) holds nothing.
fn some<T>(found: Vec<T>) -> Result<Vec<T>, DnsFailure> {
    match found.is_empty() {
        true => Err(DnsFailure::NotFound),
        false => Ok(found),
    }
}

#[cfg(test)]
mod tests {
    use super::zone::Zone;
    use super::*;

    #[tokio::test]
    async fn exchangers_come_by_preference_and_without_a_dot() {
        let zone = Zone::open().await;
        zone.mx("beta.example", 20, "Backup.beta.example.").mx("beta.example", 10, "mx.beta.example.");
        zone.mx("closed.example", 0, ".");
        let resolver = zone.resolver();
        let expected = [(10, "mx.beta.example".to_owned()), (20, "backup.beta.example".to_owned())];
        assert_eq!(resolver.mx("Beta.Example").await.unwrap(), expected);
        assert_eq!(resolver.mx("closed.example").await.unwrap(), [(0, String::new())]);
    }

    #[tokio::test]
    async fn only_an_answer_that_says_so_means_that_nothing_is_there() {
        let zone = Zone::open().await;
        zone.host("mx.beta.example", "192.0.2.1").fails("broken.example").refuses("closed.example");
        let resolver = zone.resolver();
        for nothing in ["absent.example", "mx.beta.example", "", "bad..name", &"x".repeat(300)] {
            assert_eq!(resolver.mx(nothing).await, Err(DnsFailure::NotFound), "{nothing}");
        }
        for fault in ["broken.example", "closed.example"] {
            assert!(matches!(resolver.mx(fault).await, Err(DnsFailure::Temporary(_))), "{fault}");
            assert!(matches!(resolver.txt(fault).await, Err(DnsFailure::Temporary(_))), "{fault}");
            assert!(matches!(resolver.addresses(fault).await, Err(DnsFailure::Temporary(_))), "{fault}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_given_up_in_time() {
        let zone = Zone::open().await;
        zone.silent("slow.example");
        let resolver = Resolver::new(&zone.settings(Duration::from_millis(300))).unwrap();
        assert!(matches!(resolver.mx("slow.example").await, Err(DnsFailure::Temporary(_))));
        let nobody = DnsSettings { servers: vec!["127.0.0.1:9".parse().unwrap()], ..Default::default() };
        let resolver = Resolver::new(&nobody).unwrap();
        assert!(matches!(resolver.txt("slow.example").await, Err(DnsFailure::Temporary(_))));
    }

    #[tokio::test]
    async fn addresses_of_both_kinds_and_through_an_alias() {
        let zone = Zone::open().await;
        zone.host("mx.example", "192.0.2.1").host("mx.example", "2001:db8::1");
        zone.alias("www.example", "mx.example.").alias("lost.example", "nowhere.example.");
        let resolver = zone.resolver();
        let both: Vec<IpAddr> = vec!["2001:db8::1".parse().unwrap(), "192.0.2.1".parse().unwrap()];
        assert_eq!(resolver.addresses("mx.example").await.unwrap(), both);
        assert_eq!(resolver.addresses("www.example").await.unwrap(), both);
        assert_eq!(resolver.addresses("lost.example").await, Err(DnsFailure::NotFound));
        assert_eq!(resolver.addresses("absent.example").await, Err(DnsFailure::NotFound));
    }

    #[tokio::test]
    async fn long_texts_are_joined_and_answers_are_kept() {
        let zone = Zone::open().await;
        let long = "k".repeat(600);
        zone.txt("key.example", &long);
        let resolver = zone.resolver();
        for _ in 0..3 {
            assert_eq!(resolver.clone().txt("key.example").await.unwrap(), [long.as_str()]);
        }
        assert_eq!(zone.asked(), 1);
    }
}
