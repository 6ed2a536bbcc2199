//! One case: how it stands, what can be done with it, its messages, and what a side keeps about it.

use serde::Serialize;

use super::{AnswerBar, Choice, Due, Frame, Mark, MessageCard, Page, ProcessLink, When};

/// One case with a page of its messages.
#[derive(Debug, Clone, Serialize)]
pub struct CasePage {
    pub frame: Frame,
    pub reference: String,
    pub process: ProcessLink,
    pub company: String,
    /// The two market participants, `ALFA to BETA`.
    pub participants: String,
    pub rung: String,
    /// The response time is an assumed default of the catalogue, not a market rule.
    pub assumed: bool,
    pub opened: When,
    pub due: Option<Due>,
    /// One sentence that explains the date.
    pub because: Option<String>,
    pub owner: Owner,
    /// The other side's owner.
    pub their_owner: Option<String>,
    /// What came of the last change.
    pub told: Option<String>,
    /// What happened to the last change, if it did not take effect.
    pub problem: Option<String>,
    /// Which messages cannot be shown at all.
    pub lost: Option<String>,
    /// Which notices of the case could not be delivered.
    pub undelivered: Vec<String>,
    /// Who is out of office: `Sam Taylor (Beta Power), until Fri 5 June 2026`.
    pub away: Vec<String>,
    pub earlier: Option<String>,
    pub later: Option<String>,
    pub messages: Vec<MessageCard>,
    pub total: usize,
    /// None: nobody writes in this portal.
    pub answer: Option<AnswerBar>,
    pub desk: Desk,
}

/// Who has the case on the visitor's side, and what can be done about it.
#[derive(Debug, Clone, Serialize)]
pub struct Owner {
    pub name: Option<String>,
    pub mine: bool,
    /// The owner the visitor saw, sent back so that a change in between is noticed.
    pub seen: String,
    pub claim: String,
    pub release: String,
    pub token: String,
}

/// How the case stands, what can be done, and what the visitor's side keeps about it.
#[derive(Debug, Clone, Serialize)]
pub struct Desk {
    /// Where its forms go: `/case/…`.
    pub here: String,
    pub token: String,
    pub state: Mark,
    /// Who owes an answer by when, or why nobody does.
    pub standing: String,
    /// What each side owes, the visitor's first.
    pub clocks: Vec<ClockFace>,
    /// Until when its content is kept, if it still is.
    pub kept: Option<Kept>,
    /// The content is destroyed: nothing can be done any more.
    pub archived: bool,
    /// Colleagues to whom it may be given.
    pub takers: Vec<Choice>,
    pub escalation: Option<EscalationForm>,
    /// Reasons for which it may be closed now.
    pub closing: Vec<Choice>,
    /// Why it cannot be closed now, though it is open.
    pub unclosable: Option<String>,
    /// Reasons for which it may be opened again now.
    pub reopening: Vec<Choice>,
    pub tags: Vec<TagRow>,
    pub tag: TypedTag,
    pub notes: Vec<NoteRow>,
    /// How many older ones are not shown.
    pub older_notes: usize,
    /// Where all notes are shown.
    pub all_notes: String,
    pub note: Typed,
    pub history: Vec<HistoryLine>,
}

/// What one side owes.
#[derive(Debug, Clone, Serialize)]
pub struct ClockFace {
    pub who: String,
    pub says: String,
}

/// Until when the content is kept.
#[derive(Debug, Clone, Serialize)]
pub struct Kept {
    pub until: String,
    /// The time is an assumed default.
    pub assumed: bool,
}

/// The way to the next rung: always there, and it says when it opens.
#[derive(Debug, Clone, Serialize)]
pub struct EscalationForm {
    pub open: bool,
    /// The rung that the visitor saw, sent back.
    pub seen: String,
    /// `Escalate to Escalation 1`
    pub label: String,
    /// Since when, from when on, or why not.
    pub says: String,
    /// Who escalates cannot read it there.
    pub leaves: Option<String>,
    pub fields: Vec<AskedField>,
}

/// Something that must be stated.
#[derive(Debug, Clone, Serialize)]
pub struct AskedField {
    pub name: String,
    pub label: String,
    pub choices: Vec<Choice>,
    pub error: Option<String>,
}

/// A search tag of the visitor's side.
#[derive(Debug, Clone, Serialize)]
pub struct TagRow {
    /// `mpan`, as the form sends it back.
    pub kind: String,
    pub label: String,
    pub value: String,
    /// Who added it; none: it was found in a message.
    pub by: Option<String>,
}

/// A tag as it was typed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct TypedTag {
    pub kinds: Vec<Choice>,
    pub value: String,
    pub error: Option<String>,
}

/// A text as it was typed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Typed {
    pub value: String,
    pub error: Option<String>,
}

/// An internal note.
#[derive(Debug, Clone, Serialize)]
pub struct NoteRow {
    pub by: String,
    pub at: When,
    pub text: String,
}

/// Something that happened.
#[derive(Debug, Clone, Serialize)]
pub struct HistoryLine {
    pub at: When,
    pub what: String,
    pub who: String,
    pub detail: Option<String>,
}

/// Everything that happened in a case.
#[derive(Debug, Clone, Serialize)]
pub struct CaseHistory {
    pub frame: Frame,
    pub reference: String,
    pub back: String,
    pub lines: Vec<HistoryLine>,
    /// This is not the first part.
    pub newest: Option<String>,
    pub older: Option<String>,
    /// An earlier release took the case: what happened first is in the audit trail alone.
    pub partial: bool,
}

/// The head of a readable transcript, a document of its own outside the portal.
#[derive(Debug, Clone, Serialize)]
pub struct TranscriptHead {
    pub reference: String,
    pub case: CaseOnPaper,
}

/// What stands above the messages of a case that leaves the portal.
#[derive(Debug, Clone, Serialize)]
pub struct CaseOnPaper {
    pub process: String,
    pub company: String,
    pub participants: String,
    pub rung: String,
    pub opened: When,
    pub standing: String,
    /// By whom, and for which company.
    pub taken_by: String,
    pub taken: When,
    /// Which messages are not there.
    pub lost: Option<String>,
    /// The content is destroyed.
    pub archived: bool,
}

/// One message of a transcript.
#[derive(Debug, Clone, Serialize)]
pub struct TranscriptMessage {
    pub card: MessageCard,
    /// Its text is longer than this.
    pub cut: bool,
}

/// A case for paper, or a part of it.
#[derive(Debug, Clone, Serialize)]
pub struct CasePrint {
    pub frame: Frame,
    pub reference: String,
    pub back: String,
    /// The same case as one file.
    pub file: String,
    pub case: CaseOnPaper,
    /// `Messages 1 to 10 of 34`, if these are not all.
    pub part: Option<String>,
    pub earlier: Option<String>,
    pub later: Option<String>,
    pub messages: Vec<TranscriptMessage>,
    pub notes: Vec<NoteRow>,
    pub history: Vec<HistoryLine>,
}

impl Page for TranscriptHead {
    const TEMPLATE: &'static str = "transcript-head";
}
impl Page for TranscriptMessage {
    const TEMPLATE: &'static str = "transcript-message";
}
impl Page for CasePrint {
    const TEMPLATE: &'static str = "case-print";
}
impl Page for CasePage {
    const TEMPLATE: &'static str = "case";
}
impl Page for CaseHistory {
    const TEMPLATE: &'static str = "case-history";
}
