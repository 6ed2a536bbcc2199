//! What a listener offers and how much it lets a peer use of the machine. Every limit comes from the caller; nothing
//! here reads a file or a clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use certs::ServerIdentity;
use mail::{Address, ReversePath};

/// How one listener behaves.
pub struct Options {
    /// What the configuration calls this listener; the guards are told.
    pub listener: String,
    /// The name this server gives itself.
    pub hostname: Hostname,
    /// Whether and when the connection is encrypted.
    pub security: Security,
    /// Whether a password may cross an unencrypted connection.
    pub plain_auth: PlainAuth,
    /// How a peer may prove who it is.
    pub identities: Identities,
    /// What a peer may use.
    pub limits: Limits,
    /// Where the server's half of a SCRAM nonce comes from.
    pub nonces: Nonces,
}

impl Options {
    /// A listener of this name with everything else as it is by default: no password without TLS; logins,
    /// certificates and networks vouch.
    pub fn new(listener: impl Into<String>, hostname: Hostname, security: Security) -> Self {
        Self {
            listener: listener.into(),
            hostname,
            security,
            plain_auth: PlainAuth::Never,
            identities: Identities::default(),
            limits: Limits::default(),
            nonces: Nonces::Random,
        }
    }
}

/// One way to prove who a peer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// A user's password, by AUTH.
    Login,
    /// A client certificate, in the TLS handshake.
    Certificate,
    /// The network that it connects from.
    Network,
    /// A mail provider's connector: the provider, and secret headers of the message.
    Connector,
    /// A DMARC-aligned DKIM signature of the message.
    Domain,
    /// Nobody: something that was sent from here comes back from wherever it went, with the null reverse-path. The
    /// recipient must be an address that only such mail can know.
    Return,
}

/// The ways that a listener accepts. By default those that prove a peer before it says MAIL.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Identities(u8);

/// Where random octets for SCRAM come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nonces {
    /// The system.
    Random,
    /// Always these: for tests and fuzzing, where a conversation must be the same each time. With a fixed nonce whoever
    /// has heard a login can say it again.
    Fixed([u8; 18]),
}

impl Means {
    const ALL: [Means; 6] =
        [Means::Login, Means::Certificate, Means::Network, Means::Connector, Means::Domain, Means::Return];

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl Identities {
    /// Every way there is.
    pub fn all() -> Self {
        Means::ALL.into_iter().collect()
    }

    pub fn accept(self, means: Means) -> bool {
        self.0 & means.bit() != 0
    }

    /// Whether the proof may come with the message, so that MAIL has to be heard without one.
    pub(crate) fn hear(self, from: &ReversePath) -> bool {
        self.accept(Means::Domain) || (self.accept(Means::Return) && *from == ReversePath::Null)
    }
}

impl Default for Identities {
    fn default() -> Self {
        [Means::Login, Means::Certificate, Means::Network].into_iter().collect()
    }
}

impl FromIterator<Means> for Identities {
    fn from_iter<T: IntoIterator<Item = Means>>(means: T) -> Self {
        Self(means.into_iter().fold(0, |bits, means| bits | means.bit()))
    }
}

impl fmt::Debug for Identities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(Means::ALL.into_iter().filter(|means| self.accept(*means))).finish()
    }
}

impl Nonces {
    /// None if the system has no random octets now.
    pub(crate) fn draw(self) -> Option<[u8; 18]> {
        match self {
            Nonces::Random => certs::random().ok(),
            Nonces::Fixed(octets) => Some(octets),
        }
    }
}

/// Encryption of a listener.
#[derive(Clone)]
pub enum Security {
    /// No TLS at all: for loopback and tests.
    Plain,
    /// Offered by STARTTLS (RFC 3207): ports 25 and 587.
    StartTls(Arc<ServerIdentity>),
    /// From the first octet (RFC 8314 §3.3): port 465.
    Implicit(Arc<ServerIdentity>),
}

impl Security {
    pub(crate) fn identity(&self) -> Option<&ServerIdentity> {
        match self {
            Self::Plain => None,
            Self::StartTls(identity) | Self::Implicit(identity) => Some(identity),
        }
    }
}

/// Whether AUTH is offered before TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlainAuth {
    /// Never (RFC 4954 §4).
    Never,
    /// To peers on the loopback interface, where nobody is on the wire.
    Loopback,
}

/// The name of this server in greetings and as the domain of `<postmaster>`.
#[derive(Clone, PartialEq, Eq)]
pub struct Hostname {
    postmaster: Address,
}

