//! What a user manages alone: the passwords of the own mail programs.

use serde::Serialize;

use super::{Frame, Page, When};

/// The page about the visitor.
#[derive(Debug, Clone, Serialize)]
pub struct Account {
    pub frame: Frame,
    pub name: String,
    pub email: String,
    pub company: String,
    pub role: &'static str,
    /// What came of the last change.
    pub told: Option<String>,
    /// Why the last password was not made.
    pub problem: Option<String>,
    /// The one that was made just now; shown this once.
    pub fresh: Option<FreshPassword>,
    pub passwords: Vec<AppPassword>,
    /// How many a user may have, when there are as many.
    pub full: Option<usize>,
    pub token: String,
    /// The name as it was typed, after a failed try.
    pub wanted: String,
    /// What a mail program is told; none: nobody has told the portal.
    pub program: Option<MailProgram>,
}

/// An app password in the list.
#[derive(Debug, Clone, Serialize)]
pub struct AppPassword {
    pub name: String,
    pub made: When,
    /// Where the form that revokes it goes.
    pub revoke: String,
}

/// A password that is shown once.
#[derive(Debug, Clone, Serialize)]
pub struct FreshPassword {
    pub name: String,
    pub password: String,
}

/// The settings of a mail program for sending.
#[derive(Debug, Clone, Serialize)]
pub struct MailProgram {
    pub host: String,
    /// The best one first.
    pub ports: Vec<Port>,
}

/// One way to connect.
#[derive(Debug, Clone, Serialize)]
pub struct Port {
    pub number: u16,
    /// What Outlook calls the encryption.
    pub outlook: &'static str,
    /// What Thunderbird calls it.
    pub thunderbird: &'static str,
}

impl Page for Account {
    const TEMPLATE: &'static str = "account";
}
