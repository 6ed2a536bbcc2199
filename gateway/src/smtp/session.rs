//! The SMTP session as a state machine without I/O: lines in, steps out. Each state owns exactly what is true in it,
//! and moving on consumes it, so a transaction cannot outlive EHLO, STARTTLS or its own end (RFC 5321 §4.1.4).
//! It never waits and never sees message data.

use std::sync::Arc;

use mail::{Address, Envelope, ReversePath};

use super::auth::{self, Answer, Credentials, Exchange};
use super::command::{self, Command, Forward, Mail, Mechanism, Misread, Parameters, Script};
use super::intake::Intake;
use super::options::Options;
use super::peer::{Channel, Offer, Patience, Spent, Vouched, spend};
use super::reply::{Refusal, Reply};

/// A session that waits for a line.
pub(crate) struct Session<I> {
    peer: Peer<I>,
    phase: Phase,
}

/// What is known of the peer, whatever it says next.
struct Peer<I> {
    options: Arc<Options>,
    channel: Channel,
    vouched: Vouched<I>,
    patience: Patience,
}

enum Phase {
    Commands(State),
    /// The next line is a response to a challenge, not a command.
    Login(Hello, Exchange),
}

enum State {
    /// Before EHLO or HELO.
    Fresh,
    /// Between transactions.
    Idle(Hello),
    /// After MAIL.
    Begun(Begun),
    /// After at least one accepted RCPT.
    Addressed(Addressed),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hello {
    Ehlo,
    Helo,
}

struct Begun {
    hello: Hello,
    from: ReversePath,
    announced: Option<u64>,
    script: Script,
}

struct Addressed {
    begun: Begun,
    recipients: Vec<Address>,
    /// Recipients turned away because there were too many; no error up to as many again.
    beyond: usize,
}

/// What follows from a line.
pub(crate) enum Step<I> {
    /// All is said.
    Settled(Settled<I>),
    /// Reply, then start TLS. Everything said before is forgotten.
    StartTls(Securing, Reply),
    /// Check a password.
    Login(Verifying<I>, Credentials),
    /// Open the sink for a message.
    Open(Opening<I>, Envelope, Option<u64>),
}

/// The reply to a line, and whether there will be another.
pub(crate) enum Settled<I> {
    /// Reply, then wait for a line.
    Next(Session<I>, Reply),
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
    /// BDAT: what follows cannot be read as commands.
    Chunk,
}

/// A session that waits for the TLS handshake: nothing is left of it but how often it may still err.
pub(crate) struct Securing {
    options: Arc<Options>,
    patience: Patience,
}

/// A session that waits for the verdict on a password.
pub(crate) struct Verifying<I> {
    peer: Peer<I>,
    hello: Hello,
}

/// A session that waits for the sink of a message.
pub(crate) struct Opening<I> {
    peer: Peer<I>,
    hello: Hello,
}

/// A session in the middle of a message.
pub(crate) struct Receiving<I> {
    peer: Peer<I>,
    hello: Hello,
}

impl<I> Session<I> {
    /// A session at its start, and the greeting.
    pub(crate) fn greet(options: Arc<Options>, channel: Channel, vouched: Option<I>) -> (Self, Reply) {
        let greeting = Reply::bare(220, format!("{} ESMTP Postern", options.hostname.as_str()));
        let patience = Patience::new(&options.limits);
        (Self::fresh(options, channel, vouched, patience), greeting)
    }

    fn fresh(options: Arc<Options>, channel: Channel, vouched: Option<I>, patience: Patience) -> Self {
        let vouched = vouched.map_or(Vouched::Nobody, Vouched::Channel);
        let peer = Peer { options, channel, vouched, patience };
        peer.waits(State::Fresh)
    }

    /// Takes one line, CRLF included.
    pub(crate) fn line<N: Intake<Identity = I>>(self, line: &[u8], guards: &N) -> Step<I> {
        let Self { peer, phase } = self;
        match phase {
            Phase::Login(hello, exchange) => peer.response(hello, exchange, line),
            Phase::Commands(state) => match command::parse(line) {
                Ok(command) => peer.command(state, command, guards),
                Err(Misread::Chunk) => Step::Settled(Settled::Close(Misread::Chunk.into(), Ending::Chunk)),
                Err(misread) => Step::Settled(peer.refuse(state, misread)),
            },
        }
    }

