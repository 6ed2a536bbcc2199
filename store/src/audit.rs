//! The audit trail: one event for every change and every read, linked onto the node's chain.
//!
//! Events hold ids and never content: no subject, tag, name or address of a mail can get in,
//! because no field could take one. `chain.rs` links the events; here is only what they say.

use std::fmt;

use jiff::Timestamp;
use mail::{ContactType, GroupId, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    casework::CaseReason,
    error::StoreError,
    ids::{AppPasswordId, CaseId, DraftId, HeldId, JobId, MessageId, PassageId, TaskId, UserId},
    proof::Proof,
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
    #[n(10)]
    pub passage: Option<PassageId>,
    #[n(11)]
    pub held: Option<HeldId>,
    #[n(12)]
    pub task: Option<TaskId>,
    /// The domain of another mail system.
    #[n(13)]
    pub domain: Option<String>,
    /// The rule that decided, or the name of a connector or polled mailbox.
    #[n(14)]
    pub name: Option<String>,
    /// The app password that proved the sender, or that it is about.
    #[n(15)]
    pub app_password: Option<AppPasswordId>,
    /// The draft that it is about.
    #[n(30)]
    pub draft: Option<DraftId>,
    /// A deadline that moved: when it was.
    #[cbor(n(20), with = "records::optional_time", has_nil)]
    pub was: Option<Timestamp>,
    /// And when it is now.
    #[cbor(n(21), with = "records::optional_time", has_nil)]
    pub becomes: Option<Timestamp>,
    /// The rung to which a case went.
    #[n(22)]
    pub rung: Option<ContactType>,
    /// Why a case was closed or opened again.
    #[n(23)]
    pub reason: Option<CaseReason>,
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
    #[n(20)]
    JobHeld,
    #[n(21)]
    JobReleased,
    #[n(22)]
    DomainHeld,
    #[n(23)]
    DomainReleased,
    #[n(24)]
    MailRelayed,
    #[n(25)]
    RelayDone,
    #[n(26)]
    RelayAbandoned,
    #[n(27)]
    MailHeld,
    #[n(28)]
    HeldRead,
    #[n(29)]
    HeldRelayed,
    #[n(30)]
    HeldSecured,
    #[n(31)]
    HeldReturned,
    #[n(32)]
    ReceiptSent,
    #[n(33)]
    ReceiptAbandoned,
    #[n(34)]
    DigestSent,
    #[n(35)]
    DigestAbandoned,
    #[n(36)]
    ReportSent,
    #[n(37)]
    ReportAbandoned,
    #[n(38)]
    HeldNoticeSent,
    #[n(39)]
    HeldNoticeAbandoned,
    #[n(40)]
    NoticeNeedless,
    #[n(41)]
    NoticeReturned,
    /// A mail of our own that is no notice of a case came back.
    #[n(42)]
    MailReturned,
    /// A delay, or an automatic answer that says nothing of use, to a mail of our own.
    #[n(43)]
    ReturnNoted,
    #[n(44)]
    AwayNoted,
    #[n(45)]
    MessageWithdrawn,
    /// The group had seen the message before its sender took it back.
    #[n(46)]
    RecallTooLate,
    #[n(47)]
    TaskRaised,
    #[n(48)]
    TaskClosed,
    #[n(49)]
    PollingChanged,
    #[n(50)]
    AppPasswordAdded,
    #[n(51)]
    AppPasswordRemoved,
    #[n(52)]
    ConnectorSet,
    #[n(53)]
    ConnectorRemoved,
    /// The key of a mail that passed through, or was returned, is gone.
    #[n(54)]
    ContentDestroyed,
    /// A held mail was returned because nobody decided in time.
    #[n(70)]
    HeldExpired,
    /// Shadow or live, for a group, a process or all.
    #[n(60)]
    StageSet,
    /// Somebody tried to change what is not theirs, or against a rule: `name` says what.
    #[n(160)]
    ChangeRefused,
    #[n(161)]
    UserInvited,
    #[n(162)]
    UserConfirmed,
    #[n(163)]
    UserSuspended,
    #[n(164)]
    UserReinstated,
    #[n(165)]
    UserRemoved,
    #[n(166)]
    RoleSet,
    /// For the process; participant and contact type in `name`.
    #[n(167)]
    PermissionGranted,
    #[n(168)]
    PermissionTaken,
    /// The participant in `name`, the new group in `group`, from when in `becomes`.
    #[n(169)]
    MoveArranged,
    #[n(170)]
    MoveCancelled,
    #[n(171)]
    ParticipantMoved,
    #[n(172)]
    IdleNoticed,
    /// People or permissions of the group were taken away as a file.
    #[n(173)]
    PeopleExported,
    /// A file of people or permissions was looked at, and nothing of it applied yet.
    #[n(174)]
    ImportLaid,
    /// Somebody looked at the group's events.
    #[n(220)]
    TrailRead,
    /// Somebody took them away as a file.
    #[n(221)]
    TrailExported,
    /// When a user is told of what waits.
    #[n(222)]
    AlertsSet,
    /// The same, for the users of a group who chose nothing of their own.
    #[n(223)]
    GroupAlertsSet,
    /// How the letters to the people of a group look.
    #[n(224)]
    NoticeStyleSet,
    #[n(225)]
    AlertSent,
    #[n(226)]
    AlertAbandoned,
    #[n(227)]
    IdleLetterSent,
    #[n(228)]
    IdleLetterAbandoned,
    /// Other calendars, another date: `was`, `becomes`, and the calendar in `name`.
    #[n(80)]
    DeadlineMoved,
    /// `was`, `becomes`: the clocks of the rung that it left and of the one to which it went.
    #[n(100)]
    CaseEscalated,
    #[n(101)]
    CaseClosed,
    #[n(102)]
    CaseReopened,
    /// Its retention time is over: its content is destroyed.
    #[n(103)]
    CaseArchived,
    #[n(140)]
    DraftBegun,
    #[n(141)]
    DraftSaved,
    #[n(142)]
    DraftDiscarded,
    /// Nobody went on with it in time.
    #[n(143)]
    DraftExpired,
    #[n(144)]
    DraftSent,
    #[n(145)]
    DraftFileAdded,
    #[n(146)]
    DraftFileRemoved,
    /// A text of the group to write with: added or changed.
    #[n(147)]
    TextSet,
    #[n(148)]
    TextRemoved,
    /// The guard found in a finished mail what may not leave: categories and counts in `name`.
    #[n(82)]
    StoppedAtDoor,
    /// The link to a first password was mailed.
    #[n(190)]
    InvitationMade,
    /// The link to a new password was mailed.
    #[n(191)]
    ResetLinkMade,
    #[n(192)]
    LinkSent,
    #[n(193)]
    LinkAbandoned,
    /// Its holder chose a password.
    #[n(194)]
    LinkRedeemed,
    /// A user keeps a filter of cases under a name.
    #[n(130)]
    FilterSaved,
    #[n(131)]
    FilterRemoved,
    #[n(132)]
    ColumnsChosen,
    #[n(195)]
    FactorAdded,
    #[n(196)]
    FactorRemoved,
    #[n(197)]
    RecoveryCodesMade,
    #[n(198)]
    RecoveryCodeUsed,
    /// The password was right, and the second step was not.
    #[n(199)]
    SecondStepRefused,
    /// All factors of somebody who lost them.
    #[n(207)]
    FactorsReset,
    /// A user ended sessions of their own from another.
    #[n(201)]
    SessionsEnded,
    /// Password and second factor once more, before a change that lasts.
    #[n(202)]
    IdentityConfirmed,
    #[n(203)]
    IdentityRefused,
    /// Who of a group needs a second step: the rule in `name`.
    #[n(204)]
    SecondStepRuleSet,
    /// An API token: its scopes in `name`.
    #[n(205)]
    ApiTokenMade,
    #[n(206)]
    ApiTokenRevoked,
    #[n(208)]
    PasskeyAdded,
    #[n(209)]
    PasskeyRemoved,
    #[n(104)]
    NoteAdded,
    #[n(105)]
    TagAdded,
    #[n(106)]
    TagRemoved,
    /// The responder was warned of its deadline.
    #[n(107)]
    DeadlineWarned,
    /// The initiator was told that it may escalate.
    #[n(108)]
    EscalationUnlocked,
    /// A side was told that the content goes soon.
    #[n(109)]
    ArchiveWarned,
    #[n(110)]
    CaseNewsSent,
    #[n(111)]
    CaseNewsAbandoned,
    /// Somebody of the group took a case away as one file.
    #[n(240)]
    CaseTakenAway,
    /// Somebody laid it out for paper.
    #[n(241)]
    CasePrinted,
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
            passage: None,
            held: None,
            task: None,
            domain: None,
            name: None,
            app_password: None,
            draft: None,
            was: None,
            becomes: None,
            rung: None,
            reason: None,
        }
    }

    /// What a login says of who did it.
    pub(crate) fn proved(mut self, proof: &Proof) -> Self {
        self.user = proof.user();
        self.app_password = proof.app_password();
        self
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

    #[must_use]
    pub fn app_password(mut self, id: AppPasswordId) -> Self {
        self.app_password = Some(id);
        self
    }

    #[must_use]
    pub fn passage(mut self, passage: PassageId) -> Self {
        self.passage = Some(passage);
        self
    }

    #[must_use]
    pub fn held(mut self, held: HeldId) -> Self {
        self.held = Some(held);
        self
    }

    #[must_use]
    pub fn domain(mut self, domain: &str) -> Self {
        self.domain = Some(domain.to_owned());
        self
    }

    #[must_use]
    pub fn name(mut self, name: &str) -> Self {
        self.name = Some(name.to_owned());
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

impl Act {
    /// Every act that is known, in the order of their numbers.
    pub fn all() -> impl Iterator<Item = Self> {
        (0_u32..1_000).filter_map(|number| minicbor::decode(&minicbor::to_vec(number).ok()?).ok())
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
            Self::CaseTakenAway => "case taken away",
            Self::CasePrinted => "case printed",
            Self::TagSearched => "tag searched",
            Self::LedgerCreated => "ledger created",
            Self::JobHeld => "job held",
            Self::JobReleased => "job released",
            Self::DomainHeld => "domain held",
            Self::DomainReleased => "domain released",
            Self::MailRelayed => "mail taken for relay",
            Self::RelayDone => "mail handed on",
            Self::RelayAbandoned => "relay abandoned",
            Self::MailHeld => "mail held",
            Self::HeldRead => "held mail read",
            Self::HeldRelayed => "held mail released for relay",
            Self::HeldSecured => "held mail released to its case",
            Self::HeldReturned => "held mail returned",
            Self::ReceiptSent => "receipt sent",
            Self::ReceiptAbandoned => "receipt abandoned",
            Self::DigestSent => "digest sent",
            Self::DigestAbandoned => "digest abandoned",
            Self::ReportSent => "delivery report sent",
            Self::ReportAbandoned => "delivery report abandoned",
            Self::HeldNoticeSent => "notice of held mail sent",
            Self::HeldNoticeAbandoned => "notice of held mail abandoned",
            Self::NoticeNeedless => "notice no longer needed",
            Self::NoticeReturned => "notice returned",
            Self::MailReturned => "own mail returned",
            Self::ReturnNoted => "automatic answer noted",
            Self::AwayNoted => "absence noted",
            Self::MessageWithdrawn => "message withdrawn",
            Self::RecallTooLate => "recall came too late",
            Self::TaskRaised => "task raised",
            Self::TaskClosed => "task closed",
            Self::PollingChanged => "polling changed",
            Self::AppPasswordAdded => "app password added",
            Self::AppPasswordRemoved => "app password removed",
            Self::ConnectorSet => "connector set",
            Self::ConnectorRemoved => "connector removed",
            Self::ChangeRefused => "change refused",
            Self::UserInvited => "user invited",
            Self::UserConfirmed => "user confirmed",
            Self::UserSuspended => "user suspended",
            Self::UserReinstated => "user reinstated",
            Self::UserRemoved => "user removed",
            Self::RoleSet => "role set",
            Self::PermissionGranted => "permission granted",
            Self::PermissionTaken => "permission taken away",
            Self::MoveArranged => "move of a participant arranged",
            Self::MoveCancelled => "move of a participant called off",
            Self::ParticipantMoved => "participant moved",
            Self::PeopleExported => "people taken away as a file",
            Self::ImportLaid => "file of people looked at",
            Self::IdleNoticed => "user noticed as idle",
            Self::DeadlineMoved => "deadline moved",
            Self::StoppedAtDoor => "mail stopped at the door",
            Self::FilterSaved => "filter saved",
            Self::FilterRemoved => "saved filter removed",
            Self::ColumnsChosen => "columns chosen",
            Self::ContentDestroyed => "content destroyed",
            Self::HeldExpired => "held mail returned unanswered",
            Self::StageSet => "stage set",
            Self::TrailRead => "audit trail read",
            Self::TrailExported => "audit trail taken away",
            Self::CaseEscalated => "case escalated",
            Self::CaseClosed => "case closed",
            Self::CaseReopened => "case reopened",
            Self::CaseArchived => "case archived",
            Self::DraftBegun => "draft begun",
            Self::DraftSaved => "draft saved",
            Self::DraftDiscarded => "draft discarded",
            Self::DraftExpired => "draft removed as too old",
            Self::DraftSent => "draft sent",
            Self::DraftFileAdded => "file of a draft added",
            Self::DraftFileRemoved => "file of a draft removed",
            Self::TextSet => "text template set",
            Self::TextRemoved => "text template removed",
            Self::InvitationMade => "invitation made",
            Self::ResetLinkMade => "reset link made",
            Self::LinkSent => "link sent",
            Self::LinkAbandoned => "link abandoned",
            Self::LinkRedeemed => "link used",
            Self::FactorAdded => "second factor added",
            Self::FactorRemoved => "second factor removed",
            Self::RecoveryCodesMade => "recovery codes made",
            Self::RecoveryCodeUsed => "recovery code used",
            Self::SecondStepRefused => "second step refused",
            Self::FactorsReset => "second factors reset",
            Self::SessionsEnded => "sessions ended by their user",
            Self::IdentityConfirmed => "identity confirmed",
            Self::PasskeyAdded => "passkey added",
            Self::PasskeyRemoved => "passkey removed",
            Self::ApiTokenMade => "token of a program made",
            Self::ApiTokenRevoked => "token of a program revoked",
            Self::SecondStepRuleSet => "rule of the second step set",
            Self::IdentityRefused => "identity not confirmed",
            Self::NoteAdded => "note added",
            Self::TagAdded => "tag added",
            Self::TagRemoved => "tag removed",
            Self::DeadlineWarned => "deadline warned of",
            Self::EscalationUnlocked => "escalation became possible",
            Self::ArchiveWarned => "archiving warned of",
            Self::CaseNewsSent => "news of a case sent",
            Self::CaseNewsAbandoned => "news of a case abandoned",
            Self::AlertsSet => "own alerts set",
            Self::GroupAlertsSet => "alerts of the company set",
            Self::NoticeStyleSet => "look of notices set",
            Self::AlertSent => "alert sent",
            Self::IdleLetterSent => "letter before suspension sent",
            Self::IdleLetterAbandoned => "letter before suspension abandoned",
            Self::AlertAbandoned => "alert abandoned",
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
