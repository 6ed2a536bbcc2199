//! The SMTP session as a state machine without I/O: lines in, steps out. Each state owns exactly what is true in it,
//! and moving on consumes it, so a transaction cannot outlive EHLO, STARTTLS or its own end (RFC 5321 §4.1.4).
//! It never waits and never sees message data.

use std::net::IpAddr;
use std::sync::Arc;

use super::auth::{Credentials, Exchange};
use super::circumstance::Greeting;
use super::command::{self, Chunk, Command, Misread};
use super::framing::Counted;
use super::intake::{Intake, Transaction};
use super::options::Options;
use super::parcel::Parcel;
use super::peer::{Channel, Hello, Offer, Patience, Peer, Spent, Vouched, spend};
use super::reply::Reply;
use super::scram::Proof;

mod login;
mod message;
mod transaction;

pub(crate) use login::Verifying;
pub(crate) use message::{Opening, Receiving};
use transaction::{Addressed, Begun};

/// A session that waits for a line.
pub(crate) struct Session<N: Intake> {
    peer: Peer<N>,
    phase: Phase<N>,
}

enum Phase<N: Intake> {
    Commands(State<N>),
    /// The next line is a response to a challenge, not a command.
    Login(Hello, Exchange),
    /// The proof was right. The next line says that the peer read the server's own (RFC 5802 §3).
    Confirming(Hello, N::Identity),
}

enum State<N: Intake> {
    /// Before EHLO or HELO.
    Fresh,
    /// Between transactions.
    Idle(Hello),
    /// After MAIL. In a box, as all that few connections have at a time.
    Begun(Box<Begun>),
    /// After at least one accepted RCPT.
    Addressed(Addressed<N::Class>),
    /// Between two chunks of a message.
    Chunked(Hello, Chunks<N::Delivery>),
}

/// A message in chunks: its lines go on from one to the next.
pub(crate) struct Chunks<D> {
    pub(crate) parcel: Parcel<D>,
    pub(crate) lines: Counted,
}

/// What the peer is expected to send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaiting {
    /// A command; nothing would be interrupted by closing.
    Command,
    /// A command within a transaction or a login.
    Continuation,
    /// The command that brings the next chunk of a message.
    Chunk,
    /// Octets of a message.
    Data,
}

/// What follows from a line.
pub(crate) enum Step<N: Intake> {
    /// All is said.
    Settled(Settled<N>),
    /// All is said, once so many octets have passed that are not looked at.
    Skip(u64, Settled<N>),
    /// Reply, then start TLS. Everything said before is forgotten.
    StartTls(Securing, Reply),
    /// Check a password.
    Login(Verifying<N>, Credentials),
    /// Check a proof.
    Proof(Verifying<N>, Proof),
    /// Open the sink for a message.
    Open(Opening<N>, Transaction<N::Class>, Carriage),
    /// Take the next chunk of a message.
    Chunk(Receiving<N>, Chunks<N::Delivery>, Chunk),
}

/// How a message is brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Carriage {
    /// By DATA, up to CRLF.CRLF.
    Data,
    /// By BDAT, counted; this is its first chunk.
    Chunks(Chunk),
}

/// The reply to a line, and whether there will be another.
pub(crate) enum Settled<N: Intake> {
    /// Reply, then wait for a line.
    Next(Session<N>, Reply),
    /// Reply, then close.
    Close(Reply, Ending),
}

/// Why the session closes the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The peer said QUIT.
    Quit,
    /// Too many refused commands.
    Errors,
    /// Too many commands that lead nowhere.
    Idle,
    /// Too many failed logins.
    Logins,
    /// As many messages as one connection may bring.
    Messages,
    /// BDAT of a size that nobody can or will read: what follows cannot be read as commands.
    Chunk,
}

/// A session that waits for the TLS handshake: nothing is left of it but how often it may still err.
pub(crate) struct Securing {
    options: Arc<Options>,
    address: IpAddr,
    patience: Patience,
}

