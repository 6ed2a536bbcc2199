//! Why a mail did not get away, and whether trying again may help: decided here and nowhere else.

use std::fmt;

use mail::Status;

use super::{
    reply::{Malformed, Reply},
    stuffing::Bare,
};
use crate::dns::DnsFailure;

/// Why a mail did not get away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) lasting: Lasting,
    /// For delivery reports (RFC 3463).
    pub(crate) status: Status,
    /// How far the dialogue got.
    pub(crate) step: Step,
    /// The server, or the domain if it never came to one.
    host: String,
    cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// The mail may go later.
    Temporary,
    /// It never will.
    Permanent,
}

/// A step of a delivery, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    Find,
    Connect,
    Greeting,
    Hello,
    Tls,
    Login,
    Mail,
    Recipient,
    Data,
    /// After the final dot: whether the mail arrived is not known without an answer.
    End,
}

/// What went wrong in a step.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Cause {
    #[error("{0}")]
    Name(DnsFailure),
    #[error("the domain has neither a mail exchanger nor an address")]
    NoSuchDomain,
    #[error("the domain takes no mail (null MX, RFC 7505)")]
    TakesNone,
    #[error(
        "its mail exchangers lead back to this server; correct its MX records, or map the address to a mailbox"
    )]
    Ourselves,
    #[error(
        "all its mail exchangers are at private addresses; allow them in the configuration if they are yours"
    )]
    Private,
    #[error("its MTA-STS policy names none of its mail exchangers")]
    Unlisted,
    #[error("mail to an address literal is not routed")]
    Literal,
    #[error("did not answer in time")]
    Timeout,
    #[error("did not answer a moment ago and is left alone for a while")]
    Resting,
    #[error("all connections to it are in use")]
    Busy,
    #[error("closed the connection")]
    Closed,
    #[error("{0}")]
    Network(String),
    #[error("{0}")]
    Malformed(#[from] Malformed),
    #[error("spoke out of turn")]
    OutOfTurn,
    #[error("{0}")]
    Refused(Reply),
    #[error("offers no STARTTLS, which the TLS policy requires")]
    NoTls,
    #[error("TLS failed: {0}")]
    Tls(String),
    #[error("offers no login that is spoken here (PLAIN, LOGIN)")]
    NoLogin,
    #[error("takes mails of up to {0} bytes only")]
    TooLarge(u64),
    #[error("does not take addresses beyond ASCII (SMTPUTF8)")]
    NeedsUtf8,
    #[error("does not take 8-bit mail (8BITMIME), and a mail that is passed on is not rewritten")]
    NeedsEightBit,
    #[error("{0}")]
    Bare(#[from] Bare),
    #[error("the mail cannot be read from the ledger: {0}")]
    Unreadable(String),
}

/// Whose word it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hop {
    /// A server that passes our mail on: what it says before RCPT is about us, never about the mail.
    Smarthost,
    /// The recipient's own server.
    Exchanger,
}

impl Failure {
    pub(crate) fn new(hop: Hop, host: &str, step: Step, cause: Cause) -> Self {
        let lasting = lasting(hop, step, &cause);
        Self { lasting, status: status(lasting, step, &cause), step, host: host.to_owned(), cause }
    }

    /// Whether the same server may well take the mail over a new connection: this one was at its end. What may have
    /// arrived is not sent again at once.
    pub(crate) fn is_about_the_connection(&self) -> bool {
        let over = match &self.cause {
            Cause::Closed | Cause::Network(_) | Cause::OutOfTurn | Cause::Malformed(_) => true,
            Cause::Refused(reply) => reply.code == 421,
            _ => false,
        };
        over && self.step < Step::End
    }

    /// Whether another server of the same domain may do better (RFC 5321 §5.1): the mail was not yet looked at.
    pub(crate) fn is_about_the_server(&self) -> bool {
        self.lasting == Lasting::Temporary && self.step < Step::Mail
    }
}

/// The only place that tells a lasting failure from a passing one.
fn lasting(hop: Hop, step: Step, cause: &Cause) -> Lasting {
    let permanent = match cause {
        Cause::NoSuchDomain
        | Cause::TakesNone
        | Cause::Ourselves
        | Cause::Private
        | Cause::Literal
        | Cause::TooLarge(_)
        | Cause::NeedsUtf8
        | Cause::NeedsEightBit
        | Cause::Bare(_) => true,
        Cause::Refused(reply) => reply.code >= 500 && is_about_the_mail(hop, step, reply.code),
        Cause::Name(_)
        | Cause::Unlisted
        | Cause::Timeout
        | Cause::Resting
        | Cause::Busy
        | Cause::Closed
        | Cause::Network(_)
        | Cause::Malformed(_)
        | Cause::OutOfTurn
        | Cause::NoTls
        | Cause::Tls(_)
        | Cause::NoLogin
        | Cause::Unreadable(_) => false,
    };
    if permanent { Lasting::Permanent } else { Lasting::Temporary }
}

