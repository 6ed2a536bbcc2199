//! The sections about mail coming in: `[smtp]`, `[submission]`, `[submissions]`, `[limits]`, `[tls]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use mail::Address;

use super::document::{Document, Table};
use super::key::{Form, Key, OptionalKey, Section};
use super::outward::address;
use super::value;

/// How a listener comes to TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ListenerTls {
    /// RFC 3207
    Starttls,
    /// With the first byte (RFC 8314 §3.3).
    Implicit,
    None,
}

/// What a listener takes as proof of who sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Identity {
    Login,
    Certificate,
    Network,
    Connector,
    Domain,
    Return,
}

/// One of the mail listeners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MailListener {
    pub(crate) listen: Vec<SocketAddr>,
    pub(crate) tls: ListenerTls,
    pub(crate) login_without_tls: bool,
    pub(crate) identities: Vec<Identity>,
    /// Where it is stricter, or wider, than `[limits]`.
    pub(crate) own: OwnLimits,
    /// Who reads mail for the postmaster; `[smtp]` says it for all listeners.
    pub(crate) postmaster: Option<Address>,
}

/// What a listener says instead of `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OwnLimits {
    pub(crate) message: Option<u64>,
    pub(crate) recipients: Option<u32>,
    pub(crate) connections: Option<u32>,
    pub(crate) connections_per_peer: Option<u32>,
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

const SUBMISSIONS_LISTEN: Key<Vec<SocketAddr>> = Key {
    name: "listen",
    doc: "Addresses where TLS begins with the first byte, usually port 465. An empty list switches the listener off.",
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

const SMTP_IDENTITIES: Key<Vec<Identity>> = Key {
    name: "identities",
    doc: "What proves a sender here: \"login\", \"certificate\" (a client certificate), \"network\" (a registered one), \
          \"connector\" (a mail service's customer), \"domain\" (DKIM of a registered domain, aligned, over TLS). \"return\" lets in what comes back to a mail of ours.",
    default: Some("[\"login\", \"certificate\", \"network\", \"connector\", \"domain\", \"return\"]"),
    example: "",
    read: identities,
};

const LOGIN_IDENTITIES: Key<Vec<Identity>> = Key {
    name: "identities",
    doc: "What proves a sender here, as under [smtp].",
    default: Some("[\"login\", \"certificate\"]"),
    example: "",
    read: identities,
};

const POSTMASTER: OptionalKey<Address> = OptionalKey {
    name: "postmaster",
    doc: "Who reads mail to <postmaster>, and to postmaster at server.name and at notices.reply_domain, on every listener. Such mail is judged as if \
          it had been sent to this address: a mapped mailbox, or with [relay] on any other. Absent: it is refused.",
    example: "\"post@operator.example\"",
    read: address,
};

const OWN_MESSAGE: OptionalKey<u64> = OptionalKey {
    name: "message",
    doc: "The largest message here, instead of that of [limits].",
    example: "\"35 MiB\"",
    read: MESSAGE.read,
};

const OWN_RECIPIENTS: OptionalKey<u32> = OptionalKey {
    name: "recipients",
    doc: "Recipients of one transaction here, instead of those of [limits].",
    example: "100",
    read: RECIPIENTS.read,
};

const OWN_CONNECTIONS: OptionalKey<u32> = OptionalKey {
    name: "connections",
    doc: "Connections here at once, instead of those of [limits].",
    example: "500",
    read: CONNECTIONS.read,
};

const OWN_PER_PEER: OptionalKey<u32> = OptionalKey {
    name: "connections_per_peer",
    doc: "Of these, from one address, instead of those of [limits].",
    example: "20",
    read: CONNECTIONS_PER_PEER.read,
};

pub(crate) const SMTP: Section = Section {
    name: "smtp",
    doc: "Mail from the companies' mail systems, usually on port 25.",
    form: Form::One,
    keys: &[
        &SMTP_LISTEN,
        &TLS_MODE,
        &LOGIN_WITHOUT_TLS,
        &SMTP_IDENTITIES,
        &POSTMASTER,
        &OWN_MESSAGE,
        &OWN_RECIPIENTS,
        &OWN_CONNECTIONS,
        &OWN_PER_PEER,
    ],
};

pub(crate) const SUBMISSION: Section = Section {
    name: "submission",
    doc: "Mail from staff mail clients, usually on port 587.",
    form: Form::One,
    keys: &[
        &SUBMISSION_LISTEN,
        &TLS_MODE,
        &LOGIN_WITHOUT_TLS,
        &LOGIN_IDENTITIES,
        &OWN_MESSAGE,
        &OWN_RECIPIENTS,
        &OWN_CONNECTIONS,
        &OWN_PER_PEER,
    ],
};

pub(crate) const SUBMISSIONS: Section = Section {
    name: "submissions",
    doc: "The same with TLS from the first byte (RFC 8314), usually on port 465.",
    form: Form::One,
    keys: &[
        &SUBMISSIONS_LISTEN,
        &LOGIN_IDENTITIES,
        &OWN_MESSAGE,
        &OWN_RECIPIENTS,
        &OWN_CONNECTIONS,
        &OWN_PER_PEER,
    ],
};

fn identities(value: &toml::de::DeValue<'_>) -> Result<Vec<Identity>, super::key::Wrong> {
    value::list(value, |value| {
        value::choice(
            value,
            &[
                ("login", Identity::Login),
                ("certificate", Identity::Certificate),
                ("network", Identity::Network),
                ("connector", Identity::Connector),
                ("domain", Identity::Domain),
                ("return", Identity::Return),
            ],
        )
    })
}

fn sockets(value: &toml::de::DeValue<'_>) -> Result<Vec<SocketAddr>, super::key::Wrong> {
    value::list(value, value::socket)
}

impl MailListener {
    pub(crate) fn read_smtp(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SMTP);
        let listener = Self::read(&table, &SMTP_LISTEN, &SMTP_IDENTITIES, Self::by_starttls(&table));
        let postmaster = table.read_optional(&POSTMASTER);
        Some(Self { postmaster: postmaster?, ..listener? })
    }

    pub(crate) fn read_submission(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SUBMISSION);
        Self::read(&table, &SUBMISSION_LISTEN, &LOGIN_IDENTITIES, Self::by_starttls(&table))
    }

    pub(crate) fn read_submissions(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SUBMISSIONS);
        Self::read(&table, &SUBMISSIONS_LISTEN, &LOGIN_IDENTITIES, Some((ListenerTls::Implicit, false)))
    }

    fn by_starttls(table: &Table<'_, '_>) -> Option<(ListenerTls, bool)> {
        let (tls, login_without_tls) = (table.read(&TLS_MODE), table.read(&LOGIN_WITHOUT_TLS));
        Some((tls?, login_without_tls?))
    }

    fn read(
        table: &Table<'_, '_>,
        listen: &Key<Vec<SocketAddr>>,
        identities: &Key<Vec<Identity>>,
        security: Option<(ListenerTls, bool)>,
    ) -> Option<Self> {
        let (listen, identities) = (table.read(listen), table.read(identities));
        let own = OwnLimits::read(table);
        let (tls, login_without_tls) = security?;
        Some(Self {
            listen: listen?,
            tls,
            login_without_tls,
            identities: identities?,
            own: own?,
            postmaster: None,
        })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.listen.iter().all(|address| address.ip().is_loopback())
    }

    /// Whether any of its addresses speaks TLS.
    pub(crate) fn wants_certificate(&self) -> bool {
        self.tls != ListenerTls::None && !self.listen.is_empty()
    }
}

