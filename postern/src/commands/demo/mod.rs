//! `postern demo`: a sample market on loopback, all included, until it is stopped. The one place where passwords
//! may travel without TLS, because nobody is on the wire.

mod greeting;
mod market;
mod outbox;
mod record;
mod samples;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use tempfile::TempDir;

use self::market::Market;
use self::outbox::Outbox;
use self::record::Record;
use crate::cli::Outcome;
use crate::config::Config;
use crate::installation::{self, Installation, make_folder, quoted};
use crate::log;
use crate::server::{self, Role, Server};
use crate::tools::Desk;

#[derive(Args)]
pub(crate) struct Demo {
    /// Keep everything in this folder; a second start goes on with it [default: a temporary folder]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Where mail systems connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2525", value_parser = loopback)]
    smtp: SocketAddr,
    /// Where mail clients connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:2587", value_parser = loopback)]
    submission: SocketAddr,
    /// Where browsers connect
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080", value_parser = loopback)]
    portal: SocketAddr,
}

/// The name that the sample gateway gives itself.
const NAME: &str = "postern.example";

impl Demo {
    pub(crate) fn run(self) -> anyhow::Result<Outcome> {
        let folder = Folder::open(self.dir.as_deref())?;
        server::block_on(self.serve(folder.path()))?;
        folder.close()?;
        Ok(Outcome::Done)
    }

    async fn serve(&self, folder: &Path) -> anyhow::Result<()> {
        let mails = folder.join("outbox");
        make_folder(folder)?;
        let outbox = Outbox::bind().await?;
        let installation = self.install(folder)?;
        let text = self.config(outbox.address()?);
        let config = Config::parse(&text, &installation.config())?;
        log::start(config.log);
        make_folder(&mails)?;
        outbox.serve(&mails)?;
        let desk = match installation.exists() {
            true => Desk::open(&config).await?,
            false => Desk::found(&config).await?,
        };
        // Only now it is certain that no other process uses the folder and its configuration.
        installation::write(&installation.config(), &text)?;
        let earlier = Record::load(folder)?;
        let market = Market::open(&desk, earlier.as_ref()).await?;
        let sample = market.for_portal(mails);
        let server = Server::start(&config, desk, Role::All, Some(sample)).await?;
        let record = Record::new(&market, &server.ready);
        if earlier.is_none() {
            samples::send(&record, &market).await?;
        }
        greeting::write_attachment(folder)?;
        record.save(folder)?;
        server.ready.announce()?;
        greeting::print(folder, &record, &market)?;
        server.run().await
    }

    /// A sample installation: the same files as `postern init` makes.
    fn install(&self, folder: &Path) -> anyhow::Result<Installation> {
        let installation = Installation::at(folder);
        if !installation.exists() {
            let names = [NAME, "localhost", "127.0.0.1", "::1"].map(str::to_owned);
            installation.create(&names, &installation.data())?;
        }
        Ok(installation)
    }

    /// The configuration with the ports of this start.
    fn config(&self, smarthost: SocketAddr) -> String {
        let listen = |address: SocketAddr| format!("[\"{address}\"]");
        Installation::describe(vec![
            ("server", "name", quoted(NAME)),
            ("server", "drain", quoted("5 s")),
            ("smtp", "listen", listen(self.smtp)),
            ("smtp", "login_without_tls", "true".to_owned()),
            ("submission", "listen", listen(self.submission)),
            ("submission", "login_without_tls", "true".to_owned()),
            ("portal", "listen", quoted(&self.portal.to_string())),
            ("portal", "tls", "false".to_owned()),
            ("notices", "from", quoted("notices@postern.example")),
            ("notices", "reply_domain", quoted(NAME)),
            ("notices", "smarthost", quoted(&smarthost.to_string())),
            ("notices", "tls", quoted("none")),
            ("log", "level", quoted("warn")),
        ])
    }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    match text.parse::<SocketAddr>() {
        Ok(address) if address.ip().is_loopback() => Ok(address),
        _ => {
            Err("the sample market is for this machine only: write an address such as 127.0.0.1:2525"
                .to_owned())
        }
    }
}

/// Where the sample market lives.
enum Folder {
    Kept(PathBuf),
    Passing(TempDir),
}

impl Folder {
    fn open(dir: Option<&Path>) -> anyhow::Result<Self> {
        match dir {
            // Absolute, so that printed commands work from everywhere.
            Some(dir) => Ok(Self::Kept(std::path::absolute(dir)?)),
            None => {
                let folder = tempfile::Builder::new().prefix("postern-demo-").tempdir();
                Ok(Self::Passing(folder.context("cannot make a temporary folder; name one with --dir")?))
            }
        }
    }

    fn path(&self) -> &Path {
        match self {
            Self::Kept(folder) => folder,
            Self::Passing(folder) => folder.path(),
        }
    }

    fn close(self) -> anyhow::Result<()> {
        match self {
            Self::Kept(_) => Ok(()),
            Self::Passing(folder) => folder.close().context("cannot remove the temporary folder"),
        }
    }
}
