//! How the company behind a mail was proved, and what the checks of its domain said.
//!
//! Stored with the message and shown with it; who checks is `gateway`.

use minicbor::{Decode, Encode};

use crate::ids::{AppPasswordId, UserId};

/// How the sender's company was proved. Numbers are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Proof {
    /// A user, and which app password it was; none: the user's own.
    #[n(0)]
    Login(#[n(0)] UserId, #[n(1)] Option<AppPasswordId>),
    #[n(1)]
    Certificate(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// A network registered to the group.
    #[n(2)]
    Network,
    /// An aligned DKIM signature of this domain (RFC 7489 §3.1.1).
    #[n(3)]
    Domain(#[n(0)] String),
    /// A provider connector of this name.
    #[n(4)]
    Connector(#[n(0)] String),
    /// The word of the server of the polled mailbox of this name.
    #[n(5)]
    Polled(#[n(0)] String),
    /// A user who was signed in to the portal and wrote it there.
    #[n(6)]
    Session(#[n(0)] UserId),
}

impl Proof {
    /// Who signed in to hand the mail over.
    pub(crate) fn user(&self) -> Option<UserId> {
        match self {
            Self::Login(user, _) | Self::Session(user) => Some(*user),
            Self::Certificate(_) | Self::Network | Self::Domain(_) | Self::Connector(_) | Self::Polled(_) => {
                None
            }
        }
    }

    /// The app password that was used.
    pub fn app_password(&self) -> Option<AppPasswordId> {
        match self {
            Self::Login(_, which) => *which,
            Self::Certificate(_)
            | Self::Network
            | Self::Domain(_)
            | Self::Connector(_)
            | Self::Polled(_)
            | Self::Session(_) => None,
        }
    }

    /// Whether it shows who hands the mail over, so that a report back goes to no stranger. A signature or a polled
    /// mailbox shows only who once wrote it.
    pub fn is_direct(&self) -> bool {
        match self {
            Self::Login(..)
            | Self::Certificate(_)
            | Self::Network
            | Self::Connector(_)
            | Self::Session(_) => true,
            Self::Domain(_) | Self::Polled(_) => false,
        }
    }
}

/// What domain checks said about a mail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Authentication {
    #[n(0)]
    pub spf: AuthResult,
    #[n(1)]
    pub dkim: AuthResult,
    #[n(2)]
    pub dmarc: AuthResult,
    #[n(3)]
    pub arc: AuthResult,
    /// The domain whose DKIM signature is aligned with the author.
    #[n(4)]
    pub domain: Option<String>,
    /// Whether the mail names, in To or Cc, whom it was handed in for. None: an earlier release, or nobody looked.
    #[n(5)]
    pub addressed: Option<Addressed>,
}

/// Whether a signed mail says itself that it is for the people who got it. A signature stays good whoever hands the mail in,
/// and to whomever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Addressed {
    #[n(0)]
    Named,
    /// A blind copy, a list, or a mail that somebody handed on.
    #[n(1)]
    Unnamed,
}

/// One check's result (RFC 8601 §2.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(index_only)]
pub enum AuthResult {
    #[default]
    #[n(0)]
    None,
    #[n(1)]
    Pass,
    #[n(2)]
    Fail,
    #[n(3)]
    SoftFail,
    #[n(4)]
    Neutral,
    #[n(5)]
    TemporaryError,
    #[n(6)]
    PermanentError,
}

impl AuthResult {
    /// The word of RFC 8601 §2.7.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::SoftFail => "softfail",
            Self::Neutral => "neutral",
            Self::TemporaryError => "temperror",
            Self::PermanentError => "permerror",
        }
    }
}
