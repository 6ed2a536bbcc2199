//! The pure engine of Postern: facts in, decisions out. It knows the catalogue of processes, the working-day calendar,
//! what counts as a search tag, which verdict a recipient gets, whose mail it is and who may do what. It never reads a
//! clock, a file or the network: policy files come in as text, the shipped ones are part of the binary.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod access;
mod authorship;
mod calendar;
mod catalogue;
mod classification;
pub mod detect;
mod digits;
pub mod escalation;
mod examples;
mod files;
mod judge;
mod judgement;
mod recipient;
mod source;
mod standing;
mod story;
mod subject;
pub mod tags;
mod verdicts;

pub use authorship::{Author, AuthorRefusal, author};
pub use calendar::{Calendar, CalendarName, Calendars, DueDate, due, working_days};
pub use catalogue::{Branch, Catalogue, Choice, Field, FieldId, Opaque, Process, Rung, Setting, SubjectCode};
pub use classification::{Classification, ClassificationRules, Outcome};
pub use examples::{Difference, Example, SampleMarket, Tried};
pub use files::{FileKind, NotAHash, RuleFiles, RulesHash};
pub use judge::Ruleset;
pub use judgement::{Effect, Facts, Judged, Placed, Protection, Recall, Signal, Verdict};
pub use recipient::{Class, NamedCase, Passing, Place, Recipient, Refused};
pub use source::PolicyError;
pub use standing::Standing;
pub use story::{Asked, Seen, Story};
pub use tags::{TagName, TagNames, TagRules};
pub use verdicts::{RuleId, VerdictRules};
