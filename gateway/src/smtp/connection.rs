//! The one file of the SMTP server with a socket, TLS and a clock in it: it carries octets between a peer and a
//! dialogue and keeps the deadlines. It understands no octet.

use std::future::poll_fn;
use std::io;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Poll, ready};
use std::time::Duration;

use certs::{ClientProof, ServerIdentity};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tracing::{debug, error, info, warn};

use super::circumstance::Shown;
use super::dialogue::{Close, Dialogue, Handshake, Interruption, Next, PIECE};
use super::intake::Intake;
use super::options::{Means, Options, Security};
use super::pace::Pace;
use super::session::Awaiting;

/// What is read at once while commands are awaited. It lies on the stack, so that an idle connection has no buffer.
const COMMANDS: usize = 4096;

/// The first buffer of a message; it grows to a piece if the peer fills it.
const FIRST: usize = 8 * 1024;

/// After the last reply the peer may finish its sentence for so long, and for so many octets: closing on octets not
/// read would reset the connection, and the reply could be lost on its way.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_OCTETS: usize = 1024 * 1024;

/// What a connection needs besides its stream.
pub struct Setting<N: Intake> {
    /// The message path.
    pub intake: Arc<N>,
    /// What is offered.
    pub options: Arc<Options>,
    /// The address that the guards judge by.
    pub peer: IpAddr,
    /// True once the server stops.
    pub stop: watch::Receiver<bool>,
}

/// Serves one peer from the greeting to the end.
pub async fn serve<S, N>(mut stream: S, setting: Setting<N>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    N: Intake,
{
    let Setting { intake, options, peer, mut stop } = setting;
    debug!("connected");
    let mut output = Vec::new();
    let end = match &options.security {
        Security::Implicit(identity) => {
            // In a box, so that connections without TLS do not carry the room for it.
            Box::pin(implicit(stream, identity, &intake, &options, peer, &mut stop)).await
        }
        Security::Plain | Security::StartTls(_) => {
            let dialogue = Dialogue::greet(intake, options.clone(), peer, &mut output);
            match converse(&mut stream, dialogue, output, &options, &mut stop).await {
                Ended::Secure(handshake) => Box::pin(upgrade(stream, handshake, &options, &mut stop)).await,
                Ended::Close(close) => {
                    finish(&mut stream, close.linger).await;
                    close.close
                }
            }
        }
    };
    info!(reason = end.reason, lines = end.counts.lines, messages = end.counts.messages, "closed");
}

/// TLS from the first octet.
async fn implicit<S, N>(
    stream: S,
    identity: &ServerIdentity,
    intake: &Arc<N>,
    options: &Arc<Options>,
    peer: IpAddr,
    stop: &mut watch::Receiver<bool>,
) -> Close
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    N: Intake,
{
    let Some(mut stream) = handshake(stream, identity, options).await else {
        return Close::HANDSHAKE;
    };
    let mut output = Vec::new();
    let shown = shown(&stream, identity, intake.as_ref(), options);
    let dialogue = Dialogue::greet_encrypted(intake.clone(), options.clone(), peer, shown, &mut output);
    encrypted(&mut stream, dialogue, output, options, stop).await
}

/// TLS after STARTTLS.
async fn upgrade<S, N>(
    stream: S,
    waiting: Handshake<N>,
    options: &Arc<Options>,
    stop: &mut watch::Receiver<bool>,
) -> Close
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    N: Intake,
{
    let Security::StartTls(identity) = &options.security else {
        return waiting.failed();
    };
    let Some(mut stream) = handshake(stream, identity, options).await else {
        return waiting.failed();
    };
    let shown = shown(&stream, identity, waiting.intake(), options);
    let dialogue = waiting.done(shown);
    encrypted(&mut stream, dialogue, Vec::new(), options, stop).await
}

async fn encrypted<S, N>(
    stream: &mut TlsStream<S>,
    dialogue: Dialogue<N>,
    output: Vec<u8>,
    options: &Arc<Options>,
    stop: &mut watch::Receiver<bool>,
) -> Close
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
    N: Intake,
{
    match converse(stream, dialogue, output, options, stop).await {
        Ended::Secure(handshake) => handshake.failed(),
        Ended::Close(close) => {
            finish(stream, close.linger).await;
            close.close
        }
    }
}

async fn handshake<S>(stream: S, identity: &ServerIdentity, options: &Options) -> Option<TlsStream<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let accept = TlsAcceptor::from(identity.server_config()).accept(stream);
    match timeout(options.limits.timeouts.handshake, accept).await {
        Ok(Ok(stream)) => {
            debug!(version = ?stream.get_ref().1.protocol_version(), "encrypted");
            Some(stream)
        }
        Ok(Err(error)) => {
            info!(%error, "TLS handshake failed");
            None
        }
        Err(_) => {
            info!("TLS handshake too slow");
            None
        }
    }
}

