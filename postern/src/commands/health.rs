//! `postern health`: asks the running server, and opens nothing itself.

use clap::Args;

use super::wait;
use crate::cli::{ConfigFile, Outcome, Output};
use crate::config::Config;
use crate::control;
use crate::print;
use crate::tools::Request;

#[derive(Args)]
pub(crate) struct Health {
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    config: ConfigFile,
}

impl Health {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config.file)?;
        crate::log::start_quietly(config.log);
        let health: crate::tools::rows::Health = wait(control::ask_server(&config, Request::Health))?;
        match self.output.json {
            true => print::json(&health)?,
            false => print::lines(&format!(
                "ready: {}\ndurable: {}\nnotices waiting: {}\nnotices given up: {}",
                health.ready, health.durable, health.waiting, health.abandoned
            ))?,
        }
        anyhow::ensure!(health.ready, "the ledger does not work; the server's log says why");
        Ok(Outcome::Done)
    }
}
