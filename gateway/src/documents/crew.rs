//! The processes that open documents, seen from the server: how many there are at once, how long one is waited for, and what
//! becomes of one that failed. Nothing a document does is an error here: it is an answer about that document.

use std::{
    path::PathBuf,
    process::Stdio,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    process::{Child, ChildStdin, ChildStdout, Command},
    sync::Semaphore,
    time::{Instant, timeout_at},
};

use super::{
    inside::{Extent, Found, Why},
    wire,
};

/// Which program opens documents, and how much it may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DocumentSettings {
    /// The program, mostly this one.
    pub program: PathBuf,
    /// What makes it that.
    pub arguments: Vec<String>,
    /// Documents that are opened at once.
    pub at_once: usize,
    /// How long one document is waited for.
    pub patience: Duration,
    /// How long the documents of one mail are waited for, turns included.
    pub patience_for_mail: Duration,
}

impl DocumentSettings {
    /// This very program, whatever lies under its name by now, as it shipped.
    pub fn of_this_program(subcommand: &str) -> Self {
        Self::new("/proc/self/exe", subcommand)
    }

    /// A program that opens documents when it is started with this word.
    pub fn new(program: impl Into<PathBuf>, subcommand: &str) -> Self {
        Self {
            program: program.into(),
            arguments: vec![subcommand.to_owned()],
            at_once: 2,
            patience: Duration::from_secs(15),
            patience_for_mail: Duration::from_secs(45),
        }
    }
}

/// The processes.
#[derive(Debug)]
pub(super) struct Crew {
    settings: DocumentSettings,
    turns: Semaphore,
    idle: Mutex<Vec<Hand>>,
}

/// One process that has done no wrong so far. Dropped, it is killed.
#[derive(Debug)]
struct Hand {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
    /// Documents it may still open before a fresh one takes over.
    left: u32,
}

/// Where the bytes of a document come from, piece by piece.
pub(super) trait Source {
    type Error;

    /// The next bytes, any number; none at the end.
    async fn next(&mut self) -> Result<Option<Vec<u8>>, Self::Error>;
}

/// Why nothing is known of a document: nothing that the document did.
#[derive(Debug)]
pub(super) enum Trouble<E> {
    Source(E),
    /// No process could be started.
    NoHand(std::io::Error),
}

/// Why one exchange came to nothing.
enum Failed<E> {
    Source(E),
    Hand,
}

impl Crew {
    pub(super) fn new(settings: DocumentSettings) -> Self {
        Self { turns: Semaphore::new(settings.at_once.max(1)), idle: Mutex::default(), settings }
    }

    pub(super) fn settings(&self) -> &DocumentSettings {
        &self.settings
    }

    /// Has one document opened, by `until` at the latest.
    ///
    /// # Errors
    /// The source's own, and that no process starts.
    pub(super) async fn open<S: Source>(
        &self,
        source: &mut S,
        until: Instant,
    ) -> Result<Found, Trouble<S::Error>> {
        self.opened(source, until, Self::hand).await
    }

    /// The same by a process that has opened nothing before.
    pub(super) async fn open_afresh<S: Source>(
        &self,
        source: &mut S,
        until: Instant,
    ) -> Result<Found, Trouble<S::Error>> {
        self.opened(source, until, |crew| Hand::hire(&crew.settings)).await
    }

    async fn opened<S: Source>(
        &self,
        source: &mut S,
        until: Instant,
        hand: impl FnOnce(&Self) -> std::io::Result<Hand>,
    ) -> Result<Found, Trouble<S::Error>> {
        let Ok(Ok(_turn)) = timeout_at(until, self.turns.acquire()).await else {
            return Ok(Found::not_read(Why::TooLong));
        };
        let mut hand = hand(self).map_err(Trouble::NoHand)?;
        let until = until.min(Instant::now() + self.settings.patience);
        match timeout_at(until, hand.opens(source)).await {
            Ok(Ok(found)) => {
                self.rests(hand);
                Ok(found)
            }
            Ok(Err(Failed::Source(error))) => Err(Trouble::Source(error)),
            Ok(Err(Failed::Hand)) => Ok(hand.ended().await),
            Err(_) => Ok(Found::not_read(Why::TooLong)),
        }
    }

    fn hand(&self) -> std::io::Result<Hand> {
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Hand::hire(&self.settings), Ok)
    }

    fn rests(&self, mut hand: Hand) {
        hand.left = hand.left.saturating_sub(1);
        if hand.left > 0 {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(hand);
        }
    }
}

impl Hand {
    /// What a library leaves lying about does not add up for ever.
    const DOCUMENTS: u32 = 500;

    fn hire(settings: &DocumentSettings) -> std::io::Result<Self> {
        let mut child = Command::new(&settings.program)
            .args(&settings.arguments)
            // Secrets may come in the environment.
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a library says when it breaks may quote the document.
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()?;
        let missing = || std::io::Error::other("a pipe is missing");
        let input = child.stdin.take().ok_or_else(missing)?;
        let output = child.stdout.take().ok_or_else(missing)?;
        Ok(Self { child, input, output, left: Self::DOCUMENTS })
    }

    async fn opens<S: Source>(&mut self, source: &mut S) -> Result<Found, Failed<S::Error>> {
        let mut sent = 0;
        while let Some(bytes) = source.next().await.map_err(Failed::Source)? {
            sent += bytes.len();
            if sent > wire::DOCUMENT {
                // The other side still waits for the rest; it is not worth keeping.
                self.left = 0;
                return Ok(Found::not_read(Why::TooLarge));
            }
            for piece in bytes.chunks(wire::PIECE) {
                self.write(&(piece.len() as u32).to_be_bytes()).await?;
                self.write(piece).await?;
            }
        }
        self.write(&[0; 4]).await?;
        self.answer().await
    }

    async fn write<E>(&mut self, bytes: &[u8]) -> Result<(), Failed<E>> {
        self.input.write_all(bytes).await.map_err(|_| Failed::Hand)
    }

    async fn answer<E>(&mut self) -> Result<Found, Failed<E>> {
        let mut head = [0; wire::HEAD];
        self.output.read_exact(&mut head).await.map_err(|_| Failed::Hand)?;
        let (extent, length) = wire::head(head).ok_or(Failed::Hand)?;
        let mut text = vec![0; length];
        self.output.read_exact(&mut text).await.map_err(|_| Failed::Hand)?;
        let text = String::from_utf8(text).map_err(|_| Failed::Hand)?;
        Ok(Found { text, extent })
    }

    /// It has gone, or says what nobody asked.
    async fn ended(mut self) -> Found {
        let _ = self.child.start_kill();
        match self.child.wait().await {
            Ok(status) => tracing::warn!(%status, "a process that opened a document ended over it"),
            Err(error) => tracing::warn!(%error, "a process that opened a document is lost"),
        }
        Found { text: String::new(), extent: Extent::NotRead(Why::Died) }
    }
}
