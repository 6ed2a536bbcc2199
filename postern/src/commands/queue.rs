//! `postern queue list|show|hold|release|retry|drop`.

use clap::{Args, Subcommand};

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::print;
use crate::tools::{QueueChange, QueueSelection, Request, rows::DomainHoldRow, rows::JobRow};

#[derive(Subcommand)]
pub(crate) enum Queue {
    /// List what waits, is under way, is on hold or was given up
    List(List),
    /// Show one entry
    Show(Show),
    /// Keep entries from being sent, and those that come later to the same domain; what has begun its dialogue
    /// with another server is not cut off
    Hold(Selected),
    /// Send again what was kept
    Release(Selected),
    /// Try entries now, also those that were given up
    Retry(Selected),
    /// Take entries out of the queue for good
    Drop(Selected),
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

/// Which entries: exactly one way to say it.
#[derive(Args)]
pub(crate) struct Selected {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct Which {
    /// One entry, as `postern queue list` shows it
    id: Option<String>,
    /// Every entry of this case, such as K7Q-4M2X
    #[arg(long, value_name = "REFERENCE")]
    case: Option<String>,
    /// Every entry to this domain
    #[arg(long, value_name = "DOMAIN")]
    domain: Option<String>,
    /// Every entry
    #[arg(long)]
    all: bool,
}

impl Which {
    fn selection(self) -> QueueSelection {
        let Self { id, case, domain, .. } = self;
        let named = id.map(QueueSelection::Job);
        let named = named.or(case.map(QueueSelection::Case)).or(domain.map(QueueSelection::Domain));
        named.unwrap_or(QueueSelection::All)
    }
}

impl Queue {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::List(List { output, config }) => {
                let holds: Vec<DomainHoldRow> = ask(&config, Request::QueueHolds)?;
                list(&ask::<Vec<JobRow>>(&config, Request::QueueList)?, &holds, &output)?
            }
            Self::Show(Show { id, output, config }) => {
                show(&ask(&config, Request::QueueShow { job: id })?, &output)?;
            }
            Self::Hold(selected) => selected.change(QueueChange::Hold, "on hold")?,
            Self::Release(selected) => selected.change(QueueChange::Release, "released")?,
            Self::Retry(selected) => selected.change(QueueChange::Retry, "due now")?,
            Self::Drop(selected) => selected.change(QueueChange::Drop, "out of the queue")?,
        }
        Ok(Outcome::Done)
    }
}

impl Selected {
    fn change(self, change: QueueChange, done: &str) -> anyhow::Result<()> {
        let of = self.which.selection();
        let what = match &of {
            QueueSelection::Job(id) => id.clone(),
            QueueSelection::Case(reference) => format!("case {reference}"),
            QueueSelection::Domain(domain) => domain.clone(),
            QueueSelection::All => "everything".to_owned(),
        };
        let count: u64 = ask(&self.config, Request::QueueChange { change, of })?;
        print::lines(&format!("{what}: {count} {done}"))
    }
}

fn list(jobs: &[JobRow], holds: &[DomainHoldRow], output: &Output) -> anyhow::Result<()> {
    if output.json {
        return print::json(&jobs);
    }
    for hold in holds {
        let domain = if hold.domain.is_empty() { "every domain" } else { &hold.domain };
        print::lines(&format!("on hold: {domain}, since {}, by {}", hold.since, hold.by))?;
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
