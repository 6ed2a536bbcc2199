//! The driver between bytes and the intake: octets in, octets out, no socket and no clock, so that a test can hold a
//! whole conversation in memory. Session, decoder and sink are one state: message data are never read as commands,
//! whatever the sink says in the middle of them.

use std::net::IpAddr;
use std::sync::Arc;

use super::circumstance::Shown;
use super::command::Chunk;
use super::framing::Decoder;
use super::intake::Intake;
use super::options::{Means, Options, PlainAuth, Security};
use super::parcel::Parcel;
use super::peer::{Channel, Offer, Vouched};
use super::reply::Reply;
use super::session::{Awaiting, Chunks, Receiving, Securing, Session, Settled};

mod frame;

/// Pieces of a message are no larger than this.
pub(crate) const PIECE: usize = 64 * 1024;

/// One conversation with one peer.
pub struct Dialogue<N: Intake> {
    context: Context<N>,
    phase: Phase<N>,
}

struct Context<N: Intake> {
    intake: Arc<N>,
    options: Arc<Options>,
    peer: IpAddr,
    counts: Counts,
}

/// What a conversation came to so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Whole lines read outside of messages; what stands between two chunks is within.
    pub lines: u64,
    /// Messages that became durable.
    pub messages: u64,
}

enum Phase<N: Intake> {
    Commands(Session<N>),
    /// A message by DATA.
    Data(Receiving<N>, Decoder, Parcel<N::Delivery>),
    /// A chunk of a message by BDAT.
    Chunk(Receiving<N>, Chunks<N::Delivery>, Expected),
    /// Octets of a chunk that nobody wants; so many are still to come, and what follows is settled.
    Skipping(u64, Settled<N>),
}

/// What is announced of a chunk, and how much of that is still to come.
struct Expected {
    chunk: Chunk,
    left: u64,
}

/// What the connection has to do next.
pub enum Next<N: Intake> {
    /// Send the output, read more.
    Read(Dialogue<N>),
    /// Send the output, do the TLS handshake.
    Secure(Handshake<N>),
    /// Send the output, close.
    Close(Close),
}

/// Why a conversation ends, and what it came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Close {
    /// The reason, one word or two.
    pub reason: &'static str,
    /// What was done.
    pub counts: Counts,
}

impl Close {
    /// The TLS handshake failed before anything was said.
    pub(crate) const HANDSHAKE: Close =
        Close { reason: "handshake", counts: Counts { lines: 0, messages: 0 } };
}

/// Why the connection is closed from our side in the middle of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// The peer is too slow.
    Timeout,
    /// The server stops.
    Shutdown,
}

/// A conversation that waits for the TLS handshake. All that was said before is forgotten (RFC 3207 §4.2).
pub struct Handshake<N: Intake> {
    context: Context<N>,
    securing: Securing,
}

impl<N: Intake> Dialogue<N> {
    /// Greets a peer on an unencrypted connection.
    pub fn greet(intake: Arc<N>, options: Arc<Options>, peer: IpAddr, output: &mut Vec<u8>) -> Self {
        let login = match options.plain_auth {
            PlainAuth::Loopback if peer.is_loopback() => Offer::Offered,
            PlainAuth::Loopback | PlainAuth::Never => Offer::Withheld,
        };
        let starttls = match options.security {
            Security::StartTls(_) => Offer::Offered,
            Security::Plain | Security::Implicit(_) => Offer::Withheld,
        };
        let vouched = vouched(intake.as_ref(), &options, peer, &Shown::Nothing);
        Self::begin(intake, options, peer, Channel::Plain { starttls, login }, vouched, output)
    }

    /// Greets a peer behind a TLS handshake that came first (RFC 8314 §3.3).
    pub fn greet_encrypted(
        intake: Arc<N>,
        options: Arc<Options>,
        peer: IpAddr,
        shown: Shown,
        output: &mut Vec<u8>,
    ) -> Self {
        let vouched = vouched(intake.as_ref(), &options, peer, &shown);
        Self::begin(intake, options, peer, encrypted(shown), vouched, output)
    }

    fn begin(
        intake: Arc<N>,
        options: Arc<Options>,
        peer: IpAddr,
        channel: Channel,
        vouched: Vouched<N::Identity>,
        output: &mut Vec<u8>,
    ) -> Self {
        let (session, greeting) = Session::greet(options.clone(), peer, channel, vouched);
        greeting.write(output);
        let context = Context { intake, options, peer, counts: Counts::default() };
        Self { context, phase: Phase::Commands(session) }
    }

