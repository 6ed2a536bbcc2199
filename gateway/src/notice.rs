//! From a due job to a finished notice: ids are looked up, typed values are put into the template,
//! and the finished bytes pass the guard. Nothing of a mail is at hand here, so nothing can slip in.

use jiff::tz::TimeZone;
use mail::{Address, Letter};
use store::{Case, CaseId, Job, JobKind, Notice, StoreError};
use templates::{
    CaseReference, CompanyName, DueDate, FieldError, Link, ProcessName, TemplateError, Templates,
};

use crate::{
    gateway::Gateway,
    guard::{self, Cleared, Leak},
};

/// A notice that may leave.
pub(crate) struct Finished {
    /// Keyed for each notice, so that a bounce says which one failed.
    pub(crate) envelope_sender: Address,
    pub(crate) to: Address,
    pub(crate) mail: Cleared,
}

/// Why a notice cannot be made. What a retry may help is `Ledger`; the rest needs a person.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NoticeError {
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
}

impl NoticeError {
    /// Whether somebody may mend it while the notice waits: a name in the directory, the catalogue, the
    /// configuration. What is gone or leaks is beyond that.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Ledger(_) | Self::Unknown(_) | Self::Field(_) | Self::Domain(_) | Self::Compose(_) => true,
            Self::NoCase | Self::Template(_) | Self::Leak(_) => false,
        }
    }
}

/// Makes the notice of a job. The same job always makes the same Message-ID and addresses.
pub(crate) async fn finish(
    gateway: &Gateway,
    templates: &Templates,
    job: &Job,
) -> Result<Finished, NoticeError> {
    let JobKind::Notice(notice) = &job.kind;
    let case = gateway.ledger().case(notice.case).await?.ok_or(NoticeError::NoCase)?;
    let text = templates.render_notice(&words(gateway, &case, notice)?)?;
    let settings = gateway.settings();
    let domain = &settings.notice_domain;
    let unusable = || NoticeError::Domain(domain.clone());
    let reply_to = gateway.reply_address(case.id, &notice.group, &notice.to).ok_or_else(unusable)?;
    let letter = Letter {
        from: &settings.notice_sender,
        from_name: &settings.notice_name,
        to: &notice.to,
        reply_to: &reply_to,
        subject: &text.subject,
        text: &text.text,
        html: &text.html,
        message_id: &format!("n.{}.{}@{domain}", job.id, case.id),
        references: &[root_id(case.id, domain)],
        date: job.created_at.as_second(),
    };
    Ok(Finished {
        envelope_sender: Address::parse(&format!("b-{}@{domain}", job.id)).map_err(|_| unusable())?,
        to: notice.to.clone(),
        mail: guard::clear(&gateway.rules(), letter.to_bytes()?)?,
    })
}

/// The Message-ID that all notices of a case refer to, so that mail clients group them.
fn root_id(case: CaseId, domain: &str) -> String {
    format!("c.{case}@{domain}")
}

/// The case that the Message-ID of a notice, or of the root of its case, names; whoever names one
/// proves nothing by it.
pub(crate) fn case_of(message_id: &str, domain: &str) -> Option<CaseId> {
    let (local, host) = message_id.split_once('@')?;
    let (kind, rest) = local.split_once('.')?;
    let case = match kind {
        "c" => rest,
        "n" => rest.split_once('.')?.1,
        _ => return None,
    };
    host.eq_ignore_ascii_case(domain).then(|| case.parse().ok())?
}

fn words(gateway: &Gateway, case: &Case, notice: &Notice) -> Result<templates::Notice, NoticeError> {
    let rules = gateway.rules();
    let process = rules.catalogue().process(&case.process);
    let process = process.ok_or_else(|| NoticeError::Unknown(case.process.to_string()))?;
    let other = case.counterparties(&notice.group).next().ok_or(NoticeError::NoCase)?;
    let directory = gateway.ledger().directory();
    let company =
        directory.group(&other.group).ok_or_else(|| NoticeError::Unknown(other.group.to_string()))?;
    // The other side's deadline is not this reader's to keep.
    let due = case.due.as_ref().filter(|due| due.side == notice.group);
    Ok(templates::Notice {
        case: CaseReference::parse(&case.reference.to_string())?,
        process: ProcessName::from_catalogue(&process.name)?,
        sender: CompanyName::from_directory(&company.name)?,
        due: due.map(|due| DueDate::on(due.at.to_zoned(market_time()).date())),
        link: Link::to_case(&gateway.settings().portal_url, &case.id.to_string())?,
    })
}

/// The market's wall clock.
fn market_time() -> TimeZone {
    TimeZone::get("Europe/London").unwrap_or(TimeZone::UTC)
}
