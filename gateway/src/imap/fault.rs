//! Why a mailbox is not being watched, cut by what somebody should do about it. No text of a server is in it.

use std::io;

use async_imap::error::Error;

use super::gate::Violation;

/// What keeps a poller from its mailbox, or from a mail in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Fault {
    #[error("the server cannot be reached; check host, port and network")]
    Unreachable,
    #[error("TLS with the server fails; check the port, and whether it expects STARTTLS")]
    Tls,
    #[error("the server's certificate is not trusted; renew it, add its authority, or pin its key")]
    Certificate,
    #[error("the server does not offer TLS; nothing is said to it in the clear")]
    NoTls,
    #[error("the server sends words of its own into the change to TLS; somebody may be listening in")]
    Injection,
    #[error("the server says that somebody is logged in already; that is none of ours")]
    Preauthenticated,
    #[error("the server refuses the login; check user, password or token")]
    LoginRefused,
    #[error("the server takes no login of the configured kind")]
    LoginNotOffered,
    #[error("the token file cannot be read; check its path and the rights of the service's user")]
    Token,
    #[error("the folder cannot be opened; check its name and the user's rights")]
    NoFolder,
    #[error("the folder has no UIDVALIDITY, so no mail in it can be told from another")]
    NoUids,
    #[error("the folder was numbered anew while it was open")]
    Renumbered,
    #[error("the server breaks the protocol or a limit")]
    Protocol,
    #[error("the server does not answer in time")]
    TimedOut,
    #[error("the server closed the connection")]
    Closed,
    #[error(
        "the server refuses to remove, move or mark mail that was taken; check the user's rights and quota"
    )]
    NotMarked,
    #[error("the store has no room; nothing more is taken until it has")]
    StoreFull,
    #[error("the store does not work; nothing is taken")]
    StoreBroken,
    #[error("a mail cannot be judged now; it is tried again")]
    Undecided,
}

impl Fault {
    /// A word for the machine.
    pub fn as_str(self) -> &'static str {
        match self {
            Fault::Unreachable => "unreachable",
            Fault::Tls => "tls",
            Fault::Certificate => "certificate",
            Fault::NoTls => "no-tls",
            Fault::Injection => "injection",
            Fault::Preauthenticated => "preauthenticated",
            Fault::LoginRefused => "login-refused",
            Fault::LoginNotOffered => "login-not-offered",
            Fault::Token => "token",
            Fault::NoFolder => "no-folder",
            Fault::NoUids => "no-uids",
            Fault::Renumbered => "renumbered",
            Fault::Protocol => "protocol",
            Fault::TimedOut => "timed-out",
            Fault::Closed => "closed",
            Fault::NotMarked => "not-marked",
            Fault::StoreFull => "store-full",
            Fault::StoreBroken => "store-broken",
            Fault::Undecided => "undecided",
        }
    }

    /// Whether time alone will not help: somebody has to change something.
    pub fn needs_somebody(self) -> bool {
        match self {
            Fault::Certificate
            | Fault::NoTls
            | Fault::Injection
            | Fault::Preauthenticated
            | Fault::LoginRefused
            | Fault::LoginNotOffered
            | Fault::Token
            | Fault::NoFolder
            | Fault::NoUids
            | Fault::NotMarked => true,
            Fault::Unreachable
            | Fault::Tls
            | Fault::Renumbered
            | Fault::Protocol
            | Fault::TimedOut
            | Fault::Closed
            | Fault::StoreFull
            | Fault::StoreBroken
            | Fault::Undecided => false,
        }
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        let inner = error.get_ref();
        if let Some(violation) = inner.and_then(|inner| inner.downcast_ref::<Violation>()) {
            tracing::warn!(%violation, "an IMAP server broke a limit");
            return Fault::Protocol;
        }
        match error.kind() {
            // What the parser makes of what it cannot read.
            io::ErrorKind::Other => Fault::Protocol,
            _ => Fault::Closed,
        }
    }
}

/// Texts of the server are in some of these errors; they end here.
impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        match error {
            Error::Io(error) => error.into(),
            Error::ConnectionLost => Fault::Closed,
            _ => Fault::Protocol,
        }
    }
}
