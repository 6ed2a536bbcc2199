//! How a mail came here, for the one line that goes in front of it when it goes on (RFC 5321 §4.4).

use std::net::IpAddr;

use certs::KeyError;
use jiff::{Timestamp, tz::TimeZone};

use policies::Protection;
use store::Proof;

use crate::{connector, gateway::Gateway, smtp::Circumstance};

/// What the transport showed of a mail's way here.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) peer: Option<IpAddr>,
    pub(crate) hello: Option<Box<str>>,
    protocol: &'static str,
    pub(crate) at: Timestamp,
}

impl Arrival {
    pub(crate) fn over_smtp(circumstance: &Circumstance<'_>, at: Timestamp) -> Self {
        Self {
            peer: Some(circumstance.peer),
            hello: circumstance.hello.map(Into::into),
            protocol: circumstance.protocol,
            at,
        }
    }

    /// Fetched from a mailbox.
    pub(crate) fn over_imap(at: Timestamp) -> Self {
        Self { peer: None, hello: None, protocol: "IMAP", at }
    }

    /// How it was protected on that way: the protocol's name says so (RFC 3848). The mailbox is asked over TLS.
    pub(crate) fn protection(&self) -> Protection {
        match self.protocol {
            "IMAP" => Protection::Verified,
            protocol if protocol.ends_with('S') || protocol.ends_with("SA") => Protection::Tls,
            _ => Protection::None,
        }
    }

    /// One line, CRLF included. It names no recipient: a blind copy would show. Its id is keyed, so that a mail of ours
    /// that comes round again is known (`connector.rs`).
    pub(crate) fn received_line(&self, gateway: &Gateway, proof: &Proof) -> Result<String, KeyError> {
        let from = match (&self.hello, self.peer) {
            // Where somebody sits at home is nobody's business.
            _ if matches!(proof, Proof::Login(..)) => String::new(),
            (Some(hello), Some(peer)) => format!("from {hello} ({}) ", literal(peer)),
            (None, Some(peer)) => format!("from {} ", literal(peer)),
            (_, None) => String::new(),
        };
        let date = self.at.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S +0000");
        let id = connector::mark(gateway.ledger())?;
        let host = &gateway.settings().hostname;
        Ok(format!("Received: {from}by {host} with {} id {id}; {date}\r\n", self.protocol))
    }
}

/// RFC 5321 §4.1.3
fn literal(peer: IpAddr) -> String {
    match peer {
        IpAddr::V4(peer) => format!("[{peer}]"),
        IpAddr::V6(peer) => format!("[IPv6:{peer}]"),
    }
}