/// What the peer showed. The handshake lets any certificate pass, since many mail servers show one of their own to
/// whoever asks: one that leads neither to the private CA nor to a mail provider counts as none.
fn shown<S, N: Intake>(
    stream: &TlsStream<S>,
    identity: &ServerIdentity,
    intake: &N,
    options: &Options,
) -> Shown {
    let Some(chain) = stream.get_ref().1.peer_certificates() else {
        return Shown::Nothing;
    };
    match identity.identify(chain) {
        ClientProof::Proved(certificate) => Shown::Certificate(Box::new(certificate)),
        ClientProof::Revoked(_) => {
            warn!("a client certificate that was taken back: it counts as none");
            Shown::Nothing
        }
        ClientProof::Undecided { why, .. } => {
            error!(%why, "client certificates cannot be checked");
            Shown::Undecided
        }
        ClientProof::None if options.identities.accept(Means::Connector) => {
            let names = intake.provider_names();
            let name = identity.public_name(chain, &names);
            name.map_or(Shown::Nothing, |name| Shown::Provider(name.to_owned()))
        }
        ClientProof::None => {
            info!("client certificate not of the private authority, or not valid now: it counts as none");
            Shown::Nothing
        }
    }
}

enum Ended<N: Intake> {
    Secure(Handshake<N>),
    Close(Closing),
}

struct Closing {
    close: Close,
    linger: Linger,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Linger {
    Briefly,
    No,
}

enum Event {
    Octets(usize),
    /// The peer closed, or its connection broke.
    Gone,
    Stop,
    Interrupt(Interruption),
}

enum Server {
    Runs,
    /// It stops, and waits for transactions until then.
    Stops(Instant),
}

/// Carries octets until the dialogue ends or wants TLS.
async fn converse<S, N>(
    stream: &mut S,
    mut dialogue: Dialogue<N>,
    mut output: Vec<u8>,
    options: &Options,
    stop: &mut watch::Receiver<bool>,
) -> Ended<N>
where
    S: AsyncRead + AsyncWrite + Unpin,
    N: Intake,
{
    let timeouts = &options.limits.timeouts;
    let mut pace = Pace::start(timeouts.clone(), Instant::now());
    let mut server = Server::Runs;
    let mut input = Vec::new();
    loop {
        if write(stream, &mut output, timeouts.write).await.is_err() {
            return Ended::Close(dialogue.gone().into());
        }
        let awaiting = dialogue.awaiting();
        let octets = match server.next(stream, &mut input, awaiting, &pace, stop).await {
            Event::Octets(octets) => octets,
            Event::Stop => {
                server = Server::Stops(Instant::now() + timeouts.grace);
                continue;
            }
            Event::Gone => return Ended::Close(dialogue.gone().into()),
            Event::Interrupt(interruption) => {
                let close = dialogue.interrupt(interruption, &mut output);
                let _ = write(stream, &mut output, timeouts.write).await;
                return Ended::Close(close.into());
            }
        };
        // In a box, so that a connection that waits does not carry the room for what it does once in a while.
        dialogue = match Box::pin(dialogue.take(&mut input, &mut output)).await {
            Next::Read(dialogue) => dialogue,
            next => return leave(stream, next, output, timeouts.write).await,
        };
        pace.advanced(dialogue.awaiting(), dialogue.counts().lines, octets, Instant::now());
    }
}

/// The last reply of this part of the conversation.
async fn leave<S, N>(stream: &mut S, next: Next<N>, mut output: Vec<u8>, limit: Duration) -> Ended<N>
where
    S: AsyncWrite + Unpin,
    N: Intake,
{
    let written = write(stream, &mut output, limit).await;
    match (next, written) {
        (Next::Secure(handshake), Ok(())) => Ended::Secure(handshake),
        (Next::Secure(handshake), Err(_)) => Ended::Close(handshake.failed().into()),
        (Next::Close(close), Ok(())) => Ended::Close(Closing { close, linger: Linger::Briefly }),
        (Next::Close(close), Err(_)) => Ended::Close(close.into()),
        (Next::Read(dialogue), _) => Ended::Close(dialogue.gone().into()),
    }
}

impl Server {
    /// What happens next: octets, or a reason to have none.
    async fn next<S: AsyncRead + Unpin>(
        &self,
        stream: &mut S,
        input: &mut Vec<u8>,
        awaiting: Awaiting,
        pace: &Pace,
        stop: &mut watch::Receiver<bool>,
    ) -> Event {
        match *self {
            Server::Runs => tokio::select! {
                biased;
                () = stopped(stop) => Event::Stop,
                event = receive(stream, input, awaiting) => event,
                () = sleep_until(pace.deadline()) => Event::Interrupt(Interruption::Timeout),
            },
            Server::Stops(_) if awaiting == Awaiting::Command => Event::Interrupt(Interruption::Shutdown),
            Server::Stops(until) => tokio::select! {
                biased;
                event = receive(stream, input, awaiting) => event,
                () = sleep_until(until.min(pace.deadline())) => {
                    Event::Interrupt(Interruption::Shutdown)
                }
            },
        }
    }
}

/// Returns once the server stops. A dropped sender is a server that is gone: the same.
pub(crate) async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _ = stop.wait_for(|stops| *stops).await;
}

