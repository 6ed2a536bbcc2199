//! The envelope of a message: MAIL and RCPT. All recipients of a transaction are of one class, because DATA has one
//! answer. It decides nothing: the guards do.

use mail::{Address, Envelope, Rcpt, ReportWish, ReversePath};

use crate::smtp::circumstance::{Greeting, Script};
use crate::smtp::command::{Forward, Mail, Misread, Parameters, Recipient};
use crate::smtp::intake::{Intake, Transaction};
use crate::smtp::options::Means;
use crate::smtp::peer::{Channel, Hello, Peer, Spent, Vouched, spend};
use crate::smtp::reply::{Refusal, Reply};

use super::{Ending, Settled, State, too_idle};

/// After MAIL.
pub(super) struct Begun {
    pub(super) hello: Hello,
    from: ReversePath,
    announced: Option<u64>,
    pub(super) script: Script,
    report: ReportWish,
    /// Recipients put off: too many, or of another class. No error up to a number.
    apart: usize,
}

/// After the first accepted RCPT.
pub(super) struct Addressed<C> {
    pub(super) begun: Box<Begun>,
    class: C,
    /// At least one.
    recipients: Vec<Rcpt>,
}

impl<N: Intake> Peer<N> {
    pub(super) fn mail(self, state: State<N>, mail: Mail, guards: &N) -> Settled<N> {
        match state {
            State::Idle(hello) => self.begin(hello, mail, guards),
            State::Fresh => self.out_of_order(State::Fresh, "say EHLO first"),
            state => self.out_of_order(state, "one transaction at a time"),
        }
    }

    fn begin(mut self, hello: Hello, mail: Mail, guards: &N) -> Settled<N> {
        if self.patience.transactions == 0 {
            let reply = Reply::coded(421, (7, 0), "enough for one connection; connect again");
            return Settled::Close(reply, Ending::Messages);
        }
        if let Err(reply) = self.judge_sender(&hello, &mail, guards) {
            return self.refuse(State::Idle(hello), reply);
        }
        if spend(&mut self.patience.idle_commands) == Spent::Over {
            return too_idle();
        }
        let Mail { from, announced, script, report, .. } = mail;
        let begun = Begun { hello, from, announced, script, report, apart: 0 };
        self.next(State::Begun(Box::new(begun)), Reply::coded(250, (1, 0), "sender ok"))
    }

    fn judge_sender(&self, hello: &Hello, mail: &Mail, guards: &N) -> Result<(), Reply> {
        parameters_need_ehlo(hello, mail.parameters)?;
        if mail.announced.is_some_and(|size| size > self.options.limits.message_size) {
            return Err(Refusal::TooLarge.logged("MAIL").into());
        }
        if let Some(refusal) = self.unproved(&mail.from) {
            return Err(refusal.logged("MAIL").into());
        }
        guards
            .mail(self.identity(), &self.circumstance(hello, mail.script), &mail.from)
            .map_err(|refusal| refusal.logged("MAIL").into())
    }

    /// Why a peer is not even listened to.
    fn unproved(&self, from: &ReversePath) -> Option<Refusal> {
        match &self.vouched {
            Vouched::Channel(_) if self.certificate_taken_back() => Some(Refusal::NotProved(
                "your client certificate was taken back; ask your administrator for another".to_owned(),
            )),
            Vouched::Channel(_) | Vouched::Login(_) => None,
            Vouched::Undecided => Some(Refusal::Unavailable(
                "your certificate cannot be checked at the moment; try again later".to_owned(),
            )),
            Vouched::Nobody if self.options.identities.hear(from) => None,
            Vouched::Nobody => Some(self.how_to_be_proved()),
        }
    }

    /// A connection can outlive the certificate that it was opened with.
    fn certificate_taken_back(&self) -> bool {
        match (&self.channel, self.options.security.identity()) {
            (Channel::Encrypted(Some(certificate)), Some(identity)) => identity.took_back(certificate),
            _ => false,
        }
    }

    fn how_to_be_proved(&self) -> Refusal {
        let ways: Vec<&str> = [
            (Means::Login, "log in with AUTH"),
            (Means::Certificate, "connect with the client certificate that your administrator was given"),
            (Means::Network, "connect from a network that is registered here"),
            (Means::Connector, "send through the connector of your mail provider"),
        ]
        .into_iter()
        .filter(|(means, _)| self.options.identities.accept(*means))
        .map(|(_, way)| way)
        .collect();
        match ways.as_slice() {
            ["log in with AUTH"] => Refusal::LoginNeeded,
            ways => Refusal::NotProved(format!(
                "this gateway takes mail only from companies that it knows: {}",
                ways.join(", or ")
            )),
        }
    }