impl OwnLimits {
    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let (message, recipients) = (table.read_optional(&OWN_MESSAGE), table.read_optional(&OWN_RECIPIENTS));
        let connections = table.read_optional(&OWN_CONNECTIONS);
        let connections_per_peer = table.read_optional(&OWN_PER_PEER);
        Some(Self {
            message: message?,
            recipients: recipients?,
            connections: connections?,
            connections_per_peer: connections_per_peer?,
        })
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
    pub(crate) signature_age: Duration,
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
    default: Some("1000"),
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

const SIGNATURE_AGE: Key<Duration> = Key {
    name: "signature_age",
    doc: "How old a DKIM signature may be that proves a sender, by its t= or the mail's Date; an older one may be a copy that somebody kept. \
          Longer than any company's mail system tries to deliver a mail.",
    default: Some("\"168 h\""),
    example: "",
    read: |value| value::duration(value, 3600, 8760 * 3600),
};

pub(crate) const LIMITS: Section = Section {
    name: "limits",
    doc: "Bounds for every connection and message, on every mail listener.",
    form: Form::One,
    keys: &[
        &MESSAGE,
        &LINE,
        &RECIPIENTS,
        &ERRORS,
        &CONNECTIONS,
        &CONNECTIONS_PER_PEER,
        &COMMAND_TIMEOUT,
        &DATA_TIMEOUT,
        &SIGNATURE_AGE,
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
        let (data_timeout, signature_age) = (table.read(&DATA_TIMEOUT), table.read(&SIGNATURE_AGE));
        Some(Self {
            message: message?,
            line: line?,
            recipients: recipients?,
            errors: errors?,
            connections: connections?,
            connections_per_peer: connections_per_peer?,
            command_timeout: command_timeout?,
            data_timeout: data_timeout?,
            signature_age: signature_age?,
        })
    }
}

/// The certificate that mail peers and browsers see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Tls {
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) client_ca: Option<PathBuf>,
    pub(crate) revoked: Option<PathBuf>,
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

const REVOKED: OptionalKey<PathBuf> = OptionalKey {
    name: "revoked",
    doc: "PEM file of the revocation list of client_ca; `postern certs revoke` keeps it in ca/crl.pem. A list that has run out \
          lets no client certificate prove anything until there is a new one.",
    example: "\"ca/crl.pem\"",
    read: value::path,
};

pub(crate) const TLS: Section = Section {
    name: "tls",
    doc: "The certificate shown to mail peers and browsers.",
    form: Form::One,
    keys: &[&CERTIFICATE, &PRIVATE_KEY, &CLIENT_CA, &REVOKED],
};

impl Tls {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&TLS);
        let place = |path: Option<PathBuf>| path.map(|path| table.place(path));
        let certificate = table.read_optional(&CERTIFICATE);
        let (key, client_ca) = (table.read_optional(&PRIVATE_KEY), table.read_optional(&CLIENT_CA));
        let revoked = table.read_optional(&REVOKED);
        Some(Self {
            certificate: place(certificate?),
            key: place(key?),
            client_ca: place(client_ca?),
            revoked: place(revoked?),
        })
    }
}
