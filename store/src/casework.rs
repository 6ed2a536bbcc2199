//! The life of a case: how it stands, and what people make of it: assign, escalate, close, reopen. Each verb is one commit with
//! its event, decided on the case as it is then. The rules are those of the escalation table of the policies, which this
//! crate cannot name; a test of the portal, which sees both, holds the two equal.

use jiff::Timestamp;
use mail::{Address, ContactType, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    accept::Deadline,
    audit::{Act, Actor, Event},
    case_events::user,
    cases::{Case, Due, own},
    directory::{Directory, Mailbox, User},
    error::StoreError,
    ids::{CaseId, JobId, UserId},
    jobs::{CaseNews, CaseNotice, Job, JobKind},
    ledger::Ledger,
    records,
    tasks::TaskKind,
};

/// How a case stands, as the people of one side read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaseState {
    /// Nobody owes an answer.
    Open,
    /// This side owes one.
    AwaitingUs,
    /// The other side owes one.
    AwaitingThem,
    /// The same, whichever side, after it was escalated.
    Escalated,
    /// Done with; a person's word opens it again.
    Closed,
    /// Its content is destroyed.
    Archived,
}

/// That a case needs no more.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ended {
    #[n(0)]
    pub how: CaseEnd,
    #[cbor(n(1), with = "records::time")]
    pub at: Timestamp,
    /// The side that closed it.
    #[n(2)]
    pub side: Option<GroupId>,
    #[n(3)]
    pub by: Option<UserId>,
    #[n(4)]
    pub reason: Option<CaseReason>,
}

/// How it came to that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CaseEnd {
    #[n(0)]
    Closed,
    #[n(1)]
    Archived,
}

/// Why a case was closed, or opened again. A choice and no words: both sides read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum CaseReason {
    #[n(0)]
    Settled,
    #[n(1)]
    Duplicate,
    #[n(2)]
    OpenedInError,
    #[n(3)]
    GoesOnElsewhere,
    #[n(4)]
    NotSettled,
    #[n(5)]
    NewFacts,
    #[n(6)]
    ClosedInError,
}

/// One step up the ladder.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Climb {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    /// The rung that it left.
    #[n(1)]
    pub from: ContactType,
    #[n(2)]
    pub by: Option<UserId>,
    /// What had to be stated: field and choice, as the catalogue spells them.
    #[n(3)]
    pub stated: Vec<(String, String)>,
}

/// What an escalation wants; the clock of the next rung begins with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// The rung on which whoever asks saw the case.
    pub seen: ContactType,
    pub next: ContactType,
    pub deadline: Deadline,
    /// Field and choice.
    pub stated: Vec<(String, String)>,
}

/// What an escalation came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Escalated {
    /// The mailbox of the next rung is told.
    Told,
    /// The other side has mapped none; only its permitted users are told, if there are any.
    Unmapped,
}

impl CaseState {
    pub const ALL: [Self; 6] =
        [Self::Open, Self::AwaitingUs, Self::AwaitingThem, Self::Escalated, Self::Closed, Self::Archived];

    /// `awaiting us`, as people read it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::AwaitingUs => "awaiting us",
            Self::AwaitingThem => "awaiting them",
            Self::Escalated => "escalated",
            Self::Closed => "closed",
            Self::Archived => "archived",
        }
    }
}

impl CaseReason {
    pub const CLOSING: [Self; 4] =
        [Self::Settled, Self::Duplicate, Self::OpenedInError, Self::GoesOnElsewhere];
    pub const REOPENING: [Self; 3] = [Self::NotSettled, Self::NewFacts, Self::ClosedInError];

    /// As forms name it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Duplicate => "duplicate",
            Self::OpenedInError => "opened-in-error",
            Self::GoesOnElsewhere => "goes-on-elsewhere",
            Self::NotSettled => "not-settled",
            Self::NewFacts => "new-facts",
            Self::ClosedInError => "closed-in-error",
        }
    }
}

