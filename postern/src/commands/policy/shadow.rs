//! `postern policy stages|promote|demote|shadow-report`: for whom decisions are done and for whom they are only counted, and
//! what was counted. Every change is an event, and the opposite command takes it back.

use std::path::PathBuf;

use clap::Args;
use jiff::{ToSpan, civil::Date};
use mail::{GroupId, ProcessId};
use store::{ShadowRow, ShadowRows};

use super::folder;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::commands::ask;
use crate::directory_file::Written;
use crate::print;
use crate::tools::{Request, StageRow};

/// Days of a report that is asked for without a day.
const DAYS: i64 = 30;

#[derive(Args)]
pub(crate) struct Stages {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

/// For whom.
#[derive(Args)]
struct Whom {
    /// Of this group alone [default: of every group]
    #[arg(long)]
    group: Option<GroupId>,
    /// Of this process alone [default: of every process]
    #[arg(long)]
    process: Option<ProcessId>,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Promote {
    #[command(flatten)]
    whom: Whom,
}

#[derive(Args)]
pub(crate) struct Demote {
    /// Take back what is set for exactly this group and process; what is set for the wider scope holds again
    #[arg(long)]
    unset: bool,
    #[command(flatten)]
    whom: Whom,
}

#[derive(Args)]
pub(crate) struct ShadowReport {
    /// Of this group alone [default: of every group]
    #[arg(long)]
    group: Option<GroupId>,
    /// From this day on, UTC [default: 30 days ago]
    #[arg(long, value_name = "DAY", conflicts_with = "folder")]
    since: Option<Date>,
    /// Up to this day, UTC [default: today]
    #[arg(long, value_name = "DAY", conflicts_with = "folder")]
    until: Option<Date>,
    /// Instead of what was counted: the mails in the .eml files of this folder
    #[arg(long, value_name = "DIR")]
    folder: Option<PathBuf>,
    /// Try the policies of this configuration beside the standing ones [default: those of policy.tried]
    #[arg(long, value_name = "FILE", requires = "folder")]
    against: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Stages {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let stages: Vec<StageRow> = ask(&self.config, Request::StageList)?;
        if self.output.json {
            print::json(&stages)?;
            return Ok(Outcome::Done);
        }
        let every = |name: Option<String>| name.unwrap_or_else(|| "every".to_owned());
        let rows: Vec<_> = stages
            .into_iter()
            .map(|row| vec![every(row.group), every(row.process), row.stage, row.since])
            .collect();
        print::table(&["group", "process", "stage", "since"], &rows)?;
        print::lines("what is not listed is as policy.stage in the configuration says")?;
        Ok(Outcome::Done)
    }
}

impl Promote {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        self.whom.set(Some("live"), "decisions are done")
    }
}

impl Demote {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        match self.unset {
            true => self.whom.set(None, "what is set for the wider scope holds"),
            false => self.whom.set(Some("shadow"), "decisions are only counted"),
        }
    }
}

impl Whom {
    fn set(self, stage: Option<&str>, what: &str) -> anyhow::Result<Outcome> {
        let request = Request::StageSet {
            group: self.group.clone().map(Written),
            process: self.process.clone().map(Written),
            stage: stage.map(str::to_owned),
        };
        ask::<()>(&self.config, request)?;
        let group = self.group.map_or_else(|| "every group".to_owned(), |group| group.to_string());
        let process = self.process.map_or_else(|| "every process".to_owned(), |process| process.to_string());
        print::lines(&format!("{group}, {process}: {what}"))?;
        Ok(Outcome::Done)
    }
}

impl ShadowReport {
    pub(super) fn run(self) -> anyhow::Result<Outcome> {
        let rows = match &self.folder {
            Some(folder) => {
                folder::counted(&self.config.file, self.against.as_deref(), folder, self.group.as_ref())?
            }
            None => self.counted()?,
        };
        match self.output.json {
            true => print::json(&rows)?,
            false => print::lines(&in_words(&rows))?,
        }
        Ok(Outcome::Done)
    }

    fn counted(&self) -> anyhow::Result<ShadowRows> {
        let today = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let last = self.until.unwrap_or(today);
        let first = self.since.unwrap_or_else(|| last.saturating_sub(DAYS.days()));
        ask(
            &self.config,
            Request::ShadowReport {
                group: self.group.clone().map(Written),
                first: first.to_string(),
                last: last.to_string(),
            },
        )
    }
}

fn in_words(rows: &ShadowRows) -> String {
    let mut text = vec![format!("{} to {} (UTC)", rows.first, rows.last)];
    for (title, heading, table) in tables(rows) {
        if !table.is_empty() {
            let cells: Vec<_> = table.iter().map(cells).collect();
            text.push(format!("\n{title}\n\n{}", print::laid_out(heading, &cells)));
        }
    }
    if rows.left_out > 0 {
        text.push(format!(
            "\n{} mails are left out: nobody here wrote them, or they name nobody",
            rows.left_out
        ));
    }
    if text.len() == 1 {
        text.push("nothing was watched and nothing tried in these days; `postern policy stages` says who is watched".to_owned());
    }
    text.join("\n")
}

fn cells(row: &ShadowRow) -> Vec<String> {
    row.of.iter().cloned().chain([row.count.to_string()]).collect()
}

/// Each table with its title and the heading of its columns.
fn tables(rows: &ShadowRows) -> [(&'static str, &'static [&'static str], &[ShadowRow]); 9] {
    [
        ("Mails", &["class", "mails"], &rows.mails),
        ("What would have been decided", &["verdict", "rule", "recipients"], &rows.verdicts),
        ("Mailboxes", &["mailbox", "verdict", "process", "mails"], &rows.mailboxes),
        ("Notices that would have been sent", &["mailbox", "notices"], &rows.notices),
        ("The process that came second", &["process", "second", "margin", "recipients"], &rows.runners_up),
        (
            "Addresses of counterparties that are no mailbox",
            &["company", "keyed id", "with", "mails"],
            &rows.unmapped,
        ),
        ("Personal data", &["category", "verdict", "mails"], &rows.findings),
        (
            "The tried rules beside the standing ones",
            &["verdict", "tried", "process", "recipients"],
            &rows.compared,
        ),
        ("Copies that were not counted", &["because", "reports"], &rows.uncounted),
    ]
}
