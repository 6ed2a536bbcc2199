//! What each page of the portal is filled with: one typed context per page.
//!
//! Everything here is finished text: dates are written out, names are chosen, links are local
//! paths. The templates only place it, and escape all of it.

mod account;
mod alerts;
mod audit;
mod case;
mod chart;
mod grid;
mod held;
mod lists;
mod mail_ways;
mod mailboxes;
mod market;
mod message;
mod people;
mod people_file;
mod report;
mod shadow;
mod signing_in;
mod table;
mod writing;

use serde::Serialize;

pub use account::{Account, AppPassword, FreshPassword, MailProgram, Port};
pub use alerts::{AlertProcess, Alerts, NoticeStyleForm, OwnNotice, OwnNotices};
pub use audit::Audit;
pub use case::{
    AskedField, CaseHistory, CaseOnPaper, CasePage, CasePrint, ClockFace, Desk, EscalationForm, HistoryLine,
    Kept, NoteRow, Owner, TagRow, TranscriptHead, TranscriptMessage, Typed, TypedTag,
};
pub use chart::{Bar, Chart, ChartLabel, ChartLine, Legend};
pub use grid::{Grid, GridBox, GridRow, PickedPerson, Several};
pub use held::{Decision, Finding, HeldList, HeldPage, HeldRow, HeldTask};
pub use lists::{Bulk, Choice, Given, GivenCase, Home, Select, Tile};
pub use mail_ways::{Certificate, Connector, MailWays, Mailbox, Polled, Task};
pub use mailboxes::{MailboxForm, MailboxMap, MappedMailbox, UnmappedAddress};
pub use market::{
    CalendarCard, CalendarDay, Calendars, Companies, Company, CompanyRow, FirstMau, InvitedMau, NewCompany,
    NewMau, NewParticipant, ParticipantRow,
};
pub use message::{Check, FileLink, Mail, MessageCard, MessagePage, Proof};
pub use people::{NewPerson, People, Person, PersonForm, PersonRow, PersonStep, RightsOf};
pub use people_file::{ImportDifference, ImportMistake, ImportPreview, PeopleFile};
pub use report::{Availability, Filter, FilterChoice, Report};
pub use shadow::{Figure, ProcessStage, Shadow, ShadowTable, StageQuestion, Step};
pub use signing_in::{
    ApiTokens, Forgotten, NewPasskey, NewPassword, OwnProof, PasskeyRow, Picture, RecoveryCodes, RuleChoice,
    SecondStep, SessionRow, SetUp, SignInRules, SignInSettings, TokenRow,
};
pub use table::{Table, TableCell, TableColumn, TableRow};
pub use writing::{
    AnswerBar, Asked, DraftPage, DraftRow, Drafts, NewCase, NewCaseFields, TextRow, Texts, WrittenFile,
};

/// A context that knows its template.
pub trait Page: Serialize {
    /// The registered name of the template.
    const TEMPLATE: &'static str;
}

/// What every page has around its content.
#[derive(Debug, Clone, Serialize)]
pub struct Frame {
    /// The window's title, without the product's name.
    pub title: String,
    /// Address of the style sheet, fingerprint included.
    pub style: String,
    /// Address of the script, fingerprint included: it makes pages handier, and none needs it.
    pub script: String,
    /// The script is on this page.
    pub scripted: bool,
    /// Who is signed in; the menu is shown only then.
    pub visitor: Option<Visitor>,
    /// The main menu.
    pub menu: Vec<MenuItem>,
    /// A sample market: say so on every page.
    pub demo: bool,
}

/// Who is signed in.
#[derive(Debug, Clone, Serialize)]
pub struct Visitor {
    pub name: String,
    pub company: String,
    /// The session's form token, for signing out.
    pub token: String,
}

/// One entry of the main menu.
#[derive(Debug, Clone, Serialize)]
pub struct MenuItem {
    pub href: String,
    pub label: String,
    pub current: bool,
}

