//! Requests about the queue.

use anyhow::{Context, anyhow, bail};
use store::{Actor, Job, JobId, Standing};

use super::Desk;
use super::rows::JobRow;

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

    pub(super) async fn retry_job(&self, id: &str) -> anyhow::Result<()> {
        let id = parse(id)?;
        match self.ledger.retry_job(&Actor::Tool, id).await? {
            true => Ok(()),
            false => bail!(absent(id)),
        }
    }

    pub(super) async fn drop_job(&self, id: &str) -> anyhow::Result<()> {
        let id = parse(id)?;
        match self.ledger.drop_job(&Actor::Tool, id).await? {
            true => Ok(()),
            false => bail!(absent(id)),
        }
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
