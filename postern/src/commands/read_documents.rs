//! `postern read-documents`: the process in which the server has strangers' documents opened. Nobody starts it by hand; it
//! reads no configuration and no file.

use anyhow::Context;

use crate::cli::Outcome;

/// What the server calls it by.
pub(crate) const NAME: &str = "read-documents";

pub(crate) fn run() -> anyhow::Result<Outcome> {
    gateway::documents::serve().context("documents cannot be read here")?;
    Ok(Outcome::Done)
}