    /// How long the next line may be, CRLF included, given its first octets.
    pub(crate) fn line_limit(&self, start: &[u8]) -> usize {
        let limits = &self.peer.options.limits;
        let auth = match &self.phase {
            Phase::Login(..) => true,
            Phase::Commands(_) => start.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH ")),
        };
        if auth { limits.auth_line } else { limits.command_line }
    }

    /// Whether closing now would interrupt something.
    pub(crate) fn in_transaction(&self) -> bool {
        match &self.phase {
            Phase::Commands(State::Begun(_) | State::Addressed(_)) | Phase::Login(..) => true,
            Phase::Commands(State::Fresh | State::Idle(_)) => false,
        }
    }
}

impl<I> Peer<I> {
    fn command<N: Intake<Identity = I>>(self, state: State, command: Command, guards: &N) -> Step<I> {
        let settled = match (command, state) {
            (Command::Quit, _) => Settled::Close(Reply::coded(221, (0, 0), "bye"), Ending::Quit),
            (Command::Ehlo, _) => self.ehlo(),
            (Command::Helo, _) => {
                let name = self.options.hostname.as_str().to_owned();
                self.idle(State::Idle(Hello::Helo), Reply::bare(250, name))
            }
            (Command::Noop, state) => self.idle(state, Reply::coded(250, (0, 0), "ok")),
            (Command::Vrfy, state) => self.idle(state, Reply::coded(252, (5, 2), "send a message and see")),
            (Command::Help, state) => self.idle(state, help()),
            (Command::Rset, state) => self.idle(state.reset(), Reply::coded(250, (0, 0), "ok")),
            (Command::StartTls, state) => return self.start_tls(state),
            (_, State::Fresh) => self.out_of_order(State::Fresh, "say EHLO first"),
            (Command::Auth { mechanism, initial }, State::Idle(hello)) => {
                return self.auth(hello, mechanism, initial.as_deref());
            }
            (Command::Auth { .. }, state) => self.out_of_order(state, "not within a transaction"),
            (Command::Mail(mail), State::Idle(hello)) => self.mail(hello, mail, guards),
            (Command::Mail(_), state) => self.out_of_order(state, "one transaction at a time"),
            (Command::Rcpt(to), State::Begun(begun)) => {
                let addressed = Addressed { begun, recipients: Vec::new(), beyond: 0 };
                self.rcpt(addressed, to, guards)
            }
            (Command::Rcpt(to), State::Addressed(addressed)) => self.rcpt(addressed, to, guards),
            (Command::Rcpt(_), state) => self.out_of_order(state, "say MAIL first"),
            (Command::Data, State::Addressed(addressed)) => return self.data(addressed),
            (Command::Data, State::Begun(begun)) => {
                let reply = Reply::coded(554, (5, 1), "no valid recipients");
                self.refuse(State::Begun(begun), reply)
            }
            (Command::Data, state) => self.out_of_order(state, "say MAIL and RCPT first"),
        };
        Step::Settled(settled)
    }

    fn ehlo(self) -> Settled<I> {
        let mut lines = format!(
            "{}\nPIPELINING\nSIZE {}\n8BITMIME\nSMTPUTF8\nENHANCEDSTATUSCODES",
            self.options.hostname.as_str(),
            self.options.limits.message_size,
        );
        if self.channel.starttls() == Offer::Offered {
            lines.push_str("\nSTARTTLS");
        }
        if self.channel.login() == Offer::Offered {
            lines.push_str("\nAUTH PLAIN LOGIN");
        }
        lines.push_str("\nHELP");
        self.idle(State::Idle(Hello::Ehlo), Reply::bare(250, lines))
    }

    fn start_tls(self, state: State) -> Step<I> {
        match (self.channel, self.channel.starttls()) {
            (_, Offer::Offered) => Step::StartTls(
                Securing { options: self.options, patience: self.patience },
                Reply::coded(220, (0, 0), "begin"),
            ),
            (Channel::Encrypted, _) => {
                Step::Settled(self.out_of_order(state, "the connection is encrypted already"))
            }
            (Channel::Plain { .. }, _) => Step::Settled(self.refuse(state, Misread::NotOffered)),
        }
    }

