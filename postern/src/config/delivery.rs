//! The sections about how mail leaves and whom Postern asks on the way: `[delivery]`, `[relay]`, `[held]`, `[dns]`, `[scanner]`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use gateway::virus::Clamd;
use toml::de::DeValue;

use super::document::Document;
use super::key::{Form, Key, OptionalKey, Section, Wrong};
use super::value;

/// How mail leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delivery {
    pub(crate) connections: u32,
    pub(crate) connections_per_domain: u32,
    pub(crate) give_up: Duration,
    pub(crate) delay_warning: Duration,
    pub(crate) dkim: Vec<Signing>,
    pub(crate) private_addresses: bool,
}

/// A key that signs what Postern writes (RFC 6376).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signing {
    pub(crate) selector: String,
    pub(crate) key: PathBuf,
}

const OUT_CONNECTIONS: Key<u32> = Key {
    name: "connections",
    doc: "Outgoing connections at once. Slow ones do not count after a while, up to three times as many.",
    default: Some("8"),
    example: "",
    read: |value| value::whole(value, 1, 200),
};

const PER_DOMAIN: Key<u32> = Key {
    name: "connections_per_domain",
    doc: "Of these, to one domain or smarthost; to a domain fewer while other domains have some.",
    default: Some("4"),
    example: "",
    read: |value| value::whole(value, 1, 200),
};

const GIVE_UP: Key<Duration> = Key {
    name: "give_up",
    doc: "How long a mail is tried. Then the people concerned are told in the portal.",
    default: Some("\"120 h\""),
    example: "",
    read: |value| value::duration(value, 1, 30 * 24 * 3600),
};

const DELAY_WARNING: Key<Duration> = Key {
    name: "delay_warning",
    doc: "After how long the sender of a relayed mail is told that it waits (RFC 3461), once.",
    default: Some("\"4 h\""),
    example: "",
    read: |value| value::duration(value, 1, 30 * 24 * 3600),
};

const DKIM: Key<Vec<(String, PathBuf)>> = Key {
    name: "dkim",
    doc: "Keys that sign what Postern writes: \"selector=file\", one Ed25519 and one RSA-2048 key. `postern certs \
          dkim SELECTOR` makes them and prints the DNS records. Relayed mail is not signed again.",
    default: Some("[]"),
    example: "",
    read: |value| value::list(value, signing),
};

const PRIVATE: Key<bool> = Key {
    name: "private_addresses",
    doc: "Whether a domain's servers may have private addresses (10.0.0.0/8, 127.0.0.0/8 and the like). Only with smarthost = \"mx\".",
    default: Some("false"),
    example: "",
    read: value::switch,
};

pub(crate) const DELIVERY: Section = Section {
    name: "delivery",
    doc: "How mail leaves, whatever it is.",
    form: Form::One,
    keys: &[&OUT_CONNECTIONS, &PER_DOMAIN, &GIVE_UP, &DELAY_WARNING, &DKIM, &PRIVATE],
};

fn signing(value: &DeValue<'_>) -> Result<(String, PathBuf), Wrong> {
    let written = value::text(value)?;
    let parts = written.split_once('=').map(|(selector, file)| (selector.trim(), file.trim()));
    match parts {
        Some((selector, file)) if value::is_label(selector) && !file.is_empty() => {
            Ok((selector.to_owned(), PathBuf::from(file)))
        }
        _ => Err(Wrong::new(
            format!("\"{written}\" is not a selector and a file"),
            "write both, such as \"postern-e1=dkim/postern-e1.pem\"",
        )),
    }
}

impl Delivery {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&DELIVERY);
        let dkim = table.read(&DKIM);
        let (connections, per_domain) = (table.read(&OUT_CONNECTIONS), table.read(&PER_DOMAIN));
        let (give_up, delay_warning) = (table.read(&GIVE_UP), table.read(&DELAY_WARNING));
        let private_addresses = table.read(&PRIVATE);
        let place = |(selector, key)| Signing { selector, key: table.place(key) };
        Some(Self {
            connections: connections?,
            connections_per_domain: per_domain?,
            give_up: give_up?,
            delay_warning: delay_warning?,
            dkim: dkim?.into_iter().map(place).collect(),
            private_addresses: private_addresses?,
        })
    }
}

/// Whether mail that belongs to no case may go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relay {
    Off,
    On,
}

