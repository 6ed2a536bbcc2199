//! The ledger: everything Postern knows, on top of one small storage trait.
//!
//! Engines (`engine`, `sqlite`, `memory`, `sled`) keep rows and never interpret them; the rest of
//! the crate gives the rows their meaning and never touches a file.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod chain;
#[cfg(test)]
mod conformance;
pub mod engine;
#[cfg(any(test, feature = "memory"))]
pub mod memory;
#[cfg(feature = "sled")]
pub mod sled;
pub mod sqlite;

mod accept;
mod alarms;
mod alerts;
mod api_tokens;
mod app_password_use;
mod archive;
mod audit;
mod case_events;
mod case_notes;
mod case_row;
mod case_tags;
mod cases;
mod casework;
mod changes;
mod clock;
mod content;
mod credentials;
mod deadlines;
mod directory;
mod draft;
mod entries;
mod error;
mod factors;
mod group_sealed;
mod held;
mod ids;
mod imports;
mod inactivity;
mod jobs;
mod keys;
mod ledger;
mod links;
mod lists;
mod mta_sts;
mod network;
mod passage;
mod passkeys;
mod people;
mod polls;
mod proof;
mod reading;
mod recall;
mod records;
mod reports;
mod retention;
mod returns;
mod rules;
#[cfg(test)]
mod scenes;
mod sealed;
mod sent_notices;
mod sessions;
mod shadow;
mod sign_in_rules;
mod stages;
mod sweep;
mod tasks;
mod timers;
mod trail;
mod uptime;
mod writing;

pub use accept::{
    Acceptance, Accepted, AcceptedCase, Deadline, Earlier, Entry, Joining, Opening, Party, Place, SourceKey,
};
pub use alarms::FoundCounts;
pub use alerts::{Alert, AlertDigest, AlertPace, AlertRule, Alerts, AlertsOf, NoticeStyle};
pub use api_tokens::{ApiScope, ApiToken, MOST_API_TOKENS, NotAScope, TokenNotMade};
pub use audit::{Act, Actor, Event};
pub use case_events::{Detail, EventPage};
pub use case_notes::{CaseNote, LONGEST_NOTE};
pub use case_tags::{CaseTag, MOST_TAGS};
pub use cases::{Case, CasePage, Due, MOST_MESSAGES, MessageRecord, Side, Undelivered};
pub use casework::{CaseEnd, CaseReason, CaseState, Climb, Ended, Escalated, Escalation};
pub use changes::DirectoryChange;
pub use clock::{ClockTurn, clock_turn};
pub use content::{ContentWriter, SealedContent};
pub use credentials::{AppPassword, Connector};
pub use deadlines::{OpenDeadline, Reckoning, Recomputed};
pub use directory::{
    ClientCertificate, Directory, Fuel, Group, Mailbox, MailboxAlerts, Move, Participant, Permission,
    Receipts, Role, User,
};
pub use entries::{Entry as SignInEntry, EntryToken};
pub use error::StoreError;
pub use factors::{FactorSummary, RECOVERY_CODES, SecondStep};
pub use held::{CaseBound, HeldMail, HeldPage, Onward, OpenHeld, Release, Released};
pub use ids::{
    AppPasswordId, CaseId, CaseReference, ContentId, DraftId, HeldId, JobId, LinkId, MessageId, NotALocator,
    NotAReference, NoteId, PassageId, TaskId, TextId, UserId,
};
pub use imports::LARGEST_IMPORT;
pub use inactivity::{IDLE_DAYS, IdleNotice};
pub use jobs::{
    CaseNews, CaseNotice, DeliveryReport, Digest, DomainHold, Fate, HeldNews, HeldNotice, HeldSide, Job,
    JobKind, Leased, LinkLetter, Notice, Outcome, Receipt, RelayJob, Selection, Standing,
};
pub use ledger::{Clock, Ledger};
pub use links::{LinkKind, LinkToken, OpenLink};
pub use lists::{CaseCounts, CaseFilter, CaseOrder, DueFilter, ListWishes, Owed, OwnerFilter, SavedFilter};
pub use mail::{HoldReason, Scan};
pub use mta_sts::MailPolicy;
pub use network::{Network, NotANetwork};
pub use passage::{OutgoingPassage, Passage};
pub use passkeys::{MOST_PASSKEYS, StoredPasskey};
pub use people::UserState;
pub use polls::{PollReport, PollStanding, PollState};
pub use proof::{Addressed, AuthResult, Authentication, Proof};
pub use reading::{Closed, ContentReader, OpenContent, OpenMessage, Reading, Unreadable};
pub use recall::{Recallable, Recalled, Withdrawal};
pub use reports::{MOST_DAYS, Measure, ReportLine, ReportMonth, ReportOf, WorkingDays};
pub use retention::{KEPT, SweepPlace};
pub use returns::{AwayNote, Returned};
pub use rules::{Decision, RuleSource};
pub use sent_notices::{NOTICE_DAYS, NoticeFate, SentNotice, SentNotices};
pub use sessions::{Origin, OwnSession, Session, SessionToken};
pub use shadow::{Margin, Observation, ShadowReport, ShadowRow, ShadowRows, Tally};
pub use sign_in_rules::{SecondStepDefault, SecondStepRule, SignInRules};
pub use stages::{NotAStage, Scope, Stage, StageSetting};
pub use tasks::{Task, TaskKind};
pub use timers::{Retention, Told};
pub use trail::TrailPage;
pub use uptime::Uptime;
pub use writing::{
    ANSWERING, Answering, Draft, DraftFile, DraftWords, FileWriter, MOST_DRAFTS, MOST_FILES, MOST_TEXTS,
    TextTemplate,
};
