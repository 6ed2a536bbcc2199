//! What may stand several times: `[[poll]]`, a mailbox that Postern fetches from, and `[[provider]]`, a mail service
//! whose customers share its addresses.

use std::path::PathBuf;
use std::time::Duration;

use gateway::imap::{After, Folder, Pin, Tls};
use mail::{Address, GroupId};
use store::Network;
use toml::de::DeValue;

use super::document::{Document, Table};
use super::key::{Form, Key, OptionalKey, Section, Wrong};
use super::outward;
use super::secret::SecretPlace;
use super::value;

/// A mailbox of a company that is read over IMAP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Poll {
    /// Where it stands in the file.
    pub(super) line: usize,
    pub(crate) name: String,
    pub(crate) group: GroupId,
    pub(crate) mailbox: Address,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Tls,
    pub(crate) pin: Option<Pin>,
    pub(crate) ca: Option<PathBuf>,
    pub(crate) user: String,
    pub(crate) login: PollLogin,
    pub(crate) folder: Folder,
    pub(crate) after: After,
    pub(crate) refused_to: Option<Folder>,
    pub(crate) authserv_id: Option<String>,
    pub(crate) interval: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum PollLogin {
    Password(SecretPlace),
    /// XOAUTH2; the file is read again for each login.
    Token(SecretPlace),
}

const NAME: Key<String> = Key {
    name: "name",
    doc: "A short name of yours, for messages and pages. What was taken is remembered under it.",
    default: None,
    example: "\"beta-et\"",
    read: label,
};

const GROUP: Key<GroupId> = Key {
    name: "group",
    doc: "The company group whose mailbox it is.",
    default: None,
    example: "\"beta\"",
    read: group,
};

const MAILBOX: Key<Address> = Key {
    name: "mailbox",
    doc: "Its address, as it is mapped to a process.",
    default: None,
    example: "\"et@beta.example\"",
    read: outward::address,
};

const HOST: Key<(String, u16)> = Key {
    name: "host",
    doc: "Host and port of the IMAP server.",
    default: None,
    example: "\"imap.beta.example:993\"",
    read: |value| outward::host_and_port(value, "imap.example.org:993"),
};

const POLL_TLS: Key<Tls> = Key {
    name: "tls",
    doc: "\"implicit\" (port 993) or \"starttls\" (port 143). There is no way without.",
    default: Some("\"implicit\""),
    example: "",
    read: |value| value::choice(value, &[("implicit", Tls::Implicit), ("starttls", Tls::StartTls)]),
};

const PIN: OptionalKey<Pin> = OptionalKey {
    name: "pin",
    doc: "SHA-256 of the server's public key (SPKI), as hexadecimal digits, for a server whose certificate no authority vouches for.",
    example: "\"6f1d…\"",
    read: pin,
};

const POLL_CA: OptionalKey<PathBuf> = OptionalKey {
    name: "ca",
    doc: "PEM file of a further authority that may vouch for the server, beside the system's.",
    example: "\"tls/imap-ca.pem\"",
    read: value::path,
};

const POLL_USER: Key<String> = Key {
    name: "user",
    doc: "User name at the server.",
    default: None,
    example: "\"et@beta.example\"",
    read: value::text,
};

const POLL_PASSWORD: OptionalKey<SecretPlace> = OptionalKey {
    name: "password",
    doc: "Where the password lies: { file = \"…\" }, { credential = \"…\" } or { fd = 3 }.",
    example: "{ file = \"beta-et.password\" }",
    read: SecretPlace::read,
};

const TOKEN: OptionalKey<SecretPlace> = OptionalKey {
    name: "token",
    doc: "Instead of a password: where an OAuth 2.0 access token lies (XOAUTH2). It is read again for each login.",
    example: "{ file = \"beta-et.token\" }",
    read: SecretPlace::read,
};

const FOLDER: Key<Folder> = Key {
    name: "folder",
    doc: "The folder that is read.",
    default: Some("\"INBOX\""),
    example: "",
    read: folder,
};

