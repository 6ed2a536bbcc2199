//! Who vouches for a peer, and what its mail still has to prove. Never `From`.

use mail::{Address, GroupId};
use store::{Authentication, Proof};

use crate::imap::Polled;

/// A peer for which the transport vouches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Sender {
    /// Its company is proved: by a login, a client certificate or a registered network.
    Proved(Proved),
    /// It is a mail service whose customers share addresses and certificate; each mail has to show whose it is.
    Provider(String),
}

/// A proved company.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    pub(crate) group: GroupId,
    pub(crate) proof: Proof,
    /// What the DNS says of the mail's domain, where it was asked.
    pub(crate) authentication: Option<Authentication>,
    /// The author that the proof is about, if it is about one: the mail must show no other.
    pub(crate) author: Option<Address>,
}

/// What has to vouch for a mail that is about to arrive.
pub(crate) enum Vouching {
    /// The transport has.
    Proved(Proved),
    /// Its header has to name a customer of this mail service, and know that customer's secret.
    Provider(String),
    /// An aligned DKIM signature has to.
    Signature,
    /// The same, or the word of the server that holds the mailbox.
    Mailbox(Polled),
    /// Nobody: something that we sent comes back, and its address is the secret.
    Return,
}

impl Vouching {
    /// Bytes of a mail that may arrive before anybody is known to vouch for it. What comes back is small, and what nobody has
    /// vouched for yet must not fill the disk.
    pub(crate) fn most(&self) -> u64 {
        match self {
            Self::Proved(_) | Self::Mailbox(_) => u64::MAX,
            Self::Provider(_) | Self::Signature => 50 * 1024 * 1024,
            Self::Return => 1024 * 1024,
        }
    }
}

impl Proved {
    pub(crate) fn by(group: &GroupId, proof: Proof) -> Self {
        Self { group: group.clone(), proof, authentication: None, author: None }
    }
}
