//! When users signed in last, and what follows when they do not: after 76 days those who administer the group are told, and the
//! user by a letter, who gets another after 83; after 90 the user is suspended; the last who administers a group never is, the operator is told instead.

use jiff::{SignedDuration, Timestamp};
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    changes::DirectoryChange,
    directory::User,
    engine::Changeset,
    error::StoreError,
    ids::{JobId, UserId},
    jobs::{Job, JobKind},
    keys::{Key, Table},
    ledger::Ledger,
    people::UserState,
    records,
    tasks::TaskKind,
};

/// Who does not sign in for so long is suspended.
pub const IDLE_DAYS: i64 = 90;
/// And so long before that somebody is told.
const NOTICE_DAYS: i64 = 14;
/// The user is told once more.
const LAST_NOTICE_DAYS: i64 = 7;
/// Users looked at in one read.
const BATCH: usize = 500;

/// What is known of a user's coming and going.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Presence {
    /// The days are counted from here.
    #[cbor(n(0), with = "records::time")]
    counted_from: Timestamp,
    #[cbor(n(1), with = "records::optional_time", has_nil)]
    signed_in: Option<Timestamp>,
    /// When somebody was told.
    #[cbor(n(2), with = "records::optional_time", has_nil)]
    told: Option<Timestamp>,
}

/// That the account of a user is suspended at `until` if nobody signs in.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct IdleNotice {
    #[n(0)]
    pub user: UserId,
    #[n(1)]
    pub group: GroupId,
    #[n(2)]
    pub to: Address,
    #[cbor(n(3), with = "records::time")]
    pub until: Timestamp,
}

/// How long a user has not been there.
enum Idle {
    Not,
    Noticeable,
    TooLong,
}

impl Presence {
    /// The row of a user who signs in now.
    pub(crate) fn now(user: UserId, now: Timestamp) -> Result<(Vec<u8>, bytes::Bytes), StoreError> {
        let here = Self { counted_from: now, signed_in: Some(now), told: None };
        Ok((presence_key(user), records::encode(&here)?))
    }

    /// The day from which days are counted: who was reinstated has all of them again.
    fn from(&self, user: &User) -> Timestamp {
        user.since.map_or(self.counted_from, |since| since.max(self.counted_from))
    }

    fn after(&self, user: &User, days: i64) -> Timestamp {
        let from = self.from(user);
        from.checked_add(SignedDuration::from_hours(24 * days)).unwrap_or(from)
    }

    fn idle(&self, user: &User, now: Timestamp) -> Idle {
        let days = now.duration_since(self.from(user)).as_hours() / 24;
        match days {
            IDLE_DAYS.. => Idle::TooLong,
            days if days >= IDLE_DAYS - NOTICE_DAYS => Idle::Noticeable,
            _ => Idle::Not,
        }
    }

    fn told_since(&self, user: &User) -> bool {
        self.told.is_some_and(|told| user.since.is_none_or(|since| told >= since))
    }
}

impl Ledger {
    /// When each of these users signed in last, in the same order.
    pub async fn last_sign_ins(&self, users: &[UserId]) -> Result<Vec<Option<Timestamp>>, StoreError> {
        let keys: Vec<_> = users.iter().map(|user| presence_key(*user)).collect();
        let rows = self.engine().get(&keys).await?;
        rows.into_iter()
            .map(|row| match row {
                Some(row) => Ok(records::decode::<Presence>(&row.value)?.signed_in),
                None => Ok(None),
            })
            .collect()
    }

    /// Suspends who has not signed in for 90 days, and tells of those who will be; says how many were suspended.
    pub async fn sweep_idle_users(&self) -> Result<usize, StoreError> {
        let directory = self.directory();
        let users: Vec<&User> = directory.users().filter(|user| user.state == UserState::Confirmed).collect();
        let mut suspended = 0;
        for users in users.chunks(BATCH) {
            let keys: Vec<_> = users.iter().map(|user| presence_key(user.id)).collect();
            let rows = self.engine().get(&keys).await?;
            for (user, row) in users.iter().zip(rows) {
                let version = row.as_ref().map(|row| row.version);
                let known = row.map(|row| records::decode::<Presence>(&row.value)).transpose()?;
                suspended += usize::from(self.look_at(user, known, version).await?);
            }
        }
        Ok(suspended)
    }

