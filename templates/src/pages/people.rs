//! The people of a company, for its master administration user.

use serde::Serialize;

use super::{Choice, Frame, Mark, Page, When};

/// The list.
#[derive(Debug, Clone, Serialize)]
pub struct People {
    pub frame: Frame,
    pub company: String,
    /// What came of the last change.
    pub told: Option<String>,
    /// Part of a name or address, as it was asked for.
    pub words: String,
    pub states: Vec<Choice>,
    /// The list is narrowed.
    pub filtered: bool,
    /// How many there are on all pages.
    pub found: usize,
    pub rows: Vec<PersonRow>,
    /// This is not the first page of the list.
    pub first: Option<String>,
    /// Where the list goes on.
    pub next: Option<String>,
}

/// One person in a list.
#[derive(Debug, Clone, Serialize)]
pub struct PersonRow {
    pub href: String,
    pub name: String,
    pub email: String,
    pub state: Mark,
    pub role: String,
    /// How many permissions.
    pub permissions: usize,
    /// When the person signed in last; none: never.
    pub last: Option<When>,
}

/// Somebody new.
#[derive(Debug, Clone, Serialize)]
pub struct NewPerson {
    pub frame: Frame,
    pub company: String,
    pub token: String,
    pub email: String,
    pub name: String,
    pub roles: Vec<Choice>,
    pub email_problem: Option<String>,
    pub name_problem: Option<String>,
}

/// One person.
#[derive(Debug, Clone, Serialize)]
pub struct Person {
    pub frame: Frame,
    pub told: Option<String>,
    pub id: String,
    pub name: String,
    pub email: String,
    pub state: Mark,
    /// Since when the state is what it is.
    pub since: Option<When>,
    pub last: Option<When>,
    pub role: String,
    /// The visitor looks at the own account.
    pub oneself: bool,
    pub token: String,
    pub form: PersonForm,
    pub steps: Vec<PersonStep>,
    pub rights: Vec<RightsOf>,
    /// More than a plain user: say that the role opens nothing.
    pub officer: bool,
}

/// Name and role.
#[derive(Debug, Clone, Serialize)]
pub struct PersonForm {
    /// What it was filled from.
    pub seen: String,
    pub name: String,
    pub problem: Option<String>,
    /// None: the role cannot be changed here.
    pub roles: Vec<Choice>,
}

/// Something that can be done with a person.
#[derive(Debug, Clone, Serialize)]
pub struct PersonStep {
    pub action: String,
    pub label: String,
    /// What comes of it.
    pub says: String,
}

/// What somebody may read and do of one process.
#[derive(Debug, Clone, Serialize)]
pub struct RightsOf {
    pub participant: String,
    pub process: String,
    pub rungs: Vec<String>,
}

impl Page for People {
    const TEMPLATE: &'static str = "people";
}

impl Page for NewPerson {
    const TEMPLATE: &'static str = "new-person";
}

impl Page for Person {
    const TEMPLATE: &'static str = "person";
}
