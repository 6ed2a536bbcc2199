//! The sections about what people read: `[portal]`, `[notices]`, `[policy]`.

use std::net::SocketAddr;
use std::path::PathBuf;

use mail::Address;
use toml::de::DeValue;

use super::document::Document;
use super::key::{Form, Key, OptionalKey, Section, Wrong};
use super::secret::SecretPlace;
use super::value;

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Portal {
    pub(crate) listen: SocketAddr,
    pub(crate) tls: bool,
    pub(crate) behind_proxy: bool,
    /// Scheme and host, without a slash at the end.
    pub(crate) url: Option<String>,
}

const LISTEN: Key<SocketAddr> = Key {
    name: "listen",
    doc: "Address of the portal.",
    default: Some("\"127.0.0.1:8080\""),
    example: "",
    read: value::socket,
};

const PORTAL_TLS: Key<bool> = Key {
    name: "tls",
    doc: "Whether the portal speaks HTTPS itself, with the certificate of [tls]. \
          Plain HTTP is for loopback and for a reverse proxy.",
    default: Some("true"),
    example: "",
    read: value::switch,
};

const BEHIND_PROXY: Key<bool> = Key {
    name: "behind_proxy",
    doc: "Whether a reverse proxy ends TLS before the portal. Then tls = false is allowed on any address and url is wanted.",
    default: Some("false"),
    example: "",
    read: value::switch,
};

const URL: OptionalKey<String> = OptionalKey {
    name: "url",
    doc: "The address that people type and notices link to. May be left out while portal and smarthost are on loopback.",
    example: "\"https://portal.example.org\"",
    read: url,
};

pub(crate) const PORTAL: Section = Section {
    name: "portal",
    doc: "The pages for reading and answering.",
    form: Form::One,
    keys: &[&LISTEN, &PORTAL_TLS, &BEHIND_PROXY, &URL],
};

impl Portal {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&PORTAL);
        let (listen, tls) = (table.read(&LISTEN), table.read(&PORTAL_TLS));
        let (behind_proxy, url) = (table.read(&BEHIND_PROXY), table.read_optional(&URL));
        Some(Self { listen: listen?, tls: tls?, behind_proxy: behind_proxy?, url: url? })
    }
}

impl Portal {
    /// Whether its address leads a reader on another machine to that machine itself.
    pub(crate) fn links_to_loopback(&self) -> bool {
        let Some((_, authority)) = self.url.as_deref().and_then(|url| url.split_once("://")) else {
            return false;
        };
        let host = authority.rsplit_once(':').map_or(authority, |(host, _)| host);
        let address = host.parse::<std::net::Ipv4Addr>();
        host == "localhost" || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
    }
}

fn url(value: &DeValue<'_>) -> Result<String, Wrong> {
    let written = value::text(value)?;
    let remedy = "write the scheme and the host, such as \"https://portal.example.org\"";
    let trimmed = written.trim_end_matches('/');
    let (scheme, authority) = trimmed.split_once("://").unwrap_or(("", trimmed));
    let host = authority.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let host = host.map_or(authority, |(host, _)| host);
    let known = value::is_domain(host) || host == "localhost" || host.parse::<std::net::Ipv4Addr>().is_ok();
    match scheme {
        "https" | "http" if known => Ok(trimmed.to_owned()),
        "https" | "http" => {
            Err(Wrong::new(format!("\"{written}\" is not a scheme and a host alone"), remedy))
        }
        _ => Err(Wrong::new(format!("\"{written}\" is not a web address"), remedy)),
    }
}

/// How a connection to the smarthost is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutboundTls {
    Require,
    Prefer,
    None,
}

/// Who takes the mail that leaves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Exit {
    Smarthost {
        host: String,
        port: u16,
    },
    /// The servers that each recipient's domain names (RFC 5321 §5.1).
    Mx,
}