    /// Whether the user was suspended.
    async fn look_at(
        &self,
        user: &User,
        known: Option<Presence>,
        version: Option<u64>,
    ) -> Result<bool, StoreError> {
        let now = self.now();
        let Some(known) = known else {
            // An earlier release kept no sign-ins: the days begin now.
            let begins = Presence { counted_from: now, signed_in: None, told: None };
            self.save_presence(user, version, &begins, Changeset::default()).await?;
            return Ok(false);
        };
        match known.idle(user, now) {
            Idle::Not => Ok(false),
            Idle::Noticeable if known.told_since(user) => {
                let last = known.after(user, IDLE_DAYS - LAST_NOTICE_DAYS);
                if now >= last && known.told.is_none_or(|told| told < last) {
                    self.remind(user, &known, version).await?;
                }
                Ok(false)
            }
            Idle::Noticeable => {
                let kind = TaskKind::UserIdle { user: user.id };
                self.tell(user, &known, version, false, kind).await?;
                Ok(false)
            }
            Idle::TooLong => self.suspend_idle(user, &known, version).await,
        }
    }

    async fn suspend_idle(
        &self,
        user: &User,
        known: &Presence,
        version: Option<u64>,
    ) -> Result<bool, StoreError> {
        let change = [DirectoryChange::State(user.id, UserState::Suspended)];
        let unchanged = [(presence_key(user.id), version)];
        match self.try_change(&Actor::Worker, &change, &unchanged).await {
            Ok(()) => {
                let kind = TaskKind::UserSuspended { user: user.id };
                self.raise_task(&Actor::Worker, Some(&user.group), kind, None).await?;
                Ok(true)
            }
            Err(StoreError::LastMau(group)) => {
                let again = known.told.is_none_or(|told| {
                    self.now().duration_since(told) >= SignedDuration::from_hours(24 * NOTICE_DAYS)
                });
                if again {
                    self.tell(user, known, version, true, TaskKind::LastMauIdle { group }).await?;
                }
                Ok(false)
            }
            // The user signed in, or the directory moved: the next round sees how it is then.
            Err(StoreError::Conflict | StoreError::Denied(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Raises the task and notes that it was, in one commit.
    async fn tell(
        &self,
        user: &User,
        known: &Presence,
        version: Option<u64>,
        operator: bool,
        kind: TaskKind,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let mut changes = Changeset::default();
        let group = (!operator).then_some(&user.group);
        self.add_task(&Actor::Worker, group, kind, None, &mut changes).await?;
        let event = Event::new(now, Actor::Worker, Act::IdleNoticed).group(&user.group).user(user.id);
        changes.append.push(event.to_bytes()?);
        if !operator {
            self.write_letter(user, known, &mut changes)?;
        }
        self.save_presence(user, version, &Presence { told: Some(now), ..known.clone() }, changes).await
    }

    /// The second letter.
    async fn remind(&self, user: &User, known: &Presence, version: Option<u64>) -> Result<(), StoreError> {
        let mut changes = Changeset::default();
        self.write_letter(user, known, &mut changes)?;
        let told = Some(self.now());
        self.save_presence(user, version, &Presence { told, ..known.clone() }, changes).await
    }

    /// The last who administers a group is not suspended, and so gets no letter that says so.
    fn write_letter(&self, user: &User, known: &Presence, changes: &mut Changeset) -> Result<(), StoreError> {
        let directory = self.directory();
        let mut others = directory.users().filter(|other| other.group == user.group && other.id != user.id);
        if user.is_acting_mau() && !others.any(User::is_acting_mau) {
            return Ok(());
        }
        let (now, until) = (self.now(), known.after(user, IDLE_DAYS));
        let notice = IdleNotice { user: user.id, group: user.group.clone(), to: user.email.clone(), until };
        self.put_job(&Job::new(JobId::new(now)?, JobKind::Idle(notice), now, now), changes)
    }

    /// Whether it still is as the letter says: the user has not come back, and the account is not gone.
    pub async fn idle_notice_stands(&self, notice: &IdleNotice) -> Result<bool, StoreError> {
        let directory = self.directory();
        let user = directory.user(&notice.user).filter(|user| user.state == UserState::Confirmed);
        let (Some(user), Some(row)) = (user, self.row(presence_key(notice.user)).await?) else {
            return Ok(false);
        };
        let until = records::decode::<Presence>(&row.value)?.after(user, IDLE_DAYS);
        // Stored instants are whole milliseconds.
        Ok(until.duration_since(notice.until).abs() < SignedDuration::from_secs(1) && self.now() < until)
    }

    /// Whoever was faster knows better: what is not saved now is looked at again in the next round.
    async fn save_presence(
        &self,
        user: &User,
        version: Option<u64>,
        presence: &Presence,
        mut changes: Changeset,
    ) -> Result<(), StoreError> {
        let key = presence_key(user.id);
        changes.require.push((key.clone(), version));
        changes.put.push((key, records::encode(presence)?));
        match self.commit(changes).await {
            Ok(_) => {
                // A letter may have been made.
                self.announce_work();
                Ok(())
            }
            Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

pub(crate) fn presence_key(user: UserId) -> Vec<u8> {
    Key::of(Table::Presence).id(&user).done()
}
