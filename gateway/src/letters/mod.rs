//! From a due job to a finished letter: ids are looked up, typed values are put into a template, and the finished bytes
//! pass the guard. Nothing of a mail is at hand here, so nothing can slip in.

mod about_cases;
mod about_held;
mod about_signing_in;
mod alerts;
mod case_news;
mod report;
mod signer;

use std::sync::Arc;

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use mail::{Address, GroupId, Letter, Rcpt, ReportWish, ReversePath, Submitted};
use store::{Job, JobKind, StoreError};
use templates::{CompanyName, FieldError, LetterStyle, LetterText, Phrase, TemplateError, Templates};

use crate::{
    gateway::Gateway,
    guard::{self, Cleared, Leak, Printed},
    notice,
};

pub use signer::{KeyUnusable, Signer};

/// A mail that may leave, and its envelope.
pub(crate) struct Outgoing {
    pub(crate) reverse_path: ReversePath,
    pub(crate) to: Rcpt,
    pub(crate) report: ReportWish,
    pub(crate) mail: Cleared,
}

/// Why a letter cannot be made. What a retry may help is `Ledger`; the rest needs a person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LetterError {
    #[error(transparent)]
    Ledger(#[from] StoreError),
    #[error("the case is not there any more")]
    NoCase,
    #[error("{0} is not in the catalogue or the directory any more")]
    Unknown(String),
    #[error(transparent)]
    Field(#[from] FieldError),
    #[error(transparent)]
    Template(#[from] TemplateError),
    #[error(transparent)]
    Compose(#[from] mail::ComposeError),
    #[error("no address can be made from the notice domain {0}; correct it in the configuration")]
    Domain(String),
    #[error(transparent)]
    Leak(#[from] Leak),
    #[error("a relayed mail is no letter")]
    NoLetter,
}

impl LetterError {
    /// Whether somebody may mend it while the letter waits: a name in the directory, the catalogue, the configuration.
    /// What is gone or leaks is beyond that.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Ledger(_) | Self::Unknown(_) | Self::Field(_) | Self::Domain(_) | Self::Compose(_) => true,
            Self::NoCase | Self::Template(_) | Self::Leak(_) | Self::NoLetter => false,
        }
    }
}

/// Who writes the letters of this installation.
pub(crate) struct Letters {
    gateway: Arc<Gateway>,
    templates: Arc<Templates>,
    signer: Signer,
    /// The name of this server, for delivery reports.
    host: String,
}

/// The words of a letter and what goes with them.
struct Draft {
    text: LetterText,
    /// The typed values that it was made of.
    printed: Printed,
    reply_to: Address,
    references: Vec<String>,
}

impl Letters {
    pub(crate) fn new(gateway: Arc<Gateway>, templates: Arc<Templates>, signer: Signer, host: &str) -> Self {
        Self { gateway, templates, signer, host: host.to_owned() }
    }

    /// Makes the letter of a job; `None` if there is nothing left to say. The same job always makes the same
    /// Message-ID and addresses.
    pub(crate) async fn finish(&self, job: &Job) -> Result<Option<Outgoing>, LetterError> {
        let draft = match &job.kind {
            JobKind::Notice(notice) => self.notice(notice).await?,
            JobKind::Receipt(receipt) => Some(self.receipt(receipt).await?),
            JobKind::Digest(digest) => self.digest(job, digest).await?,
            JobKind::Held(held) => Some(self.held(held)?),
            JobKind::Link(letter) => self.link_letter(letter).await?,
            JobKind::Case(news) => self.case_news(news).await?,
            JobKind::Alert(alert) => self.alert(job, alert).await?,
            JobKind::Idle(idle) => self.idle(idle).await?,
            JobKind::AlertDigest(_) => self.alert_digest(job).await?,
            JobKind::Report(report) => return self.report(job, report).map(Some),
            JobKind::Relay(_) => return Err(LetterError::NoLetter),
        };
        draft.map(|draft| self.letter(job, &draft)).transpose()
    }

    fn letter(&self, job: &Job, draft: &Draft) -> Result<Outgoing, LetterError> {
        let settings = self.gateway.settings();
        let domain = &settings.notice_domain;
        let letter = Letter {
            from: &settings.notice_sender,
            from_name: &settings.notice_name,
            to: job.to(),
            reply_to: &draft.reply_to,
            subject: &draft.text.subject,
            text: &draft.text.text,
            html: &draft.text.html,
            message_id: &notice::message_id(job, domain),
            references: &draft.references,
            date: job.created_at.as_second(),
            submitted: match job.kind {
                JobKind::Receipt(_) => Submitted::Replied,
                _ => Submitted::Generated,
            },
        };
        let sender = notice::envelope_sender(self.gateway.ledger(), job.id, domain)
            .ok_or_else(|| self.unusable_domain())?;
        let mut printed = draft.printed.clone();
        printed.address(letter.from).address(letter.to).value(letter.reply_to).value(letter.message_id);
        for root in letter.references {
            printed.value(root);
        }
        Ok(Outgoing {
            reverse_path: ReversePath::Address(sender),
            to: job.to().clone().into(),
            report: ReportWish::default(),
            mail: self.cleared(&printed, letter.to_bytes()?)?,
        })
    }

    fn cleared(&self, printed: &Printed, letter: Vec<u8>) -> Result<Cleared, Leak> {
        guard::clear(&self.gateway.rules(), &self.signer, printed, letter)
    }

    /// The templates for letters to the people of a group, as it wants them.
    fn templates_for(&self, group: Option<&GroupId>) -> Result<Templates, LetterError> {
        let directory = self.gateway.ledger().directory();
        let style = group.and_then(|group| directory.group(group)).map(store::Group::notice_style);
        let style = style.unwrap_or_default();
        let phrase = style.phrase.map(|phrase| Phrase::parse(&phrase)).transpose()?;
        Ok(self.templates.styled(LetterStyle { phrase, link_free: style.link_free }))
    }

    fn unusable_domain(&self) -> LetterError {
        LetterError::Domain(self.gateway.settings().notice_domain.clone())
    }

    fn company(&self, group: &GroupId) -> Result<CompanyName, LetterError> {
        let directory = self.gateway.ledger().directory();
        let group = directory.group(group).ok_or_else(|| LetterError::Unknown(group.to_string()))?;
        Ok(CompanyName::from_directory(&group.name)?)
    }
}

/// By the market's wall clock.
fn market_time(at: Timestamp) -> DateTime {
    at.to_zoned(TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)).datetime()
}
