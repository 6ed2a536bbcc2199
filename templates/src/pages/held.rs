//! Mail that waits for the compliance role.

use serde::Serialize;

use super::{Frame, Mail, Page, When};

/// The mail that waits, oldest first.
#[derive(Debug, Clone, Serialize)]
pub struct HeldList {
    pub frame: Frame,
    pub company: String,
    /// What came of the last decision.
    pub told: Option<String>,
    /// What the compliance role is asked for.
    pub task: Option<HeldTask>,
    pub rows: Vec<HeldRow>,
    /// This is not the first page of the list.
    pub oldest: Option<String>,
    pub newer: Option<String>,
}

/// That mail waits for a decision.
#[derive(Debug, Clone, Serialize)]
pub struct HeldTask {
    pub says: String,
    pub since: When,
}

/// One held mail in the list; nothing of its content.
#[derive(Debug, Clone, Serialize)]
pub struct HeldRow {
    pub href: String,
    /// The author, if a user of the company.
    pub from: Option<String>,
    /// How the company was proved.
    pub proof: String,
    pub received: When,
    /// Why it waits, in a few words.
    pub reason: &'static str,
    /// The id of the rule that decided.
    pub rule: String,
    pub size: String,
    /// What a release would do.
    pub onward: String,
}

/// One held mail, opened.
#[derive(Debug, Clone, Serialize)]
pub struct HeldPage {
    pub frame: Frame,
    /// Why it waits, as a sentence.
    pub because: &'static str,
    pub rule: String,
    pub size: String,
    /// The addresses that the envelope names.
    pub recipients: Vec<String>,
    /// How many more there are.
    pub more: usize,
    pub findings: Vec<Finding>,
    /// Why files are named and not given away.
    pub locked: Option<&'static str>,
    pub token: String,
    pub release: Decision,
    pub destroy: Decision,
    pub mail: Mail,
    /// Only the beginning of the text is shown.
    pub cut: bool,
}

/// What was found in a mail.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// `Closed content`, or what the market calls a number.
    pub category: String,
    pub reason: String,
}

/// What can be decided, and what that does.
#[derive(Debug, Clone, Serialize)]
pub struct Decision {
    pub action: String,
    /// What unfolds it.
    pub label: &'static str,
    /// What will happen, in full.
    pub says: Vec<String>,
    pub button: &'static str,
}

impl Page for HeldList {
    const TEMPLATE: &'static str = "held-list";
}
impl Page for HeldPage {
    const TEMPLATE: &'static str = "held";
}