/// Before MAIL nothing is the mail's fault, not even a 5xx. A demand to log in or to encrypt (RFC 4954 §6) is about
/// the route at any step; so is a smarthost's refusal of the sender.
fn is_about_the_mail(hop: Hop, step: Step, code: u16) -> bool {
    let demand = matches!(code, 530 | 534 | 535 | 538);
    match step {
        Step::Find | Step::Connect | Step::Greeting | Step::Hello | Step::Tls | Step::Login => false,
        Step::Mail => hop == Hop::Exchanger && !demand,
        Step::Recipient | Step::Data | Step::End => !demand,
    }
}

/// The server's own enhanced code if it gave one, else the one of RFC 3463 §3 that says the same.
fn status(lasting: Lasting, step: Step, cause: &Cause) -> Status {
    let class = match lasting {
        Lasting::Temporary => 4,
        Lasting::Permanent => 5,
    };
    let (subject, detail) = match cause {
        Cause::Refused(reply) => match (reply.status, step) {
            (Some(said), _) => (said.subject, said.detail),
            (None, Step::Mail) => (1, 0),
            (None, Step::Recipient) => (1, 0),
            (None, _) => (0, 0),
        },
        Cause::Name(_) => (4, 3),
        Cause::NoSuchDomain | Cause::Literal => (1, 2),
        Cause::TakesNone => (1, 10),
        Cause::Ourselves => (4, 6),
        Cause::Private | Cause::Unlisted => (4, 4),
        Cause::Timeout | Cause::Resting | Cause::Network(_) => (4, 1),
        Cause::Busy => (4, 5),
        Cause::Closed => (4, 2),
        Cause::Malformed(_) | Cause::OutOfTurn => (5, 0),
        Cause::NoTls | Cause::Tls(_) | Cause::NoLogin => (7, 5),
        Cause::TooLarge(_) => (3, 4),
        Cause::NeedsUtf8 => (6, 7),
        Cause::NeedsEightBit => (6, 3),
        Cause::Bare(_) => (6, 0),
        Cause::Unreadable(_) => (3, 0),
    };
    Status { class, subject, detail }
}

/// On one line: the status, then what the server said, or what we say of it. Written down about a job, and read by
/// people and by `letters/report.rs`.
impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, host, cause, .. } = self;
        match cause {
            // A delivery report gives the server's words as they are (RFC 3464 §2.3.6).
            Cause::Refused(reply) => write!(f, "{status} {reply} [{host}]"),
            cause => write!(f, "{status} {host}: {cause}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(hop: Hop, step: Step, code: u16) -> Failure {
        let reply = Reply { code, status: None, lines: vec!["no".to_owned()] };
        Failure::new(hop, "mx.example", step, Cause::Refused(reply))
    }

    #[test]
    fn before_the_mail_nothing_is_its_fault() {
        for step in [Step::Greeting, Step::Hello, Step::Tls, Step::Login] {
            for code in [421, 450, 500, 554, 550] {
                let failure = refused(Hop::Exchanger, step, code);
                assert_eq!(failure.lasting, Lasting::Temporary, "{step:?} {code}");
                assert!(failure.is_about_the_server());
            }
        }
    }

    #[test]
    fn a_refusal_lasts_when_it_is_about_the_mail() {
        for step in [Step::Recipient, Step::Data, Step::End] {
            for hop in [Hop::Smarthost, Hop::Exchanger] {
                assert_eq!(refused(hop, step, 550).lasting, Lasting::Permanent);
                assert_eq!(refused(hop, step, 450).lasting, Lasting::Temporary);
                assert_eq!(refused(hop, step, 421).lasting, Lasting::Temporary);
                assert_eq!(refused(hop, step, 530).lasting, Lasting::Temporary);
                assert!(!refused(hop, step, 450).is_about_the_server());
            }
        }
        assert_eq!(refused(Hop::Exchanger, Step::Mail, 550).lasting, Lasting::Permanent);
        assert_eq!(refused(Hop::Smarthost, Step::Mail, 550).lasting, Lasting::Temporary);
    }

    /// A reply where another belongs is no refusal, whatever it says.
    #[test]
    fn success_in_the_wrong_place_is_passing() {
        for code in [220, 250, 354] {
            assert_eq!(refused(Hop::Exchanger, Step::Data, code).lasting, Lasting::Temporary);
        }
    }

    #[test]
    fn the_class_of_the_status_is_the_class_of_the_failure() {
        let mut reply = Reply { code: 550, status: None, lines: Vec::new() };
        reply.status = Some(Status { class: 5, subject: 7, detail: 26 });
        let failure = Failure::new(Hop::Smarthost, "h", Step::Mail, Cause::Refused(reply));
        assert_eq!(failure.status.to_string(), "4.7.26");
        let utf8 = Failure::new(Hop::Exchanger, "h", Step::Mail, Cause::NeedsUtf8);
        assert_eq!((utf8.lasting, utf8.status.to_string().as_str()), (Lasting::Permanent, "5.6.7"));
    }
}