/// The name is no domain name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a host name: write a domain name such as mail.example.com, or an address literal such as [192.0.2.1]"
)]
pub struct HostnameError(String);

impl Hostname {
    /// Reads a domain name or an address literal (RFC 5321 §4.1.1.1).
    pub fn parse(name: &str) -> Result<Self, HostnameError> {
        match Address::parse(&format!("postmaster@{name}")) {
            Ok(postmaster) if name.is_ascii() => Ok(Self { postmaster }),
            _ => Err(HostnameError(name.to_owned())),
        }
    }

    /// The name, in lower case.
    pub fn as_str(&self) -> &str {
        self.postmaster.domain()
    }
}

impl fmt::Debug for Hostname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one peer, and all peers together, may use. Sizes in octets.
#[derive(Debug, Clone)]
pub struct Limits {
    /// A command line, CRLF included. RFC 5321 §4.5.3.1.4 asks for 512 and more for extensions.
    pub command_line: usize,
    /// An AUTH command or response, CRLF included (RFC 4954 §4: 12288).
    pub auth_line: usize,
    /// A line of a message, CRLF included.
    pub data_line: usize,
    /// A message, as announced by SIZE.
    pub message_size: u64,
    /// How much of a message that is refused already is still read, so that the peer gets to see the refusal,
    /// beyond `message_size`.
    pub overrun: u64,
    /// Recipients of one transaction (RFC 5321 §4.5.3.1.8 asks for 100).
    pub recipients: usize,
    /// Connections of this listener.
    pub connections: usize,
    /// Connections of one IPv4 address or one IPv6 /64.
    pub connections_per_address: usize,
    /// New connections of one IPv4 address or one IPv6 /64 within a minute: each may cost a TLS handshake.
    pub connections_per_minute: u32,
    /// Refused commands before the connection is closed.
    pub errors: u32,
    /// Commands that lead nowhere (NOOP, RSET, VRFY, HELP, EHLO, MAIL, a recipient said again, chunks of a few octets)
    /// between two messages.
    pub idle_commands: u32,
    /// Failed logins before the connection is closed.
    pub failed_logins: u32,
    /// Messages of one connection.
    pub transactions: u32,
    /// How long things may take.
    pub timeouts: Timeouts,
}

/// How long a peer may take (RFC 5321 §4.5.3.2).
#[derive(Debug, Clone)]
pub struct Timeouts {
    /// From the greeting to the end of the first command.
    pub greeting: Duration,
    /// From one command line to the end of the next, however its octets drip in.
    pub command: Duration,
    /// The TLS handshake.
    pub handshake: Duration,
    /// One block of a message.
    pub data_block: Duration,
    /// What a block is: as many octets as this rate brings in `data_block`. Slower peers are closed.
    pub data_rate: u32,
    /// A whole message.
    pub data_total: Duration,
    /// Taking our reply.
    pub write: Duration,
    /// From the start of a shutdown to the end of a transaction in flight.
    pub grace: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            command_line: 2048,
            auth_line: 12_288,
            data_line: 1024 * 1024,
            message_size: 100 * 1024 * 1024,
            overrun: 16 * 1024 * 1024,
            recipients: 1000,
            connections: 10_000,
            connections_per_address: 100,
            connections_per_minute: 6000,
            errors: 20,
            idle_commands: 100,
            failed_logins: 3,
            transactions: 10_000,
            timeouts: Timeouts::default(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        const MINUTE: u64 = 60;
        Self {
            greeting: Duration::from_secs(5 * MINUTE),
            command: Duration::from_secs(5 * MINUTE),
            handshake: Duration::from_secs(30),
            data_block: Duration::from_secs(3 * MINUTE),
            data_rate: 64,
            data_total: Duration::from_secs(60 * MINUTE),
            write: Duration::from_secs(MINUTE),
            grace: Duration::from_secs(20),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostname_cannot_break_a_line() {
        for bad in ["", "a\r\nb", "a b", "-a.example", "a..b", "münchen.example", "a@b"] {
            assert!(Hostname::parse(bad).is_err(), "{bad:?}");
        }
        for good in ["mail.example.com", "localhost", "[192.0.2.1]", "[IPv6:2001:db8::1]"] {
            assert!(Hostname::parse(good).is_ok(), "{good:?}");
        }
        assert_eq!(
            Hostname::parse("MX.Example").map(|name| name.as_str().to_owned()),
            Ok("mx.example".into())
        );
    }
}