const MOVE_TO: OptionalKey<Folder> = OptionalKey {
    name: "move_to",
    doc: "Where a mail is moved once it is durable here. When absent it is removed.",
    example: "\"Taken by Postern\"",
    read: folder,
};

const REFUSED_TO: OptionalKey<Folder> = OptionalKey {
    name: "refused_to",
    doc: "Where a mail is moved that cannot be taken, for example because nobody proved its sender. When absent it stays, marked $PosternRefused.",
    example: "\"Not taken\"",
    read: folder,
};

const AUTHSERV_ID: OptionalKey<String> = OptionalKey {
    name: "authserv_id",
    doc: "The name under which the mailbox's own server writes Authentication-Results (RFC 8601). Its word that a DKIM signature of the author's domain passed then \
          proves a sender. The server must remove such fields from mail that comes in.",
    example: "\"mx.beta.example\"",
    read: value::text,
};

const INTERVAL: Key<Duration> = Key {
    name: "interval",
    doc: "How often to look although the server announced nothing (IDLE).",
    default: Some("\"5 min\""),
    example: "",
    read: |value| value::duration(value, 1, 24 * 3600),
};

pub(crate) const POLL: Section = Section {
    name: "poll",
    doc: "A mailbox that only speaks IMAP: Postern fetches from it, and removes a mail there only when it is durable here.",
    form: Form::Entries,
    keys: &[
        &NAME,
        &GROUP,
        &MAILBOX,
        &HOST,
        &POLL_TLS,
        &PIN,
        &POLL_CA,
        &POLL_USER,
        &POLL_PASSWORD,
        &TOKEN,
        &FOLDER,
        &MOVE_TO,
        &REFUSED_TO,
        &AUTHSERV_ID,
        &INTERVAL,
    ],
};

impl Poll {
    pub(crate) fn read_all(document: &Document<'_>) -> Option<Vec<Self>> {
        let entries = document.entries(&POLL);
        let read: Vec<Option<Self>> = entries.iter().map(Self::read).collect();
        let polls: Vec<Self> = read.into_iter().collect::<Option<_>>()?;
        for (position, (poll, table)) in polls.iter().zip(&entries).enumerate() {
            if polls[..position].iter().any(|earlier| earlier.name == poll.name) {
                let what = format!("there is another [[poll]] with the name \"{}\"", poll.name);
                table.object("name", Wrong::new(what, "give each a name of its own"));
            }
        }
        Some(polls)
    }

    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let (name, group, mailbox) = (table.read(&NAME), table.read(&GROUP), table.read(&MAILBOX));
        let (host, tls) = (table.read(&HOST), table.read(&POLL_TLS));
        let (pin, ca) = (table.read_optional(&PIN), table.read_optional(&POLL_CA));
        let (user, login) = (table.read(&POLL_USER), Self::login(table));
        let (folder, move_to) = (table.read(&FOLDER), table.read_optional(&MOVE_TO));
        let refused_to = table.read_optional(&REFUSED_TO);
        let (authserv_id, interval) = (table.read_optional(&AUTHSERV_ID), table.read(&INTERVAL));
        let (host, port) = host?;
        Some(Self {
            line: table.line(),
            name: name?,
            group: group?,
            mailbox: mailbox?,
            host,
            port,
            tls: tls?,
            pin: pin?,
            ca: ca?.map(|file| table.place(file)),
            user: user?,
            login: login?,
            folder: folder?,
            after: move_to?.map_or(After::Remove, After::MoveTo),
            refused_to: refused_to?,
            authserv_id: authserv_id?,
            interval: interval?,
        })
    }

    /// The password, or none for a token, which is read anew for each login.
    pub(crate) fn password(&self) -> Result<Option<String>, Wrong> {
        match &self.login {
            PollLogin::Password(place) => place.password().map(Some),
            PollLogin::Token(place) => place.path().map(|_| None),
        }
    }

    fn login(table: &Table<'_, '_>) -> Option<PollLogin> {
        let (password, token) = (table.read_optional(&POLL_PASSWORD)?, table.read_optional(&TOKEN)?);
        let place = |place: SecretPlace| place.within(&table.place(PathBuf::new()));
        match (password, token) {
            (Some(password), None) => Some(PollLogin::Password(place(password))),
            (None, Some(token)) => Some(PollLogin::Token(place(token))),
            (None, None) => {
                let remedy = "write password = { file = \"…\" }, or token = { file = \"…\" } for XOAUTH2";
                table.object("password", Wrong::new("there is nothing to log in with", remedy));
                None
            }
            (Some(_), Some(_)) => {
                table.object("token", Wrong::new("password and token stand together", "keep one of the two"));
                None
            }
        }
    }
}

