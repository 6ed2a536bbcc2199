//! Taking a message back: who has not had it before their eyes never will; who had is named in the audit trail.
//!
//! A message is found again by a keyed digest of its author and subject, so neither stands readable in an index.

use jiff::Timestamp;
use mail::{Address, Class, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    accept::{Accepted, AcceptedCase},
    audit::{Act, Actor, Event},
    case_row::write_case,
    cases::{Case, MessageRecord, Side, message_key},
    directory::KeyRing,
    engine::{Changeset, Row},
    error::StoreError,
    ids::{CaseId, HeldId},
    jobs::{Job, JobKind},
    keys::{Key, Table},
    ledger::Ledger,
    reading::{Wraps, wrap_key},
    records, sealed,
};

/// That a message was taken back.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Withdrawal {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    /// The groups that had not seen it, and do not any more.
    #[n(1)]
    pub unseen: Vec<GroupId>,
    /// The groups that had seen it before.
    #[n(2)]
    pub seen: Vec<GroupId>,
}

/// What a request to take a message back says: whose message, and its subject.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Recalled {
    #[n(0)]
    pub author: Address,
    #[n(1)]
    pub subject: String,
}

/// A message that a recall may mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recallable {
    pub case: CaseId,
    pub number: u32,
}

/// What a release was to take back: it stands from the release until it is done, whatever happens in between.
#[derive(Debug, Clone, Encode, Decode)]
#[cbor(map)]
struct PendingRecall {
    #[n(0)]
    actor: Actor,
    #[n(1)]
    group: GroupId,
    #[n(2)]
    recalled: Recalled,
    #[n(3)]
    cases: Vec<AcceptedCase>,
}

impl Ledger {
    /// Notes with a release what it takes back.
    pub(crate) fn promise_recall(
        &self,
        held: HeldId,
        actor: &Actor,
        group: &GroupId,
        recalled: &Recalled,
        accepted: &Accepted,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let pending = PendingRecall {
            actor: actor.clone(),
            group: group.clone(),
            recalled: recalled.clone(),
            cases: accepted.cases.clone(),
        };
        let row = sealed::encode(self.root(), Table::PendingRecall, &held, &pending)?;
        changes.put.push((Key::of(Table::PendingRecall).id(&held).done(), row));
        Ok(())
    }

