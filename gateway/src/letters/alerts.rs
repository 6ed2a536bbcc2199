//! The letters to one user that something waits: the notice of a case, or how many cases. Nothing is said of a case that the
//! user may not read any more, or that somebody has looked at.

use store::{Alert, Job};
use templates::{PortalAddress, ProcessName};

use super::{Draft, LetterError, Letters};
use crate::guard::Printed;

impl Letters {
    pub(super) async fn alert(&self, job: &Job, told: &Alert) -> Result<Option<Draft>, LetterError> {
        let waiting = self.gateway.ledger().waiting_for(job).await?;
        waiting.first().map(|case| self.notice_of(case, &told.group, &told.to)).transpose()
    }

    pub(super) async fn alert_digest(&self, job: &Job) -> Result<Option<Draft>, LetterError> {
        let mut waiting: Vec<(ProcessName, usize)> = Vec::new();
        for case in self.gateway.ledger().waiting_for(job).await? {
            let process = self.process(&case)?;
            match waiting.iter_mut().find(|(known, _)| *known == process) {
                Some((_, count)) => *count += 1,
                None => waiting.push((process, 1)),
            }
        }
        if waiting.is_empty() {
            return Ok(None);
        }
        waiting.sort_by_key(|(process, _)| process.to_string());
        let portal = PortalAddress::parse(&self.gateway.settings().portal_url)?;
        let digest = templates::AlertDigest { waiting, portal };
        let mut printed = Printed::default();
        printed.value(&digest.portal);
        for (process, _) in &digest.waiting {
            printed.value(process);
        }
        Ok(Some(Draft {
            text: self.templates_for(Some(job.group()))?.render_alert_digest(&digest)?,
            printed,
            // No case is named, so none can be answered.
            reply_to: self.gateway.settings().notice_sender.clone(),
            references: Vec::new(),
        }))
    }
}
