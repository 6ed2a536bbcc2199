//! The letters about cases: notice, receipt, digest. Each takes from a case its reference, process, companies and date,
//! and nothing else.

use mail::{Address, GroupId};
use store::{Case, CaseId, Job};
use templates::{CaseReference, DigestLine, DueDate, Link, PortalAddress, ProcessName};

use super::{Draft, LetterError, Letters, market_time};
use crate::{guard::Printed, notice};

impl Letters {
    /// `None` if nothing waits any more: people were faster, or the message was taken back.
    pub(super) async fn notice(&self, told: &store::Notice) -> Result<Option<Draft>, LetterError> {
        let case = self.case(told.case).await?;
        if case.side(&told.group).is_some_and(|side| side.waiting <= side.seen) {
            return Ok(None);
        }
        self.notice_of(&case, &told.group, &told.to).map(Some)
    }

    pub(super) fn notice_of(&self, case: &Case, group: &GroupId, to: &Address) -> Result<Draft, LetterError> {
        let notice = templates::Notice {
            case: reference(case)?,
            process: self.process(case)?,
            sender: self.other_side(case, group)?,
            due: due(case, group),
            link: self.link(case)?,
        };
        let mut printed = Printed::default();
        printed.value(&notice.case).value(&notice.process).value(&notice.sender).value(&notice.link);
        let text = self.templates_for(Some(group))?.render_notice(&notice)?;
        self.draft(case, text, printed, (group, to))
    }

    pub(super) async fn receipt(&self, told: &store::Receipt) -> Result<Draft, LetterError> {
        let case = self.case(told.case).await?;
        let company = self.other_side(&case, &told.group)?;
        let other = case.counterparties(&told.group).next().map(|side| side.group.clone());
        let receipt = templates::Receipt {
            case: reference(&case)?,
            process: self.process(&case)?,
            company,
            // Here it is the other side that owes.
            due: other.and_then(|other| due(&case, &other)),
            link: self.link(&case)?,
        };
        let mut printed = Printed::default();
        printed.value(&receipt.case).value(&receipt.process).value(&receipt.company).value(&receipt.link);
        let text = self.templates_for(Some(&told.group))?.render_receipt(&receipt)?;
        self.draft(&case, text, printed, (&told.group, &told.to))
    }

    /// `None` if nothing of it waits any more.
    pub(super) async fn digest(&self, job: &Job, told: &store::Digest) -> Result<Option<Draft>, LetterError> {
        let mut cases = self.gateway.ledger().digest(job).await?;
        if cases.is_empty() {
            return Ok(None);
        }
        // The most urgent first; what is owed by nobody comes last.
        cases.sort_by_key(|case| {
            let due = due(case, &told.group);
            (due.is_none(), due, case.reference)
        });
        let lines = cases.iter().map(|case| {
            Ok(DigestLine {
                case: reference(case)?,
                process: self.process(case)?,
                company: self.other_side(case, &told.group)?,
                due: due(case, &told.group),
                link: self.link(case)?,
            })
        });
        let digest = templates::Digest {
            cases: lines.collect::<Result<_, LetterError>>()?,
            portal: PortalAddress::parse(&self.gateway.settings().portal_url)?,
        };
        let mut printed = Printed::default();
        for line in &digest.cases {
            printed.value(&line.case).value(&line.process).value(&line.company).value(&line.link);
        }
        Ok(Some(Draft {
            text: self.templates_for(Some(&told.group))?.render_digest(&digest)?,
            printed,
            // Which case would a reply to many belong to? It is refused, and the letter says how to answer.
            reply_to: self.gateway.settings().notice_sender.clone(),
            references: Vec::new(),
        }))
    }

    pub(super) fn draft(
        &self,
        case: &Case,
        text: templates::LetterText,
        printed: Printed,
        (group, to): (&GroupId, &Address),
    ) -> Result<Draft, LetterError> {
        let reply_to =
            self.gateway.reply_address(case.id, group, to).ok_or_else(|| self.unusable_domain())?;
        let root = notice::case_root(case.id, &self.gateway.settings().notice_domain);
        Ok(Draft { text, printed, reply_to, references: vec![root] })
    }

    pub(super) async fn case(&self, id: CaseId) -> Result<Case, LetterError> {
        self.gateway.ledger().case(id).await?.ok_or(LetterError::NoCase)
    }

    pub(super) fn process(&self, case: &Case) -> Result<ProcessName, LetterError> {
        let rules = self.gateway.rules();
        let process = rules.catalogue().process(&case.process);
        let process = process.ok_or_else(|| LetterError::Unknown(case.process.to_string()))?;
        Ok(ProcessName::from_catalogue(&process.name)?)
    }

    pub(super) fn other_side(
        &self,
        case: &Case,
        group: &GroupId,
    ) -> Result<templates::CompanyName, LetterError> {
        self.company(&case.counterparties(group).next().ok_or(LetterError::NoCase)?.group)
    }

    pub(super) fn link(&self, case: &Case) -> Result<Link, LetterError> {
        Ok(Link::to_case(&self.gateway.settings().portal_url, &case.id.to_string())?)
    }
}

pub(super) fn reference(case: &Case) -> Result<CaseReference, LetterError> {
    Ok(CaseReference::parse(&case.reference.to_string())?)
}

/// What `group` owes. The other side's deadline is not this reader's to keep.
fn due(case: &Case, group: &GroupId) -> Option<DueDate> {
    let due = case.due.as_ref().filter(|due| due.side == *group)?;
    Some(DueDate::on(market_time(due.at).date()))
}