impl From<Close> for Closing {
    /// Nobody is there to wait for.
    fn from(close: Close) -> Self {
        Self { close, linger: Linger::No }
    }
}

async fn write<S>(stream: &mut S, output: &mut Vec<u8>, limit: Duration) -> io::Result<()>
where
    S: AsyncWrite + Unpin,
{
    if output.is_empty() {
        return Ok(());
    }
    let send = async {
        stream.write_all(output).await?;
        stream.flush().await
    };
    timeout(limit, send).await.map_err(io::Error::from)??;
    *output = Vec::new();
    Ok(())
}

/// Appends what the peer sends to `input`. While commands are awaited nothing is held but the beginning of a line; in
/// a message the buffer grows to a piece once the peer has filled a small one.
async fn receive<S>(stream: &mut S, input: &mut Vec<u8>, awaiting: Awaiting) -> Event
where
    S: AsyncRead + Unpin,
{
    let read = match awaiting {
        Awaiting::Command | Awaiting::Continuation | Awaiting::Chunk => receive_command(stream, input).await,
        Awaiting::Data => receive_data(stream, input).await,
    };
    match read {
        Ok(0) | Err(_) => Event::Gone,
        Ok(octets) => Event::Octets(octets),
    }
}

async fn receive_data<S>(stream: &mut S, input: &mut Vec<u8>) -> io::Result<usize>
where
    S: AsyncRead + Unpin,
{
    if input.capacity() < FIRST {
        input.reserve_exact(FIRST);
    }
    let octets = stream.read_buf(input).await?;
    if input.len() == input.capacity() && input.capacity() < PIECE {
        input.reserve_exact(PIECE - input.len());
    }
    Ok(octets)
}

async fn receive_command<S>(stream: &mut S, input: &mut Vec<u8>) -> io::Result<usize>
where
    S: AsyncRead + Unpin,
{
    if input.is_empty() && input.capacity() > 0 {
        *input = Vec::new();
    }
    poll_fn(|context| {
        let mut room = [0; COMMANDS];
        let mut read = ReadBuf::new(&mut room);
        ready!(Pin::new(&mut *stream).poll_read(context, &mut read))?;
        input.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    })
    .await
}

/// Closes our side; then lets the peer finish its sentence, unread, so that the last reply reaches it.
async fn finish<S>(stream: &mut S, linger: Linger)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let finish = async {
        stream.shutdown().await?;
        let mut unread = Vec::new();
        let mut octets = 0;
        while linger == Linger::Briefly && octets < LINGER_OCTETS {
            match receive_command(stream, &mut unread).await? {
                0 => break,
                more => octets += more,
            }
            unread.clear();
        }
        io::Result::Ok(())
    };
    let _ = timeout(LINGER, finish).await;
}
