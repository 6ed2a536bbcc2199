//! `postern case list|show|export`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use mail::{GroupId, ProcessId};

use super::{ask, wait};
use crate::cli::{ConfigFile, Outcome, Output};
use crate::config::Config;
use crate::control;
use crate::directory_file::Written;
use crate::print;
use crate::tools::rows::{CaseDetail, CaseRow, Exported};
use crate::tools::{FolderSink, Request};

#[derive(Subcommand)]
pub(crate) enum Case {
    /// List cases, those with the latest message first
    List(List),
    /// Show one case without its content
    Show(Show),
    /// Write a case and its original messages into a folder; the audit trail says so
    Export(Export),
}

#[derive(Args)]
pub(crate) struct List {
    /// Only cases of this group
    #[arg(long)]
    group: Option<GroupId>,
    /// Only cases of this process
    #[arg(long)]
    process: Option<ProcessId>,
    /// At most this many
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u16).range(1..=1000))]
    limit: u16,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The case reference, such as K7Q-4M2X
    reference: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Export {
    /// The case reference, such as K7Q-4M2X
    reference: String,
    /// The folder to write into [default: the case reference]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Case {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::List(list) => list.run(),
            Self::Show(show) => show.run(),
            Self::Export(export) => export.run(),
        }
    }
}

impl List {
    fn run(self) -> anyhow::Result<Outcome> {
        let request = Request::CaseList {
            group: self.group.map(Written),
            process: self.process.map(Written),
            limit: usize::from(self.limit),
        };
        let cases: Vec<CaseRow> = ask(&self.config, request)?;
        if self.output.json {
            print::json(&cases)?;
            return Ok(Outcome::Done);
        }
        let rows: Vec<_> = cases.iter().map(row).collect();
        let heading =
            ["case", "process", "contact type", "state", "between", "messages", "latest", "answer due"];
        print::table(&heading, &rows)?;
        Ok(Outcome::Done)
    }
}

fn row(case: &CaseRow) -> Vec<String> {
    let sides: Vec<_> = case.sides.iter().map(|side| side.group.as_str()).collect();
    vec![
        case.reference.clone(),
        case.process.clone(),
        case.contact_type.clone(),
        case.state.clone(),
        sides.join(" and "),
        case.messages.to_string(),
        case.last_message_at.clone(),
        case.due.as_ref().map(|due| format!("{} by {}", due.at, due.side)).unwrap_or_default(),
    ]
}

impl Show {
    fn run(self) -> anyhow::Result<Outcome> {
        let detail: CaseDetail = ask(&self.config, Request::CaseShow { reference: self.reference })?;
        match self.output.json {
            true => print::json(&detail)?,
            false => describe(&detail)?,
        }
        Ok(Outcome::Done)
    }
}

fn describe(detail: &CaseDetail) -> anyhow::Result<()> {
    let case = &detail.case;
    print::lines(&format!("case {} ({}, {})", case.reference, case.process, case.contact_type))?;
    print::lines(&format!("  state       {}", case.state))?;
    print::lines(&format!("  opened      {}", case.opened_at))?;
    if let Some(due) = &case.due {
        print::lines(&format!("  answer due  {} by {}: {}", due.at, due.side, due.reason))?;
    }
    for side in &case.sides {
        let owner = side.owner.as_deref().unwrap_or("nobody");
        let part = if side.initiator { "asked" } else { "was asked" };
        print::lines(&format!("  {} ({}) {part}; owner {owner}", side.group, side.participant))?;
    }
    let rows: Vec<_> = detail
        .items
        .iter()
        .map(|message| {
            vec![
                message.received_at.clone(),
                message.from.clone(),
                message.size.to_string(),
                message.proof.clone(),
                message.signal.clone().unwrap_or_default(),
                // So much tells rules apart; all of it is in the JSON form.
                message.rules.as_deref().map(|hash| hash.chars().take(12).collect()).unwrap_or_default(),
                message.id.clone(),
            ]
        })
        .collect();
    print::lines("")?;
    print::table(&["received", "from", "bytes", "proved by", "placed by", "rules", "message"], &rows)
}

impl Export {
    fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config.file)?;
        crate::log::start_quietly(config.log);
        let folder = self.to.unwrap_or_else(|| PathBuf::from(&self.reference));
        let request = Request::CaseExport { reference: self.reference };
        let exported: Exported = wait(async {
            let mut sink = FolderSink::new(folder.clone());
            control::ask_for_files(&config, request, &mut sink).await
        })?;
        match self.output.json {
            true => print::json(&exported)?,
            false => print::lines(&format!(
                "case {}: {} files, {} bytes of mail in {}",
                exported.reference,
                exported.files,
                exported.bytes,
                folder.display()
            ))?,
        }
        Ok(Outcome::Done)
    }
}
