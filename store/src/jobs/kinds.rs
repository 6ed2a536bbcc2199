//! What jobs there are and what each one holds: ids, addresses and dates, so that nothing of a mail can reach
//! what is sent. How a job is done is the worker's business (`gateway::Worker`).

use jiff::Timestamp;
use mail::{Address, GroupId, HoldReason, Rcpt};
use minicbor::{Decode, Encode};

use crate::{
    alerts::{Alert, AlertDigest},
    ids::{CaseId, HeldId, JobId, LinkId, PassageId, UserId},
    inactivity::IdleNotice,
    links::LinkKind,
    records,
};

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Job {
    #[n(0)]
    pub id: JobId,
    #[n(1)]
    pub kind: JobKind,
    #[cbor(n(2), with = "records::time")]
    pub created_at: Timestamp,
    /// When it is tried next; for a leased job, when the lease ends; for one that was sent, when.
    #[cbor(n(3), with = "records::time")]
    pub due: Timestamp,
    /// Tries so far, the one under way included.
    #[n(4)]
    pub attempts: u32,
    #[n(5)]
    pub standing: Standing,
    /// Why the last try failed.
    #[n(6)]
    pub last_error: Option<String>,
    /// When an administrator last gave it the whole time again.
    #[cbor(n(7), with = "records::optional_time", has_nil)]
    pub retried_at: Option<Timestamp>,
    /// For a mail that was sent and came back: why.
    #[n(8)]
    pub returned: Option<String>,
    /// When the report was written that tells the sender of a relayed mail that it waits: once.
    #[cbor(n(9), with = "records::optional_time", has_nil)]
    pub warned_at: Option<Timestamp>,
}

/// What is to be done. Numbers are for ever.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum JobKind {
    /// Tell a mailbox that a message waits in a case.
    #[n(0)]
    Notice(#[n(0)] Notice),
    /// Hand a mail on to one recipient.
    #[n(1)]
    Relay(#[n(0)] RelayJob),
    /// Tell a sender that a mail was secured.
    #[n(2)]
    Receipt(#[n(0)] Receipt),
    /// Tell a mailbox once what waits in all its cases ([`Ledger::digest`](crate::Ledger::digest)).
    #[n(3)]
    Digest(#[n(0)] Digest),
    /// Tell the sender of a relayed mail what became of it (RFC 3464).
    #[n(4)]
    Report(#[n(0)] DeliveryReport),
    /// Tell somebody that a mail is held, or what became of it.
    #[n(5)]
    Held(#[n(0)] HeldNotice),
    /// Bring somebody the link to a password.
    #[n(10)]
    Link(#[n(0)] LinkLetter),
    /// Tell somebody what became due in a case, or that it was escalated.
    #[n(6)]
    Case(#[n(0)] CaseNotice),
    /// Tell a user that a message waits in a case.
    #[n(14)]
    Alert(#[n(0)] Alert),
    /// Tell a user once how much waits ([`Ledger::waiting_for`](crate::Ledger::waiting_for)).
    #[n(15)]
    AlertDigest(#[n(0)] AlertDigest),
    /// Tell a user that the account is suspended soon because nobody signs in.
    #[n(22)]
    Idle(#[n(0)] IdleNotice),
}

/// What a notice is about: ids and an address.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    #[n(0)]
    pub case: CaseId,
    /// The number of the message that waits.
    #[n(1)]
    pub number: u32,
    /// The group that is told.
    #[n(2)]
    pub group: GroupId,
    #[n(3)]
    pub to: Address,
}

/// One recipient of a passage.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct RelayJob {
    #[n(0)]
    pub passage: PassageId,
    /// The group whose mail it is.
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub to: Rcpt,
}

/// A mail was secured as this message of this case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    #[n(0)]
    pub case: CaseId,
    #[n(1)]
    pub number: u32,
    /// The sender's group.
    #[n(2)]
    pub group: GroupId,
    #[n(3)]
    pub to: Address,
}

/// What is in it is looked up when it is made: [`Ledger::digest`](crate::Ledger::digest).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Digest {
    #[n(0)]
    pub group: GroupId,
    #[n(1)]
    pub mailbox: Address,
}

/// What became of a relayed mail for one recipient. Whole in itself: the passage may be gone when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DeliveryReport {
    /// The sender's group.
    #[n(0)]
    pub group: GroupId,
    /// The reverse path of the mail.
    #[n(1)]
    pub to: Address,
    /// The recipient that it is about, with `ORCPT`.
    #[n(2)]
    pub recipient: Rcpt,
    /// `ENVID`
    #[n(3)]
    pub envelope_id: Option<String>,
    /// When the mail arrived here.
    #[cbor(n(4), with = "records::time")]
    pub arrived_at: Timestamp,
    #[n(5)]
    pub fate: Fate,
    /// The last server's words, or ours.
    #[n(6)]
    pub detail: String,
}

/// RFC 3464 §2.3.3, as far as Postern says it of a relayed mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Fate {
    /// Given up or refused.
    #[n(0)]
    Failed,
    /// Handed to a server that reports nothing, and the sender had asked for success.
    #[n(1)]
    Relayed,
    /// It waits, and is tried again.
    #[n(2)]
    Delayed,
}

/// That a mail is held, or what became of it. Nothing of its content.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct HeldNotice {
    #[n(0)]
    pub held: HeldId,
    /// The group that sent the mail.
    #[n(1)]
    pub from_group: GroupId,
    #[n(2)]
    pub to: Address,
    #[n(3)]
    pub side: HeldSide,
    #[n(4)]
    pub what: HeldNews,
    #[n(5)]
    pub reason: HoldReason,
    /// When the mail arrived here.
    #[cbor(n(6), with = "records::time")]
    pub received_at: Timestamp,
}

/// The link to a password, for one person. The link's token is not here.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct LinkLetter {
    #[n(0)]
    pub link: LinkId,
    #[n(1)]
    pub kind: LinkKind,
    #[n(2)]
    pub user: UserId,
    #[n(3)]
    pub group: GroupId,
    #[n(4)]
    pub to: Address,
    #[cbor(n(5), with = "records::time")]
    pub until: Timestamp,
}

/// That something is due in a case. What is said is looked up when it is made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CaseNotice {
    #[n(0)]
    pub case: CaseId,
    /// The group that is told.
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub to: Address,
    #[n(3)]
    pub what: CaseNews,
    /// The deadline, or the last message, that it is about: another one, and it says nothing any more.
    #[cbor(n(4), with = "records::optional_time", has_nil)]
    pub about: Option<Timestamp>,
}

/// What is told about a case beside that a message waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CaseNews {
    /// It was taken to the next rung, and the reader's company owes the answer.
    #[n(0)]
    Escalated,
    /// The answer is late, and the reader's company may escalate.
    #[n(1)]
    EscalationOpen,
    /// The reader's company owes an answer soon.
    #[n(2)]
    DueSoon,
    /// Its content is destroyed soon.
    #[n(3)]
    ArchiveSoon,
}

