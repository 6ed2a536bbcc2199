//! What a person has to look at: raised by machines, merged while it is open, closed by people, or by time where it was
//! something that happened and has not happened again.
//!
//! A task holds ids, addresses of the market's mailboxes, domains and status codes, never anything of a mail.

use std::time::Duration;

use jiff::Timestamp;
use mail::{Address, ContactType, GroupId, Mpid, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, TaskId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Task {
    #[n(0)]
    pub id: TaskId,
    /// Whose task it is; none: the administrator's of the machine.
    #[n(1)]
    pub group: Option<GroupId>,
    #[n(2)]
    pub kind: TaskKind,
    /// The case in which it happened last.
    #[n(3)]
    pub case: Option<CaseId>,
    #[cbor(n(4), with = "records::time")]
    pub since: Timestamp,
    /// When it happened last.
    #[cbor(n(5), with = "records::time")]
    pub last: Timestamp,
    /// How often it happened.
    #[n(6)]
    pub count: u32,
}

/// What happened. Two of one kind about the same thing are one task.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum TaskKind {
    /// Mail of ours to this address comes back; the latest status (`5.1.1`).
    #[n(0)]
    MailboxBounces {
        #[n(0)]
        address: Address,
        #[n(1)]
        status: String,
    },
    /// Notices to this address could not be handed over.
    #[n(1)]
    NoticeGivenUp {
        #[n(0)]
        address: Address,
    },
    /// Another mail of ours, or a relayed one, could not be handed over; which: `JobKind::as_str`.
    #[n(2)]
    MailGivenUp {
        #[n(0)]
        kind: String,
        #[n(1)]
        address: Address,
    },
    /// A legacy mailbox is not polled any more.
    #[n(3)]
    PollingStopped {
        #[n(0)]
        mailbox: String,
    },
    /// A certificate ends soon.
    #[n(4)]
    CertificateExpires {
        #[n(0)]
        name: String,
    },
    /// Mail to addresses of nobody here could not be handed over; which: `JobKind::as_str`.
    #[n(5)]
    DomainGivenUp {
        #[n(0)]
        kind: String,
        #[n(1)]
        domain: String,
    },
    /// Mail of the group waits for its compliance role. Gone with the last one that is decided.
    #[n(6)]
    MailHeld,
    /// The guard stopped a mail: which (`JobKind::as_str`), and what it found last (`mpan 2`; empty: it was not allowed).
    #[n(7)]
    StoppedAtDoor {
        #[n(0)]
        kind: String,
        #[n(1)]
        found: String,
    },
    /// A user has not signed in for long and will be suspended.
    #[n(10)]
    UserIdle {
        #[n(0)]
        user: UserId,
    },
    /// And was.
    #[n(11)]
    UserSuspended {
        #[n(0)]
        user: UserId,
    },
    /// Nobody who administers the group has signed in for long: the operator's to ask after.
    #[n(12)]
    LastMauIdle {
        #[n(0)]
        group: GroupId,
    },
    /// A participant goes from one group to another, or comes.
    #[n(13)]
    ParticipantMoves {
        #[n(0)]
        mpid: Mpid,
        #[cbor(n(1), with = "records::time")]
        from: Timestamp,
    },
    /// A case was escalated to a rung for which the group has mapped no mailbox.
    #[n(15)]
    RungUnmapped {
        #[n(0)]
        participant: Mpid,
        #[n(1)]
        process: ProcessId,
        #[n(2)]
        contact_type: ContactType,
    },
}

/// An open task and its row.
pub(crate) struct OpenTask {
    task: Task,
    key: Vec<u8>,
    version: u64,
}

/// The most tasks that one list holds.
const MOST: usize = 1_000;
/// Rows read at once.
const STEP: usize = 500;

