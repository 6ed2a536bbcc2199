//! `postern serve`: the configured server until SIGTERM.

use clap::Args;

use crate::cli::{ConfigFile, Outcome};
use crate::config::Config;
use crate::log;
use crate::server::{self, Role, Server};
use crate::tools::Desk;

#[derive(Args)]
pub(crate) struct Serve {
    #[command(flatten)]
    config: ConfigFile,
    /// Which parts to run. The embedded ledger belongs to one process at a time: two processes with different parts
    /// cannot share it
    #[arg(long, value_enum, default_value = "all")]
    role: Role,
}

impl Serve {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let config = Config::load(&self.config.file)?;
        log::start(config.log);
        config.check_files()?;
        server::block_on(async {
            let desk = Desk::open(&config).await?;
            let server = Server::start(&config, desk, self.role, None).await?;
            server.ready.announce()?;
            server.run().await
        })?;
        Ok(Outcome::Done)
    }
}
