//! Figures of a company, or of the market.

use serde::Serialize;

use super::{Chart, Figure, Frame, Page, Table};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub frame: Frame,
    pub heading: String,
    /// Since when is counted, and what is not.
    pub says: String,
    pub here: &'static str,
    pub first: String,
    pub last: String,
    pub problem: Option<String>,
    pub filters: Vec<Filter>,
    pub figures: Vec<Figure>,
    pub charts: Vec<Chart>,
    pub table: Table,
    pub csv: String,
    pub json: String,
    /// The market's only.
    pub availability: Option<Availability>,
}

/// One thing to choose rows by.
#[derive(Debug, Clone, Serialize)]
pub struct Filter {
    pub name: &'static str,
    pub label: String,
    pub choices: Vec<FilterChoice>,
}

#[derive(Debug, Clone, Serialize)]
pub struct FilterChoice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// When Postern ran.
#[derive(Debug, Clone, Serialize)]
pub struct Availability {
    pub says: String,
    pub table: Table,
    pub gaps: Vec<String>,
}

impl Page for Report {
    const TEMPLATE: &'static str = "report";
}
