//! The sections about what people read: `[portal]`, `[notices]`, `[policy]`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mail::Address;
use policies::FileKind;
use store::{SecondStepDefault, Stage};
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
    pub(crate) largest_upload: u64,
    pub(crate) drafts_kept: Duration,
    pub(crate) second_step: SecondStepDefault,
    pub(crate) breached_passwords: Option<PathBuf>,
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

const LARGEST_UPLOAD: Key<u64> = Key {
    name: "largest_upload",
    doc: "How much the files of a message may have that is written in the portal.",
    default: Some("\"2 GiB\""),
    example: "",
    read: |value| value::size(value, 1 << 20, 16 << 30),
};

const DRAFTS_KEPT: Key<Duration> = Key {
    name: "drafts_kept",
    doc: "How long a draft is kept that nobody goes on with. Then its text and its files are destroyed.",
    default: Some("\"720 h\""),
    example: "",
    read: |value| value::duration(value, 3600, 365 * 24 * 3600),
};

const SECOND_STEP: Key<SecondStepDefault> = Key {
    name: "second_step",
    doc: "Who needs a second step beside the password where a company has set nothing: \"invited\", who was invited; \"everybody\".",
    default: Some("\"invited\""),
    example: "",
    read: |value| {
        let choices = [("invited", SecondStepDefault::Invited), ("everybody", SecondStepDefault::Everybody)];
        value::choice(value, &choices)
    },
};

const BREACHED: OptionalKey<PathBuf> = OptionalKey {
    name: "breached_passwords",
    doc: "The list of breached passwords that nobody may choose, as Have I Been Pwned offers it: SHA-1, ordered by hash. \
          It is searched where it lies; no password leaves this machine.",
    example: "\"pwned-passwords-ordered-by-hash.txt\"",
    read: value::path,
};

pub(crate) const PORTAL: Section = Section {
    name: "portal",
    doc: "The pages for reading and answering.",
    form: Form::One,
    keys: &[
        &LISTEN,
        &PORTAL_TLS,
        &BEHIND_PROXY,
        &URL,
        &LARGEST_UPLOAD,
        &DRAFTS_KEPT,
        &SECOND_STEP,
        &BREACHED,
    ],
};

impl Portal {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&PORTAL);
        let (listen, tls) = (table.read(&LISTEN), table.read(&PORTAL_TLS));
        let (behind_proxy, url) = (table.read(&BEHIND_PROXY), table.read_optional(&URL));
        let (largest_upload, drafts_kept) = (table.read(&LARGEST_UPLOAD), table.read(&DRAFTS_KEPT));
        let (second_step, breached) = (table.read(&SECOND_STEP), table.read_optional(&BREACHED));
        Some(Self {
            listen: listen?,
            tls: tls?,
            behind_proxy: behind_proxy?,
            url: url?,
            largest_upload: largest_upload?,
            drafts_kept: drafts_kept?,
            second_step: second_step?,
            breached_passwords: breached?.map(|file| table.place(file)),
        })
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

/// Whose shipped catalogue it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Market {
    Energy,
    Casework,
}

/// Files that stand in for the shipped policies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Policy {
    pub(crate) stage: Stage,
    pub(crate) market: Market,
    pub(crate) catalogue: Option<PathBuf>,
    pub(crate) calendars: Vec<PathBuf>,
    pub(crate) one_off: Option<PathBuf>,
    pub(crate) tags: Option<PathBuf>,
    pub(crate) detectors: Option<PathBuf>,
    pub(crate) classification: Option<PathBuf>,
    pub(crate) verdicts: Option<PathBuf>,
    pub(crate) tried: Option<PathBuf>,
}

const STAGE: Key<Stage> = Key {
    name: "stage",
    doc: "What holds where nothing is set for a group or process (postern policy promote): \"live\", decisions are done; \
          \"shadow\", they are counted, and the mail goes on untouched, for which relay.enabled has to be true.",
    default: Some("\"live\""),
    example: "",
    read: |value| value::choice(value, &[("live", Stage::Live), ("shadow", Stage::Shadow)]),
};

const MARKET: Key<Market> = Key {
    name: "market",
    doc: "Which of the shipped catalogues: \"energy\", suppliers and network operators; \"casework\", councils and health bodies.",
    default: Some("\"energy\""),
    example: "",
    read: |value| value::choice(value, &[("energy", Market::Energy), ("casework", Market::Casework)]),
};

