//! `postern queue list|show|retry|drop`.

use clap::{Args, Subcommand};

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::print;
use crate::tools::{Request, rows::JobRow};

#[derive(Subcommand)]
pub(crate) enum Queue {
    /// List what waits, is under way or was given up
    List(List),
    /// Show one entry
    Show(Show),
    /// Try one entry now, also one that was given up
    Retry(One),
    /// Take one entry out of the queue for good
    Drop(One),
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Show {
    id: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct One {
    id: String,
    #[command(flatten)]
    config: ConfigFile,
}

impl Queue {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::List(List { output, config }) => {
                list(&ask::<Vec<JobRow>>(&config, Request::QueueList)?, &output)?
            }
            Self::Show(Show { id, output, config }) => {
                show(&ask(&config, Request::QueueShow { job: id })?, &output)?;
            }
            Self::Retry(One { id, config }) => {
                ask::<()>(&config, Request::QueueRetry { job: id.clone() })?;
                print::lines(&format!("{id} is due now"))?;
            }
            Self::Drop(One { id, config }) => {
                ask::<()>(&config, Request::QueueDrop { job: id.clone() })?;
                print::lines(&format!("{id} is out of the queue"))?;
            }
        }
        Ok(Outcome::Done)
    }
}

fn list(jobs: &[JobRow], output: &Output) -> anyhow::Result<()> {
    if output.json {
        return print::json(&jobs);
    }
    let rows: Vec<_> = jobs
        .iter()
        .map(|job| {
            vec![
                job.id.clone(),
                job.kind.clone(),
                job.standing.clone(),
                job.case.clone(),
                job.to.clone(),
                job.attempts.to_string(),
                job.due.clone(),
                job.last_error.clone().unwrap_or_default(),
            ]
        })
        .collect();
    print::table(&["id", "kind", "standing", "case", "to", "tries", "next try", "last error"], &rows)
}

fn show(job: &JobRow, output: &Output) -> anyhow::Result<()> {
    if output.json {
        return print::json(job);
    }
    let last_error = job.last_error.as_deref().unwrap_or("none");
    print::lines(&format!(
        "{} {}\n  standing    {}\n  case        {}\n  group       {}\n  to          {}\n  \
         made        {}\n  next try    {}\n  tries       {}\n  last error  {last_error}",
        job.kind, job.id, job.standing, job.case, job.group, job.to, job.created_at, job.due, job.attempts
    ))
}