/// A point in time for people and for machines.
#[derive(Debug, Clone, Serialize)]
pub struct When {
    /// `Fri 5 June 2026, 14:32 BST`
    pub text: String,
    /// RFC 3339, for the `datetime` attribute.
    pub machine: String,
}

/// A word that stands out, such as `Overdue`.
#[derive(Debug, Clone, Serialize)]
pub struct Mark {
    pub label: String,
    /// Its style: `bad`, `soon`, `good` or `plain`.
    pub state: &'static str,
}

/// The sign-in page.
#[derive(Debug, Clone, Serialize)]
pub struct SignIn {
    pub frame: Frame,
    pub token: String,
    /// Local path to go to afterwards.
    pub next: String,
    /// The address as it was typed, after a failed try.
    pub email: String,
    /// What was done before, such as choosing a password.
    pub told: Option<String>,
    /// Why the last try did not work.
    pub problem: Option<String>,
    /// The sample market's users; empty outside the demo.
    pub samples: Vec<SampleUser>,
}

/// A user of the sample market.
#[derive(Debug, Clone, Serialize)]
pub struct SampleUser {
    pub email: String,
    pub password: String,
    pub company: String,
    pub note: String,
}

/// A process by name.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessLink {
    pub name: String,
    pub href: String,
}

/// All cases of one process, page by page.
#[derive(Debug, Clone, Serialize)]
pub struct ProcessCases {
    pub frame: Frame,
    pub name: String,
    pub rows: Vec<CaseRow>,
    /// This is not the first page of the list.
    pub newest: Option<String>,
    pub older: Option<String>,
}

/// One case in a list.
#[derive(Debug, Clone, Serialize)]
pub struct CaseRow {
    pub href: String,
    pub reference: String,
    pub company: String,
    pub rung: String,
    pub owner: Option<String>,
    /// The visitor owns it.
    pub mine: bool,
    pub due: Option<Due>,
    pub messages: u32,
    pub activity: When,
    /// Nobody of the visitor's company has looked since the last message.
    pub unseen: bool,
    /// A notice about it came back, and nobody has looked since.
    pub undelivered: bool,
    /// What picks it in a form; none where nothing can be picked.
    pub pick: Option<String>,
}

/// By when who must answer.
#[derive(Debug, Clone, Serialize)]
pub struct Due {
    /// `Fri 5 June 2026`
    pub date: String,
    /// `2026-06-05`
    pub machine: String,
    /// `overdue`, `today` or `later`: the style of the mark.
    pub state: &'static str,
    /// `Overdue`, `Due today`; none when there is time.
    pub mark: Option<&'static str>,
    /// `your company` or the other company's name.
    pub who: String,
}

/// The search by meter point or reference, and what it found.
#[derive(Debug, Clone, Serialize)]
pub struct Search {
    pub frame: Frame,
    pub token: String,
    pub query: String,
    /// A search has been made: show its result, even an empty one.
    pub searched: bool,
    /// What it asks for, in the words of the market.
    pub asked: String,
    pub problem: Option<String>,
    pub rows: Vec<CaseRow>,
}

/// A page that says what went wrong.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    pub frame: Frame,
    pub heading: String,
    pub says: String,
    pub advice: String,
}

/// Every notice that left, for the sample market only.
#[derive(Debug, Clone, Serialize)]
pub struct Outbox {
    pub frame: Frame,
    pub mails: Vec<OutboxMail>,
    /// How many older ones are not shown.
    pub hidden: usize,
}

/// One mail that left.
#[derive(Debug, Clone, Serialize)]
pub struct OutboxMail {
    pub subject: String,
    pub from: String,
    pub to: String,
    pub date: Option<When>,
    pub text: String,
    /// The case it points at, as a local path.
    pub link: Option<String>,
}

impl Page for SignIn {
    const TEMPLATE: &'static str = "sign-in";
}
impl Page for ProcessCases {
    const TEMPLATE: &'static str = "process";
}
impl Page for Search {
    const TEMPLATE: &'static str = "search";
}
impl Page for Problem {
    const TEMPLATE: &'static str = "problem";
}
impl Page for Outbox {
    const TEMPLATE: &'static str = "outbox";
}
