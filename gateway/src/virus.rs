//! Asks a virus scanner (clamd, over its socket) about a mail that is here whole, read back from where it lies sealed: no
//! slow sender keeps the scanner from others. Whatever goes wrong between the two is "not checked"; only the scanner's own
//! word makes a mail clean, and no fault of it delays a mail for longer than the configuration says.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use mail::{Decoder, Encoding, Part, Scan};
use store::{OpenContent, StoreError};
use tokio::sync::Semaphore;

use self::dialogue::{Dialogue, Reply};

mod dialogue;
#[cfg(test)]
mod tests;

/// Parts inside containers that are shown one by one, and bytes of the original that are decoded for that in all. What is
/// beyond makes the mail "not checked".
const MOST_PARTS: usize = 200;
const MOST_BYTES: u64 = 256 * 1024 * 1024;

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
    /// How long one mail waits for the scanner in all.
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

impl VirusScanner {
    pub fn new(settings: ScanSettings) -> Self {
        Self { turns: Arc::new(Semaphore::new(settings.at_once.max(1))), settings: Arc::new(settings) }
    }

    /// What the scanner says of a whole mail and of the parts of it that stand inside containers: never [`Scan::Off`].
    pub async fn check(&self, mail: &OpenContent, parts: &[Part]) -> Scan {
        let outcome = tokio::time::timeout(self.settings.patience, self.asked(mail, parts)).await;
        match outcome.unwrap_or(Err(Fault::Slow)) {
            Ok(Reply::Clean) => Scan::Clean,
            Ok(Reply::Found(name)) => {
                tracing::warn!(signature = name, "the virus scanner has found something");
                Scan::Found
            }
            Err(fault) => {
                tracing::warn!(clamd = %self.settings.clamd, %fault, "a mail is not checked for viruses");
                Scan::NotChecked
            }
        }
    }

    async fn asked(&self, mail: &OpenContent, parts: &[Part]) -> Result<Reply, Fault> {
        let _turn = self.turns.acquire().await.map_err(|_| Fault::Busy)?;
        let mut left = mail.size().saturating_add(MOST_BYTES);
        let mut outcome = self.shown(mail, Stretch::whole(mail), &mut left).await;
        let inner: Vec<&Part> = parts.iter().filter(|part| part.inside.is_some()).collect();
        for part in inner.iter().take(MOST_PARTS) {
            if matches!(outcome, Ok(Reply::Found(_))) {
                break;
            }
            outcome = graver(outcome, self.shown(mail, Stretch::from(*part), &mut left).await);
        }
        match inner.len() > MOST_PARTS {
            true => graver(outcome, Err(Fault::TooMuch)),
            false => outcome,
        }
    }

    /// What the scanner says of one stream. `left` is what may still be read of the original.
    async fn shown(&self, mail: &OpenContent, stretch: Stretch, left: &mut u64) -> Result<Reply, Fault> {
        let Stretch { prefix, offset, length, mut decoder } = stretch;
        let mut dialogue = Dialogue::open(&self.settings.clamd).await?;
        dialogue.send(prefix).await?;
        let (mut reader, mut decoded) = (mail.read(offset, length), Vec::new());
        while let Some(piece) = reader.next().await? {
            *left = left.checked_sub(piece.len() as u64).ok_or(Fault::TooMuch)?;
            decoder.feed(&piece, &mut decoded);
            dialogue.send(&decoded).await?;
            decoded.clear();
            if decoder.done() {
                break;
            }
        }
        decoder.finish(&mut decoded);
        dialogue.send(&decoded).await?;
        dialogue.ask().await
    }
}

/// What is found anywhere outweighs what could not be checked elsewhere, and that what is clean.
fn graver(one: Result<Reply, Fault>, other: Result<Reply, Fault>) -> Result<Reply, Fault> {
    match (one, other) {
        (found @ Ok(Reply::Found(_)), _) | (_, found @ Ok(Reply::Found(_))) => found,
        (fault @ Err(_), _) | (_, fault @ Err(_)) => fault,
        (clean, _) => clean,
    }
}

/// Bytes of the original, and how what the scanner is shown comes out of them.
struct Stretch {
    prefix: &'static [u8],
    offset: u64,
    length: u64,
    decoder: Decoder,
}

impl Stretch {
    fn whole(mail: &OpenContent) -> Self {
        let decoder = Decoder::new(Encoding::Identity);
        Self { prefix: PREFIX, offset: 0, length: mail.size(), decoder }
    }
}

impl From<&Part> for Stretch {
    fn from(part: &Part) -> Self {
        Self { prefix: b"", offset: part.offset, length: part.length, decoder: part.decoder() }
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
    #[error(
        "more stands inside its containers than is looked at; {MOST_PARTS} parts, and {MOST_BYTES} bytes for them"
    )]
    TooMuch,
    #[error("the mail cannot be read back: {0}")]
    Unread(#[from] StoreError),
    #[error("the gateway is shutting down")]
    Busy,
}