    pub(super) fn rcpt(self, state: State<N>, recipient: Recipient, guards: &N) -> Settled<N> {
        match state {
            State::Begun(begun) => match self.judge_recipient(&begun, recipient, guards) {
                Ok((class, to)) => {
                    let addressed = Addressed { begun, class, recipients: vec![to] };
                    self.next(State::Addressed(addressed), recipient_ok())
                }
                Err(reply) => self.refuse(State::Begun(begun), reply),
            },
            State::Addressed(addressed) => match self.judge_recipient(&addressed.begun, recipient, guards) {
                Ok((class, to)) => self.another(addressed, class, to),
                Err(reply) => self.refuse(State::Addressed(addressed), reply),
            },
            State::Fresh => self.out_of_order(State::Fresh, "say EHLO first"),
            state @ State::Chunked(..) => self.out_of_order(state, "one transaction at a time"),
            state @ State::Idle(_) => self.out_of_order(state, "say MAIL first"),
        }
    }

    fn judge_recipient(
        &self,
        begun: &Begun,
        recipient: Recipient,
        guards: &N,
    ) -> Result<(N::Class, Rcpt), Reply> {
        let Recipient { to, notify, original, parameters } = recipient;
        parameters_need_ehlo(&begun.hello, parameters)?;
        let address = self.reader(to, guards).map_err(|refusal| refusal.logged("RCPT"))?;
        let is_ascii = address.to_string().is_ascii() && original.as_ref().is_none_or(|text| text.is_ascii());
        if begun.script == Script::Ascii && !is_ascii {
            return Err(Misread::NeedsUtf8.into());
        }
        let circumstance = self.circumstance(&begun.hello, begun.script);
        let class = guards
            .recipient(self.identity(), &circumstance, &begun.from, &address)
            .map_err(|refusal| refusal.logged("RCPT"))?;
        Ok((class, Rcpt { address, notify, original }))
    }

    /// Who reads mail for this path: RFC 5321 §4.5.1 wants somebody to read what is for the postmaster.
    fn reader(&self, to: Forward, guards: &N) -> Result<Address, Refusal> {
        let own = |domain: &str| self.options.hostname.as_str() == domain || guards.is_own(domain);
        match to {
            Forward::Address(address)
                if !(address.local().eq_ignore_ascii_case("postmaster") && own(address.domain())) =>
            {
                Ok(address)
            }
            Forward::Postmaster | Forward::Address(_) => guards.postmaster().ok_or_else(|| {
                Refusal::UnknownRecipient(
                    "nobody reads mail for the postmaster here; ask those who operate this gateway, or the \
                     administrator of your company for their address"
                        .to_owned(),
                )
            }),
        }
    }

    /// One more recipient that is welcome as such.
    fn another(self, mut addressed: Addressed<N::Class>, class: N::Class, to: Rcpt) -> Settled<N> {
        if addressed.recipients.iter().any(|known| known.address == to.address) {
            // It is there already. Who says so again and again leads nowhere.
            return self.idle(State::Addressed(addressed), recipient_ok());
        }
        if addressed.class != class {
            return self.apart(addressed, Refusal::OtherClass);
        }
        if addressed.recipients.len() >= self.options.limits.recipients {
            return self.apart(addressed, Refusal::TooManyRecipients);
        }
        addressed.recipients.push(to);
        self.next(State::Addressed(addressed), recipient_ok())
    }

    /// A recipient for another transaction (RFC 5321 §4.5.3.1.10): no error at first, as a list is sent in one group.
    fn apart(self, mut addressed: Addressed<N::Class>, refusal: Refusal) -> Settled<N> {
        addressed.begun.apart += 1;
        let state = State::Addressed;
        match addressed.begun.apart {
            // One line in the log for the whole list.
            1 => self.next(state(addressed), refusal.logged("RCPT").into()),
            beyond if beyond > self.options.limits.recipients.max(100) => {
                self.refuse(state(addressed), refusal)
            }
            _ => self.next(state(addressed), refusal.into()),
        }
    }
}

impl<C> Addressed<C> {
    /// The envelope is complete.
    pub(super) fn close(self) -> (Hello, Script, Transaction<C>) {
        let Begun { hello, from, announced, script, report, .. } = *self.begun;
        let envelope = Envelope { reverse_path: from, recipients: self.recipients, report };
        (hello, script, Transaction { class: self.class, envelope, announced })
    }
}

/// Extensions are there for those who asked for them (RFC 5321 §4.1.1.11).
fn parameters_need_ehlo(hello: &Hello, parameters: Parameters) -> Result<(), Reply> {
    match (hello.greeting, parameters) {
        (Greeting::Helo, Parameters::Some) => Err(Misread::Parameter.into()),
        _ => Ok(()),
    }
}

fn recipient_ok() -> Reply {
    Reply::coded(250, (1, 5), "recipient ok")
}
