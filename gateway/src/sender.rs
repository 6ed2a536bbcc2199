//! Who vouches for a peer, and what its mail still has to prove. Never `From`.

use std::net::IpAddr;

use mail::{Address, GroupId};
use store::{AppPasswordId, Authentication, Directory, Proof, UserId};

use crate::imap::Polled;

/// To whoever names another company's, or nobody's, reverse-path for mail that goes on.
pub(crate) const FOREIGN_REVERSE_PATH: &str =
    "mail that goes on needs a reverse-path of your own company; correct MAIL FROM";

/// For a peer whose proof was taken back while it was connected.
pub(crate) const NO_LONGER: &str =
    "what proved you when you connected was taken back since; ask your administrator, and connect again";

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
    pub(crate) basis: Basis,
}

/// What a proof hangs on. A connection can outlive it, so it is looked at again with every mail and before its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Basis {
    /// A user's own password, by the digest of its stored form.
    Password(UserId, [u8; 32]),
    AppPassword(UserId, AppPasswordId),
    /// A registered certificate, or one of a name that speaks for a group.
    Certificate([u8; 32], Option<String>),
    Network(IpAddr),
    /// By its name.
    Connector(String),
    /// What the mail itself shows.
    Mail,
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
    /// The transport has, for a company's own mail system that journals.
    Journal(Proved),
    /// Nobody: something that we sent comes back, and its address is the secret.
    Return,
}

impl Vouching {
    /// Bytes of a mail that may arrive before anybody is known to vouch for it. What comes back is small, and what nobody has
    /// vouched for yet must not fill the disk.
    pub(crate) fn most(&self) -> u64 {
        match self {
            Self::Proved(_) | Self::Journal(_) | Self::Mailbox(_) => u64::MAX,
            Self::Provider(_) | Self::Signature => 50 * 1024 * 1024,
            Self::Return => 1024 * 1024,
        }
    }
}

impl Proved {
    pub(crate) fn by(group: &GroupId, proof: Proof, basis: Basis) -> Self {
        Self { group: group.clone(), proof, authentication: None, author: None, basis }
    }

    /// Whether a mail system was proved, by what is registered for the company's own, and no person and nobody's mail.
    pub(crate) fn is_own_server(&self) -> bool {
        matches!(self.proof, Proof::Network | Proof::Certificate(_))
    }

    /// Whether what the proof hangs on still stands, for the same company.
    pub(crate) fn stands(&self, directory: &Directory) -> bool {
        self.basis.group(directory) == Some(&self.group) || self.basis == Basis::Mail
    }
}

impl Basis {
    /// For whom it speaks now.
    pub(crate) fn group<'a>(&self, directory: &'a Directory) -> Option<&'a GroupId> {
        let user = |id: &UserId| directory.user(id).filter(|user| user.is_active());
        match self {
            Self::Password(id, digest) => {
                let same = |stored: &String| certs::sha256(stored.as_bytes()) == *digest;
                user(id).filter(|user| user.password.as_ref().is_some_and(same)).map(|user| &user.group)
            }
            Self::AppPassword(id, which) => {
                let known = directory.app_passwords(id).any(|known| known.id == *which);
                user(id).filter(|_| known).map(|user| &user.group)
            }
            Self::Certificate(fingerprint, name) => {
                let registered = directory.certificate(fingerprint).map(|known| &known.group);
                // A renewed certificate keeps its name.
                registered.or_else(|| directory.group_of_certificate_name(name.as_deref()?))
            }
            Self::Network(peer) => directory.group_of_network(*peer),
            Self::Connector(name) => {
                directory.connector(name).filter(|known| known.active).map(|known| &known.group)
            }
            Self::Mail => None,
        }
    }
}
