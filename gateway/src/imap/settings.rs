//! What a poller is told by the configuration. Values only; it reads no file but that it names one.

use std::{fmt, path::PathBuf, sync::Arc, time::Duration};

use mail::{Address, GroupId};
use rustls::ClientConfig;

use super::{folder::Folder, pin::Pin};

/// One mailbox to be polled.
#[derive(Debug, Clone)]
pub struct Mailbox {
    /// What the administrator calls it; the key of what is remembered about it.
    pub name: String,
    /// Whose mailbox it is.
    pub group: GroupId,
    /// The mapped mailbox that mail in it was written to.
    pub address: Address,
    pub server: Server,
    pub login: Login,
    pub folder: Folder,
    /// What becomes of a mail that is durable here.
    pub after: After,
    /// Where mail goes that cannot be taken. Without one it stays, with the keyword `$PosternRefused`.
    pub refused_folder: Option<Folder>,
    /// The `authserv-id` of the server whose `Authentication-Results` may be believed (RFC 8601 §2.2).
    pub authserv_id: Option<String>,
    pub pace: Pace,
    pub limits: Limits,
}

/// Where the mailbox is.
#[derive(Clone)]
pub struct Server {
    pub host: String,
    pub port: u16,
    pub tls: Tls,
    /// The roots that the certificate is checked against.
    pub roots: Arc<ClientConfig>,
    /// The server's own key, instead of any root.
    pub pin: Option<Pin>,
}

/// TLS there always is; this is when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tls {
    /// From the first octet, usually on port 993 (RFC 8314).
    Implicit,
    /// After STARTTLS, usually on port 143.
    StartTls,
}

/// How to log in. Given under TLS only.
#[derive(Clone)]
pub enum Login {
    Password {
        user: String,
        password: String,
    },
    /// An OAuth 2.0 access token, read from the file anew for each login: somebody else keeps it fresh.
    XOAuth2 {
        user: String,
        token_file: PathBuf,
    },
}

/// What becomes of the original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// It is deleted. Where the server cannot delete single mails (no UIDPLUS) it is marked as deleted and stays: an
    /// EXPUNGE there would delete what other people marked.
    Remove,
    /// It is moved there; the folder is made if it is missing.
    MoveTo(Folder),
}

/// How often, how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The net beside IDLE, and the pace without it. IDLE is begun anew at least that often.
    pub poll: Duration,
    /// For the connection and for the TLS handshake, each.
    pub connect: Duration,
    /// For each command, its answer included.
    pub command: Duration,
    /// The pause after the first failure; it doubles with each further one, up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
}

/// How much.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Octets of one mail; a larger one cannot be taken.
    pub message: u64,
    /// So many failures that need somebody in a row, and somebody is told.
    pub failures: u32,
}

impl Pace {
    /// RFC 2177: IDLE has to be begun anew within 29 minutes.
    pub const LONGEST_IDLE: Duration = Duration::from_mins(28);
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            poll: Duration::from_mins(5),
            connect: Duration::from_secs(30),
            command: Duration::from_mins(1),
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_mins(5),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { message: 256 * 1024 * 1024, failures: 3 }
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port, tls, pin, .. } = self;
        write!(f, "{host}:{port} ({tls:?}, {pin:?})")
    }
}

/// Without the secret.
impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Login::Password { user, .. } => write!(f, "Password({user})"),
            Login::XOAuth2 { user, .. } => write!(f, "XOAuth2({user})"),
        }
    }
}