    /// Takes what it can from the front of `input` and appends the replies to `output`. What stays in `input` is the
    /// beginning of a line.
    pub async fn take(self, input: &mut Vec<u8>, output: &mut Vec<u8>) -> Next<N> {
        let mut used = 0;
        let mut dialogue = self;
        let next = loop {
            dialogue = match dialogue.advance(&mut input[used..], output).await {
                Advance::On(dialogue, octets) => {
                    used += octets;
                    dialogue
                }
                Advance::Leave(next, octets) => {
                    used += octets;
                    break next;
                }
            };
        };
        input.drain(..used);
        next
    }

    /// One frame.
    async fn advance(self, input: &mut [u8], output: &mut Vec<u8>) -> Advance<N> {
        let Self { context, phase } = self;
        match phase {
            Phase::Commands(session) => context.line(session, input, output).await,
            Phase::Data(session, decoder, parcel) => {
                context.data(session, decoder, parcel, input, output).await
            }
            Phase::Chunk(session, chunks, expected) => {
                context.chunk(session, chunks, expected, input, output).await
            }
            Phase::Skipping(left, settled) => context.skip(left, settled, input, output),
        }
    }

    /// What the peer is expected to send next.
    pub fn awaiting(&self) -> Awaiting {
        match &self.phase {
            Phase::Commands(session) => session.awaiting(),
            Phase::Data(..) | Phase::Chunk(..) | Phase::Skipping(..) => Awaiting::Data,
        }
    }

    /// What it came to so far.
    pub fn counts(&self) -> Counts {
        self.context.counts
    }

    /// The peer is gone. A message in flight is abandoned.
    pub fn gone(self) -> Close {
        self.context.close("gone")
    }

    /// Says why the connection is closed now. A message in flight is abandoned.
    pub fn interrupt(self, interruption: Interruption, output: &mut Vec<u8>) -> Close {
        let (reply, reason) = match interruption {
            Interruption::Timeout => (Reply::coded(421, (4, 2), "too slow; closing"), "timeout"),
            Interruption::Shutdown => {
                (Reply::coded(421, (3, 2), "the server stops; try again later"), "shutdown")
            }
        };
        reply.write(output);
        self.context.close(reason)
    }
}

impl<N: Intake> Handshake<N> {
    /// The handshake is done; `shown` is what the peer showed in it.
    pub fn done(self, shown: Shown) -> Dialogue<N> {
        let Self { context, securing } = self;
        let vouched = vouched(context.intake.as_ref(), &context.options, context.peer, &shown);
        let session = securing.fresh(encrypted(shown), vouched);
        Dialogue { context, phase: Phase::Commands(session) }
    }

    pub(crate) fn intake(&self) -> &N {
        &self.context.intake
    }

    /// The handshake failed.
    pub fn failed(self) -> Close {
        self.context.close("handshake")
    }
}

/// The outcome of one frame, and the octets of the input that it took.
enum Advance<N: Intake> {
    On(Dialogue<N>, usize),
    Leave(Next<N>, usize),
}

impl<N: Intake> Context<N> {
    fn close(&self, reason: &'static str) -> Close {
        Close { reason, counts: self.counts }
    }
}

fn encrypted(shown: Shown) -> Channel {
    Channel::Encrypted(match shown {
        Shown::Certificate(certificate) => Some(certificate),
        Shown::Nothing | Shown::Provider(_) | Shown::Undecided => None,
    })
}

/// Who vouches before anything is said, by the means that the listener takes. The certificate says more than the
/// network, and both say more than the provider, who speaks for many.
fn vouched<N: Intake>(intake: &N, options: &Options, peer: IpAddr, shown: &Shown) -> Vouched<N::Identity> {
    let takes = |means| options.identities.accept(means);
    let certified = match shown {
        Shown::Certificate(proved) if takes(Means::Certificate) => intake.by_certificate(proved),
        _ => None,
    };
    let name = match shown {
        Shown::Provider(name) => Some(name.as_str()),
        Shown::Nothing | Shown::Certificate(_) | Shown::Undecided => None,
    };
    let identity = certified
        .or_else(|| takes(Means::Network).then(|| intake.by_network(peer)).flatten())
        .or_else(|| takes(Means::Connector).then(|| intake.by_provider(peer, name)).flatten());
    match (identity, shown) {
        (Some(identity), _) => Vouched::Channel(identity),
        (None, Shown::Undecided) if takes(Means::Certificate) => Vouched::Undecided,
        (None, _) => Vouched::Nobody,
    }
}