impl<N: Intake> Session<N> {
    /// A session at its start, and the greeting.
    pub(crate) fn greet(
        options: Arc<Options>,
        address: IpAddr,
        channel: Channel,
        vouched: Vouched<N::Identity>,
    ) -> (Self, Reply) {
        let greeting = Reply::bare(220, format!("{} ESMTP Postern", options.hostname.as_str()));
        let patience = Patience::new(&options.limits);
        (Securing { options, address, patience }.fresh(channel, vouched), greeting)
    }

    /// Takes one line, CRLF included.
    pub(crate) fn line(self, line: &[u8], guards: &N) -> Step<N> {
        let Self { peer, phase } = self;
        match phase {
            Phase::Login(hello, exchange) => peer.response(hello, exchange, line, guards),
            Phase::Confirming(hello, identity) => Step::Settled(peer.confirmed(hello, identity, line)),
            Phase::Commands(state) => match command::parse(line) {
                Ok(command) => peer.command(state, command, guards),
                Err(misread) => peer.misread(state, misread),
            },
        }
    }

    /// How long the next line may be, CRLF included, given its first octets.
    pub(crate) fn line_limit(&self, start: &[u8]) -> usize {
        let limits = &self.peer.options.limits;
        let auth = match &self.phase {
            Phase::Login(..) | Phase::Confirming(..) => true,
            Phase::Commands(_) => start.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH ")),
        };
        if auth { limits.auth_line } else { limits.command_line }
    }

    /// What the peer is expected to send, and whether closing now would interrupt something.
    pub(crate) fn awaiting(&self) -> Awaiting {
        match &self.phase {
            Phase::Commands(State::Fresh | State::Idle(_)) => Awaiting::Command,
            Phase::Commands(State::Chunked(..)) => Awaiting::Chunk,
            Phase::Commands(State::Begun(_) | State::Addressed(_))
            | Phase::Login(..)
            | Phase::Confirming(..) => Awaiting::Continuation,
        }
    }
}

impl<N: Intake> Peer<N> {
    fn command(self, state: State<N>, command: Command, guards: &N) -> Step<N> {
        match command {
            Command::Mail(mail) => Step::Settled(self.mail(state, mail, guards)),
            Command::Rcpt(recipient) => Step::Settled(self.rcpt(state, recipient, guards)),
            Command::Data => self.data(state),
            Command::Bdat(chunk) => self.bdat(state, chunk),
            Command::StartTls => self.start_tls(state),
            Command::Auth { mechanism, initial } => self.auth(state, mechanism, initial.as_deref(), guards),
            simple => Step::Settled(self.simple(state, simple, guards)),
        }
    }

    /// Commands that any state takes.
    fn simple(self, state: State<N>, command: Command, guards: &N) -> Settled<N> {
        let ok = || Reply::coded(250, (0, 0), "ok");
        match command {
            Command::Hello(greeting, name) => self.hello(Hello { greeting, name }, guards),
            Command::Rset => self.idle(state.reset(), ok()),
            Command::Vrfy => self.idle(state, Reply::coded(252, (5, 2), "send a message and see")),
            Command::Help => self.idle(state, help()),
            Command::Quit => Settled::Close(Reply::coded(221, (0, 0), "bye"), Ending::Quit),
            _ => self.idle(state, ok()),
        }
    }

    fn misread(self, state: State<N>, misread: Misread) -> Step<N> {
        match misread {
            Misread::ChunkSize => Step::Settled(Settled::Close(misread.into(), Ending::Chunk)),
            Misread::ChunkForm(octets) => {
                let settled = self.refuse(state, misread);
                Step::Skip(octets, settled)
            }
            misread => Step::Settled(self.refuse(state, misread)),
        }
    }

