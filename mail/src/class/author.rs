//! Whether the author of a mail is a person or a program, as far as name and address tell. An address proves nothing: a
//! program may write under a person's.

use crate::Person;

/// Who seems to write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Author {
    /// A mail system: what it writes is about delivery.
    System,
    /// A program that answers, or an address that takes no answer.
    Responder,
    /// The office behind a mail system or a list, where programs write mostly and people sometimes.
    Office,
    /// The mail names no author.
    Nobody,
    /// Anybody else.
    Person,
}

/// Local parts of mail systems, without hyphens, dots and underscores.
const SYSTEMS: [&str; 8] = [
    "mailerdaemon",
    "maildaemon",
    "mdaemon",
    "maildeliverysubsystem",
    "maildeliverysystem",
    "maildelivery",
    "mailsystem",
    "daemonmailer",
];

/// Display names of mail systems, lower case.
const SYSTEM_NAMES: [&str; 10] = [
    "mail delivery sub",
    "mail delivery sys",
    "mail delivery serv",
    "mailer-daemon",
    "mailer daemon",
    "mail deliver system",
    "email delivery sub",
    "maildelivery",
    "メール配信システム",
    "internet mail delivery",
];

/// Beginnings and ends of local parts that take no answer or answer by program, without hyphens, dots and underscores.
const RESPONDERS: [&str; 22] = [
    "noreply",
    "donotreply",
    "dontreply",
    "neverreply",
    "noreplies",
    "notreply",
    "autoreply",
    "autoresponder",
    "autoresponse",
    "automailer",
    "autoresponse",
    "nichtantworten",
    "bittenichtantworten",
    "nepasrepondre",
    "noresponder",
    "nonrispondere",
    "nietbeantwoorden",
    "naoresponda",
    "naoresponder",
    "nieodpowiadaj",
    "svarej",
    "ikkesvar",
];

/// Programs that keep mailing lists, whole local parts.
const LIST_PROGRAMS: [&str; 6] = ["listserv", "majordomo", "mailman", "listproc", "ezmlm", "sympa"];

/// Offices, whole local parts without hyphens, dots and underscores.
const OFFICES: [&str; 20] = [
    "postmaster",
    "postmstr",
    "mailadmin",
    "mailmaster",
    "emailadmin",
    "mailadministrator",
    "mailgateway",
    "mailgw",
    "mailscanner",
    "mailsweeper",
    "antispam",
    "antivirus",
    "virusalert",
    "viruswall",
    "amavis",
    "quarantine",
    "sysadmin",
    "systemadministrator",
    "bounce",
    "bounces",
];

/// Parts of the local parts of filters, without hyphens, dots and underscores.
const FILTERS: [&str; 14] = [
    "virus",
    "scanmail",
    "mailscan",
    "symantec",
    "interscan",
    "gwava",
    "sweeper",
    "contentfilter",
    "spamfilter",
    "mailmarshal",
    "mailsecurity",
    "mailguard",
    "ironport",
    "barracuda",
];

impl Author {
    pub(super) fn of(from: &[Person]) -> Self {
        let Some(person) = from.first() else {
            return Self::Nobody;
        };
        let name = person.name.as_deref().unwrap_or_default().trim().to_lowercase();
        let local = local_part(person.address.as_deref().unwrap_or_default());
        let plain: String = local.chars().filter(|c| !matches!(c, '-' | '_' | '.')).collect();
        if SYSTEMS.contains(&plain.as_str())
            || local == "post_master"
            || SYSTEM_NAMES.iter().any(|start| name.starts_with(start))
        {
            Self::System
        } else if RESPONDERS.iter().any(|word| plain.starts_with(word) || plain.ends_with(word))
            || LIST_PROGRAMS.contains(&local.as_str())
            || is_exchange(&plain)
        {
            Self::Responder
        } else if plain.is_empty() {
            Self::Nobody
        } else if is_office(&local, &plain) {
            Self::Office
        } else {
            Self::Person
        }
    }
}

/// Local part of an address, lower case; also of what some systems write instead of one.
fn local_part(address: &str) -> String {
    address.split('@').next().unwrap_or_default().trim_matches('"').to_ascii_lowercase()
}

fn is_office(local: &str, plain: &str) -> bool {
    let ends = ["-bounces", "-bounce", "-owner", "-admin", "-request", "-errors"];
    OFFICES.contains(&plain)
        || plain.starts_with("postmaster")
        || FILTERS.iter().any(|name| plain.contains(name))
        || local.starts_with("owner-")
        || ends.iter().any(|end| local.ends_with(end))
}

/// Exchange reports under `MicrosoftExchange` and the 32 digits of its own mailbox.
fn is_exchange(plain: &str) -> bool {
    plain
        .strip_prefix("microsoftexchange")
        .is_some_and(|id| id.len() == 32 && id.bytes().all(|b| b.is_ascii_hexdigit()))
}
