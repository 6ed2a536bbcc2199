//! What a person has to look at: raised by machines, merged while it is open, closed by people.
//!
//! A task holds ids, addresses of mailboxes and status codes, never anything of a mail.

use jiff::Timestamp;
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, TaskId},
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
}

/// The most tasks that one list holds.
const MOST: usize = 1_000;

impl TaskKind {
    /// What two tasks of one kind have in common when they are about the same thing.
    fn identity(&self) -> String {
        match self {
            Self::MailboxBounces { address, .. } => format!("bounces {}", address.key()),
            Self::NoticeGivenUp { address } => format!("notice {}", address.key()),
            Self::MailGivenUp { kind, address } => format!("{kind} {}", address.key()),
            Self::PollingStopped { mailbox } => format!("polling {mailbox}"),
            Self::CertificateExpires { name } => format!("certificate {name}"),
        }
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
        let task = match &row {
            Some(row) => {
                let known: Task = records::decode(&row.value)?;
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
        self.tasks_in(tasks_of(group).range()).await
    }

    /// The open tasks of everybody, the oldest first; at most a thousand.
    pub async fn all_tasks(&self) -> Result<Vec<Task>, StoreError> {
        self.tasks_in(Key::of(Table::Task).range()).await
    }

    async fn tasks_in(&self, range: Range) -> Result<Vec<Task>, StoreError> {
        let rows = self.engine().scan(range, MOST).await?;
        let tasks = rows.iter().map(|(_, row)| records::decode(&row.value));
        let mut tasks = tasks.collect::<Result<Vec<Task>, _>>()?;
        tasks.sort_by_key(|task| task.id);
        Ok(tasks)
    }

    /// Closes a task of `group`. Whether there was such a task.
    pub async fn close_task(
        &self,
        actor: &Actor,
        group: Option<&GroupId>,
        id: TaskId,
    ) -> Result<bool, StoreError> {
        let tasks = self.tasks(group).await?;
        let Some(task) = tasks.into_iter().find(|task| task.id == id) else { return Ok(false) };
        let closed = of(Event::new(self.now(), actor.clone(), Act::TaskClosed), group);
        let changes = Changeset {
            delete: vec![task_key(group, &task.kind)],
            append: vec![Event { task: Some(id), case: task.case, ..closed }.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await?;
        Ok(true)
    }
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
