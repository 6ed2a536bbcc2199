//! What is known of a peer whatever it says next: what its connection permits, who vouches for it, and how much more it
//! may ask. It knows no commands.

use std::net::IpAddr;
use std::sync::Arc;

use certs::PeerCertificate;

use super::circumstance::{Circumstance, Encryption, Greeting, Login, Manner, Script};
use super::intake::Intake;
use super::options::{Limits, Means, Options};

/// What is known of the peer, whatever it says next.
pub(super) struct Peer<N: Intake> {
    pub(super) options: Arc<Options>,
    pub(super) address: IpAddr,
    pub(super) channel: Channel,
    pub(super) vouched: Vouched<N::Identity>,
    pub(super) patience: Patience,
}

/// How the peer greeted.
pub(super) struct Hello {
    pub(super) greeting: Greeting,
    /// What it calls itself, if that is a name.
    pub(super) name: Option<Box<str>>,
}

/// What the connection permits.
#[derive(Debug, Clone)]
pub(crate) enum Channel {
    Plain {
        starttls: Offer,
        login: Offer,
    },
    /// With the certificate that the peer proved, if it did.
    Encrypted(Option<Box<PeerCertificate>>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Offered,
    Withheld,
}

/// Who vouches for the peer.
pub(crate) enum Vouched<I> {
    Nobody,
    /// Nobody can say now what its certificate is worth.
    Undecided,
    /// Its network, its certificate or its provider.
    Channel(I),
    /// It logged in.
    Login(I),
}

/// What is left of the limits of a connection.
pub(super) struct Patience {
    pub(super) errors: u32,
    pub(super) idle_commands: u32,
    pub(super) failed_logins: u32,
    pub(super) transactions: u32,
}

impl<N: Intake> Peer<N> {
    /// What the guards are told of a transaction.
    pub(super) fn circumstance<'a>(&'a self, hello: &'a Hello, script: Script) -> Circumstance<'a> {
        let (encryption, certificate) = match &self.channel {
            Channel::Plain { .. } => (Encryption::None, None),
            Channel::Encrypted(certificate) => (Encryption::Tls, certificate.as_deref()),
        };
        let login = match self.vouched {
            Vouched::Nobody | Vouched::Undecided | Vouched::Channel(_) => Login::None,
            Vouched::Login(_) => Login::Done,
        };
        Circumstance {
            listener: &self.options.listener,
            peer: self.address,
            encryption,
            certificate,
            hello: hello.name.as_deref(),
            protocol: Manner { greeting: hello.greeting, encryption, login, script }.protocol(),
        }
    }

    pub(super) fn identity(&self) -> Option<&N::Identity> {
        match &self.vouched {
            Vouched::Nobody | Vouched::Undecided => None,
            Vouched::Channel(identity) | Vouched::Login(identity) => Some(identity),
        }
    }

    /// Whether AUTH is taken here and now. None: not on this listener.
    pub(super) fn login(&self) -> Option<Offer> {
        self.options.identities.accept(Means::Login).then_some(match &self.channel {
            Channel::Plain { login, .. } => *login,
            Channel::Encrypted(_) => Offer::Offered,
        })
    }
}

impl Channel {
    pub(super) fn starttls(&self) -> Offer {
        match self {
            Channel::Plain { starttls, .. } => *starttls,
            Channel::Encrypted(_) => Offer::Withheld,
        }
    }
}

impl Patience {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            errors: limits.errors,
            idle_commands: limits.idle_commands,
            failed_logins: limits.failed_logins,
            transactions: limits.transactions,
        }
    }
}

#[derive(PartialEq, Eq)]
pub(super) enum Spent {
    Within,
    Over,
}

/// Takes one off what is left.
pub(super) fn spend(left: &mut u32) -> Spent {
    match left.checked_sub(1) {
        Some(rest) => {
            *left = rest;
            Spent::Within
        }
        None => Spent::Over,
    }
}