impl TaskKind {
    /// What two tasks of one kind have in common when they are about the same thing.
    fn identity(&self) -> String {
        match self {
            Self::MailboxBounces { address, .. } => format!("bounces {}", address.key()),
            Self::NoticeGivenUp { address } => format!("notice {}", address.key()),
            Self::MailGivenUp { kind, address } => format!("{kind} {}", address.key()),
            Self::PollingStopped { mailbox } => format!("polling {mailbox}"),
            Self::CertificateExpires { name } => format!("certificate {name}"),
            Self::DomainGivenUp { kind, domain } => format!("{kind} @{domain}"),
            Self::MailHeld => "held".to_owned(),
            Self::StoppedAtDoor { kind, .. } => format!("door {kind}"),
            Self::UserIdle { user } => format!("idle {user}"),
            Self::UserSuspended { user } => format!("suspended {user}"),
            Self::LastMauIdle { group } => format!("last mau {group}"),
            Self::ParticipantMoves { mpid, .. } => format!("moves {mpid}"),
            Self::RungUnmapped { participant, process, contact_type } => {
                format!("rung {participant} {process} {contact_type}")
            }
        }
    }

    /// Whether it happened and is over, as opposed to something that still is so.
    fn is_past(&self) -> bool {
        match self {
            Self::MailboxBounces { .. }
            | Self::NoticeGivenUp { .. }
            | Self::MailGivenUp { .. }
            | Self::DomainGivenUp { .. }
            | Self::UserIdle { .. }
            | Self::UserSuspended { .. }
            | Self::ParticipantMoves { .. } => true,
            // An alarm is over when a person says so.
            Self::PollingStopped { .. }
            | Self::CertificateExpires { .. }
            | Self::MailHeld
            | Self::StoppedAtDoor { .. }
            | Self::LastMauIdle { .. }
            | Self::RungUnmapped { .. } => false,
        }
    }

    /// Whether it is the compliance role's, not the administrator's.
    pub fn is_for_compliance(&self) -> bool {
        matches!(self, Self::MailHeld)
    }
}

