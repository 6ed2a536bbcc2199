//! The audit trail: one event for every change and every read, linked onto the node's chain.
//!
//! Events hold ids and never content: no subject, tag, name or address of a mail can get in,
//! because no field could take one. `chain.rs` links the events; here is only what they say.

use std::fmt;

use jiff::Timestamp;
use mail::{GroupId, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    error::StoreError,
    ids::{CaseId, JobId, MessageId, UserId},
    records,
};

/// Who did it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Actor {
    #[n(0)]
    User(#[n(0)] UserId),
    /// The mail side, for a group that it has proved.
    #[n(1)]
    Gateway,
    #[n(2)]
    Worker,
    /// The command line of the machine's administrator.
    #[n(3)]
    Tool,
    #[n(4)]
    Portal,
}

/// One line of the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Event {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    #[n(1)]
    pub actor: Actor,
    #[n(2)]
    pub act: Act,
    #[n(3)]
    pub group: Option<GroupId>,
    #[n(4)]
    pub case: Option<CaseId>,
    #[n(5)]
    pub message: Option<MessageId>,
    #[n(6)]
    pub job: Option<JobId>,
    #[n(7)]
    pub process: Option<ProcessId>,
    /// The user it is about, or who proved the sender by a login.
    #[n(8)]
    pub user: Option<UserId>,
    /// The user in whose name a mail was written.
    #[n(9)]
    pub author: Option<UserId>,
}

/// What happened. Numbers are for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Act {
    #[n(0)]
    CaseOpened,
    #[n(1)]
    MessageAdded,
    /// An automatic mail (RFC 3834) of a case: kept, nobody notified.
    #[n(2)]
    AutomaticMailKept,
    #[n(3)]
    CaseRead,
    #[n(4)]
    AttachmentRead,
    #[n(5)]
    OriginalRead,
    #[n(6)]
    OwnerSet,
    #[n(7)]
    NoticeSent,
    #[n(8)]
    NoticeAbandoned,
    #[n(9)]
    JobRetried,
    #[n(10)]
    JobDropped,
    #[n(11)]
    SignedIn,
    #[n(12)]
    SignInRefused,
    #[n(13)]
    SignedOut,
    #[n(14)]
    DirectoryChanged,
    #[n(15)]
    PasswordReset,
    /// A mail whose author or sender was not proved to belong to the group.
    #[n(16)]
    SenderRefused,
    #[n(17)]
    CaseExported,
    #[n(18)]
    TagSearched,
    #[n(19)]
    LedgerCreated,
}

impl Event {
    pub fn new(at: Timestamp, actor: Actor, act: Act) -> Self {
        Self {
            at,
            actor,
            act,
            group: None,
            case: None,
            message: None,
            job: None,
            process: None,
            user: None,
            author: None,
        }
    }

    #[must_use]
    pub fn group(mut self, group: &GroupId) -> Self {
        self.group = Some(group.clone());
        self
    }

    #[must_use]
    pub fn case(mut self, case: CaseId) -> Self {
        self.case = Some(case);
        self
    }

    #[must_use]
    pub fn message(mut self, message: MessageId) -> Self {
        self.message = Some(message);
        self
    }

    #[must_use]
    pub fn job(mut self, job: JobId) -> Self {
        self.job = Some(job);
        self
    }

    #[must_use]
    pub fn process(mut self, process: &ProcessId) -> Self {
        self.process = Some(process.clone());
        self
    }

    #[must_use]
    pub fn user(mut self, user: UserId) -> Self {
        self.user = Some(user);
        self
    }

    pub(crate) fn to_bytes(&self) -> Result<bytes::Bytes, StoreError> {
        records::encode(self)
    }

    /// Reads an event as the chain holds it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StoreError> {
        records::decode(bytes)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user {id}"),
            Self::Gateway => f.write_str("gateway"),
            Self::Worker => f.write_str("worker"),
            Self::Tool => f.write_str("command line"),
            Self::Portal => f.write_str("portal"),
        }
    }
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CaseOpened => "case opened",
            Self::MessageAdded => "message added",
            Self::AutomaticMailKept => "automatic mail kept",
            Self::CaseRead => "case read",
            Self::AttachmentRead => "attachment read",
            Self::OriginalRead => "original read",
            Self::OwnerSet => "owner set",
            Self::NoticeSent => "notice sent",
            Self::NoticeAbandoned => "notice abandoned",
            Self::JobRetried => "job retried",
            Self::JobDropped => "job dropped",
            Self::SignedIn => "signed in",
            Self::SignInRefused => "sign-in refused",
            Self::SignedOut => "signed out",
            Self::DirectoryChanged => "directory changed",
            Self::PasswordReset => "password reset",
            Self::SenderRefused => "sender refused",
            Self::CaseExported => "case exported",
            Self::TagSearched => "tag searched",
            Self::LedgerCreated => "ledger created",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_reads_back_as_it_was_written() {
        let at = Timestamp::from_millisecond(1_780_000_000_123).unwrap();
        let case = CaseId::new(at).unwrap();
        let event = Event::new(at, Actor::User(UserId::new(at).unwrap()), Act::CaseRead)
            .case(case)
            .group(&"alpha".parse().unwrap());
        assert_eq!(Event::from_bytes(&event.to_bytes().unwrap()).unwrap(), event);
    }
}
