//! The events of a company.

use serde::Serialize;

use super::{FilterChoice, Frame, Page, Table};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct Audit {
    pub frame: Frame,
    pub company: String,
    pub acts: Vec<FilterChoice>,
    pub users: Vec<FilterChoice>,
    /// The case reference as it was typed.
    pub case: String,
    pub first: String,
    pub last: String,
    pub problem: Option<String>,
    pub table: Table,
    /// This is not the first page.
    pub newest: Option<String>,
    pub older: Option<String>,
    pub csv: String,
    pub lines: String,
}

impl Page for Audit {
    const TEMPLATE: &'static str = "audit";
}
