//! `postern directory import|export|list`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::directory_file::{Difference, DirectoryFile, RoleName, StateName, UserEntry};
use crate::print;
use crate::tools::Request;

#[derive(Subcommand)]
pub(crate) enum Directory {
    /// Add and change what a file names; what it does not name stays as it is
    Import(Import),
    /// Print the whole directory in the form that import reads, without passwords
    Export(Export),
    /// List groups, participants, users and mailboxes
    List(List),
}

#[derive(Args)]
pub(crate) struct Import {
    /// The directory file, TOML or (when it ends in .json) JSON
    file: PathBuf,
    /// Say what would change, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct List {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Directory {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Import(import) => import.run(),
            Self::Export(export) => export.run(),
            Self::List(list) => list.run(),
        }
    }
}

impl Import {
    fn run(self) -> anyhow::Result<Outcome> {
        let file = DirectoryFile::load(&self.file)?;
        let request = Request::DirectoryImport { file, dry_run: self.dry_run };
        let differences: Vec<Difference> = ask(&self.config, request)?;
        if self.output.json {
            print::json(&differences)?;
        } else if differences.is_empty() {
            print::lines("nothing to change")?;
        } else {
            let done = if self.dry_run { "would " } else { "" };
            for Difference { step, kind, name, fields } in &differences {
                print::lines(&format!("{done}{step} {kind} {name}"))?;
                for field in fields {
                    print::lines(&format!("    {}: {} → {}", field.name, field.before, field.after))?;
                }
            }
        }
        Ok(Outcome::Done)
    }
}

impl Export {
    fn run(self) -> anyhow::Result<Outcome> {
        let file: DirectoryFile = ask(&self.config, Request::DirectoryExport)?;
        match self.output.json {
            true => print::json(&file)?,
            false => print::lines(file.to_toml()?.trim_end())?,
        }
        Ok(Outcome::Done)
    }
}

impl List {
    fn run(self) -> anyhow::Result<Outcome> {
        let file: DirectoryFile = ask(&self.config, Request::DirectoryExport)?;
        if self.output.json {
            print::json(&file)?;
            return Ok(Outcome::Done);
        }
        groups(&file)?;
        people(&file)?;
        mailboxes(&file)?;
        Ok(Outcome::Done)
    }
}

fn groups(file: &DirectoryFile) -> anyhow::Result<()> {
    let rows: Vec<_> = file
        .groups
        .iter()
        .map(|group| {
            let of_group = file.participants.iter().filter(|participant| participant.group == group.id);
            let participants: Vec<_> =
                of_group.map(|participant| format!("{} ({})", participant.mpid, participant.role)).collect();
            vec![group.id.to_string(), group.name.clone(), group.domains.join(", "), participants.join(", ")]
        })
        .collect();
    print::table(&["group", "name", "domains", "participants"], &rows)
}

fn people(file: &DirectoryFile) -> anyhow::Result<()> {
    let rows: Vec<_> = file
        .users
        .iter()
        .map(|user| {
            vec![
                user.email.to_string(),
                user.group.to_string(),
                RoleName::as_str(user.role).to_owned(),
                state(user).to_owned(),
                user.permissions().len().to_string(),
            ]
        })
        .collect();
    print::lines("")?;
    print::table(&["user", "group", "role", "state", "permissions"], &rows)
}

fn state(user: &UserEntry) -> &'static str {
    match (user.state, user.active) {
        (Some(StateName::Invited), _) => "invited",
        (Some(StateName::Suspended), _) | (None, Some(false)) => "suspended",
        (Some(StateName::Confirmed), _) | (None, _) => "confirmed",
    }
}

fn mailboxes(file: &DirectoryFile) -> anyhow::Result<()> {
    let rows: Vec<_> = file
        .mailboxes
        .iter()
        .map(|mailbox| {
            vec![
                mailbox.address.to_string(),
                mailbox.group.to_string(),
                mailbox.participant.to_string(),
                mailbox.process.to_string(),
                mailbox.contact_type.to_string(),
            ]
        })
        .collect();
    print::lines("")?;
    print::table(&["mailbox", "group", "participant", "process", "contact type"], &rows)
}