impl Exit {
    pub(crate) fn is_loopback(&self) -> bool {
        match self {
            Self::Smarthost { host, .. } => {
                let address = host.parse::<std::net::IpAddr>();
                host == "localhost" || address.is_ok_and(|address| address.is_loopback())
            }
            Self::Mx => false,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Notices {
    pub(crate) from: Address,
    pub(crate) reply_domain: String,
    pub(crate) smarthost: Exit,
    pub(crate) tls: OutboundTls,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) user: Option<String>,
    pub(crate) password: Option<SecretPlace>,
}

const FROM: Key<Address> = Key {
    name: "from",
    doc: "The address that notices come from, in a domain of yours.",
    default: None,
    example: "\"notices@post.example.org\"",
    read: address,
};

const REPLY_DOMAIN: Key<String> = Key {
    name: "reply_domain",
    doc: "The domain of reply addresses and of the envelope senders of notices. Its mail must arrive at [smtp] here.",
    default: None,
    example: "\"post.example.org\"",
    read: value::domain,
};

const SMARTHOST: Key<Exit> = Key {
    name: "smarthost",
    doc: "Host and port of the mail server that takes what leaves; or \"mx\": straight to the servers that each domain names \
          in the DNS, with MTA-STS (RFC 8461) where it is published.",
    default: None,
    example: "\"relay.example.org:587\"",
    read: smarthost,
};

const SMARTHOST_TLS: Key<OutboundTls> = Key {
    name: "tls",
    doc: "\"require\": STARTTLS with a certificate that verifies, or no delivery. \"prefer\": STARTTLS when offered. \
          \"none\": only to loopback.",
    default: Some("\"require\""),
    example: "",
    read: |value| {
        value::choice(
            value,
            &[
                ("require", OutboundTls::Require),
                ("prefer", OutboundTls::Prefer),
                ("none", OutboundTls::None),
            ],
        )
    },
};

const SMARTHOST_CA: OptionalKey<PathBuf> = OptionalKey {
    name: "ca",
    doc: "PEM file of a further authority that may vouch for the smarthost, beside the system's.",
    example: "\"tls/relay-ca.pem\"",
    read: value::path,
};

const USER: OptionalKey<String> = OptionalKey {
    name: "user",
    doc: "User name at the smarthost, when it wants a login.",
    example: "\"postern\"",
    read: value::text,
};

const PASSWORD: OptionalKey<SecretPlace> = OptionalKey {
    name: "password",
    doc: "Where the password lies: { file = \"…\" }, { credential = \"…\" } or { fd = 3 }. A file has mode 0600. Never the password itself.",
    example: "{ file = \"smarthost.password\" }",
    read: SecretPlace::read,
};

pub(crate) const NOTICES: Section = Section {
    name: "notices",
    doc: "The mails that say that something waits, and how they leave.",
    form: Form::One,
    keys: &[&FROM, &REPLY_DOMAIN, &SMARTHOST, &SMARTHOST_TLS, &SMARTHOST_CA, &USER, &PASSWORD],
};

impl Notices {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&NOTICES);
        let (from, reply_domain) = (table.read(&FROM), table.read(&REPLY_DOMAIN));
        let (smarthost, tls) = (table.read(&SMARTHOST), table.read(&SMARTHOST_TLS));
        let (ca, user) = (table.read_optional(&SMARTHOST_CA), table.read_optional(&USER));
        let password = table.read_optional(&PASSWORD);
        Some(Self {
            from: from?,
            reply_domain: reply_domain?,
            smarthost: smarthost?,
            tls: tls?,
            ca: ca?.map(|file| table.place(file)),
            user: user?,
            password: password?.map(|place| place.within(&table.place(PathBuf::new()))),
        })
    }
}

pub(super) fn address(value: &DeValue<'_>) -> Result<Address, Wrong> {
    let written = value::text(value)?;
    Address::parse(&written).map_err(|error| {
        Wrong::new(
            format!("\"{written}\" is not a mail address: {error}"),
            "write one address, such as \"notices@post.example.org\"",
        )
    })
}

fn smarthost(value: &DeValue<'_>) -> Result<Exit, Wrong> {
    if value.as_str() == Some("mx") {
        return Ok(Exit::Mx);
    }
    host_and_port(value, "relay.example.org:587").map(|(host, port)| Exit::Smarthost { host, port })
}

/// A host and a port, both needed.
pub(super) fn host_and_port(value: &DeValue<'_>, example: &str) -> Result<(String, u16), Wrong> {
    let written = value::text(value)?;
    let parts = written.rsplit_once(':').and_then(|(host, port)| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let named = value::is_domain(host) || host == "localhost" || host.parse::<std::net::IpAddr>().is_ok();
        let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
        named.then(|| (host.to_owned(), port))
    });
    parts.ok_or_else(|| {
        Wrong::new(
            format!("\"{written}\" is not a host and a port"),
            format!("write both, such as \"{example}\""),
        )
    })
}

/// Files that stand in for the shipped policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) catalogue: Option<PathBuf>,
    pub(crate) calendar: Option<PathBuf>,
    pub(crate) tags: Option<PathBuf>,
    pub(crate) verdicts: Option<PathBuf>,
}

const CATALOGUE: OptionalKey<PathBuf> = OptionalKey {
    name: "catalogue",
    doc: "The processes, their roles and response times, instead of the shipped ones.",
    example: "\"policies/processes.toml\"",
    read: value::path,
};

const CALENDAR: OptionalKey<PathBuf> = OptionalKey {
    name: "calendar",
    doc: "The bank holidays, instead of the shipped ones of England and Wales.",
    example: "\"policies/calendar.toml\"",
    read: value::path,
};

const TAGS: OptionalKey<PathBuf> = OptionalKey {
    name: "tags",
    doc: "How search tags are found, with the pattern of the companies' own reference numbers, instead of the shipped rules.",
    example: "\"policies/tags.toml\"",
    read: value::path,
};

const VERDICTS: OptionalKey<PathBuf> = OptionalKey {
    name: "verdicts",
    doc: "What happens to a mail for each kind of recipient, instead of the shipped rules.",
    example: "\"policies/verdicts.toml\"",
    read: value::path,
};

pub(crate) const POLICY: Section = Section {
    name: "policy",
    doc: "How mail is judged. The shipped policies are part of the program.",
    form: Form::One,
    keys: &[&CATALOGUE, &CALENDAR, &TAGS, &VERDICTS],
};

impl Policy {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&POLICY);
        let place = |path: Option<PathBuf>| path.map(|path| table.place(path));
        let (catalogue, calendar) = (table.read_optional(&CATALOGUE), table.read_optional(&CALENDAR));
        let (tags, verdicts) = (table.read_optional(&TAGS), table.read_optional(&VERDICTS));
        Some(Self {
            catalogue: place(catalogue?),
            calendar: place(calendar?),
            tags: place(tags?),
            verdicts: place(verdicts?),
        })
    }
}
