//! `postern certs issue|revoke|list|dkim`: client certificates that prove a company's mail system, and signing keys.

use std::path::{Path, PathBuf};

use anyhow::Context;
use certs::dkim::{Algorithm, DkimKey};
use certs::{Authority, register};
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
    /// Take a client certificate back: it proves nothing from now on, and the revocation list says so
    Revoke(Revoke),
    /// List the registered client certificates
    List(List),
    /// Make an Ed25519 and an RSA-2048 key that sign mail (DKIM), and print their DNS records
    Dkim(Dkim),
}

#[derive(Args)]
pub(crate) struct Revoke {
    /// The fingerprint, as `postern certs list` shows it
    fingerprint: Hex,
    /// Folder of the private CA [default: the folder `ca` beside the configuration]
    #[arg(long, value_name = "DIR")]
    ca: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
}

#[derive(Args)]
pub(crate) struct Dkim {
    /// The selectors begin with this
    #[arg(default_value = "postern")]
    selector: String,
    /// Where to write the keys [default: the folder `dkim` beside the configuration]
    #[arg(long, value_name = "DIR")]
    to: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigFile,
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
            Self::Revoke(revoke) => revoke.run(),
            Self::List(list) => list.run(),
            Self::Dkim(dkim) => dkim.run(),
        }
    }
}

impl Issue {
    /// Registers before it writes the files: a key that nobody accepts is worse than one to issue again.
    fn run(self) -> anyhow::Result<Outcome> {
        Config::load(&self.config.file)?;
        let authority = authority(&self.config, self.ca)?;
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

fn authority(config: &ConfigFile, ca: Option<PathBuf>) -> anyhow::Result<Authority> {
    let folder = config.file.parent().unwrap_or(Path::new(""));
    Ok(Authority::load(&ca.unwrap_or_else(|| folder.join("ca")))?)
}

impl Revoke {
    /// The register of the private CA first: should the rest fail, the certificate is at least on the list.
    fn run(self) -> anyhow::Result<Outcome> {
        let authority = authority(&self.config, self.ca)?;
        let known =
            authority.entries()?.into_iter().find(|entry| entry.fingerprint == Some(self.fingerprint.0));
        let known = known.with_context(|| {
            format!(
                "the private CA has signed no certificate {}; `postern certs list` shows all",
                self.fingerprint
            )
        })?;
        authority.revoke(&known.serial, register::Reason::Unspecified)?;
        ask::<()>(&self.config, Request::CertificateRemove { fingerprint: self.fingerprint })?;
        print::lines(&format!(
            "{} proves nothing any more; {} names it (SIGHUP makes the server read that again)",
            known.name,
            authority.revocation_list().display()
        ))?;
        Ok(Outcome::Done)
    }
}

impl Dkim {
    fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config.file)?;
        let beside = self.config.file.parent().unwrap_or(Path::new("")).join("dkim");
        let folder = self.to.unwrap_or(beside);
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let domain = config.notices.from.domain();
        let mut lines = Vec::new();
        for (suffix, algorithm) in [("e", Algorithm::Ed25519), ("r", Algorithm::Rsa2048)] {
            let selector = format!("{}-{suffix}", self.selector);
            let file = folder.join(format!("{selector}.pem"));
            let key = DkimKey::create(&file, algorithm)?;
            lines.push(format!("{selector}._domainkey.{domain}. TXT \"{}\"", key.record()));
            lines.push(format!("    [delivery] dkim: \"{selector}={}\"", file.display()));
        }
        print::lines(&lines.join("\n"))?;
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
