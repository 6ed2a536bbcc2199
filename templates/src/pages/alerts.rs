//! When people are told of what waits.

use serde::Serialize;

use super::{Frame, Page, RuleChoice, When};

/// The alerts of the visitor, or of the visitor's company.
#[derive(Debug, Clone, Serialize)]
pub struct Alerts {
    pub frame: Frame,
    pub told: Option<String>,
    /// Beside the times.
    pub problem: Option<String>,
    pub token: String,
    /// Local path that the form goes to.
    pub action: &'static str,
    /// The company, where it is about all its people.
    pub company: Option<String>,
    /// Local path to that, for whom it is.
    pub company_link: Option<&'static str>,
    /// How the company's notices look.
    pub style: Option<NoticeStyleForm>,
    /// Where the visitor's alerts go.
    pub email: String,
    pub paces: Vec<RuleChoice>,
    pub times: Vec<RuleChoice>,
    pub whose: Vec<RuleChoice>,
    pub processes: Vec<AlertProcess>,
    /// A process has a rule of its own.
    pub differ: bool,
}

/// How a company's notices look.
#[derive(Debug, Clone, Serialize)]
pub struct NoticeStyleForm {
    pub phrase: String,
    pub link_free: bool,
    /// Beside the phrase.
    pub problem: Option<String>,
}

/// What holds for one process.
#[derive(Debug, Clone, Serialize)]
pub struct AlertProcess {
    pub field: String,
    pub name: String,
    pub choices: Vec<RuleChoice>,
}

/// What was sent to the visitor's own address, the newest first.
#[derive(Debug, Clone, Serialize)]
pub struct OwnNotices {
    pub frame: Frame,
    pub email: String,
    /// For how many days it is kept.
    pub days: String,
    pub notices: Vec<OwnNotice>,
    /// Local paths to further pages.
    pub older: Option<String>,
    pub newest: Option<&'static str>,
}

/// A mail of ours.
#[derive(Debug, Clone, Serialize)]
pub struct OwnNotice {
    pub at: When,
    pub kind: String,
    pub case: Option<String>,
    /// What became of it.
    pub fate: String,
    /// It did not arrive.
    pub bad: bool,
}

impl Page for OwnNotices {
    const TEMPLATE: &'static str = "own-notices";
}

impl Page for Alerts {
    const TEMPLATE: &'static str = "alerts";
}
