//! `postern config check|describe`.

use clap::Subcommand;

use super::wait;
use crate::cli::{ConfigFile, Outcome};
use crate::config;
use crate::print;
use crate::tools::look;

#[derive(Subcommand)]
pub(crate) enum Config {
    /// Read the file and everything it names, and say all that is wrong
    Check {
        #[command(flatten)]
        config: ConfigFile,
    },
    /// Print a configuration file with every key explained
    Describe,
}

impl Config {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        match self {
            Self::Check { config } => {
                let read = config::Config::load(&config.file)?;
                read.check_files()?;
                wait(look(&read))?;
                print::lines(&format!("{}: good", config.file.display()))?;
            }
            Self::Describe => print::lines(config::example().trim_end())?,
        }
        Ok(Outcome::Done)
    }
}
