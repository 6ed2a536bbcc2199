//! `postern user add|reset|app-password|app-passwords|revoke`.

use anyhow::Context;
use clap::{Args, Subcommand};
use mail::{Address, GroupId};

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::directory_file::{PermissionEntry, RoleName, UserEntry, Written};
use crate::print;
use crate::tools::{Request, rows::AppPasswordRow, rows::NewPassword};

#[derive(Subcommand)]
pub(crate) enum User {
    /// Add a user and show a first password, once
    Add(Add),
    /// Give a user a new password and show it, once
    Reset(Reset),
    /// Give a user a password for one mail program and show it, once
    AppPassword(AppPassword),
    /// List a user's app passwords
    AppPasswords(Reset),
    /// Take an app password back
    Revoke(Revoke),
}

#[derive(Args)]
pub(crate) struct AppPassword {
    email: Address,
    /// What it is for, such as "Outlook on the laptop"
    #[arg(long)]
    name: String,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Revoke {
    email: Address,
    /// Its name or id
    which: String,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Add {
    email: Address,
    /// The company group
    #[arg(long)]
    group: GroupId,
    /// The person's name
    #[arg(long)]
    name: String,
    #[arg(long, value_enum, default_value = "user")]
    role: RoleName,
    /// PARTICIPANT/PROCESS/CONTACT-TYPE, such as BETA/erroneous-transfers/initial-request; may be repeated
    #[arg(long = "permission", value_name = "PERMISSION", value_parser = permission)]
    permissions: Vec<PermissionEntry>,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Reset {
    email: Address,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl User {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Add(add) => {
                let user = UserEntry {
                    email: Written(add.email),
                    group: Written(add.group),
                    name: add.name,
                    role: add.role,
                    active: None,
                    state: None,
                    permissions: Some(add.permissions),
                };
                show(ask(&add.config, Request::UserAdd { user })?, &add.output)
            }
            Self::Reset(reset) => {
                let email = Written(reset.email);
                show(ask(&reset.config, Request::UserReset { email })?, &reset.output)
            }
            Self::AppPassword(AppPassword { email, name, output, config }) => {
                let request = Request::AppPasswordAdd { email: Written(email), name };
                let new: NewPassword = ask(&config, request)?;
                match output.json {
                    true => print::json(&new)?,
                    false => print::lines(&format!(
                        "{} sends mail with the app password\n\n    {}\n\nIt opens nothing else and is shown this once; only a digest of it is kept.",
                        new.email, new.password
                    ))?,
                }
                Ok(Outcome::Done)
            }
            Self::AppPasswords(Reset { email, output, config }) => {
                let known: Vec<AppPasswordRow> =
                    ask(&config, Request::AppPasswordList { email: Written(email) })?;
                list(&known, &output)
            }
            Self::Revoke(Revoke { email, which, config }) => {
                let request = Request::AppPasswordRevoke { email: Written(email), which: which.clone() };
                ask::<()>(&config, request)?;
                print::lines(&format!("{which} opens nothing any more"))?;
                Ok(Outcome::Done)
            }
        }
    }
}

fn show(new: NewPassword, output: &Output) -> anyhow::Result<Outcome> {
    match output.json {
        true => print::json(&new)?,
        false => print::lines(&format!(
            "{} signs in with the password\n\n    {}\n\nIt is shown this once; only its hash is kept.",
            new.email, new.password
        ))?,
    }
    Ok(Outcome::Done)
}

fn list(known: &[AppPasswordRow], output: &Output) -> anyhow::Result<Outcome> {
    match output.json {
        true => print::json(&known)?,
        false => {
            let row = |row: &AppPasswordRow| {
                let used = row.last_used_at.clone().unwrap_or_else(|| "never".to_owned());
                vec![row.id.clone(), row.name.clone(), row.created_at.clone(), used]
            };
            let rows: Vec<_> = known.iter().map(row).collect();
            print::table(&["id", "name", "made", "last used"], &rows)?;
        }
    }
    Ok(Outcome::Done)
}

fn permission(text: &str) -> anyhow::Result<PermissionEntry> {
    let mut parts = text.split('/');
    let (Some(participant), Some(process), Some(contact_type), None) =
        (parts.next(), parts.next(), parts.next(), parts.next())
    else {
        anyhow::bail!(
            "write PARTICIPANT/PROCESS/CONTACT-TYPE, such as BETA/erroneous-transfers/initial-request"
        );
    };
    Ok(PermissionEntry {
        participant: Written(participant.parse().context("the participant")?),
        process: Written(process.parse().context("the process")?),
        contact_type: Written(contact_type.parse().context("the contact type")?),
    })
}