/// Which side of a held mail is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HeldSide {
    #[n(0)]
    Sender,
    #[n(1)]
    Recipient,
}

/// What is told about a held mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum HeldNews {
    /// It waits for the compliance role.
    #[n(0)]
    Held,
    /// It was not let through; its content is destroyed.
    #[n(1)]
    Returned,
    /// The same, because nobody decided in time.
    #[n(2)]
    Expired,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum Standing {
    #[n(0)]
    Waiting,
    #[n(1)]
    Leased,
    /// Given up: nobody tries again unless somebody says so.
    #[n(2)]
    Abandoned,
    /// An administrator has stopped it.
    #[n(3)]
    OnHold,
    /// An administrator has stopped it while a worker had it: it goes on hold unless its dialogue has begun and ends well.
    #[n(4)]
    Stopping,
}

/// A job that this worker holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Leased {
    pub job: Job,
    pub(crate) version: u64,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It left. For a relayed mail: the next server takes care of the reports that the sender wants.
    Done,
    /// A relayed mail left to a server that reports nothing: a sender who asked for success is told (RFC 3461 §5.2.2).
    Unreported,
    /// There was nothing left to say: nothing was sent.
    Needless,
    /// It was stopped before anything was sent ([`Ledger::is_stopped`](crate::Ledger::is_stopped)).
    Stopped,
    /// Try again at the given time.
    Again(Timestamp, String),
    /// The same, and the sender of a relayed mail hears that it waits, if nobody said so before (RFC 3461 §4.1, `DELAY`).
    Late(Timestamp, String),
    /// Refused: trying again helps nothing.
    Abandoned(String),
    /// It was tried for as long as mail is tried; the last words.
    Expired(String),
}

