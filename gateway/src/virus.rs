//! Asks a virus scanner (clamd, over its socket) about a mail while it arrives. Whatever goes wrong between the two is
//! "not checked"; only the scanner's own word makes a mail clean, and no fault of it delays a mail for longer than the
//! configuration says.

use std::fmt;
use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mail::Scan;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use self::dialogue::{Dialogue, Reply};

mod dialogue;
#[cfg(test)]
mod tests;

/// Bytes of a mail that are held before the scanner is called: most mails come whole in that, so that a slow sender
/// does not keep a connection busy, nor lets it time out.
const HELD: usize = 128 * 1024;

/// What makes the scanner take the stream for a mail, whatever its own first line is.
const PREFIX: &[u8] = b"Received: by the mail gateway that asks\r\n";

/// Where clamd listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Clamd {
    /// Its `LocalSocket`.
    Unix(PathBuf),
    /// Its `TCPSocket`.
    Tcp(SocketAddr),
}

impl fmt::Display for Clamd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => path.display().fmt(f),
            Self::Tcp(address) => address.fmt(f),
        }
    }
}

/// How a scanner is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScanSettings {
    pub clamd: Clamd,
    /// How long one mail waits for the scanner in all, its own transfer not counted.
    pub patience: Duration,
    /// Mails that are with the scanner at once; clamd has ten threads unless it is told otherwise.
    pub at_once: usize,
}

/// Asks one clamd. A clone asks the same one.
#[derive(Debug, Clone)]
pub struct VirusScanner {
    settings: Arc<ScanSettings>,
    turns: Arc<Semaphore>,
}

/// One mail on its way past the scanner.
pub struct Scanning {
    scanner: VirusScanner,
    stage: Stage,
    /// What is left of the patience.
    left: Duration,
}

enum Stage {
    Holding(Vec<u8>),
    Talking(Dialogue, OwnedSemaphorePermit),
    /// Something went wrong; the rest of the mail is not shown to anybody.
    Failed,
}

impl VirusScanner {
    pub fn new(settings: ScanSettings) -> Self {
        Self { turns: Arc::new(Semaphore::new(settings.at_once.max(1))), settings: Arc::new(settings) }
    }

    /// For a whole mail that is about to arrive. Nobody is called yet.
    pub fn mail(&self) -> Scanning {
        self.scanning(PREFIX.to_vec())
    }

    /// Asks about one decoded part of a mail, read to its end.
    pub async fn check_part(&self, mut part: impl AsyncRead + Unpin) -> Scan {
        let mut scanning = self.scanning(Vec::new());
        let mut piece = vec![0; 64 * 1024];
        loop {
            match part.read(&mut piece).await {
                Ok(0) => return scanning.finish().await,
                Ok(length) => scanning.feed(piece.get(..length).unwrap_or_default()).await,
                Err(error) => {
                    tracing::warn!(%error, "a part of a mail cannot be read for the virus scanner");
                    return Scan::NotChecked;
                }
            }
        }
    }

    fn scanning(&self, held: Vec<u8>) -> Scanning {
        Scanning { left: self.settings.patience, scanner: self.clone(), stage: Stage::Holding(held) }
    }

    async fn call(&self) -> Result<(Dialogue, OwnedSemaphorePermit), Fault> {
        let turn = self.turns.clone().acquire_owned().await.map_err(|_| Fault::Busy)?;
        Ok((Dialogue::open(&self.settings.clamd).await?, turn))
    }
}

impl Scanning {
    /// The next bytes of the mail, any number. A failure is kept for the end.
    pub async fn feed(&mut self, bytes: &[u8]) {
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        self.stage = match self.fed(stage, bytes).await {
            Ok(stage) => stage,
            Err(fault) => self.failed(&fault),
        };
    }

    /// The end of the mail, and what the scanner says of it: never [`Scan::Off`].
    pub async fn finish(mut self) -> Scan {
        let stage = std::mem::replace(&mut self.stage, Stage::Failed);
        match self.asked(stage).await {
            Ok(Some(Reply::Clean)) => Scan::Clean,
            Ok(Some(Reply::Found(name))) => {
                tracing::warn!(signature = name, "the virus scanner has found something");
                Scan::Found
            }
            Ok(None) => Scan::NotChecked,
            Err(fault) => {
                self.failed(&fault);
                Scan::NotChecked
            }
        }
    }

    async fn fed(&mut self, stage: Stage, bytes: &[u8]) -> Result<Stage, Fault> {
        match stage {
            Stage::Failed => Ok(Stage::Failed),
            Stage::Holding(mut held) if held.len() + bytes.len() <= HELD => {
                held.extend_from_slice(bytes);
                Ok(Stage::Holding(held))
            }
            Stage::Holding(held) => {
                let (mut dialogue, turn) = self.called(held).await?;
                self.patiently(dialogue.send(bytes)).await?;
                Ok(Stage::Talking(dialogue, turn))
            }
            Stage::Talking(mut dialogue, turn) => {
                self.patiently(dialogue.send(bytes)).await?;
                Ok(Stage::Talking(dialogue, turn))
            }
        }
    }

    /// None if the scanner could not be asked, which has been told already.
    async fn asked(&mut self, stage: Stage) -> Result<Option<Reply>, Fault> {
        let (mut dialogue, _turn) = match stage {
            Stage::Failed => return Ok(None),
            Stage::Holding(held) => self.called(held).await?,
            Stage::Talking(dialogue, turn) => (dialogue, turn),
        };
        self.patiently(dialogue.ask()).await.map(Some)
    }

    async fn called(&mut self, held: Vec<u8>) -> Result<(Dialogue, OwnedSemaphorePermit), Fault> {
        let scanner = self.scanner.clone();
        self.patiently(async move {
            let (mut dialogue, turn) = scanner.call().await?;
            dialogue.send(&held).await?;
            Ok((dialogue, turn))
        })
        .await
    }

    /// Waits for the scanner no longer than is left of the patience.
    async fn patiently<T>(&mut self, step: impl Future<Output = Result<T, Fault>>) -> Result<T, Fault> {
        let begun = Instant::now();
        let outcome = tokio::time::timeout(self.left, step).await;
        self.left = self.left.saturating_sub(begun.elapsed());
        outcome.unwrap_or(Err(Fault::Slow))
    }

    fn failed(&self, fault: &Fault) -> Stage {
        tracing::warn!(clamd = %self.scanner.settings.clamd, %fault, "a mail is not checked for viruses");
        Stage::Failed
    }
}

/// Why a mail is not checked.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(
        "the virus scanner cannot be reached or hung up: {0}; check that clamd runs and where it listens"
    )]
    Connection(#[from] std::io::Error),
    #[error("the virus scanner takes too long; check its load and the configured patience")]
    Slow,
    #[error("the virus scanner refuses: {0}; check StreamMaxLength and its log")]
    Refused(String),
    #[error("the virus scanner answers with something that is no answer; check what listens there")]
    Garbage,
    #[error("the gateway is shutting down")]
    Busy,
}

/// The graver of two answers about one mail: something found, then anything not checked.
pub fn graver(one: Scan, other: Scan) -> Scan {
    let weight = |scan: &Scan| match scan {
        Scan::Off => 0,
        Scan::Clean => 1,
        Scan::NotChecked => 2,
        Scan::Found => 3,
    };
    if weight(&other) > weight(&one) { other } else { one }
}
