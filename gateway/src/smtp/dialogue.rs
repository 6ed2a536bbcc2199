//! The driver between bytes and the intake: octets in, octets out, no socket and no clock, so that a test can hold a
//! whole conversation in memory. Session, decoder and sink are one state: message data are never read as commands,
//! whatever the sink says in the middle of them.

use std::net::IpAddr;
use std::sync::Arc;

use certs::PeerCertificate;
use tracing::info;

use super::framing::{self, Decoded, Decoder, Line, Violation};
use super::intake::{Delivery, Intake};
use super::options::{Limits, Options, PlainAuth, Security};
use super::peer::{Channel, Offer};
use super::reply::{Refusal, Reply};
use super::session::{Opening, Receiving, Securing, Session, Settled, Step};

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
    /// Whole lines read outside of messages.
    pub lines: u64,
    /// Messages that became durable.
    pub messages: u64,
}

enum Phase<N: Intake> {
    Commands(Session<N::Identity>),
    /// A message goes into its sink.
    Accepting(Message<N>, N::Delivery),
    /// The message is refused already; the rest of it is read so that the refusal can be said at its end.
    Discarding(Message<N>, Refusal),
}

struct Message<N: Intake> {
    session: Receiving<N::Identity>,
    decoder: Decoder,
    /// Octets of the message so far.
    size: u64,
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

/// What the peer is expected to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaiting {
    /// A command; nothing would be interrupted by closing.
    Command,
    /// A command within a transaction or a login.
    Continuation,
    /// Octets of a message.
    Data,
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
        let vouched = intake.by_network(peer);
        Self::begin(intake, options, peer, Channel::Plain { starttls, login }, vouched, output)
    }

    /// Greets a peer behind a TLS handshake that came first (RFC 8314 §3.3).
    pub fn greet_encrypted(
        intake: Arc<N>,
        options: Arc<Options>,
        peer: IpAddr,
        certificate: Option<&PeerCertificate>,
        output: &mut Vec<u8>,
    ) -> Self {
        let vouched = vouched(intake.as_ref(), peer, certificate);
        Self::begin(intake, options, peer, Channel::Encrypted, vouched, output)
    }

    fn begin(
        intake: Arc<N>,
        options: Arc<Options>,
        peer: IpAddr,
        channel: Channel,
        vouched: Option<N::Identity>,
        output: &mut Vec<u8>,
    ) -> Self {
        let (session, greeting) = Session::greet(options.clone(), channel, vouched);
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
            Phase::Accepting(message, delivery) => context.accept(message, delivery, input, output).await,
            Phase::Discarding(message, refusal) => context.discard(message, refusal, input, output),
        }
    }

    /// What the peer is expected to send next.
    pub fn awaiting(&self) -> Awaiting {
        match &self.phase {
            Phase::Commands(session) if session.in_transaction() => Awaiting::Continuation,
            Phase::Commands(_) => Awaiting::Command,
            Phase::Accepting(..) | Phase::Discarding(..) => Awaiting::Data,
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
    /// The handshake is done; `certificate` is what the peer proved in it.
    pub fn done(self, certificate: Option<&PeerCertificate>) -> Dialogue<N> {
        let Self { context, securing } = self;
        let session = securing.secured(vouched(context.intake.as_ref(), context.peer, certificate));
        Dialogue { context, phase: Phase::Commands(session) }
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
    async fn line(
        mut self,
        session: Session<N::Identity>,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let length = match framing::line(input, session.line_limit(input)) {
            Line::Whole(length) => length,
            Line::Partial => {
                return self.read(Phase::Commands(session));
            }
            Line::Violation(violation) => return self.violated(violation, violation.in_command(), output),
        };
        self.counts.lines += 1;
        let (line, rest) = input.split_at(length);
        let step = session.line(line, self.intake.as_ref());
        // These steps end a group (RFC 2920 §3.1, RFC 3207 §4.2): what comes behind without waiting for the reply was
        // put there by somebody else, or would be read as something else.
        let awaited = !matches!(step, Step::Settled(_));
        if awaited && !rest.is_empty() {
            let violation = Violation::Pipelined;
            return self.violated(violation, violation.in_command(), output);
        }
        self.step(step, length, output).await
    }

    async fn step(self, step: Step<N::Identity>, used: usize, output: &mut Vec<u8>) -> Advance<N> {
        match step {
            Step::Settled(settled) => self.settle(settled, used, output),
            Step::StartTls(securing, reply) => {
                reply.write(output);
                Advance::Leave(Next::Secure(Handshake { context: self, securing }), used)
            }
            Step::Login(verifying, credentials) => {
                let verdict =
                    self.intake.login_from(self.peer, &credentials.user, &credentials.password).await;
                let settled = match verdict {
                    Ok(identity) => verifying.proved(identity),
                    Err(refusal) => verifying.refused(refusal.logged("AUTH")),
                };
                self.settle(settled, used, output)
            }
            Step::Open(opening, envelope, announced) => {
                let opened = self.intake.open(opening.identity(), envelope, announced).await;
                match opened {
                    Ok(delivery) => self.begin_message(opening, delivery, used, output),
                    Err(refusal) => self.settle(opening.refused(refusal.logged("DATA")), used, output),
                }
            }
        }
    }

    fn begin_message(
        self,
        opening: Opening<N::Identity>,
        delivery: N::Delivery,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let (session, reply) = opening.opened();
        reply.write(output);
        let decoder = Decoder::new(self.options.limits.data_line);
        let message = Message { session, decoder, size: 0 };
        Advance::On(Dialogue { context: self, phase: Phase::Accepting(message, delivery) }, used)
    }

    /// One piece of a message that is welcome so far.
    async fn accept(
        self,
        mut message: Message<N>,
        mut delivery: N::Delivery,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let piece = first_piece(input);
        if piece.is_empty() {
            return self.read(Phase::Accepting(message, delivery));
        }
        let (content, used, end) = match message.decode(piece) {
            Decoded::Violation(violation) => {
                drop(delivery);
                return self.violated(violation, violation.in_data(), output);
            }
            Decoded::More(content) => (content, piece.len(), End::Ahead),
            Decoded::End(content, used) => (content, used, End::Reached),
        };
        let fate = if message.is_endless(&self.options.limits) {
            return self.violated(Violation::Endless, Refusal::TooLarge.into(), output);
        } else if message.size > self.options.limits.message_size {
            Err(Refusal::TooLarge)
        } else if content > 0 {
            delivery.chunk(&piece[..content]).await
        } else {
            Ok(())
        };
        match (fate, end) {
            (Ok(()), End::Ahead) => self.on(Phase::Accepting(message, delivery), used),
            (Ok(()), End::Reached) => {
                let closed = delivery.close().await;
                self.closed(message, closed, used, output)
            }
            (Err(refusal), End::Ahead) => self.on(Phase::Discarding(message, refusal), used),
            (Err(refusal), End::Reached) => self.closed(message, Err(refusal), used, output),
        }
    }

    /// One piece of a message that is refused already.
    fn discard(
        self,
        mut message: Message<N>,
        refusal: Refusal,
        input: &mut [u8],
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let piece = first_piece(input);
        if piece.is_empty() {
            return self.read(Phase::Discarding(message, refusal));
        }
        match message.decode(piece) {
            Decoded::Violation(violation) => self.violated(violation, violation.in_data(), output),
            _ if message.is_endless(&self.options.limits) => {
                self.violated(Violation::Endless, refusal.into(), output)
            }
            Decoded::More(_) => self.on(Phase::Discarding(message, refusal), piece.len()),
            Decoded::End(_, used) => self.closed(message, Err(refusal), used, output),
        }
    }

    /// The end of a message: only now does the peer learn what became of it.
    fn closed(
        mut self,
        message: Message<N>,
        outcome: Result<String, Refusal>,
        used: usize,
        output: &mut Vec<u8>,
    ) -> Advance<N> {
        let settled = match outcome {
            Ok(text) => {
                self.counts.messages += 1;
                info!(octets = message.size, reply = %text, "message stored");
                message.session.stored(text)
            }
            Err(refusal) => message.session.refused(refusal.logged("end of data")),
        };
        self.settle(settled, used, output)
    }

    fn settle(self, settled: Settled<N::Identity>, used: usize, output: &mut Vec<u8>) -> Advance<N> {
        match settled {
            Settled::Next(session, reply) => {
                reply.write(output);
                self.on(Phase::Commands(session), used)
            }
            Settled::Close(reply, ending) => {
                reply.write(output);
                Advance::Leave(Next::Close(self.close(ending.reason())), used)
            }
        }
    }

    /// The framing is broken: nothing of what follows can be trusted to be what it seems.
    fn violated(self, violation: Violation, reply: Reply, output: &mut Vec<u8>) -> Advance<N> {
        info!(?violation, code = reply.code(), "closed for a violation");
        reply.write(output);
        Advance::Leave(Next::Close(self.close("violation")), 0)
    }

    fn on(self, phase: Phase<N>, used: usize) -> Advance<N> {
        Advance::On(Dialogue { context: self, phase }, used)
    }

    fn read(self, phase: Phase<N>) -> Advance<N> {
        Advance::Leave(Next::Read(Dialogue { context: self, phase }), 0)
    }

    fn close(&self, reason: &'static str) -> Close {
        Close { reason, counts: self.counts }
    }
}

impl<N: Intake> Message<N> {
    fn decode(&mut self, piece: &mut [u8]) -> Decoded {
        let decoded = self.decoder.decode(piece);
        if let Decoded::More(content) | Decoded::End(content, _) = decoded {
            self.size = self.size.saturating_add(content as u64);
        }
        decoded
    }

    /// Beyond what is read of a message that is refused already.
    fn is_endless(&self, limits: &Limits) -> bool {
        self.size > limits.message_size.saturating_add(limits.overrun)
    }
}

/// Whether the piece held the end of the message.
enum End {
    Ahead,
    Reached,
}

fn first_piece(input: &mut [u8]) -> &mut [u8] {
    let length = input.len().min(PIECE);
    &mut input[..length]
}

/// The certificate says more than the network.
fn vouched<N: Intake>(
    intake: &N,
    peer: IpAddr,
    certificate: Option<&PeerCertificate>,
) -> Option<N::Identity> {
    certificate.and_then(|proved| intake.by_certificate(proved)).or_else(|| intake.by_network(peer))
}
