//! Who takes part in the market, for its operator.

use serde::Serialize;

use super::{Choice, Frame, Mark, Page, When};

/// The companies.
#[derive(Debug, Clone, Serialize)]
pub struct Companies {
    pub frame: Frame,
    pub told: Option<String>,
    pub rows: Vec<CompanyRow>,
    /// This is not the first page of the list.
    pub first: Option<String>,
    pub next: Option<String>,
}

/// One company in the list.
#[derive(Debug, Clone, Serialize)]
pub struct CompanyRow {
    pub href: String,
    pub name: String,
    pub id: String,
    pub domains: String,
    pub participants: String,
    /// To which company it belongs.
    pub parent: Option<String>,
    pub standing: Mark,
}

/// A company that is brought in.
#[derive(Debug, Clone, Serialize)]
pub struct NewCompany {
    pub frame: Frame,
    pub token: String,
    pub id: String,
    pub name: String,
    pub domains: String,
    pub parents: Vec<Choice>,
    pub email: String,
    pub person: String,
    pub id_problem: Option<String>,
    pub name_problem: Option<String>,
    pub domains_problem: Option<String>,
    pub parent_problem: Option<String>,
    pub email_problem: Option<String>,
    pub person_problem: Option<String>,
}

/// One company.
#[derive(Debug, Clone, Serialize)]
pub struct Company {
    pub frame: Frame,
    pub told: Option<String>,
    pub token: String,
    /// Where this page is.
    pub here: String,
    pub id: String,
    pub title: String,
    pub standing: Mark,
    /// What the form was filled from.
    pub seen: String,
    pub name: String,
    pub name_problem: Option<String>,
    pub domains: String,
    pub domains_problem: Option<String>,
    pub parents: Vec<Choice>,
    /// Companies that belong to this one.
    pub children: Vec<String>,
    pub first: FirstMau,
    pub participants: Vec<ParticipantRow>,
    pub fresh: NewParticipant,
    /// Companies to which a participant can move.
    pub others: Vec<Choice>,
}

/// Who administers a company first: exactly one of the three.
#[derive(Debug, Clone, Serialize)]
pub struct FirstMau {
    /// Somebody does: the company invites its people itself.
    pub acting: bool,
    pub invited: Option<InvitedMau>,
    pub fresh: Option<NewMau>,
}

/// Somebody who is asked to.
#[derive(Debug, Clone, Serialize)]
pub struct InvitedMau {
    pub name: String,
    pub email: String,
    pub since: Option<When>,
}

/// Somebody is to be asked to.
#[derive(Debug, Clone, Serialize)]
pub struct NewMau {
    pub email: String,
    pub person: String,
    pub email_problem: Option<String>,
    pub person_problem: Option<String>,
}

/// A participant.
#[derive(Debug, Clone, Serialize)]
pub struct ParticipantRow {
    pub mpid: String,
    pub name: String,
    pub role: String,
    pub fuel: String,
    /// Where it goes, and when.
    pub moving: Option<String>,
}

/// Enters a participant, or changes one of the same MPID.
#[derive(Debug, Clone, Serialize)]
pub struct NewParticipant {
    pub mpid: String,
    pub name: String,
    pub roles: Vec<Choice>,
    pub fuels: Vec<Choice>,
    pub mpid_problem: Option<String>,
    pub name_problem: Option<String>,
    pub move_problem: Option<String>,
}

/// The calendars.
#[derive(Debug, Clone, Serialize)]
pub struct Calendars {
    pub frame: Frame,
    pub cards: Vec<CalendarCard>,
}

/// One calendar.
#[derive(Debug, Clone, Serialize)]
pub struct CalendarCard {
    pub name: String,
    pub version: String,
    /// The processes whose deadlines go by it.
    pub processes: Vec<String>,
    pub days: Vec<CalendarDay>,
}

/// A holiday.
#[derive(Debug, Clone, Serialize)]
pub struct CalendarDay {
    pub day: String,
    pub name: String,
}

impl Page for Companies {
    const TEMPLATE: &'static str = "companies";
}

impl Page for NewCompany {
    const TEMPLATE: &'static str = "new-company";
}

impl Page for Company {
    const TEMPLATE: &'static str = "company";
}

impl Page for Calendars {
    const TEMPLATE: &'static str = "calendars";
}