    fn auth(self, hello: Hello, mechanism: Mechanism, initial: Option<&str>) -> Step<I> {
        match (&self.vouched, self.channel.login()) {
            (Vouched::Login(_), _) => {
                Step::Settled(self.out_of_order(State::Idle(hello), "logged in already"))
            }
            (_, Offer::Withheld) => {
                // RFC 4954 §6: encryption is needed for these mechanisms.
                let reply = Reply::coded(538, (7, 11), "passwords are taken under TLS only");
                Step::Settled(self.refuse(State::Idle(hello), reply))
            }
            (_, Offer::Offered) => self.answered(hello, auth::start(mechanism, initial)),
        }
    }

    fn response(self, hello: Hello, exchange: Exchange, line: &[u8]) -> Step<I> {
        let answer = match std::str::from_utf8(line) {
            Ok(text) => exchange.answer(text.trim_end_matches(['\r', '\n'])),
            Err(_) => Answer::Malformed,
        };
        self.answered(hello, answer)
    }

    fn answered(self, hello: Hello, answer: Answer) -> Step<I> {
        let idle = State::Idle(hello);
        let settled = match answer {
            Answer::Said(credentials) => {
                return Step::Login(Verifying { peer: self, hello }, credentials);
            }
            Answer::Ask(exchange) => {
                let reply = Reply::bare(334, exchange.challenge());
                Settled::Next(Session { peer: self, phase: Phase::Login(hello, exchange) }, reply)
            }
            // RFC 4954 §4 asks for 501 in both cases.
            Answer::Cancelled => self.refuse(idle, Reply::coded(501, (7, 0), "login cancelled")),
            Answer::Malformed => {
                let reply = Reply::coded(501, (5, 2), "that is not what the mechanism asks for");
                self.refuse(idle, reply)
            }
        };
        Step::Settled(settled)
    }

    fn mail<N: Intake<Identity = I>>(mut self, hello: Hello, mail: Mail, guards: &N) -> Settled<I> {
        let idle = State::Idle(hello);
        if self.patience.transactions == 0 {
            let reply = Reply::coded(421, (7, 0), "enough for one connection; connect again");
            return Settled::Close(reply, Ending::Messages);
        }
        if hello == Hello::Helo && mail.parameters == Parameters::Some {
            return self.refuse(idle, Misread::Parameter);
        }
        if mail.announced.is_some_and(|size| size > self.options.limits.message_size) {
            return self.refuse(idle, Refusal::TooLarge.logged("MAIL"));
        }
        if let Err(refusal) = guards.mail(self.identity(), &mail.from) {
            return self.refuse(idle, refusal.logged("MAIL"));
        }
        if spend(&mut self.patience.idle_commands) == Spent::Over {
            return self.too_idle();
        }
        let Mail { from, announced, script, .. } = mail;
        let begun = Begun { hello, from, announced, script };
        self.next(State::Begun(begun), Reply::coded(250, (1, 0), "sender ok"))
    }

    fn rcpt<N: Intake<Identity = I>>(self, mut addressed: Addressed, to: Forward, guards: &N) -> Settled<I> {
        let to = match to {
            Forward::Postmaster => self.options.hostname.postmaster().clone(),
            Forward::Address(address) => address,
        };
        if addressed.begun.script == Script::Ascii && !to.to_string().is_ascii() {
            return self.refuse(addressed.state(), Misread::NeedsUtf8);
        }
        if let Err(refusal) = guards.recipient(self.identity(), &addressed.begun.from, &to) {
            return self.refuse(addressed.state(), refusal.logged("RCPT"));
        }
        let known = addressed.recipients.contains(&to);
        if !known && addressed.recipients.len() >= self.options.limits.recipients {
            return self.beyond(addressed);
        }
        if !known {
            addressed.recipients.push(to);
        }
        self.next(addressed.state(), Reply::coded(250, (1, 5), "recipient ok"))
    }

    /// One recipient too many (RFC 5321 §4.5.3.1.10): no error at first, since a list is sent in one group.
    fn beyond(self, mut addressed: Addressed) -> Settled<I> {
        addressed.beyond += 1;
        if addressed.beyond == 1 {
            // One line for the whole list.
            return self.next(addressed.state(), Refusal::TooManyRecipients.logged("RCPT").into());
        }
        if addressed.beyond > self.options.limits.recipients.max(100) {
            return self.refuse(addressed.state(), Refusal::TooManyRecipients);
        }
        self.next(addressed.state(), Refusal::TooManyRecipients.into())
    }