    fn hello(self, hello: Hello, guards: &N) -> Settled<N> {
        let mut text = self.options.hostname.as_str().to_owned();
        if hello.greeting == Greeting::Ehlo {
            text.push_str(&self.extensions(guards));
        }
        self.idle(State::Idle(hello), Reply::bare(250, text))
    }

    fn extensions(&self, guards: &N) -> String {
        let size = self.options.limits.message_size;
        let mut lines =
            format!("\nPIPELINING\nSIZE {size}\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES\nCHUNKING\nDSN");
        if self.channel.starttls() == Offer::Offered {
            lines.push_str("\nSTARTTLS");
        }
        if self.login() == Some(Offer::Offered) {
            lines.push_str("\nAUTH PLAIN LOGIN");
            if guards.offers_scram() {
                lines.push_str(" SCRAM-SHA-256");
            }
        }
        lines.push_str("\nHELP");
        lines
    }

    fn start_tls(self, state: State<N>) -> Step<N> {
        match (&self.channel, self.channel.starttls()) {
            (_, Offer::Offered) => {
                let Self { options, address, patience, .. } = self;
                Step::StartTls(Securing { options, address, patience }, Reply::coded(220, (0, 0), "begin"))
            }
            (Channel::Encrypted(_), _) => {
                Step::Settled(self.out_of_order(state, "the connection is encrypted already"))
            }
            (Channel::Plain { .. }, _) => Step::Settled(self.refuse(state, Misread::NotOffered)),
        }
    }

    fn waits(self, state: State<N>) -> Session<N> {
        Session { peer: self, phase: Phase::Commands(state) }
    }

    fn next(self, state: State<N>, reply: Reply) -> Settled<N> {
        Settled::Next(self.waits(state), reply)
    }

    /// A reply to a command that leads nowhere.
    fn idle(mut self, state: State<N>, reply: Reply) -> Settled<N> {
        match spend(&mut self.patience.idle_commands) {
            Spent::Within => self.next(state, reply),
            Spent::Over => too_idle(),
        }
    }

    fn out_of_order(self, state: State<N>, text: &'static str) -> Settled<N> {
        self.refuse(state, Reply::coded(503, (5, 1), text))
    }

    fn refuse(mut self, state: State<N>, reply: impl Into<Reply>) -> Settled<N> {
        match spend(&mut self.patience.errors) {
            Spent::Within => self.next(state, reply.into()),
            Spent::Over => Settled::Close(Reply::coded(421, (7, 0), "too many errors"), Ending::Errors),
        }
    }
}

impl Securing {
    /// The handshake is done, or none is needed. `vouched` is what certificate, network and provider say.
    pub(crate) fn fresh<N: Intake>(self, channel: Channel, vouched: Vouched<N::Identity>) -> Session<N> {
        let Self { options, address, patience } = self;
        Peer { options, address, channel, vouched, patience }.waits(State::Fresh)
    }
}

impl<N: Intake> State<N> {
    /// Without a transaction.
    fn reset(self) -> Self {
        match self {
            State::Fresh => State::Fresh,
            State::Idle(hello) | State::Chunked(hello, _) => State::Idle(hello),
            State::Begun(begun) | State::Addressed(Addressed { begun, .. }) => State::Idle(begun.hello),
        }
    }
}

impl Ending {
    /// For the log.
    pub(crate) fn reason(self) -> &'static str {
        match self {
            Ending::Quit => "quit",
            Ending::Errors => "too many errors",
            Ending::Idle => "too many idle commands",
            Ending::Logins => "too many failed logins",
            Ending::Messages => "too many messages",
            Ending::Chunk => "BDAT",
        }
    }
}

fn too_idle<N: Intake>() -> Settled<N> {
    let reply = Reply::coded(421, (7, 0), "too many commands without a message");
    Settled::Close(reply, Ending::Idle)
}

fn help() -> Reply {
    let text = "EHLO HELO STARTTLS AUTH MAIL RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\nRFC 5321 says more";
    Reply::coded(214, (0, 0), text)
}

#[cfg(test)]
mod tests;
