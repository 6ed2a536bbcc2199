//! What becomes due in a case without anybody's doing: the responder is warned before the deadline, the initiator is told when
//! an escalation becomes possible, the owner is told before the content goes, and then it goes. The rows that say when
//! follow from the case alone and are written with it (`case_row.rs`), so a deadline that moves takes them along. Nothing
//! here starts or stops a clock.

use jiff::{SignedDuration, Timestamp};
use mail::{ContactType, GroupId, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    case_row::write_case,
    cases::{Case, Side},
    casework::{CaseEnd, Ended},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, JobId},
    jobs::{CaseNews, CaseNotice, Job, JobKind},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// What was said already, and about which instant, so that one that moves is said again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct Told {
    /// The deadline of which the responder was warned.
    #[cbor(n(0), with = "records::optional_time", has_nil)]
    pub deadline: Option<Timestamp>,
    /// The deadline with which the initiator was told that it may escalate.
    #[cbor(n(1), with = "records::optional_time", has_nil)]
    pub gate: Option<Timestamp>,
    /// The last message after which the owners were warned that the content goes.
    #[cbor(n(2), with = "records::optional_time", has_nil)]
    pub rest: Option<Timestamp>,
}

/// How long the content of a process is kept after a case's last message, and how long before its end its owners are
/// told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    pub process: ProcessId,
    pub kept: SignedDuration,
    pub warned: SignedDuration,
}

/// First byte of a timer's place.
#[derive(Debug, Clone, Copy)]
enum Timer {
    Warning = 0,
    Gate = 1,
    RestWarning = 2,
    Rest = 3,
}

impl Case {
    /// The rows of its timers.
    pub(crate) fn timer_keys(&self) -> Vec<Vec<u8>> {
        let mut keys = Vec::new();
        let dated = |timer, at| of(timer).time(at).id(&self.id).done();
        if let Some(due) = self.due.as_ref().filter(|_| self.ended.is_none()) {
            if self.told.deadline != Some(due.at) {
                keys.extend(due.warn_at.map(|at| dated(Timer::Warning, at)));
            }
            if self.told.gate != Some(due.at) {
                keys.push(dated(Timer::Gate, due.at));
            }
        }
        let resting =
            |timer| of(timer).text(self.process.as_str()).time(self.last_message_at).id(&self.id).done();
        if !self.is_archived() {
            keys.push(resting(Timer::Rest));
            if self.told.rest != Some(self.last_message_at) {
                keys.push(resting(Timer::RestWarning));
            }
        }
        keys
    }

    fn news(&self, side: &Side, what: CaseNews, about: Timestamp) -> CaseNotice {
        CaseNotice {
            case: self.id,
            group: side.group.clone(),
            to: side.contact.clone(),
            what,
            about: Some(about),
        }
    }
}

impl Ledger {
    /// Warns of deadlines, and tells of escalations that become possible where `climbs` says that there is a next rung. At
    /// most about `limit`; how many.
    pub async fn run_case_timers(
        &self,
        limit: usize,
        climbs: impl Fn(&ProcessId, &ContactType) -> bool,
    ) -> Result<usize, StoreError> {
        let until = self.now();
        let mut done = 0;
        for timer in [Timer::Warning, Timer::Gate] {
            for case in self.due_cases(of(timer), until, limit).await? {
                done += usize::from(match timer {
                    Timer::Gate => self.tell_gate(case, &climbs).await?,
                    _ => self.warn_deadline(case).await?,
                });
            }
        }
        Ok(done)
    }

    /// Tells owners that the content of their cases goes soon, and destroys what has rested long enough. At most about
    /// `limit` of each; how many.
    pub async fn run_retention(&self, retention: &Retention, limit: usize) -> Result<usize, StoreError> {
        let Retention { process, kept, warned } = retention;
        let now = self.now();
        let rested = |time: SignedDuration| now.saturating_sub(time).unwrap_or(Timestamp::MIN);
        let before = rested(*kept);
        let mut done = 0;
        for case in self.due_cases(of(Timer::Rest).text(process.as_str()), before, limit).await? {
            done += usize::from(self.archive(case, before).await?);
        }
        let soon = rested(kept.saturating_sub(*warned));
        for case in self.due_cases(of(Timer::RestWarning).text(process.as_str()), soon, limit).await? {
            done += usize::from(self.warn_rest(case, soon).await?);
        }
        Ok(done)
    }

    async fn due_cases(&self, rows: Key, until: Timestamp, limit: usize) -> Result<Vec<CaseId>, StoreError> {
        let Range { from, .. } = rows.clone().range();
        let to = rows.time(until.saturating_add(SignedDuration::from_millis(1)).unwrap_or(until)).done();
        let rows = self.engine().scan(Range { from, to }, limit.clamp(1, 1_000)).await?;
        Ok(rows
            .iter()
            .filter_map(|(key, _)| key.last_chunk::<20>())
            .map(|id| CaseId::from_bytes(*id))
            .collect())
    }

