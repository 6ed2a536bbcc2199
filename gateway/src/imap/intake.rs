//! What a poller asks of the rest of Postern: a sink for one mail, and a memory. It never sees the ledger.

use std::future::Future;

use jiff::Timestamp;
use mail::{Address, Envelope, GroupId};

use super::{fault::Fault, settings::Mailbox, standing::Saved};
use crate::smtp::{Delivery, Refusal};

/// Where a mail was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Polled {
    /// The mailbox as the administrator calls it.
    pub mailbox: String,
    /// Whose mailbox it is: the receiving side, which proves nothing about the sender.
    pub group: GroupId,
    /// The mapped mailbox.
    pub address: Address,
    /// The server whose `Authentication-Results` may be believed.
    pub authserv_id: Option<String>,
}

/// The rest of Postern, as pollers see it.
pub trait Intake: Send + Sync + 'static {
    /// One mail on its way in; its successful close is the durable acknowledgement. Taking the same mail again must do
    /// nothing and be successful: after a crash that happens.
    type Delivery: Delivery;

    /// The time that reports show.
    fn now(&self) -> Timestamp;

    /// Opens the sink for one mail. The reverse-path is what the mail's topmost `Return-Path` says (RFC 5321 §4.4), or
    /// the mailbox's own address: IMAP does not tell. `announced` is the server's word, a hint only.
    fn open(
        &self,
        from: &Polled,
        envelope: Envelope,
        announced: u64,
    ) -> impl Future<Output = Result<Self::Delivery, Refusal>> + Send;

    /// What was saved last of this mailbox.
    fn saved(&self, mailbox: &Mailbox) -> impl Future<Output = Result<Option<Saved>, Refusal>> + Send;

    /// Saves it durably. Called when something changed, and after some tens of mails at most.
    fn save(&self, mailbox: &Mailbox, saved: Saved) -> impl Future<Output = Result<(), Refusal>> + Send;

    /// The mailbox has failed for a while, and somebody has to do something about it.
    fn stopped(&self, mailbox: &Mailbox, fault: Fault) -> impl Future<Output = ()> + Send;
}

impl From<&Mailbox> for Polled {
    fn from(mailbox: &Mailbox) -> Self {
        Self {
            mailbox: mailbox.name.clone(),
            group: mailbox.group.clone(),
            address: mailbox.address.clone(),
            authserv_id: mailbox.authserv_id.clone(),
        }
    }
}