    /// Carries out what releases were to take back and did not come to. How many; the rest the next time.
    pub async fn finish_recalls(&self) -> Result<usize, StoreError> {
        /// More than are ever released between two moments.
        const MOST: usize = 100;
        let mut done = 0;
        for (key, row) in self.engine().scan(Key::of(Table::PendingRecall).range(), MOST).await? {
            match self.finish_recall(key, &row).await {
                Ok(()) => done += 1,
                // One that cannot be read must not keep the others.
                Err(error @ (StoreError::Corrupt(_) | StoreError::Denied(_))) => {
                    tracing::error!(%error, "a recall cannot be carried out");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }

    async fn finish_recall(&self, key: Vec<u8>, row: &Row) -> Result<(), StoreError> {
        let id =
            key.last_chunk::<20>().ok_or_else(|| StoreError::Corrupt("a recall of no mail".to_owned()))?;
        let held = HeldId::from_bytes(*id);
        let pending: PendingRecall = sealed::decode(self.root(), Table::PendingRecall, &held, &row.value)?;
        let accepted = Accepted { cases: pending.cases };
        self.carry_out(&pending.actor, &pending.group, &pending.recalled, &accepted).await?;
        self.commit(Changeset { delete: vec![key], ..Changeset::default() }).await.map(drop)
    }

    /// Withdraws what a request of `group` means in each case that it was just accepted into: the author's latest message
    /// of that subject before it. Done twice, it changes nothing more.
    pub async fn carry_out(
        &self,
        actor: &Actor,
        group: &GroupId,
        recalled: &Recalled,
        accepted: &Accepted,
    ) -> Result<(), StoreError> {
        for case in &accepted.cases {
            let Some(request) = self.request_in(case.id, group).await? else { continue };
            let messages = self.recallable(group, &recalled.author, &recalled.subject, Some(case.id)).await?;
            // What came behind the request is the better version of what it is about.
            if let Some(latest) = messages.iter().find(|message| message.number < request) {
                self.withdraw(actor, group, latest.case, latest.number).await?;
            }
        }
        Ok(())
    }

    /// The number of the group's latest request in the case.
    async fn request_in(&self, case: CaseId, group: &GroupId) -> Result<Option<u32>, StoreError> {
        let messages = self.messages(case).await?;
        let own =
            |message: &&MessageRecord| message.class == Some(Class::Recall) && message.from_group == *group;
        Ok(messages.iter().filter(own).map(|message| message.number).max())
    }

    /// The messages of `group` with this author and subject (a leading `Recall:` is ignored), the latest first;
    /// those of one case, or of all.
    pub async fn recallable(
        &self,
        group: &GroupId,
        author: &Address,
        subject: &str,
        case: Option<CaseId>,
    ) -> Result<Vec<Recallable>, StoreError> {
        /// More mails with one subject than a person writes.
        const MOST: usize = 1_000;
        let mut key = recall_key(self.directory().ring(group)?, author, subject);
        if let Some(case) = case {
            key = key.id(&case);
        }
        let rows = self.engine().scan(key.range(), MOST).await?;
        let mut found: Vec<_> = rows.iter().filter_map(|(key, _)| Recallable::at_end(key)).collect();
        found.sort_by_key(|message| std::cmp::Reverse((message.case, message.number)));
        Ok(found)
    }

    /// Takes the message back for every side that has not seen it: their keys to it go. `None`: there is no such message
    /// of this group. Taking it back twice changes nothing more.
    pub async fn withdraw(
        &self,
        actor: &Actor,
        group: &GroupId,
        case: CaseId,
        number: u32,
    ) -> Result<Option<Withdrawal>, StoreError> {
        loop {
            let Some((before, version)) = self.versioned_case(case).await? else { return Ok(None) };
            let mut case = before.clone();
            let mut messages = self.messages(case.id).await?;
            let mut sought = messages.iter_mut();
            let Some(message) = sought.find(|one| one.number == number && one.from_group == *group) else {
                return Ok(None);
            };
            if let Some(earlier) = &message.withdrawn {
                return Ok(Some(earlier.clone()));
            }
            let withdrawal = Withdrawal::of(&case, group, number, self.now());
            message.withdrawn = Some(withdrawal.clone());
            let message = message.clone();
            let mut changes = Changeset::default();
            self.take_keys(&message, &withdrawal, &mut changes).await?;
            changes.put.push((message_key(case.id, message.id), records::encode(&message)?));
            let notices = self.notices(case.id).await?;
            for side in case.sides.iter_mut().filter(|side| withdrawal.unseen.contains(&side.group)) {
                stop_waiting(side, number, &messages, &notices);
            }
            stop_clock(&mut case, &withdrawal, &messages);
            write_case(Some((&before, version)), &case, &mut changes)?;
            let event = |act, group: &GroupId| {
                let event = Event::new(withdrawal.at, actor.clone(), act).group(group).case(case.id);
                event.message(message.id).to_bytes()
            };
            changes.append.push(event(Act::MessageWithdrawn, group)?);
            for late in &withdrawal.seen {
                changes.append.push(event(Act::RecallTooLate, late)?);
            }
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|_| Some(withdrawal)),
            }
        }
    }

    /// Removes the wraps of those who have not seen it.
    async fn take_keys(
        &self,
        message: &MessageRecord,
        withdrawal: &Withdrawal,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let key = wrap_key(message.case, message.id);
        let Some(row) = self.row(key.clone()).await? else { return Ok(()) };
        let Wraps { mut wraps } = records::decode(&row.value)?;
        wraps.retain(|wrap| !withdrawal.unseen.contains(&wrap.group));
        changes.require.push((key.clone(), Some(row.version)));
        changes.put.push((key, records::encode(&Wraps { wraps })?));
        Ok(())
    }
}

impl Withdrawal {
    fn of(case: &Case, group: &GroupId, number: u32, at: Timestamp) -> Self {
        let others = case.counterparties(group);
        let (seen, unseen): (Vec<_>, Vec<_>) = others.partition(|side| side.seen >= number);
        let groups = |sides: Vec<&Side>| sides.into_iter().map(|side| side.group.clone()).collect();
        Self { at, unseen: groups(unseen), seen: groups(seen) }
    }
}

impl Recallable {
    fn at_end(key: &[u8]) -> Option<Self> {
        let (key, number) = key.split_last_chunk::<4>()?;
        let case = CaseId::from_bytes(*key.last_chunk::<20>()?);
        Some(Self { case, number: u32::from_be_bytes(*number) })
    }
}

/// What waits for a side is what still stands. A notice of the message that has not left yet counts as none, so that
/// the next message makes one.
fn stop_waiting(side: &mut Side, number: u32, messages: &[MessageRecord], notices: &[Job]) {
    let stands = |one: &&MessageRecord| {
        one.from_group != side.group && !one.automatic && !one.is_withdrawn_for(&side.group)
    };
    side.waiting = messages.iter().filter(stands).map(|one| one.number).max().unwrap_or(0);
    let left = notices.iter().any(|job| match &job.kind {
        JobKind::Notice(notice) => notice.group == side.group && notice.number == number,
        _ => false,
    });
    if side.noticed == number && !left {
        side.noticed = 0;
    }
}

/// Nobody owes an answer to what was taken back.
fn stop_clock(case: &mut Case, withdrawal: &Withdrawal, messages: &[MessageRecord]) {
    let owes = case.due.as_ref().is_some_and(|due| withdrawal.unseen.contains(&due.side));
    if owes && case.waiting_since(messages).is_none() {
        case.due = None;
    }
}

/// Where messages of an author with a subject are found: a prefix, case and number follow.
pub(crate) fn recall_key(ring: &KeyRing, author: &Address, subject: &str) -> Key {
    let what = format!("{}\0{}", author.key(), plain(subject));
    Key::of(Table::Recall).digest(&ring.indexer.digest("recall", what.as_bytes()))
}

/// The subject without what a client puts in front of it in a recall; case and white space do not count.
fn plain(subject: &str) -> String {
    let lower = subject.to_lowercase();
    let rest = lower.trim_start().strip_prefix("recall:").unwrap_or(&lower);
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}
