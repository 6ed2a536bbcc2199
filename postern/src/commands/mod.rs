//! One file per subcommand: its arguments and what it does.

pub(crate) mod audit;
pub(crate) mod case;
pub(crate) mod certs;
pub(crate) mod config;
pub(crate) mod connector;
pub(crate) mod demo;
pub(crate) mod directory;
pub(crate) mod health;
pub(crate) mod init;
pub(crate) mod policy;
pub(crate) mod queue;
pub(crate) mod read_documents;
pub(crate) mod serve;
pub(crate) mod user;

use serde::de::DeserializeOwned;

use crate::cli::ConfigFile;
use crate::config::Config;
use crate::control;
use crate::tools::Request;

/// Runs one tool's future to its end, on this thread.
fn wait<T>(future: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(future)
}

/// Loads the configuration and asks where its ledger is.
fn ask<T: DeserializeOwned>(file: &ConfigFile, request: Request) -> anyhow::Result<T> {
    let config = Config::load(&file.file)?;
    crate::log::start_quietly(config.log);
    wait(control::ask(&config, request))
}
