//! What somebody of a company may read and do, box by box, and the same for many at once.

use serde::Serialize;

use super::{Choice, Frame, Page};

/// The permissions of one person.
#[derive(Debug, Clone, Serialize)]
pub struct Grid {
    pub frame: Frame,
    /// What came of the last change.
    pub told: Option<String>,
    /// Where the person's page is.
    pub person: String,
    pub name: String,
    /// The visitor looks at the own account.
    pub oneself: bool,
    pub token: String,
    /// What the forms were filled from.
    pub seen: String,
    /// Which participant is shown; none: the company has none.
    pub participant: Option<String>,
    pub participant_name: String,
    pub participants: Vec<Choice>,
    pub rows: Vec<GridRow>,
    /// The rungs that can be given for every process at once.
    pub rungs: Vec<Choice>,
    /// From whom permissions can be copied.
    pub colleagues: Vec<Choice>,
}

/// A process.
#[derive(Debug, Clone, Serialize)]
pub struct GridRow {
    pub process: String,
    pub boxes: Vec<GridBox>,
}

/// A rung of it.
#[derive(Debug, Clone, Serialize)]
pub struct GridBox {
    pub value: String,
    pub label: String,
    pub checked: bool,
}

/// Permissions for many people at once.
#[derive(Debug, Clone, Serialize)]
pub struct Several {
    pub frame: Frame,
    pub told: Option<String>,
    pub token: String,
    pub problem: Option<String>,
    pub whats: Vec<Choice>,
    pub rows: Vec<PickedPerson>,
    /// This is not the first page of the list.
    pub first: Option<String>,
    pub next: Option<String>,
}

/// Somebody who can be picked.
#[derive(Debug, Clone, Serialize)]
pub struct PickedPerson {
    pub id: String,
    pub name: String,
    pub email: String,
    pub permissions: usize,
    pub picked: bool,
}

impl Page for Grid {
    const TEMPLATE: &'static str = "grid";
}

impl Page for Several {
    const TEMPLATE: &'static str = "several";
}