impl Case {
    /// How it stands for `group`.
    pub fn state(&self, group: &GroupId) -> CaseState {
        match (&self.ended, &self.due) {
            (Some(Ended { how: CaseEnd::Archived, .. }), _) => CaseState::Archived,
            (Some(Ended { how: CaseEnd::Closed, .. }), _) => CaseState::Closed,
            (None, None) => CaseState::Open,
            (None, Some(_)) if !self.climbs.is_empty() => CaseState::Escalated,
            (None, Some(due)) if due.side == *group => CaseState::AwaitingUs,
            (None, Some(_)) => CaseState::AwaitingThem,
        }
    }

    pub fn is_archived(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.how == CaseEnd::Archived)
    }

    /// What `group` may escalate at `now`, if it saw the case on that rung.
    fn escalates(&self, group: &GroupId, seen: &ContactType, now: Timestamp) -> Result<Due, StoreError> {
        if !self.is_initiator(group) {
            return Err(StoreError::Denied("only the side that waits for an answer escalates".to_owned()));
        }
        let due = self.due.clone().filter(|_| self.ended.is_none() && self.contact_type == *seen);
        let due = due.ok_or(StoreError::Conflict)?;
        if now < due.at {
            return Err(StoreError::Denied(format!("an escalation is possible from {} on", due.at)));
        }
        Ok(due)
    }

    /// The rungs on which it has stood, the lowest first; the last is where it stands.
    pub fn rungs(&self) -> impl Iterator<Item = &ContactType> {
        self.climbs.iter().map(|climb| &climb.from).chain([&self.contact_type])
    }
}

impl Ledger {
    /// Makes `owner` the owner of the case on `group`'s side, or nobody, if the owner is still `seen`.
    ///
    /// # Errors
    /// `Conflict` if somebody else took or released the case first; `Denied` for an owner who does not work for the group.
    pub async fn assign(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        seen: Option<UserId>,
        owner: Option<UserId>,
    ) -> Result<(), StoreError> {
        let directory = self.directory();
        self.change_case(case, |case| {
            let archived = case.is_archived();
            let side = own(case, group)?;
            if side.owner != seen || archived {
                return Err(StoreError::Conflict);
            }
            let works = |user: &UserId| {
                directory.user(user).is_some_and(|user| user.group == *group && user.is_active())
            };
            if !owner.as_ref().is_none_or(works) {
                return Err(StoreError::Denied("an owner must be an active user of the company".to_owned()));
            }
            side.owner = owner;
            let mut event = Event::new(self.now(), actor.clone(), Act::OwnerSet).group(group).case(case.id);
            event.user = owner;
            Ok(event)
        })
        .await
    }

    /// Takes the case to the next rung, inside the case, from the deadline itself on. The responder's mailbox of that rung
    /// and its permitted users are told. Whether there is such a mailbox; if not, the responder's administrators have a
    /// task.
    ///
    /// # Errors
    /// `Conflict` if it stands on another rung by now, was answered or closed; `Denied` before the deadline, and for anybody
    /// but the side that waits.
    pub async fn escalate(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        escalation: &Escalation,
    ) -> Result<Escalated, StoreError> {
        let (now, directory) = (self.now(), self.directory());
        self.change_case_with(case, |case, changes| {
            let due = case.escalates(group, &escalation.seen, now)?;
            let mut event = Event::new(now, actor.clone(), Act::CaseEscalated).group(group).case(case.id);
            event = event.process(&case.process);
            event.was = Some(due.at);
            event.becomes = Some(escalation.deadline.at);
            event.rung = Some(escalation.next.clone());
            let from = std::mem::replace(&mut case.contact_type, escalation.next.clone());
            case.due = Some(escalation.deadline.for_side(&due.side));
            case.climbs.push(Climb { at: now, from, by: user(actor), stated: escalation.stated.clone() });
            let mailbox = directory.mailbox_of_rung(case, &due.side);
            if let (Some(mailbox), Some(side)) =
                (&mailbox, case.sides.iter_mut().find(|side| side.group == due.side))
            {
                side.contact = mailbox.clone();
            }
            for to in mailbox.into_iter().chain(directory.permitted(case, &due.side)) {
                let news = CaseNotice {
                    case: case.id,
                    group: due.side.clone(),
                    to,
                    what: CaseNews::Escalated,
                    about: Some(escalation.deadline.at),
                };
                self.put_job(&Job::new(JobId::new(now)?, JobKind::Case(news), now, now), changes)?;
            }
            Ok(event)
        })
        .await?;
        self.announce_work();
        self.told_of_rung(case).await
    }

