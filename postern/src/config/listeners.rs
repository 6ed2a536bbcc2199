//! The sections about mail coming in: `[smtp]`, `[submission]`, `[limits]`, `[tls]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use super::document::Document;
use super::key::{Key, OptionalKey, Section};
use super::value;

/// Whether a listener offers STARTTLS (RFC 3207).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerTls {
    Starttls,
    None,
}

/// One of the two mail listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailListener {
    pub(crate) listen: Vec<SocketAddr>,
    /// Addresses where TLS begins with the first byte (RFC 8314 §3.3).
    pub(crate) listen_tls: Vec<SocketAddr>,
    pub(crate) tls: ListenerTls,
    pub(crate) login_without_tls: bool,
}

const SMTP_LISTEN: Key<Vec<SocketAddr>> = Key {
    name: "listen",
    doc: "Addresses for the companies' mail systems. An empty list switches the listener off.",
    default: Some("[\"0.0.0.0:25\"]"),
    example: "",
    read: sockets,
};

const SUBMISSION_LISTEN: Key<Vec<SocketAddr>> = Key {
    name: "listen",
    doc: "Addresses for staff mail clients. An empty list switches the listener off.",
    default: Some("[\"0.0.0.0:587\"]"),
    example: "",
    read: sockets,
};

const LISTEN_TLS: Key<Vec<SocketAddr>> = Key {
    name: "listen_tls",
    doc: "Addresses where TLS begins with the first byte, usually port 465 (RFC 8314).",
    default: Some("[]"),
    example: "",
    read: sockets,
};

const TLS_MODE: Key<ListenerTls> = Key {
    name: "tls",
    doc: "\"starttls\", or \"none\", which only loopback addresses may have.",
    default: Some("\"starttls\""),
    example: "",
    read: |value| value::choice(value, &[("starttls", ListenerTls::Starttls), ("none", ListenerTls::None)]),
};

const LOGIN_WITHOUT_TLS: Key<bool> = Key {
    name: "login_without_tls",
    doc: "Whether passwords may travel in the clear. Only loopback addresses may say true.",
    default: Some("false"),
    example: "",
    read: value::switch,
};

pub(crate) const SMTP: Section = Section {
    name: "smtp",
    doc: "Mail from the companies' mail systems.",
    keys: &[&SMTP_LISTEN, &TLS_MODE, &LOGIN_WITHOUT_TLS],
};

pub(crate) const SUBMISSION: Section = Section {
    name: "submission",
    doc: "Mail from staff mail clients.",
    keys: &[&SUBMISSION_LISTEN, &LISTEN_TLS, &TLS_MODE, &LOGIN_WITHOUT_TLS],
};

fn sockets(value: &toml::de::DeValue<'_>) -> Result<Vec<SocketAddr>, super::key::Wrong> {
    value::list(value, value::socket)
}

impl MailListener {
    pub(crate) fn read_smtp(document: &Document<'_>) -> Option<Self> {
        Self::read(document, &SMTP, &SMTP_LISTEN, Some(Vec::new()))
    }

    pub(crate) fn read_submission(document: &Document<'_>) -> Option<Self> {
        let listen_tls = document.table(&SUBMISSION).read(&LISTEN_TLS);
        Self::read(document, &SUBMISSION, &SUBMISSION_LISTEN, listen_tls)
    }

    fn read(
        document: &Document<'_>,
        section: &'static Section,
        listen: &Key<Vec<SocketAddr>>,
        listen_tls: Option<Vec<SocketAddr>>,
    ) -> Option<Self> {
        let table = document.table(section);
        let (listen, tls) = (table.read(listen), table.read(&TLS_MODE));
        let login_without_tls = table.read(&LOGIN_WITHOUT_TLS);
        Some(Self {
            listen: listen?,
            listen_tls: listen_tls?,
            tls: tls?,
            login_without_tls: login_without_tls?,
        })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.listen.iter().all(|address| address.ip().is_loopback())
    }

    /// Whether any of its addresses speaks TLS.
    pub(crate) fn wants_certificate(&self) -> bool {
        let starttls = self.tls == ListenerTls::Starttls && !self.listen.is_empty();
        starttls || !self.listen_tls.is_empty()
    }
}

/// What one peer, one message and one connection may cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(crate) message: u64,
    pub(crate) line: u64,
    pub(crate) recipients: u32,
    pub(crate) errors: u32,
    pub(crate) connections: u32,
    pub(crate) connections_per_peer: u32,
    pub(crate) command_timeout: Duration,
    pub(crate) data_timeout: Duration,
}

const MESSAGE: Key<u64> = Key {
    name: "message",
    doc: "The largest message taken, announced as SIZE (RFC 1870). Attachments grow by a third on the way.",
    default: Some("\"100 MiB\""),
    example: "",
    read: |value| value::size(value, 64 << 10, 1 << 30),
};