/// A mail service that many companies send through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Provider {
    pub(crate) name: String,
    pub(crate) networks: Vec<Network>,
    pub(crate) certificate_names: Vec<String>,
}

const PROVIDER_NAME: Key<String> = Key {
    name: "name",
    doc: "The name that connectors refer to.",
    default: None,
    example: "\"exchange-online\"",
    read: label,
};

const NETWORKS: Key<Vec<Network>> = Key {
    name: "networks",
    doc: "Networks that the service sends from, as it publishes them.",
    default: None,
    example: "[\"40.92.0.0/15\", \"40.107.0.0/16\"]",
    read: |value| value::list(value, network),
};

const CERTIFICATE_NAMES: Key<Vec<String>> = Key {
    name: "certificate_names",
    doc: "Names in the service's client certificate, which a public authority vouches for; \"*.\" stands for one label.",
    default: Some("[]"),
    example: "",
    read: |value| value::list(value, value::text),
};

pub(crate) const PROVIDER: Section = Section {
    name: "provider",
    doc: "A mail service whose customers share its addresses and certificate. A connector (`postern connector`) binds one customer of \
          it to one company group.",
    form: Form::Entries,
    keys: &[&PROVIDER_NAME, &NETWORKS, &CERTIFICATE_NAMES],
};

impl Provider {
    pub(crate) fn read_all(document: &Document<'_>) -> Option<Vec<Self>> {
        document.entries(&PROVIDER).iter().map(Self::read).collect()
    }

    fn read(table: &Table<'_, '_>) -> Option<Self> {
        let (name, networks) = (table.read(&PROVIDER_NAME), table.read(&NETWORKS));
        let certificate_names = table.read(&CERTIFICATE_NAMES);
        let provider = Self { name: name?, networks: networks?, certificate_names: certificate_names? };
        if provider.networks.is_empty() && provider.certificate_names.is_empty() {
            let what = "nothing says which peers belong to this service";
            table.object("networks", Wrong::new(what, "write networks, or certificate_names"));
        }
        Some(provider)
    }
}

fn label(value: &DeValue<'_>) -> Result<String, Wrong> {
    let written = value::text(value)?;
    match value::is_label(&written) {
        true => Ok(written),
        false => Err(Wrong::new(
            format!("\"{written}\" is not a name"),
            "write letters, digits and hyphens, at most 63",
        )),
    }
}

fn group(value: &DeValue<'_>) -> Result<GroupId, Wrong> {
    let written = value::text(value)?;
    written.parse().map_err(|error| {
        Wrong::new(
            format!("\"{written}\" is not a company group: {error}"),
            "write its id, as `postern directory list` shows it",
        )
    })
}

fn network(value: &DeValue<'_>) -> Result<Network, Wrong> {
    let written = value::text(value)?;
    written.parse().map_err(|error| {
        Wrong::new(
            format!("\"{written}\" is not a network: {error}"),
            "write an address and a length, such as \"40.92.0.0/15\"",
        )
    })
}

fn folder(value: &DeValue<'_>) -> Result<Folder, Wrong> {
    let written = value::text(value)?;
    Folder::parse(&written).map_err(|error| {
        Wrong::new(
            format!("\"{written}\" is not a folder name: {error}"),
            "write the name as a mail program shows it",
        )
    })
}

fn pin(value: &DeValue<'_>) -> Result<Pin, Wrong> {
    Pin::parse(&value::text(value)?).ok_or_else(|| {
        Wrong::new(
            "this is no SHA-256 of a public key",
            "write 64 hexadecimal digits: openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | sha256sum",
        )
    })
}
