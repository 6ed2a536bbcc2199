//! Requests about the queue.

use anyhow::{Context, anyhow, bail};
use serde::{Deserialize, Serialize};
use store::{Actor, Job, JobId, Selection, Standing};

use super::Desk;
use super::rows::{DomainHoldRow, JobRow};

/// What is to happen to jobs.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QueueChange {
    Hold,
    Release,
    Retry,
    Drop,
}

/// To which jobs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum QueueSelection {
    Job(String),
    /// By its reference.
    Case(String),
    /// Of the recipient.
    Domain(String),
    All,
}

impl Desk {
    pub(super) async fn jobs(&self) -> anyhow::Result<Vec<JobRow>> {
        let mut rows = Vec::new();
        for job in self.ledger.jobs().await? {
            rows.push(self.job_row(job).await?);
        }
        Ok(rows)
    }

    pub(super) async fn job(&self, id: &str) -> anyhow::Result<JobRow> {
        let id = parse(id)?;
        let job = self.ledger.job(id).await?.with_context(|| absent(id))?;
        self.job_row(job).await
    }

    /// Does it to every job of the selection: how many those were.
    pub(super) async fn change_queue(&self, change: QueueChange, of: QueueSelection) -> anyhow::Result<u64> {
        let selection = self.selection(&of).await?;
        let (ledger, actor) = (&self.ledger, Actor::Tool);
        let changed = match change {
            QueueChange::Hold => ledger.hold_jobs(&actor, &selection).await?,
            QueueChange::Release => ledger.release_jobs(&actor, &selection).await?,
            QueueChange::Retry => ledger.retry_jobs(&actor, &selection).await?,
            QueueChange::Drop => ledger.drop_jobs(&actor, &selection).await?,
        };
        match selection {
            Selection::Job(id) if changed == 0 => bail!(absent(id)),
            _ => Ok(changed),
        }
    }

    pub(super) async fn queue_holds(&self) -> anyhow::Result<Vec<DomainHoldRow>> {
        let holds = self.ledger.domain_holds().await?;
        let row = |hold: store::DomainHold| DomainHoldRow {
            domain: hold.domain,
            since: hold.since.to_string(),
            by: hold.by.to_string(),
        };
        Ok(holds.into_iter().map(row).collect())
    }

    async fn selection(&self, of: &QueueSelection) -> anyhow::Result<Selection> {
        Ok(match of {
            QueueSelection::Job(id) => Selection::Job(parse(id)?),
            QueueSelection::Domain(domain) => Selection::Domain(domain.to_lowercase()),
            QueueSelection::All => Selection::All,
            QueueSelection::Case(text) => {
                let reference = text
                    .parse()
                    .map_err(|_| anyhow!("\"{text}\" is not a case reference, such as K7Q-4M2X"))?;
                let case = self.ledger.case_by_reference(&reference).await?;
                Selection::Case(case.with_context(|| format!("there is no case {text}"))?.id)
            }
        })
    }

    pub(super) async fn job_row(&self, job: Job) -> anyhow::Result<JobRow> {
        let case = match job.case() {
            Some(case) => self.ledger.case(case).await?,
            None => None,
        };
        Ok(JobRow {
            id: job.id.to_string(),
            kind: job.kind.as_str().to_owned(),
            standing: standing(job.standing).to_owned(),
            group: job.group().to_string(),
            to: job.to().to_string(),
            case: case.map_or_else(String::new, |case| case.reference.to_string()),
            attempts: job.attempts,
            created_at: job.created_at.to_string(),
            due: job.due.to_string(),
            last_error: job.last_error,
        })
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Waiting => "waiting",
        Standing::Leased => "under way",
        Standing::Stopping => "being stopped",
        Standing::Abandoned => "given up",
        Standing::OnHold => "on hold",
    }
}

fn parse(id: &str) -> anyhow::Result<JobId> {
    id.parse().map_err(|_| anyhow!("\"{id}\" is not a job id; `postern queue list` shows them"))
}

fn absent(id: JobId) -> String {
    format!("there is no job {id}; it may have been done meanwhile (`postern queue list` shows what waits)")
}
