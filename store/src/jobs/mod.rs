//! Work that is due: written in the commit that makes it due, leased, idempotent, retried.
//!
//! How a job is done is the worker's business (`gateway::Worker`); here it is only kept: `kinds` says what there is,
//! `queue` who gets what next, `ending` what follows from an end, `steering` what an administrator may do about it.

mod collecting;
mod ending;
mod kinds;
mod queue;
mod steering;

pub use kinds::{
    CaseNews, CaseNotice, DeliveryReport, Digest, Fate, HeldNews, HeldNotice, HeldSide, Job, JobKind, Leased,
    LinkLetter, Notice, Outcome, Receipt, RelayJob, Standing,
};
pub use steering::{DomainHold, Selection};

pub(crate) use ending::{SentMail, notice_key, sent_key};
pub(crate) use queue::move_old_jobs;