    /// Whether the rung on which a case stands has a mailbox on the responder's side. If not, its people have a task.
    async fn told_of_rung(&self, case: CaseId) -> Result<Escalated, StoreError> {
        let Some(case) = self.case(case).await? else { return Ok(Escalated::Unmapped) };
        let Some(side) = case.sides.iter().find(|side| !side.initiator) else {
            return Ok(Escalated::Unmapped);
        };
        if self.directory().mailbox_of_rung(&case, &side.group).is_some() {
            return Ok(Escalated::Told);
        }
        let kind = TaskKind::RungUnmapped {
            participant: side.participant.clone(),
            process: case.process.clone(),
            contact_type: case.contact_type.clone(),
        };
        self.raise_task(&Actor::Portal, Some(&side.group), kind, Some(case.id)).await?;
        Ok(Escalated::Unmapped)
    }

    /// Says that the case is done. Who owes an answer cannot.
    ///
    /// # Errors
    /// `Conflict` if it has come to its end already; `Denied` for the side that owes an answer.
    pub async fn close_case(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        reason: CaseReason,
    ) -> Result<(), StoreError> {
        self.change_case(case, |case| {
            own(case, group)?;
            if case.ended.is_some() {
                return Err(StoreError::Conflict);
            }
            if case.due.is_some() && !case.is_initiator(group) {
                return Err(StoreError::Denied("your company owes an answer; only that ends it".to_owned()));
            }
            let at = self.now();
            case.due = None;
            let ended = Ended {
                how: CaseEnd::Closed,
                at,
                side: Some(group.clone()),
                by: user(actor),
                reason: Some(reason),
            };
            case.ended = Some(ended);
            let mut event = Event::new(at, actor.clone(), Act::CaseClosed).group(group).case(case.id);
            event.reason = Some(reason);
            Ok(event)
        })
        .await
    }

    /// Says that the case is not done after all; nobody owes an answer until the initiator writes.
    ///
    /// # Errors
    /// `Conflict` if it is not closed.
    pub async fn reopen_case(
        &self,
        actor: &Actor,
        case: CaseId,
        group: &GroupId,
        reason: CaseReason,
    ) -> Result<(), StoreError> {
        self.change_case(case, |case| {
            own(case, group)?;
            if case.ended.take().is_none_or(|ended| ended.how != CaseEnd::Closed) {
                return Err(StoreError::Conflict);
            }
            let mut event =
                Event::new(self.now(), actor.clone(), Act::CaseReopened).group(group).case(case.id);
            event.reason = Some(reason);
            Ok(event)
        })
        .await
    }
}

impl Directory {
    /// The mailbox of `group` that is mapped to the rung on which the case stands.
    fn mailbox_of_rung(&self, case: &Case, group: &GroupId) -> Option<Address> {
        let side = case.side(group)?;
        let mapped = |mailbox: &&Mailbox| {
            mailbox.group == *group
                && mailbox.participant == side.participant
                && mailbox.process == case.process
                && mailbox.contact_type == case.contact_type
        };
        self.mailboxes().find(mapped).map(|mailbox| mailbox.address.clone())
    }

    /// The users of `group` who work on that rung; the first of them, if there are very many.
    fn permitted(&self, case: &Case, group: &GroupId) -> Vec<Address> {
        /// A team; more of them read its mailbox.
        const MOST: usize = 20;
        let Some(side) = case.side(group) else { return Vec::new() };
        let works = |user: &&User| {
            user.group == *group
                && user.is_active()
                && user.permissions.iter().any(|permission| {
                    permission.participant == side.participant
                        && permission.process == case.process
                        && permission.contact_type == case.contact_type
                })
        };
        self.users().filter(works).take(MOST).map(|user| user.email.clone()).collect()
    }
}