    async fn warn_deadline(&self, case: CaseId) -> Result<bool, StoreError> {
        let now = self.now();
        self.timer(case, |case, changes| {
            let Some(due) = case.due.clone() else { return Ok(false) };
            case.told.deadline = Some(due.at);
            let Some(side) = case.side(&due.side).filter(|_| now < due.at) else { return Ok(false) };
            self.tell_of(case, side, CaseNews::DueSoon, due.at, changes)?;
            self.append(Act::DeadlineWarned, case, &due.side, changes)?;
            Ok(true)
        })
        .await
    }

    async fn tell_gate(
        &self,
        case: CaseId,
        climbs: &impl Fn(&ProcessId, &ContactType) -> bool,
    ) -> Result<bool, StoreError> {
        self.timer(case, |case, changes| {
            let Some(due) = case.due.clone() else { return Ok(false) };
            case.told.gate = Some(due.at);
            let Some(side) = case.sides.iter().find(|side| side.initiator) else { return Ok(false) };
            if !climbs(&case.process, &case.contact_type) {
                return Ok(false);
            }
            self.tell_of(case, side, CaseNews::EscalationOpen, due.at, changes)?;
            self.append(Act::EscalationUnlocked, case, &side.group, changes)?;
            Ok(true)
        })
        .await
    }

    async fn warn_rest(&self, case: CaseId, before: Timestamp) -> Result<bool, StoreError> {
        self.timer(case, |case, changes| {
            if case.last_message_at > before || case.is_archived() {
                return Ok(false);
            }
            case.told.rest = Some(case.last_message_at);
            for side in &case.sides {
                self.tell_of(case, side, CaseNews::ArchiveSoon, case.last_message_at, changes)?;
                self.append(Act::ArchiveWarned, case, &side.group, changes)?;
            }
            Ok(true)
        })
        .await
    }

    /// Ends a case that has rested since `before` or longer: the keys of its messages, its notes and its tags go.
    async fn archive(&self, case: CaseId, before: Timestamp) -> Result<bool, StoreError> {
        let Some(known) = self.case(case).await? else { return Ok(false) };
        let gone = self.content_rows(&known).await?;
        self.timer(case, |case, changes| {
            if case.last_message_at > before || case.is_archived() || case.messages != known.messages {
                return Ok(false);
            }
            case.due = None;
            let (how, at) = (CaseEnd::Archived, self.now());
            case.ended = Some(Ended { how, at, side: None, by: None, reason: None });
            for side in &mut case.sides {
                side.removed_tags.clear();
            }
            changes.delete.extend(gone.iter().cloned());
            for side in &case.sides {
                self.append(Act::CaseArchived, case, &side.group, changes)?;
            }
            Ok(true)
        })
        .await
    }

    /// Changes a case by a timer. Where nothing came of it the row of the timer goes all the same if the case says so.
    async fn timer(
        &self,
        id: CaseId,
        change: impl Fn(&mut Case, &mut Changeset) -> Result<bool, StoreError>,
    ) -> Result<bool, StoreError> {
        loop {
            let Some((before, version)) = self.versioned_case(id).await? else { return Ok(false) };
            let (mut case, mut changes) = (before.clone(), Changeset::default());
            let done = change(&mut case, &mut changes)?;
            if case == before {
                return Ok(false);
            }
            write_case(Some((&before, version)), &case, &mut changes)?;
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    self.announce_work();
                    return Ok(done);
                }
            }
        }
    }

    fn append(
        &self,
        act: Act,
        case: &Case,
        group: &GroupId,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let event = Event::new(self.now(), Actor::Worker, act).group(group).case(case.id);
        changes.append.push(event.process(&case.process).to_bytes()?);
        Ok(())
    }

    /// To the owner of the side, or to where its notices go.
    fn tell_of(
        &self,
        case: &Case,
        side: &Side,
        what: CaseNews,
        about: Timestamp,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let directory = self.directory();
        let owner =
            side.owner.and_then(|owner| directory.user(&owner).filter(|user| user.is_active()).cloned());
        let mut news = case.news(side, what, about);
        if let Some(owner) = owner {
            news.to = owner.email;
        }
        let now = self.now();
        self.put_job(&Job::new(JobId::new(now)?, JobKind::Case(news), now, now), changes)
    }
}

fn of(timer: Timer) -> Key {
    Key::of(Table::CaseTimer).raw(&[timer as u8])
}
