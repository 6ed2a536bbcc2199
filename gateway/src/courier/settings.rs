//! What the courier is told by the configuration. Plain values; nothing here opens a connection.

use std::{net::IpAddr, sync::Arc, time::Duration};

use rustls::ClientConfig;

use crate::dns::Resolver;

/// How mail leaves, whatever it is.
#[derive(Clone)]
pub struct Outbound {
    pub route: Route,
    /// The name given in EHLO; also how this server is known in the MX records of others.
    pub helo: String,
    /// The roots that certificates are checked against.
    pub roots: Arc<ClientConfig>,
    pub times: Times,
    /// Connections to one host at once.
    pub per_host: usize,
}

/// Where mail goes that leaves.
#[derive(Clone)]
pub enum Route {
    /// All of it to one server, which passes it on.
    Smarthost(Smarthost),
    /// Each mail to the exchangers of its recipient's domain (RFC 5321 §5.1).
    Mx(Box<Exchangers>),
}

#[derive(Clone)]
pub struct Smarthost {
    pub host: String,
    pub port: u16,
    pub tls: TlsPolicy,
    pub login: Option<Login>,
}

/// Delivery by MX records.
#[derive(Clone)]
pub struct Exchangers {
    pub resolver: Resolver,
    pub tls: TlsPolicy,
    /// Whether a mail exchanger, or the host of an MTA-STS policy, may have a private address.
    pub private: Private,
    /// Addresses of this server: never delivered to.
    pub own: Vec<IpAddr>,
    /// 25, except in tests.
    pub port: u16,
    /// 443, except in tests.
    pub policy_port: u16,
}

impl Exchangers {
    /// As on the public Internet.
    pub fn new(resolver: Resolver, tls: TlsPolicy) -> Self {
        Self { resolver, tls, private: Private::Refused, own: Vec::new(), port: 25, policy_port: 443 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Private {
    Refused,
    Allowed,
}

/// User and password at the smarthost; never given without TLS.
#[derive(Clone)]
pub struct Login {
    pub user: String,
    pub password: String,
}

/// How a connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsPolicy {
    /// No TLS with a certificate that checks out, no mail.
    Require,
    /// TLS if offered. At a smarthost the certificate must check out then; a mail exchanger found without MTA-STS
    /// may have any (RFC 7435): whoever could forge one could as well take STARTTLS away.
    Prefer,
    /// For loopback.
    None,
}

/// How long the steps of a dialogue may take (RFC 5321 §4.5.3.2 has minutes; a server that needs them is not well).
#[derive(Debug, Clone, Copy)]
pub struct Times {
    pub connect: Duration,
    /// For each command and its reply, the handshake of TLS, and each block of data.
    pub step: Duration,
    /// From the final dot to the reply. The one step where patience pays: who hangs up here sends twice
    /// (RFC 5321 §4.5.3.2.6, RFC 1047).
    pub end: Duration,
    /// A connection that nobody uses is given back after this.
    pub idle: Duration,
    /// An exchanger that did not answer in time is left alone for this long.
    pub rest: Duration,
    /// For a whole MTA-STS policy (RFC 8461 §3.3).
    pub policy: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            step: Duration::from_secs(60),
            end: Duration::from_mins(10),
            idle: Duration::from_secs(5),
            rest: Duration::from_mins(2),
            policy: Duration::from_secs(30),
        }
    }
}
