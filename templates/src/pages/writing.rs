//! What people write: drafts, new cases, texts for reuse.

use serde::Serialize;

use super::{Choice, Frame, Page, ProcessLink, When};

/// The visitor's drafts.
#[derive(Debug, Clone, Serialize)]
pub struct Drafts {
    pub frame: Frame,
    pub told: Option<String>,
    /// The visitor looks after the texts of the company.
    pub keeps_texts: bool,
    pub rows: Vec<DraftRow>,
}

/// One draft in the list.
#[derive(Debug, Clone, Serialize)]
pub struct DraftRow {
    pub href: String,
    pub title: String,
    /// How its text begins.
    pub beginning: String,
    pub saved: When,
    pub files: usize,
}

/// What a new case is to be about.
#[derive(Debug, Clone, Serialize)]
pub struct NewCase {
    pub frame: Frame,
    pub token: String,
    /// Process and own participant.
    pub kinds: Vec<Choice>,
    pub problem: Option<String>,
}

/// A draft with its files.
#[derive(Debug, Clone, Serialize)]
pub struct DraftPage {
    pub frame: Frame,
    /// The draft's own address: its form goes there, and its files begin there.
    pub here: String,
    pub token: String,
    pub title: String,
    /// The case that it answers.
    pub case: Option<ProcessLink>,
    pub company: Option<String>,
    pub told: Option<String>,
    /// Something stands beside a field.
    pub invalid: bool,
    /// About the whole.
    pub problem: Option<String>,
    /// Messages have come since the author last looked.
    pub newer: bool,
    /// Open cases about the same, as far as the visitor may see them.
    pub twins: Vec<ProcessLink>,
    /// There are such cases: sending wants a second word.
    pub anyway: bool,
    /// Colleagues who are answering, in a sentence each.
    pub others: Vec<String>,
    /// It opens a case.
    pub opening: Option<NewCaseFields>,
    pub text: String,
    pub text_problem: Option<String>,
    /// Texts to insert.
    pub texts: Vec<Choice>,
    pub files: Vec<WrittenFile>,
    pub files_problem: Option<String>,
    /// How much the files may still have: `2.1 GB`.
    pub room: String,
    pub saved: When,
    /// The number of messages that the author has seen.
    pub seen: u32,
}

/// What a new case is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct NewCaseFields {
    pub participant: String,
    pub rung: String,
    pub counterparties: Vec<Choice>,
    pub counterparty_problem: Option<String>,
    /// What it asks for, in the words of the market.
    pub asked: String,
    pub tag: String,
    pub tag_problem: Option<String>,
    pub fields: Vec<Asked>,
    pub subject: String,
}

/// A question of the catalogue with its answers.
#[derive(Debug, Clone, Serialize)]
pub struct Asked {
    pub id: String,
    pub name: String,
    pub choices: Vec<Choice>,
    pub problem: Option<String>,
}

/// A file of a draft.
#[derive(Debug, Clone, Serialize)]
pub struct WrittenFile {
    pub id: String,
    pub name: String,
    pub size: String,
    pub unfinished: bool,
}

/// How a case is answered, on its page.
#[derive(Debug, Clone, Serialize)]
pub struct AnswerBar {
    pub action: String,
    pub token: String,
    /// The visitor has begun an answer.
    pub begun: bool,
    /// Colleagues who are answering, in a sentence each.
    pub others: Vec<String>,
}

/// The texts of a company.
#[derive(Debug, Clone, Serialize)]
pub struct Texts {
    pub frame: Frame,
    pub token: String,
    pub told: Option<String>,
    pub rows: Vec<TextRow>,
    /// The new one as it was typed, after a failed try.
    pub name: String,
    pub text: String,
    pub problem: Option<String>,
}

/// One of them, in a form.
#[derive(Debug, Clone, Serialize)]
pub struct TextRow {
    pub id: String,
    /// As it is called now.
    pub title: String,
    pub name: String,
    pub text: String,
    pub problem: Option<String>,
}

impl Page for Drafts {
    const TEMPLATE: &'static str = "drafts";
}
impl Page for NewCase {
    const TEMPLATE: &'static str = "new-case";
}
impl Page for DraftPage {
    const TEMPLATE: &'static str = "draft";
}
impl Page for Texts {
    const TEMPLATE: &'static str = "texts";
}