    fn data(self, addressed: Addressed) -> Step<I> {
        let Addressed { begun: Begun { hello, from, announced, .. }, recipients, .. } = addressed;
        let envelope = Envelope::plain(from, recipients);
        Step::Open(Opening { peer: self, hello }, envelope, announced)
    }

    fn identity(&self) -> Option<&I> {
        self.vouched.identity()
    }

    fn waits(self, state: State) -> Session<I> {
        Session { peer: self, phase: Phase::Commands(state) }
    }

    fn next(self, state: State, reply: Reply) -> Settled<I> {
        Settled::Next(self.waits(state), reply)
    }

    /// A reply to a command that leads nowhere.
    fn idle(mut self, state: State, reply: Reply) -> Settled<I> {
        match spend(&mut self.patience.idle_commands) {
            Spent::Within => self.next(state, reply),
            Spent::Over => self.too_idle(),
        }
    }

    fn too_idle(self) -> Settled<I> {
        let reply = Reply::coded(421, (7, 0), "too many commands without a message");
        Settled::Close(reply, Ending::Idle)
    }

    fn out_of_order(self, state: State, text: &'static str) -> Settled<I> {
        self.refuse(state, Reply::coded(503, (5, 1), text))
    }

    fn refuse(mut self, state: State, reply: impl Into<Reply>) -> Settled<I> {
        match spend(&mut self.patience.errors) {
            Spent::Within => self.next(state, reply.into()),
            Spent::Over => Settled::Close(Reply::coded(421, (7, 0), "too many errors"), Ending::Errors),
        }
    }
}

impl Securing {
    /// The handshake is done. `vouched` is what the certificate or the network says.
    pub(crate) fn secured<I>(self, vouched: Option<I>) -> Session<I> {
        Session::fresh(self.options, Channel::Encrypted, vouched, self.patience)
    }
}

impl<I> Verifying<I> {
    pub(crate) fn proved(mut self, identity: I) -> Settled<I> {
        self.peer.vouched = Vouched::Login(identity);
        self.peer.next(State::Idle(self.hello), Reply::coded(235, (7, 0), "welcome"))
    }

    pub(crate) fn refused(mut self, refusal: Refusal) -> Settled<I> {
        let failed = refusal == Refusal::BadCredentials;
        if failed && spend(&mut self.peer.patience.failed_logins) == Spent::Over {
            return Settled::Close(refusal.into(), Ending::Logins);
        }
        self.peer.refuse(State::Idle(self.hello), refusal)
    }
}

impl<I> Opening<I> {
    pub(crate) fn identity(&self) -> Option<&I> {
        self.peer.identity()
    }

    pub(crate) fn opened(mut self) -> (Receiving<I>, Reply) {
        self.peer.patience.transactions = self.peer.patience.transactions.saturating_sub(1);
        let reply = Reply::bare(354, "send the message, end with CRLF.CRLF");
        (Receiving { peer: self.peer, hello: self.hello }, reply)
    }

    pub(crate) fn refused(self, refusal: Refusal) -> Settled<I> {
        self.peer.refuse(State::Idle(self.hello), refusal)
    }
}

impl<I> Receiving<I> {
    /// The message is durable.
    pub(crate) fn stored(mut self, text: String) -> Settled<I> {
        self.peer.patience.idle_commands = self.peer.options.limits.idle_commands;
        self.peer.next(State::Idle(self.hello), Reply::coded(250, (0, 0), text))
    }

    pub(crate) fn refused(self, refusal: Refusal) -> Settled<I> {
        self.peer.refuse(State::Idle(self.hello), refusal)
    }
}

impl State {
    fn reset(self) -> Self {
        match self {
            State::Fresh => State::Fresh,
            State::Idle(hello)
            | State::Begun(Begun { hello, .. })
            | State::Addressed(Addressed { begun: Begun { hello, .. }, .. }) => State::Idle(hello),
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

impl Addressed {
    /// Without a recipient it is the state before.
    fn state(self) -> State {
        if self.recipients.is_empty() { State::Begun(self.begun) } else { State::Addressed(self) }
    }
}

fn help() -> Reply {
    let text = "EHLO HELO STARTTLS AUTH MAIL RCPT DATA RSET NOOP VRFY HELP QUIT\nRFC 5321 says more";
    Reply::coded(214, (0, 0), text)
}

#[cfg(test)]
mod tests;
