//! What is known of a peer whatever it says next: what its connection permits, who vouches for it, and how much
//! more it may ask. It knows no commands.

use super::options::Limits;

/// What the connection permits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Channel {
    Plain { starttls: Offer, login: Offer },
    Encrypted,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Offer {
    Offered,
    Withheld,
}

/// Who vouches for the peer.
pub(super) enum Vouched<I> {
    Nobody,
    /// Its network or its certificate.
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

impl Channel {
    pub(super) fn starttls(self) -> Offer {
        match self {
            Channel::Plain { starttls, .. } => starttls,
            Channel::Encrypted => Offer::Withheld,
        }
    }

    pub(super) fn login(self) -> Offer {
        match self {
            Channel::Plain { login, .. } => login,
            Channel::Encrypted => Offer::Offered,
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

impl<I> Vouched<I> {
    pub(super) fn identity(&self) -> Option<&I> {
        match self {
            Vouched::Nobody => None,
            Vouched::Channel(identity) | Vouched::Login(identity) => Some(identity),
        }
    }
}
