//! When people are told of what waits.

use serde::Serialize;

use super::{Frame, Page, RuleChoice};

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

impl Page for Alerts {
    const TEMPLATE: &'static str = "alerts";
}
