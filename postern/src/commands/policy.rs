//! `postern policy …`: the policy files on their own, without a server, and how far Postern is let with them. Decides nothing itself.

mod explain;
mod folder;
mod mails;
mod shadow;

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use policies::{RulesHash, Ruleset, Tried};
use serde::Serialize;

use super::wait;
use crate::cli::{Outcome, Output};
use crate::config::Config;
use crate::print;
use crate::tools::kept_rules;

#[derive(Subcommand)]
pub(crate) enum Policy {
    /// Read all policy files and say what is wrong with them
    Check(Files),
    /// Try the examples that the policy files carry, those of policy.tried included
    Test(Test),
    /// Tell step by step what the rules make of a mail
    Explain(explain::Explain),
    /// Write the files that judged earlier mail into a folder
    Show(Show),
    /// See for whom decisions are done, and for whom they are only counted
    Stages(shadow::Stages),
    /// Let decisions be done that were only counted
    Promote(shadow::Promote),
    /// Only count decisions, and let the mail go on untouched
    Demote(shadow::Demote),
    /// What would have happened to mail that was only watched
    ShadowReport(shadow::ShadowReport),
}

/// Which policy files.
#[derive(Args)]
pub(crate) struct Files {
    /// The configuration that names policy files [default: the shipped ones]
    #[arg(short = 'c', long = "config", value_name = "FILE")]
    config: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Test {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    files: Files,
}

#[derive(Args)]
pub(crate) struct Show {
    /// The hash of the rules, as `policy check` and `health` say it
    hash: RulesHash,
    /// The folder to write into
    dir: PathBuf,
    /// The configuration of the ledger that kept them
    #[arg(short = 'c', long = "config", value_name = "FILE", default_value = "postern.toml")]
    config: PathBuf,
}

impl Policy {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Check(files) => files.check(),
            Self::Test(test) => test.run(),
            Self::Explain(explain) => explain.run(),
            Self::Show(show) => show.run(),
            Self::Stages(stages) => stages.run(),
            Self::Promote(promote) => promote.run(),
            Self::Demote(demote) => demote.run(),
            Self::ShadowReport(report) => report.run(),
        }
    }
}

impl Files {
    fn config(&self) -> anyhow::Result<Option<Config>> {
        self.config.as_deref().map(Config::load).transpose()
    }

    fn rules(&self) -> anyhow::Result<Ruleset> {
        Ok(match self.config()? {
            Some(config) => config.rules()?,
            None => Ruleset::shipped()?,
        })
    }

    /// Those that the configuration tries beside them.
    fn tried_rules(&self) -> anyhow::Result<Option<Ruleset>> {
        Ok(self.config()?.map(|config| config.tried_rules()).transpose()?.flatten())
    }

    fn check(self) -> anyhow::Result<Outcome> {
        let rules = self.rules()?;
        print::lines(&format!("good: {} files, rules {}", rules.files().sources().count(), rules.hash()))?;
        if let Some(tried) = self.tried_rules()? {
            print::lines(&format!("good to try beside them: rules {}", tried.hash()))?;
        }
        Ok(Outcome::Done)
    }
}

/// One example that came out in another way.
#[derive(Serialize)]
struct Failed<'a> {
    file: &'a str,
    line: usize,
    name: &'a str,
    differences: Vec<String>,
}

impl Test {
    fn run(self) -> anyhow::Result<Outcome> {
        let (rules, beside) = (self.files.rules()?, self.files.tried_rules()?);
        let mut tried = rules.try_examples();
        tried.extend(beside.iter().flat_map(Ruleset::try_examples));
        let failed: Vec<Failed<'_>> = tried.iter().filter_map(failed).collect();
        match self.output.json {
            true => print::json(&serde_json::json!({ "tried": tried.len(), "failed": failed }))?,
            false => {
                for Failed { file, line, name, differences } in &failed {
                    print::lines(&format!("{file}:{line}: {name}: {}", differences.join("; ")))?;
                }
                print::lines(&format!("{} examples, {} failed", tried.len(), failed.len()))?;
            }
        }
        Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Found })
    }
}

fn failed<'a>(tried: &Tried<'a>) -> Option<Failed<'a>> {
    let differences: Vec<String> = tried.differences.iter().map(ToString::to_string).collect();
    let example = tried.example;
    (!differences.is_empty()).then_some(Failed {
        file: &example.file,
        line: example.line,
        name: &example.name,
        differences,
    })
}

impl Show {
    fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config)?;
        crate::log::start_quietly(config.log);
        let sources = wait(kept_rules(&config, self.hash))?;
        for (name, text) in &sources {
            let file = self.dir.join(name);
            let folder = file.parent().unwrap_or(&self.dir);
            fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))?;
        }
        print::lines(&format!("{} files in {}", sources.len(), self.dir.display()))?;
        Ok(Outcome::Done)
    }
}
