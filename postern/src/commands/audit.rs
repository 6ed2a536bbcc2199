//! `postern audit verify`.

use clap::{Args, Subcommand};

use super::ask;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::print;
use crate::tools::{Request, rows::Trail};

#[derive(Subcommand)]
pub(crate) enum Audit {
    /// Walk the whole chain of events and name the first bad record
    Verify(Verify),
}

#[derive(Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Audit {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let Self::Verify(Verify { output, config }) = self;
        let trail: Trail = ask(&config, Request::AuditVerify)?;
        match (&trail.bad, output.json) {
            (_, true) => print::json(&trail)?,
            (None, false) => {
                print::lines(&format!("{} events, all whole; head {}", trail.events, trail.head))?
            }
            (Some(bad), false) => print::lines(&format!("record {} is bad: {}", bad.sequence, bad.fault))?,
        }
        Ok(match trail.bad {
            None => Outcome::Done,
            Some(_) => Outcome::Found,
        })
    }
}
