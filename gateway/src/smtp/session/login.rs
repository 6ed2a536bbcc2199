//! AUTH (RFC 4954): who may say it and when, and the challenges up to the verdict. It checks no password and no proof.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::smtp::auth::{self, Answer, Exchange};
use crate::smtp::command::{Mechanism, Misread};
use crate::smtp::intake::Intake;
use crate::smtp::peer::{Hello, Offer, Peer, Spent, Vouched, spend};
use crate::smtp::reply::{Refusal, Reply};
use crate::smtp::scram::{self, First};

use super::{Ending, Phase, Session, Settled, State, Step};

/// A session that waits for the verdict on a password or a proof.
pub(crate) struct Verifying<N: Intake> {
    peer: Peer<N>,
    hello: Hello,
}

impl<N: Intake> Peer<N> {
    pub(super) fn auth(
        self,
        state: State<N>,
        mechanism: Mechanism,
        initial: Option<&str>,
        guards: &N,
    ) -> Step<N> {
        let hello = match state {
            State::Idle(hello) => hello,
            State::Fresh => return Step::Settled(self.out_of_order(State::Fresh, "say EHLO first")),
            state => return Step::Settled(self.out_of_order(state, "not within a transaction")),
        };
        let refusal = match (&self.vouched, self.login()) {
            (Vouched::Login(_), _) => Reply::coded(503, (5, 1), "logged in already"),
            (_, None) => Misread::NotOffered.into(),
            // RFC 4954 §6: encryption is needed for these mechanisms.
            (_, Some(Offer::Withheld)) => Reply::coded(538, (7, 11), "passwords are taken under TLS only"),
            (_, Some(Offer::Offered)) if mechanism == Mechanism::ScramSha256 && !guards.offers_scram() => {
                Misread::Mechanism.into()
            }
            (_, Some(Offer::Offered)) => {
                return self.answered(hello, auth::start(mechanism, initial), guards);
            }
        };
        Step::Settled(self.refuse(State::Idle(hello), refusal))
    }

    pub(super) fn response(self, hello: Hello, exchange: Exchange, line: &[u8], guards: &N) -> Step<N> {
        let answer = text(line).map_or(Answer::Malformed, |text| exchange.answer(text));
        self.answered(hello, answer, guards)
    }

    fn answered(self, hello: Hello, answer: Answer, guards: &N) -> Step<N> {
        let settled = match answer {
            Answer::Said(credentials) => return Step::Login(Verifying { peer: self, hello }, credentials),
            Answer::Proved(proof) => return Step::Proof(Verifying { peer: self, hello }, proof),
            Answer::Begun(first) => self.challenged(hello, first, guards),
            Answer::Ask(exchange) => self.ask(hello, exchange),
            Answer::Cancelled => self.refuse(State::Idle(hello), cancelled()),
            Answer::Malformed => self.refuse(State::Idle(hello), malformed()),
        };
        Step::Settled(settled)
    }

    fn ask(self, hello: Hello, exchange: Exchange) -> Settled<N> {
        let reply = Reply::bare(334, exchange.challenge());
        Settled::Next(Session { peer: self, phase: Phase::Login(hello, exchange) }, reply)
    }

    /// The first message of SCRAM came: salt, rounds and nonce go back.
    fn challenged(self, hello: Hello, first: First, guards: &N) -> Settled<N> {
        let Some(nonce) = self.options.nonces.draw() else {
            let refusal = Refusal::Unavailable("logins cannot be checked now; try again".to_owned());
            return self.refuse(State::Idle(hello), refusal.logged("AUTH"));
        };
        let challenge = guards.scram(first.user());
        let second = first.challenge(&challenge, &nonce);
        self.ask(hello, Exchange::ScramFinal(Box::new(second)))
    }

    /// The peer has read the server's signature, and says so with an empty line (RFC 4954 §4).
    pub(super) fn confirmed(self, hello: Hello, identity: N::Identity, line: &[u8]) -> Settled<N> {
        match text(line) {
            Some("") => self.vouched_for(hello, identity),
            Some("*") => self.refuse(State::Idle(hello), cancelled()),
            _ => self.refuse(State::Idle(hello), malformed()),
        }
    }

    fn vouched_for(mut self, hello: Hello, identity: N::Identity) -> Settled<N> {
        self.vouched = Vouched::Login(identity);
        self.next(State::Idle(hello), Reply::coded(235, (7, 0), "welcome"))
    }
}

impl<N: Intake> Verifying<N> {
    pub(crate) fn proved(self, identity: N::Identity) -> Settled<N> {
        self.peer.vouched_for(self.hello, identity)
    }

    /// The proof is right. The peer may want to see the server's before it goes on.
    pub(crate) fn signed(self, identity: N::Identity, signature: &[u8]) -> Settled<N> {
        let reply = Reply::bare(334, STANDARD.encode(scram::last(signature)));
        Settled::Next(Session { peer: self.peer, phase: Phase::Confirming(self.hello, identity) }, reply)
    }

    pub(crate) fn refused(mut self, refusal: Refusal) -> Settled<N> {
        let failed = refusal == Refusal::BadCredentials;
        if failed && spend(&mut self.peer.patience.failed_logins) == Spent::Over {
            return Settled::Close(refusal.into(), Ending::Logins);
        }
        self.peer.refuse(State::Idle(self.hello), refusal)
    }
}

/// A line without its CRLF.
fn text(line: &[u8]) -> Option<&str> {
    std::str::from_utf8(line).ok().map(|text| text.trim_end_matches(['\r', '\n']))
}

/// RFC 4954 §4 asks for 501 in both cases.
fn cancelled() -> Reply {
    Reply::coded(501, (7, 0), "login cancelled")
}

fn malformed() -> Reply {
    Reply::coded(501, (5, 2), "that is not what the mechanism asks for")
}
