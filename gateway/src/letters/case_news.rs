//! The letters with news of a case: escalated, to be escalated, due soon, gone soon. What became untrue while the letter waited
//! is not said.

use jiff::SignedDuration;
use policies::escalation::archives_at;
use store::{Case, CaseNews, CaseNotice};
use templates::{DueDate, NewsOfCase};

use super::{Draft, LetterError, Letters, market_time};
use crate::guard::Printed;

impl Letters {
    /// `None` if it is not so any more: people were faster, or the date has moved and is told anew.
    pub(super) async fn case_news(&self, told: &CaseNotice) -> Result<Option<Draft>, LetterError> {
        let case = self.case(told.case).await?;
        let Some(at) = self.stands(told, &case)? else { return Ok(None) };
        let news = templates::CaseNews {
            what: match told.what {
                CaseNews::Escalated => NewsOfCase::Escalated,
                CaseNews::EscalationOpen => NewsOfCase::EscalationOpen,
                CaseNews::DueSoon => NewsOfCase::DueSoon,
                CaseNews::ArchiveSoon => NewsOfCase::ArchiveSoon,
            },
            case: super::about_cases::reference(&case)?,
            process: self.process(&case)?,
            company: self.other_side(&case, &told.group)?,
            day: DueDate::on(market_time(at).date()),
            link: self.link(&case)?,
        };
        let mut printed = Printed::default();
        printed.value(&news.case).value(&news.process).value(&news.company).value(&news.link);
        let text = self.templates_for(Some(&told.group))?.render_case_news(&news)?;
        self.draft(&case, text, printed, (&told.group, &told.to)).map(Some)
    }

    /// The instant that is told, if it still is as it was when the letter was ordered.
    fn stands(&self, told: &CaseNotice, case: &Case) -> Result<Option<jiff::Timestamp>, LetterError> {
        if told.what == CaseNews::ArchiveSoon {
            let unchanged = !case.is_archived() && told.about == Some(case.last_message_at);
            let rules = self.gateway.rules();
            let process = rules.catalogue().process(&case.process);
            let process = process.ok_or_else(|| LetterError::Unknown(case.process.to_string()))?;
            return Ok(unchanged.then(|| archives_at(case.last_message_at, process)));
        }
        let due = case.due.as_ref().filter(|due| same(told.about, due.at));
        let owes = told.what != CaseNews::EscalationOpen;
        Ok(due.filter(|due| (due.side == told.group) == owes).map(|due| due.at))
    }
}

/// Stored instants are whole milliseconds.
fn same(about: Option<jiff::Timestamp>, at: jiff::Timestamp) -> bool {
    about.is_some_and(|about| about.duration_since(at).abs() < SignedDuration::from_millis(1))
}