const LINE: Key<u64> = Key {
    name: "line",
    doc: "The longest line of a message, its end included. RFC 5321 §4.5.3.1.6 wants at least 1000 bytes; real mail has \
          longer ones.",
    default: Some("\"1 MiB\""),
    example: "",
    read: |value| value::size(value, 1000, 16 << 20),
};

const ERRORS: Key<u32> = Key {
    name: "errors",
    doc: "Refused commands, recipients among them, before a connection is closed.",
    default: Some("20"),
    example: "",
    read: |value| value::whole(value, 1, 1000),
};

const RECIPIENTS: Key<u32> = Key {
    name: "recipients",
    doc: "Recipients in one transaction; RFC 5321 §4.5.3.1.8 wants at least 100.",
    default: Some("100"),
    example: "",
    read: |value| value::whole(value, 1, 10_000),
};

const CONNECTIONS: Key<u32> = Key {
    name: "connections",
    doc: "Open connections on each mail listener.",
    default: Some("10000"),
    example: "",
    read: |value| value::whole(value, 1, 100_000),
};

const CONNECTIONS_PER_PEER: Key<u32> = Key {
    name: "connections_per_peer",
    doc: "Open connections from one address, so that no single peer stops the others.",
    default: Some("100"),
    example: "",
    read: |value| value::whole(value, 1, 100_000),
};

const COMMAND_TIMEOUT: Key<Duration> = Key {
    name: "command_timeout",
    doc: "Longest wait for a command; RFC 5321 §4.5.3.2.7 wants five minutes.",
    default: Some("\"5 min\""),
    example: "",
    read: |value| value::duration(value, 1, 3600),
};

const DATA_TIMEOUT: Key<Duration> = Key {
    name: "data_timeout",
    doc: "Longest wait for the next piece of a message; RFC 5321 §4.5.3.2.5 wants three minutes.",
    default: Some("\"3 min\""),
    example: "",
    read: |value| value::duration(value, 1, 3600),
};

pub(crate) const LIMITS: Section = Section {
    name: "limits",
    doc: "Bounds for every connection and message, on both mail listeners.",
    keys: &[
        &MESSAGE,
        &LINE,
        &RECIPIENTS,
        &ERRORS,
        &CONNECTIONS,
        &CONNECTIONS_PER_PEER,
        &COMMAND_TIMEOUT,
        &DATA_TIMEOUT,
    ],
};

impl Limits {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&LIMITS);
        let (message, recipients) = (table.read(&MESSAGE), table.read(&RECIPIENTS));
        let (line, errors) = (table.read(&LINE), table.read(&ERRORS));
        let connections = table.read(&CONNECTIONS);
        let connections_per_peer = table.read(&CONNECTIONS_PER_PEER);
        let command_timeout = table.read(&COMMAND_TIMEOUT);
        let data_timeout = table.read(&DATA_TIMEOUT);
        Some(Self {
            message: message?,
            line: line?,
            recipients: recipients?,
            errors: errors?,
            connections: connections?,
            connections_per_peer: connections_per_peer?,
            command_timeout: command_timeout?,
            data_timeout: data_timeout?,
        })
    }
}

/// The certificate that mail peers and browsers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_ca: Option<PathBuf>,
}

const CERTIFICATE: OptionalKey<PathBuf> = OptionalKey {
    name: "certificate",
    doc: "PEM file: this host's certificate, then the ones between it and the root. SIGHUP reads it again.",
    example: "\"tls/server.pem\"",
    read: value::path,
};

const PRIVATE_KEY: OptionalKey<PathBuf> = OptionalKey {
    name: "key",
    doc: "PEM file with the certificate's private key, mode 0600.",
    example: "\"tls/server.key\"",
    read: value::path,
};

const CLIENT_CA: OptionalKey<PathBuf> = OptionalKey {
    name: "client_ca",
    doc: "PEM file of the authority whose client certificates prove a company's mail system. \
          Client certificates are not asked for when absent.",
    example: "\"ca/ca.pem\"",
    read: value::path,
};

pub(crate) const TLS: Section = Section {
    name: "tls",
    doc: "The certificate shown to mail peers and browsers.",
    keys: &[&CERTIFICATE, &PRIVATE_KEY, &CLIENT_CA],
};

impl Tls {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&TLS);
        let place = |path: Option<PathBuf>| path.map(|path| table.place(path));
        let certificate = table.read_optional(&CERTIFICATE);
        let (key, client_ca) = (table.read_optional(&PRIVATE_KEY), table.read_optional(&CLIENT_CA));
        Some(Self { certificate: place(certificate?), key: place(key?), client_ca: place(client_ca?) })
    }
}
