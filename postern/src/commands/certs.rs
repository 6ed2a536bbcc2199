//! `postern certs issue|list`: client certificates that prove a company's mail system.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use mail::GroupId;

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::config::{Config, is_domain};
use crate::directory_file::{CertificateEntry, DirectoryFile, Hex, Written};
use crate::print;
use crate::tools::Request;

#[derive(Subcommand)]
pub(crate) enum Certs {
    /// Issue a client certificate from the private CA and register it for a group
    Issue(Issue),
    /// List the registered client certificates
    List(List),
}

#[derive(Args)]
pub(crate) struct Issue {
    /// The host name that the certificate is for, such as mail.beta.example
    #[arg(value_parser = host_name)]
    name: String,
    /// The group that the certificate speaks for
    #[arg(long)]
    group: GroupId,
    /// Where to write NAME.pem and NAME.key
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    /// Folder of the private CA [default: the folder `ca` beside the configuration]
    #[arg(long, value_name = "DIR")]
    ca: Option<PathBuf>,
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

impl Certs {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Issue(issue) => issue.run(),
            Self::List(list) => list.run(),
        }
    }
}

impl Issue {
    /// Registers before it writes the files: a key that nobody accepts is worse than one to issue again.
    fn run(self) -> anyhow::Result<Outcome> {
        Config::load(&self.config.file)?;
        let folder = self.config.file.parent().unwrap_or(Path::new(""));
        let ca = self.ca.unwrap_or_else(|| folder.join("ca"));
        let authority = certs::Authority::load(&ca)?;
        let issued = authority.issue_client(&self.name)?;
        let certificate = CertificateEntry {
            fingerprint: Hex(issued.fingerprint),
            group: Written(self.group),
            name: self.name.clone(),
            not_after: Written(Timestamp::from_second(issued.not_after)?),
        };
        std::fs::create_dir_all(&self.to).with_context(|| format!("cannot make {}", self.to.display()))?;
        let (pem, key) =
            (self.to.join(format!("{}.pem", self.name)), self.to.join(format!("{}.key", self.name)));
        for file in [&pem, &key] {
            anyhow::ensure!(!file.exists(), "{} is there already; move it away first", file.display());
        }
        let entry: CertificateEntry = ask(&self.config, Request::CertificateAdd { certificate })?;
        issued.save(&pem, &key)?;
        match self.output.json {
            true => print::json(&entry)?,
            false => print::lines(&format!(
                "{} and {} speak for {} until {}\nfingerprint {}",
                pem.display(),
                key.display(),
                entry.group,
                entry.not_after,
                entry.fingerprint
            ))?,
        }
        Ok(Outcome::Done)
    }
}

/// Also the name of the files, so nothing but a host name may pass.
fn host_name(text: &str) -> Result<String, String> {
    match is_domain(text) {
        true => Ok(text.to_ascii_lowercase()),
        false => Err("write a full host name, such as mail.beta.example".to_owned()),
    }
}

impl List {
    fn run(self) -> anyhow::Result<Outcome> {
        let file: DirectoryFile = ask(&self.config, Request::DirectoryExport)?;
        if self.output.json {
            print::json(&file.certificates)?;
            return Ok(Outcome::Done);
        }
        let row = |entry: &CertificateEntry| {
            vec![
                entry.name.clone(),
                entry.group.to_string(),
                entry.not_after.to_string(),
                entry.fingerprint.to_string(),
            ]
        };
        let rows: Vec<_> = file.certificates.iter().map(row).collect();
        print::table(&["name", "group", "until", "fingerprint"], &rows)?;
        Ok(Outcome::Done)
    }
}
