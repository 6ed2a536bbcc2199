//! The first page with its counts, filter and list, and what came of giving cases away.

use serde::Serialize;

use super::{CaseRow, Frame, Page};

/// The first page.
#[derive(Debug, Clone, Serialize)]
pub struct Home {
    pub frame: Frame,
    pub company: String,
    /// The visitor has no permission at all.
    pub unpermitted: bool,
    /// The visitor is the market's operator, who has no cases.
    pub operator: bool,
    /// Cases of an earlier release are not all in the lists yet.
    pub being_made: bool,
    pub tiles: Vec<Tile>,
    /// The list is narrowed.
    pub filtered: bool,
    pub selects: Vec<Select>,
    pub bulk: Bulk,
    pub rows: Vec<CaseRow>,
    /// Where the list goes on.
    pub older: Option<String>,
    /// Where the search goes on that was cut off.
    pub cut: Option<String>,
    /// This is not the first page of the list.
    pub newest: Option<String>,
}

/// A count that leads to its list.
#[derive(Debug, Clone, Serialize)]
pub struct Tile {
    pub label: String,
    pub count: String,
    pub href: String,
    pub current: bool,
    pub pressing: bool,
}

/// A field with a choice.
#[derive(Debug, Clone, Serialize)]
pub struct Select {
    pub name: &'static str,
    pub label: String,
    pub choices: Vec<Choice>,
}

/// One thing that can be chosen.
#[derive(Debug, Clone, Serialize)]
pub struct Choice {
    pub value: String,
    pub label: String,
    pub chosen: bool,
}

/// What can be done with the cases that are picked.
#[derive(Debug, Clone, Serialize)]
pub struct Bulk {
    pub token: String,
    /// The filter to come back to.
    pub back: String,
    pub people: Vec<Choice>,
}

/// What came of giving cases to somebody.
#[derive(Debug, Clone, Serialize)]
pub struct Given {
    pub frame: Frame,
    pub done: usize,
    /// Cases that were picked beyond what is given at once: nothing was done with them.
    pub left: usize,
    pub cases: Vec<GivenCase>,
    pub back: String,
}

/// One of them.
#[derive(Debug, Clone, Serialize)]
pub struct GivenCase {
    /// Empty: there is no such case.
    pub reference: String,
    pub href: Option<String>,
    /// Why it was not given; none: it was.
    pub problem: Option<String>,
}

impl Page for Home {
    const TEMPLATE: &'static str = "home";
}
impl Page for Given {
    const TEMPLATE: &'static str = "given";
}
