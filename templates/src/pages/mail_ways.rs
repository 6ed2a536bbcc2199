//! How a company's mail comes and goes, for its master administration user.

use serde::Serialize;

use super::{Frame, Mark, Page, When};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct MailWays {
    pub frame: Frame,
    pub company: String,
    /// What came of the last change.
    pub told: Option<String>,
    pub token: String,
    pub tasks: Vec<Task>,
    /// This is not the first page of the tasks.
    pub oldest: Option<String>,
    /// Where the tasks go on.
    pub newer: Option<String>,
    pub mailboxes: Vec<Mailbox>,
    pub polled: Vec<Polled>,
    /// The one name in a client certificate that speaks for the company.
    pub certificate_name: Option<String>,
    pub certificates: Vec<Certificate>,
    pub connectors: Vec<Connector>,
    pub networks: Vec<String>,
}

/// Something to look at.
#[derive(Debug, Clone, Serialize)]
pub struct Task {
    /// What happened.
    pub says: String,
    /// What to do about it.
    pub advice: &'static str,
    pub since: When,
    /// How often, and when last; none: once.
    pub again: Option<String>,
    /// The case in which it happened last, if the visitor may see it.
    pub case: Option<String>,
    /// Where the form that closes it goes.
    pub done: String,
}

/// A mailbox of the map.
#[derive(Debug, Clone, Serialize)]
pub struct Mailbox {
    pub address: String,
    pub participant: String,
    pub process: String,
    pub rung: String,
    /// `at once`, `at 09:00 and 14:00`
    pub alerts: String,
}

/// A mailbox out of which mail is taken.
#[derive(Debug, Clone, Serialize)]
pub struct Polled {
    pub name: String,
    pub standing: Mark,
    pub since: When,
    pub taken: u64,
    pub left: u64,
    pub last: Option<When>,
    /// Why it waits or stopped.
    pub why: Option<String>,
}

/// A client certificate of the company.
#[derive(Debug, Clone, Serialize)]
pub struct Certificate {
    pub name: String,
    /// First characters of the fingerprint.
    pub fingerprint: String,
    /// All of it, as the form sends it.
    pub whole: String,
    pub ends: When,
    pub mark: Option<Mark>,
}

/// A provider's tenant that is bound to the company; never its secret.
#[derive(Debug, Clone, Serialize)]
pub struct Connector {
    pub name: String,
    /// The name as the form sends it.
    pub plain: String,
    pub active: bool,
    pub provider: String,
    pub tenant: String,
    pub standing: Mark,
}

impl Page for MailWays {
    const TEMPLATE: &'static str = "mail-ways";
}