const CATALOGUE: OptionalKey<PathBuf> = OptionalKey {
    name: "catalogue",
    doc: "The processes, their roles and response times, instead of the shipped ones.",
    example: "\"policies/processes.toml\"",
    read: value::path,
};

const CALENDAR: OptionalKey<Vec<PathBuf>> = OptionalKey {
    name: "calendar",
    doc: "A file of bank holidays, or a list of such files: each in the place of the shipped calendar of the same name \
          (england-and-wales, scotland, northern-ireland), or beside them.",
    example: "[\"policies/scotland.toml\"]",
    read: |value| match value.as_array() {
        Some(_) => value::list(value, value::path),
        None => value::path(value).map(|path| vec![path]),
    },
};

const ONE_OFF: OptionalKey<PathBuf> = OptionalKey {
    name: "one_off",
    doc: "The holidays that are kept once, for the calendars that each names, instead of the shipped ones.",
    example: "\"policies/one-off.toml\"",
    read: value::path,
};

const TAGS: OptionalKey<PathBuf> = OptionalKey {
    name: "tags",
    doc: "How search tags are found, with the pattern of the companies' own reference numbers, instead of the shipped rules.",
    example: "\"policies/tags.toml\"",
    read: value::path,
};

const DETECTORS: OptionalKey<PathBuf> = OptionalKey {
    name: "detectors",
    doc: "How personal data are found, and what counts, instead of the shipped detectors.",
    example: "\"policies/detectors.toml\"",
    read: value::path,
};

const CLASSIFICATION: OptionalKey<PathBuf> = OptionalKey {
    name: "classification",
    doc: "What process a mail is about where no mailbox says so, instead of the shipped rules.",
    example: "\"policies/classification.toml\"",
    read: value::path,
};

const VERDICTS: OptionalKey<PathBuf> = OptionalKey {
    name: "verdicts",
    doc: "What happens to a mail for each kind of recipient, instead of the shipped rules.",
    example: "\"policies/verdicts.toml\"",
    read: value::path,
};

const TRIED: OptionalKey<PathBuf> = OptionalKey {
    name: "tried",
    doc: "A folder of policies to try beside those that stand (verdicts.toml, tags.toml, ... as postern policy show writes them; \
          what is not there is as it stands). Each mail is judged by both, and postern policy shadow-report counts where they differ.",
    example: "\"policies/tried\"",
    read: value::path,
};

pub(crate) const POLICY: Section = Section {
    name: "policy",
    doc: "How mail is judged. The shipped policies are part of the program.",
    form: Form::One,
    keys: &[
        &STAGE,
        &MARKET,
        &CATALOGUE,
        &CALENDAR,
        &ONE_OFF,
        &TAGS,
        &DETECTORS,
        &CLASSIFICATION,
        &VERDICTS,
        &TRIED,
    ],
};

impl Policy {
    /// Each file that may stand in for a shipped one, with its key.
    pub(crate) fn files(&self) -> [(&'static str, FileKind, Option<&Path>); 6] {
        [
            ("policy.catalogue", FileKind::Catalogue, self.catalogue.as_deref()),
            ("policy.tags", FileKind::Tags, self.tags.as_deref()),
            ("policy.detectors", FileKind::Detectors, self.detectors.as_deref()),
            ("policy.classification", FileKind::Classification, self.classification.as_deref()),
            ("policy.verdicts", FileKind::Verdicts, self.verdicts.as_deref()),
            ("policy.one_off", FileKind::OneOff, self.one_off.as_deref()),
        ]
    }

    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&POLICY);
        let place = |path: Option<PathBuf>| path.map(|path| table.place(path));
        let stage = table.read(&STAGE);
        let (market, catalogue) = (table.read(&MARKET), table.read_optional(&CATALOGUE));
        let (calendars, one_off) = (table.read_optional(&CALENDAR), table.read_optional(&ONE_OFF));
        let (tags, verdicts) = (table.read_optional(&TAGS), table.read_optional(&VERDICTS));
        let detectors = table.read_optional(&DETECTORS);
        let (classification, tried) = (table.read_optional(&CLASSIFICATION), table.read_optional(&TRIED));
        Some(Self {
            stage: stage?,
            market: market?,
            catalogue: place(catalogue?),
            calendars: calendars?.unwrap_or_default().into_iter().map(|file| table.place(file)).collect(),
            one_off: place(one_off?),
            tags: place(tags?),
            detectors: place(detectors?),
            classification: place(classification?),
            verdicts: place(verdicts?),
            tried: place(tried?),
        })
    }
}