const RELAY_ENABLED: Key<bool> = Key {
    name: "enabled",
    doc: "Whether mail of a proved company to addresses that are not mapped goes on to them, as the verdict rules say. \
          Without it such mail is refused in the dialogue.",
    default: Some("false"),
    example: "",
    read: value::switch,
};

pub(crate) const RELAY: Section =
    Section { name: "relay", doc: "Mail that passes through.", form: Form::One, keys: &[&RELAY_ENABLED] };

impl Relay {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let enabled = document.table(&RELAY).read(&RELAY_ENABLED)?;
        Some(if enabled { Self::On } else { Self::Off })
    }
}

/// Mail that waits for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) return_after: Duration,
}

const RETURN_AFTER: Key<Duration> = Key {
    name: "return_after",
    doc: "How long a held mail waits for the compliance role of its company. Then it goes back: its sender is told, and its \
          content is destroyed.",
    default: Some("\"336 h\""),
    example: "",
    read: |value| value::duration(value, 1, 365 * 24 * 3600),
};

pub(crate) const HELD: Section =
    Section { name: "held", doc: "Mail that waits for a decision.", form: Form::One, keys: &[&RETURN_AFTER] };

impl Held {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        Some(Self { return_after: document.table(&HELD).read(&RETURN_AFTER)? })
    }
}

/// Whom Postern asks for names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Dns {
    pub(crate) servers: Vec<SocketAddr>,
    pub(crate) timeout: Duration,
}

const DNS_SERVERS: Key<Vec<SocketAddr>> = Key {
    name: "servers",
    doc: "Name servers that check signatures (DNSSEC) or stand near. An empty list: those of the system.",
    default: Some("[]"),
    example: "",
    read: |value| value::list(value, value::socket),
};

const DNS_TIMEOUT: Key<Duration> = Key {
    name: "timeout",
    doc: "How long one question may take.",
    default: Some("\"5 s\""),
    example: "",
    read: |value| value::duration(value, 1, 60),
};

pub(crate) const DNS: Section = Section {
    name: "dns",
    doc: "Name servers, for the proof of senders by domain and for delivery by MX.",
    form: Form::One,
    keys: &[&DNS_SERVERS, &DNS_TIMEOUT],
};

impl Dns {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&DNS);
        let (servers, timeout) = (table.read(&DNS_SERVERS), table.read(&DNS_TIMEOUT));
        Some(Self { servers: servers?, timeout: timeout? })
    }
}

/// The virus scanner.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scanner {
    pub(crate) clamd: Option<Clamd>,
    pub(crate) timeout: Duration,
    pub(crate) at_once: u32,
}

const CLAMD: OptionalKey<Clamd> = OptionalKey {
    name: "clamd",
    doc: "Where clamd listens: \"unix:/path\" or an address and port. Mail is shown as \"not checked\" while it is away, never as clean.",
    example: "\"unix:/run/clamav/clamd.ctl\"",
    read: clamd,
};

const SCAN_TIMEOUT: Key<Duration> = Key {
    name: "timeout",
    doc: "How long one mail waits for clamd in all.",
    default: Some("\"60 s\""),
    example: "",
    read: |value| value::duration(value, 1, 600),
};

const AT_ONCE: Key<u32> = Key {
    name: "at_once",
    doc: "Mails that are with clamd at once; it has ten threads (MaxThreads) unless it is told otherwise.",
    default: Some("8"),
    example: "",
    read: |value| value::whole(value, 1, 1000),
};

pub(crate) const SCANNER: Section = Section {
    name: "scanner",
    doc: "The virus scanner. A mail in which it finds something is held; both sides are told.",
    form: Form::One,
    keys: &[&CLAMD, &SCAN_TIMEOUT, &AT_ONCE],
};

fn clamd(value: &DeValue<'_>) -> Result<Clamd, Wrong> {
    let written = value::text(value)?;
    if let Some(path) = written.strip_prefix("unix:").filter(|path| path.starts_with('/')) {
        return Ok(Clamd::Unix(PathBuf::from(path)));
    }
    written.parse().map(Clamd::Tcp).map_err(|_| {
        Wrong::new(
            format!("\"{written}\" is neither a socket nor an address"),
            "write \"unix:/run/clamav/clamd.ctl\" or \"127.0.0.1:3310\"",
        )
    })
}

impl Scanner {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SCANNER);
        let (clamd, at_once) = (table.read_optional(&CLAMD), table.read(&AT_ONCE));
        let timeout = table.read(&SCAN_TIMEOUT);
        Some(Self { clamd: clamd?, timeout: timeout?, at_once: at_once? })
    }
}
