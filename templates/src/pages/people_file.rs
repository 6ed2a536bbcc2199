//! People and permissions as files, and what a file would change.

use serde::Serialize;

use super::{Frame, Page};

/// The page.
#[derive(Debug, Clone, Serialize)]
pub struct PeopleFile {
    pub frame: Frame,
    pub told: Option<String>,
    pub token: String,
    /// Why a file was not looked at.
    pub problem: Option<String>,
    /// What a file comes to; none: none was brought yet.
    pub preview: Option<ImportPreview>,
}

/// What a file comes to. With a mistake nothing of it can be applied.
#[derive(Debug, Clone, Serialize)]
pub struct ImportPreview {
    /// What is shown, for the form that applies it.
    pub seen: String,
    pub permissions: bool,
    pub mistakes: Vec<ImportMistake>,
    /// How many differences there are.
    pub found: usize,
    pub differences: Vec<ImportDifference>,
    /// How many of them are not shown.
    pub hidden: usize,
}

/// Something wrong in a file.
#[derive(Debug, Clone, Serialize)]
pub struct ImportMistake {
    /// `Line 3, column role`
    pub place: String,
    pub says: String,
}

/// Something that would be different.
#[derive(Debug, Clone, Serialize)]
pub struct ImportDifference {
    pub line: usize,
    pub who: String,
    pub what: String,
    pub before: String,
    pub after: String,
}

impl Page for PeopleFile {
    const TEMPLATE: &'static str = "people-file";
}
