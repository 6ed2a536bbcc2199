//! DATA and BDAT: when a message may begin, and what its end or a part of it means for the session. It never sees the
//! message.

use crate::smtp::circumstance::{Circumstance, Greeting, Script};
use crate::smtp::command::{Chunk, Position};
use crate::smtp::intake::Intake;
use crate::smtp::peer::{Hello, Peer, Spent, spend};
use crate::smtp::reply::{Refusal, Reply};

use super::transaction::Addressed;
use super::{Carriage, Chunks, Settled, State, Step, too_idle};

/// A chunk before the last brings at least so many octets, or it counts as a command that leads nowhere: a message in
/// pieces of one octet is a flood.
const WORTH: u64 = 1024;

/// A session that waits for the sink of a message.
pub(crate) struct Opening<N: Intake> {
    peer: Peer<N>,
    hello: Hello,
    script: Script,
}

/// A session in the middle of a message.
pub(crate) struct Receiving<N: Intake> {
    peer: Peer<N>,
    hello: Hello,
}

impl<N: Intake> Peer<N> {
    pub(super) fn data(self, state: State<N>) -> Step<N> {
        let settled = match state {
            State::Addressed(addressed) => return self.open(addressed, Carriage::Data),
            state @ State::Begun(_) => self.refuse(state, nobody()),
            state @ State::Chunked(..) => {
                self.out_of_order(state, "the message comes in chunks: go on with BDAT, or say RSET")
            }
            state => self.out_of_order(state, "say MAIL and RCPT first"),
        };
        Step::Settled(settled)
    }

    /// RFC 3030 §2. Whatever the answer is, the octets of the chunk come: they must not be read as commands.
    pub(super) fn bdat(mut self, state: State<N>, chunk: Chunk) -> Step<N> {
        let octets = chunk.octets;
        if chunk.position == Position::Before
            && octets < WORTH
            && spend(&mut self.patience.idle_commands) == Spent::Over
        {
            return Step::Settled(too_idle());
        }
        let settled = match state {
            State::Chunked(hello, chunks) => {
                return Step::Chunk(Receiving { peer: self, hello }, chunks, chunk);
            }
            State::Addressed(addressed) if addressed.begun.hello.greeting == Greeting::Ehlo => {
                return self.open(addressed, Carriage::Chunks(chunk));
            }
            state @ State::Addressed(_) => self.out_of_order(state, "say EHLO to use BDAT"),
            state @ State::Begun(_) => self.refuse(state, nobody()),
            state => self.out_of_order(state, "say MAIL and RCPT first"),
        };
        Step::Skip(octets, settled)
    }

    fn open(self, addressed: Addressed<N::Class>, carriage: Carriage) -> Step<N> {
        let (hello, script, transaction) = addressed.close();
        Step::Open(Opening { peer: self, hello, script }, transaction, carriage)
    }
}

impl<N: Intake> Opening<N> {
    pub(crate) fn identity(&self) -> Option<&N::Identity> {
        self.peer.identity()
    }

    pub(crate) fn circumstance(&self) -> Circumstance<'_> {
        self.peer.circumstance(&self.hello, self.script)
    }

    /// DATA is welcome.
    pub(crate) fn opened(self) -> (Receiving<N>, Reply) {
        (self.begun(), Reply::bare(354, "send the message, end with CRLF.CRLF"))
    }

    /// DATA is not.
    pub(crate) fn refused(self, refusal: Refusal) -> Settled<N> {
        self.peer.refuse(State::Idle(self.hello), refusal)
    }

    /// The first chunk of a message is on its way, welcome or not.
    pub(crate) fn begun(mut self) -> Receiving<N> {
        self.peer.patience.transactions = self.peer.patience.transactions.saturating_sub(1);
        Receiving { peer: self.peer, hello: self.hello }
    }
}

impl<N: Intake> Receiving<N> {
    /// The message is durable.
    pub(crate) fn stored(mut self, text: String) -> Settled<N> {
        self.peer.patience.idle_commands = self.peer.options.limits.idle_commands;
        self.peer.next(State::Idle(self.hello), Reply::coded(250, (0, 0), text))
    }

    /// The message is refused at its end.
    pub(crate) fn refused(self, refusal: Refusal) -> Settled<N> {
        self.peer.refuse(State::Idle(self.hello), refusal)
    }

    /// The message ends, and the peer knows already why it is refused.
    pub(crate) fn refused_again(self, refusal: Refusal) -> Settled<N> {
        self.peer.next(State::Idle(self.hello), refusal.into())
    }

    /// A chunk of so many octets is taken.
    pub(crate) fn chunk_taken(self, chunks: Chunks<N::Delivery>, octets: u64) -> Settled<N> {
        let reply = Reply::coded(250, (0, 0), format!("{octets} octets received"));
        self.peer.next(State::Chunked(self.hello, chunks), reply)
    }

    /// The message is refused before its last chunk.
    pub(crate) fn chunk_refused(self, chunks: Chunks<N::Delivery>, refusal: Refusal) -> Settled<N> {
        self.peer.refuse(State::Chunked(self.hello, chunks), refusal)
    }

    /// Chunks of a refused message may be under way already: they are one error, not many.
    pub(crate) fn chunk_refused_again(self, chunks: Chunks<N::Delivery>, refusal: Refusal) -> Settled<N> {
        self.peer.next(State::Chunked(self.hello, chunks), refusal.into())
    }
}

fn nobody() -> Reply {
    Reply::coded(554, (5, 1), "no valid recipients")
}
