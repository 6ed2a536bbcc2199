//! What a listener offers and how much it lets a peer use of the machine. Every limit comes from the caller; nothing
//! here reads a file or a clock.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use certs::ServerIdentity;
use mail::Address;

/// How one listener behaves.
pub struct Options {
    /// The name this server gives itself.
    pub hostname: Hostname,
    /// Whether and when the connection is encrypted.
    pub security: Security,
    /// Whether a password may cross an unencrypted connection.
    pub plain_auth: PlainAuth,
    /// What a peer may use.
    pub limits: Limits,
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

    /// Where `RCPT TO:<postmaster>` goes (RFC 5321 §4.5.1).
    pub(crate) fn postmaster(&self) -> &Address {
        &self.postmaster
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
    /// Refused commands before the connection is closed.
    pub errors: u32,
    /// Commands that lead nowhere (NOOP, RSET, VRFY, HELP, EHLO, MAIL) between two messages.
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
