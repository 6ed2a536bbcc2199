//! The sample market's smarthost: an SMTP sink on loopback that writes every mail that leaves into a folder.
//! Takes mail from this machine only, and passes none on.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use certs::PeerCertificate;
use gateway::smtp::{
    Circumstance, Delivery, Hostname, Intake, Listener, Options, Refusal, Security, Transaction,
};
use jiff::Timestamp;
use mail::{Address, ReversePath};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The bound sink.
pub(super) struct Outbox(TcpListener);

impl Outbox {
    pub(super) async fn bind() -> anyhow::Result<Self> {
        Ok(Self(TcpListener::bind("127.0.0.1:0").await?))
    }

    pub(super) fn address(&self) -> anyhow::Result<SocketAddr> {
        Ok(self.0.local_addr()?)
    }

    /// Serves as long as the process runs: the last notices leave while everything else stops.
    pub(super) fn serve(self, folder: &Path) -> anyhow::Result<()> {
        let options = Options::new("outbox", Hostname::parse("outbox.postern.example")?, Security::Plain);
        let sink = Arc::new(Sink { folder: folder.to_owned(), count: AtomicU64::new(0) });
        tokio::spawn(async move {
            let (_never, stop) = watch::channel(false);
            Listener::new(self.0, sink, options).run(stop).await;
        });
        Ok(())
    }
}

struct Sink {
    folder: PathBuf,
    count: AtomicU64,
}

impl Intake for Sink {
    type Identity = ();
    type Class = ();
    type Delivery = Letter;

    fn by_network(&self, peer: IpAddr) -> Option<()> {
        peer.is_loopback().then_some(())
    }

    fn by_certificate(&self, _: &PeerCertificate) -> Option<()> {
        None
    }

    async fn login(&self, _: &str, _: &str) -> Result<(), Refusal> {
        Err(Refusal::BadCredentials)
    }

    fn mail(&self, identity: Option<&()>, _: &Circumstance<'_>, _: &ReversePath) -> Result<(), Refusal> {
        identity.copied().ok_or_else(|| Refusal::NotProved("this sink is for its own machine".to_owned()))
    }

    fn recipient(
        &self,
        _: Option<&()>,
        _: &Circumstance<'_>,
        _: &ReversePath,
        _: &Address,
    ) -> Result<(), Refusal> {
        Ok(())
    }

    async fn open(
        &self,
        _: Option<&()>,
        _: &Circumstance<'_>,
        _: Transaction<()>,
    ) -> Result<Letter, Refusal> {
        let number = self.count.fetch_add(1, Ordering::Relaxed);
        let name = format!("{:013}-{number:04}", Timestamp::now().as_millisecond());
        let passing = self.folder.join(format!("{name}.part"));
        let file = File::create_new(&passing).await.map_err(unavailable)?;
        Ok(Letter { file, passing, place: self.folder.join(format!("{name}.eml")) })
    }
}

/// One mail on its way into the folder, under its own name only once it is whole.
struct Letter {
    file: File,
    passing: PathBuf,
    place: PathBuf,
}

impl Delivery for Letter {
    async fn chunk(&mut self, bytes: &[u8]) -> Result<(), Refusal> {
        self.file.write_all(bytes).await.map_err(unavailable)
    }

    async fn close(mut self) -> Result<String, Refusal> {
        self.file.flush().await.map_err(unavailable)?;
        fs::rename(&self.passing, &self.place).await.map_err(unavailable)?;
        Ok("in the outbox".to_owned())
    }
}

fn unavailable(error: std::io::Error) -> Refusal {
    Refusal::Unavailable(format!("the outbox folder cannot be written: {error}"))
}