impl Ledger {
    /// Raises a task, or counts one that is open up.
    pub async fn raise_task(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        kind: TaskKind,
        case: Option<CaseId>,
    ) -> Result<(), StoreError> {
        loop {
            let mut changes = Changeset::default();
            self.add_task(actor, group, kind.clone(), case, &mut changes).await?;
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    /// The same within another commit.
    pub(crate) async fn add_task(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        kind: TaskKind,
        case: Option<CaseId>,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let now = self.now();
        let key = task_key(group, &kind);
        let row = self.row(key.clone()).await?;
        changes.require.push((key.clone(), row.as_ref().map(|row| row.version)));
        // One that cannot be read is raised anew: what makes it must not fail of it.
        let known = row.and_then(|row| records::decode::<Task>(&row.value).inspect_err(unread).ok());
        let task = match known {
            Some(known) => {
                let count = known.count.saturating_add(1);
                Task { kind, case: case.or(known.case), last: now, count, ..known }
            }
            None => {
                let id = TaskId::new(now)?;
                let raised = of(Event::new(now, actor.clone(), Act::TaskRaised), group);
                changes.append.push(Event { task: Some(id), case, ..raised }.to_bytes()?);
                Task { id, group: group.cloned(), kind, case, since: now, last: now, count: 1 }
            }
        };
        changes.put.push((key, records::encode(&task)?));
        Ok(())
    }

    /// The open tasks of a group, or (`None`) of the machine's administrator, the oldest first; at most a thousand.
    pub async fn tasks(&self, group: Option<&GroupId>) -> Result<Vec<Task>, StoreError> {
        self.oldest(tasks_of(group).range(), MOST, |_| true).await
    }

    /// Those of them behind `after`, the oldest first; at most `limit`.
    pub async fn tasks_after(
        &self,
        group: &GroupId,
        after: Option<TaskId>,
        limit: usize,
    ) -> Result<Vec<Task>, StoreError> {
        let behind = |task: &Task| after.is_none_or(|after| task.id > after);
        self.oldest(tasks_of(Some(group)).range(), limit.clamp(1, MOST), behind).await
    }

    /// The open tasks of everybody, the oldest first; at most a thousand.
    pub async fn all_tasks(&self) -> Result<Vec<Task>, StoreError> {
        self.oldest(Key::of(Table::Task).range(), MOST, |_| true).await
    }

    /// The first `limit` by age among those that are `meant`, however many there are.
    async fn oldest(
        &self,
        range: Range,
        limit: usize,
        meant: impl Fn(&Task) -> bool,
    ) -> Result<Vec<Task>, StoreError> {
        let mut first: Vec<Task> = Vec::new();
        self.each_task(range, |open| {
            if meant(&open.task) {
                first.push(open.task);
            }
            // Sorted now and then, so that what is kept stays small.
            if first.len() >= 2 * limit + STEP {
                keep_oldest(&mut first, limit);
            }
        })
        .await?;
        keep_oldest(&mut first, limit);
        Ok(first)
    }

    async fn each_task(&self, mut range: Range, mut look: impl FnMut(OpenTask)) -> Result<(), StoreError> {
        loop {
            let rows = self.engine().scan(range.clone(), STEP).await?;
            let more = rows.len() == STEP;
            for (key, row) in rows {
                range.from = [key.as_slice(), &[0]].concat();
                match records::decode(&row.value) {
                    Ok(task) => look(OpenTask { task, key, version: row.version }),
                    // One that cannot be read must not hide the others.
                    Err(error) => unread(&error),
                }
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Closes a task of `group`. Whether there was such a task.
    pub async fn close_task(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        id: TaskId,
    ) -> Result<bool, StoreError> {
        loop {
            let Some(open) = self.find_task(group, id).await? else { return Ok(false) };
            // One that happened again meanwhile is closed all the same.
            if self.close_open(actor, open).await? {
                return Ok(true);
            }
        }
    }

    async fn find_task(&self, group: Option<&GroupId>, id: TaskId) -> Result<Option<OpenTask>, StoreError> {
        let mut found = None;
        let look = |open: OpenTask| {
            if open.task.id == id {
                found = Some(open);
            }
        };
        self.each_task(tasks_of(group).range(), look).await?;
        Ok(found)
    }

    /// The open task of a group about this, if there is one.
    pub async fn task_about(&self, group: &GroupId, kind: &TaskKind) -> Result<Option<Task>, StoreError> {
        Ok(self.open_task(Some(group), kind).await?.map(|open| open.task))
    }

    /// The open task about the same thing.
    pub(crate) async fn open_task(
        &self,
        group: Option<&GroupId>,
        kind: &TaskKind,
    ) -> Result<Option<OpenTask>, StoreError> {
        let key = task_key(group, kind);
        let Some(row) = self.row(key.clone()).await? else { return Ok(None) };
        Ok(Some(OpenTask { task: records::decode(&row.value)?, key, version: row.version }))
    }

    /// Closes a task as it was seen; false if it happened again since.
    pub(crate) async fn close_open(&self, actor: &Actor, open: OpenTask) -> Result<bool, StoreError> {
        let OpenTask { task, key, version } = open;
        let closed = of(Event::new(self.now(), actor.clone(), Act::TaskClosed), task.group.as_ref());
        let changes = Changeset {
            require: vec![(key.clone(), Some(version))],
            delete: vec![key],
            append: vec![Event { task: Some(task.id), case: task.case, ..closed }.to_bytes()?],
            ..Changeset::default()
        };
        match self.commit(changes).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Closes tasks about what happened last longer than `age` ago, each with its event; at most `limit`. How many.
    pub async fn close_old_tasks(&self, age: Duration, limit: usize) -> Result<usize, StoreError> {
        let before = self.now().saturating_sub(age).unwrap_or(Timestamp::MIN);
        let mut old = Vec::new();
        self.each_task(Key::of(Table::Task).range(), |open| {
            if old.len() < limit && open.task.kind.is_past() && open.task.last < before {
                old.push(open);
            }
        })
        .await?;
        let mut closed = 0;
        for open in old {
            closed += usize::from(self.close_open(&Actor::Worker, open).await?);
        }
        Ok(closed)
    }
}

fn unread(error: &StoreError) {
    tracing::error!(%error, "a task cannot be read and is left out");
}

fn keep_oldest(tasks: &mut Vec<Task>, limit: usize) {
    tasks.sort_by_key(|task| task.id);
    tasks.truncate(limit);
}

fn of(event: Event, group: Option<&GroupId>) -> Event {
    match group {
        Some(group) => event.group(group),
        None => event,
    }
}

fn tasks_of(group: Option<&GroupId>) -> Key {
    Key::of(Table::Task).text(group.map_or("", GroupId::as_str))
}

fn task_key(group: Option<&GroupId>, kind: &TaskKind) -> Vec<u8> {
    tasks_of(group).digest(&certs::sha256(kind.identity().as_bytes())).done()
}
