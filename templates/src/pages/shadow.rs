//! What shadow mode shows, and for what of it decisions are done.

use serde::Serialize;

use super::{Frame, Mark, Page, Table, When};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Shadow {
    pub frame: Frame,
    /// Of the market instead of a company.
    pub market: bool,
    pub company: String,
    /// What came of the last change.
    pub told: Option<String>,
    pub stages: Vec<ProcessStage>,
    /// Where the form that asks for other days goes.
    pub here: String,
    /// The days as they were asked for, `2026-06-01`.
    pub first: String,
    pub last: String,
    /// Why these days cannot be shown; the last 30 are.
    pub problem: Option<String>,
    pub tables: Vec<ShadowTable>,
    /// The same rows as files.
    pub csv: String,
    pub json: String,
}

/// How far Postern is let with mail of a process.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessStage {
    pub process: String,
    pub standing: Mark,
    /// Who set it: `set for your company`.
    pub by: String,
    pub since: Option<When>,
    /// What can be done about it; each leads to a page that asks again.
    pub steps: Vec<Step>,
}

/// A link to a page that asks before it changes something.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    pub href: String,
    pub label: String,
}

/// One table of counts.
#[derive(Debug, Clone, Serialize)]
pub struct ShadowTable {
    pub anchor: &'static str,
    pub title: String,
    pub says: String,
    pub table: Table,
}

/// Asks before a stage is changed.
#[derive(Debug, Clone, Serialize)]
pub struct StageQuestion {
    pub frame: Frame,
    pub back: String,
    pub heading: String,
    pub says: Vec<String>,
    /// What was counted for it, to decide by.
    pub counted: Vec<Figure>,
    pub action: String,
    pub token: String,
    pub process: String,
    pub to: &'static str,
    pub button: String,
}

/// A number and what it counts.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    pub label: String,
    pub value: String,
    /// A few words that qualify it; empty: none.
    pub note: String,
}

impl Page for Shadow {
    const TEMPLATE: &'static str = "shadow";
}

impl Page for StageQuestion {
    const TEMPLATE: &'static str = "stage-question";
}