impl Job {
    pub(crate) fn new(id: JobId, kind: JobKind, now: Timestamp, due: Timestamp) -> Self {
        Self {
            id,
            kind,
            created_at: now,
            due,
            attempts: 0,
            standing: Standing::Waiting,
            last_error: None,
            retried_at: None,
            returned: None,
            warned_at: None,
        }
    }

    /// From when on its patience is counted. A digest is made long before it is due.
    pub fn patience_from(&self) -> Timestamp {
        self.retried_at.unwrap_or(self.created_at)
    }

    /// Whether a worker holds it.
    pub fn is_under_way(&self) -> bool {
        matches!(self.standing, Standing::Leased | Standing::Stopping)
    }

    /// Where it goes.
    pub fn to(&self) -> &Address {
        self.kind.to()
    }

    /// The domain that it goes to: what is slow, busy and put on hold together.
    pub fn domain(&self) -> &str {
        self.to().domain()
    }

    /// The group that it concerns: the one told, or the one whose mail it is.
    pub fn group(&self) -> &GroupId {
        self.kind.group()
    }

    pub fn case(&self) -> Option<CaseId> {
        self.kind.case()
    }
}

impl JobKind {
    pub(crate) fn to(&self) -> &Address {
        match self {
            Self::Notice(notice) => &notice.to,
            Self::Relay(relay) => &relay.to.address,
            Self::Receipt(receipt) => &receipt.to,
            Self::Digest(digest) => &digest.mailbox,
            Self::Report(report) => &report.to,
            Self::Held(held) => &held.to,
            Self::Link(letter) => &letter.to,
            Self::Case(news) => &news.to,
            Self::Alert(alert) => &alert.to,
            Self::AlertDigest(digest) => &digest.to,
            Self::Idle(idle) => &idle.to,
        }
    }

    pub(crate) fn group(&self) -> &GroupId {
        match self {
            Self::Notice(notice) => &notice.group,
            Self::Relay(relay) => &relay.group,
            Self::Receipt(receipt) => &receipt.group,
            Self::Digest(digest) => &digest.group,
            Self::Report(report) => &report.group,
            Self::Held(held) => &held.from_group,
            Self::Link(letter) => &letter.group,
            Self::Case(news) => &news.group,
            Self::Alert(alert) => &alert.group,
            Self::AlertDigest(digest) => &digest.group,
            Self::Idle(idle) => &idle.group,
        }
    }

    /// Whether something can come back for it: a relayed mail has its own sender, a report has none.
    pub(super) fn can_come_back(&self) -> bool {
        !self.passes_through()
    }

    /// Whether its addresses are those of strangers, so that its row is sealed.
    pub(super) fn passes_through(&self) -> bool {
        match self {
            Self::Relay(_) | Self::Report(_) => true,
            Self::Notice(_)
            | Self::Receipt(_)
            | Self::Digest(_)
            | Self::Held(_)
            | Self::Link(_)
            | Self::Case(_)
            | Self::Alert(_)
            | Self::AlertDigest(_)
            | Self::Idle(_) => false,
        }
    }

    pub(crate) fn case(&self) -> Option<CaseId> {
        match self {
            Self::Notice(notice) => Some(notice.case),
            Self::Receipt(receipt) => Some(receipt.case),
            Self::Case(news) => Some(news.case),
            Self::Alert(alert) => Some(alert.case),
            Self::Relay(_)
            | Self::Digest(_)
            | Self::Report(_)
            | Self::Held(_)
            | Self::Link(_)
            | Self::AlertDigest(_)
            | Self::Idle(_) => None,
        }
    }

    /// The name, as listed: `notice`, `relay`, `receipt`, `digest`, `report`, `held`, `case`, `alert`,
    /// `alert digest`, `idle`, `invitation`, `password link`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Notice(_) => "notice",
            Self::Relay(_) => "relay",
            Self::Receipt(_) => "receipt",
            Self::Digest(_) => "digest",
            Self::Report(_) => "report",
            Self::Held(_) => "held",
            Self::Link(LinkLetter { kind: LinkKind::Invitation, .. }) => "invitation",
            Self::Link(LinkLetter { kind: LinkKind::Reset, .. }) => "password link",
            Self::Case(_) => "case",
            Self::Alert(_) => "alert",
            Self::AlertDigest(_) => "alert digest",
            Self::Idle(_) => "idle",
        }
    }
}
