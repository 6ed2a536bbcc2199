//! The mailbox map of a company, for its master administration user.

use serde::Serialize;

use super::{Choice, Frame, Mailbox, Page};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct MailboxMap {
    pub frame: Frame,
    pub company: String,
    /// What came of the last change.
    pub told: Option<String>,
    pub token: String,
    /// Domains whose addresses are the company's.
    pub domains: Vec<String>,
    pub rows: Vec<MappedMailbox>,
    /// This is not the first page of the map.
    pub first: Option<String>,
    pub next: Option<String>,
    pub form: MailboxForm,
    /// How many mails came to the address of the form though it is mapped nowhere.
    pub seen: Option<u64>,
    pub unmapped: Vec<UnmappedAddress>,
    /// How many more of those there are.
    pub hidden: usize,
}

/// A mailbox of the map.
#[derive(Debug, Clone, Serialize)]
pub struct MappedMailbox {
    /// Where its form is.
    pub change: String,
    /// The address as the form sends it.
    pub plain: String,
    pub shown: Mailbox,
}

/// Maps an address, or maps it anew.
#[derive(Debug, Clone, Serialize)]
pub struct MailboxForm {
    pub address: String,
    pub whats: Vec<Choice>,
    /// `09:00 14:00`; empty: at once.
    pub times: String,
    pub address_problem: Option<String>,
    pub what_problem: Option<String>,
    pub times_problem: Option<String>,
}

/// An address that gets mail and is mapped nowhere.
#[derive(Debug, Clone, Serialize)]
pub struct UnmappedAddress {
    pub id: String,
    /// Where it is a colleague's.
    pub address: Option<String>,
    /// Where the form for it is.
    pub map: Option<String>,
    pub mails: u64,
    pub personal: u64,
}

impl Page for MailboxMap {
    const TEMPLATE: &'static str = "mailboxes";
}
