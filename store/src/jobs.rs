//! Work that is due: written in the commit that makes it due, leased, idempotent, retried.
//!
//! A job's key begins with its due time, so the next job is the first row. A lease moves the job
//! into the future: a worker that dies leaves it to become due again by itself. How a job is done is
//! the worker's business (`gateway::jobs`).

use std::time::Duration;

use jiff::Timestamp;
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, JobId, MessageId},
    keys::{Key, Table},
    ledger::Ledger,
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
    /// When it is tried next; for a leased job, when the lease ends.
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
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum JobKind {
    /// Tell a mailbox that a message waits in a case.
    #[n(0)]
    Notice(#[n(0)] Notice),
}

/// What a notice is about: ids and an address, so that nothing of a mail can reach it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Notice {
    #[n(0)]
    pub case: CaseId,
    #[n(1)]
    pub message: MessageId,
    /// The group that is told.
    #[n(2)]
    pub group: GroupId,
    #[n(3)]
    pub to: Address,
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
}

/// A job that this worker holds until its lease ends.
#[derive(Debug, Clone)]
pub struct Leased {
    pub job: Job,
    version: u64,
}

/// How a try ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    Done,
    /// Try again at the given time.
    Again(Timestamp, String),
    Abandoned(String),
}

/// The most jobs that one listing shows.
const LIST_LIMIT: usize = 10_000;

impl Ledger {
    /// Takes up to `limit` due jobs for `time`; nobody else gets them before that is over.
    pub async fn lease_jobs(&self, limit: usize, time: Duration) -> Result<Vec<Leased>, StoreError> {
        let now = self.now();
        let until = now.saturating_add(time).unwrap_or(now);
        let range = Range {
            from: Key::of(Table::Job).done(),
            to: Key::of(Table::Job).time(now).raw(&[0xff; 20]).done(),
        };
        let rows = self.engine().scan(range, limit).await?;
        let mut changes = Changeset::default();
        let mut jobs = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let job: Job = records::decode(&row.value)?;
            let job = Job { due: until, attempts: job.attempts + 1, standing: Standing::Leased, ..job };
            changes.require.push((key.clone(), Some(row.version)));
            changes.delete.push(key);
            changes.put.push((job_key(&job), records::encode(&job)?));
            jobs.push(job);
        }
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        match self.commit(changes).await {
            Ok(committed) => {
                Ok(jobs.into_iter().map(|job| Leased { job, version: committed.version }).collect())
            }
            // Another worker, or an administrator, took one of them: look again.
            Err(StoreError::Conflict) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// When the next job is due, if there is one.
    pub async fn next_due(&self) -> Result<Option<Timestamp>, StoreError> {
        let rows = self.engine().scan(Key::of(Table::Job).range(), 1).await?;
        let Some((_, row)) = rows.first() else { return Ok(None) };
        Ok(Some(records::decode::<Job>(&row.value)?.due))
    }

    /// Ends a try. `Conflict`: the lease had run out and somebody else has the job.
    pub async fn finish_job(&self, leased: Leased, outcome: Outcome) -> Result<(), StoreError> {
        let Leased { job, version } = leased;
        let now = self.now();
        let mut changes = Changeset {
            require: vec![(job_key(&job), Some(version))],
            delete: vec![job_key(&job)],
            ..Changeset::default()
        };
        let JobKind::Notice(notice) = &job.kind;
        let event = |act| {
            Event::new(now, Actor::Worker, act)
                .group(&notice.group)
                .case(notice.case)
                .message(notice.message)
                .job(job.id)
        };
        match outcome {
            Outcome::Done => {
                let sent = Job { due: now, last_error: None, ..job.clone() };
                changes.put.push((notice_key(notice.case, job.id), records::encode(&sent)?));
                changes.append.push(event(Act::NoticeSent).to_bytes()?);
            }
            Outcome::Again(due, error) => {
                let waiting =
                    Job { due, standing: Standing::Waiting, last_error: Some(error), ..job.clone() };
                changes.put.push((job_key(&waiting), records::encode(&waiting)?));
            }
            Outcome::Abandoned(error) => {
                let abandoned = Job { standing: Standing::Abandoned, last_error: Some(error), ..job.clone() };
                changes.put.push((job_key(&abandoned), records::encode(&abandoned)?));
                changes.append.push(event(Act::NoticeAbandoned).to_bytes()?);
            }
        }
        self.commit(changes).await.map(drop)
    }

    /// Everything that waits, is leased or was given up; those due first come first.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut jobs = Vec::new();
        for table in [Table::Job, Table::Abandoned] {
            for (_, row) in self.engine().scan(Key::of(table).range(), LIST_LIMIT).await? {
                jobs.push(records::decode(&row.value)?);
            }
        }
        Ok(jobs)
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.jobs().await?.into_iter().find(|job| job.id == id))
    }

    /// The notices of a case that left, oldest first.
    pub async fn notices(&self, case: CaseId) -> Result<Vec<Job>, StoreError> {
        let rows = self.engine().scan(Key::of(Table::Notice).id(&case).range(), LIST_LIMIT).await?;
        rows.iter().map(|(_, row)| records::decode(&row.value)).collect()
    }

    /// Makes a job due now, also one that was given up. Whether there was such a job.
    pub async fn retry_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        let now = self.now();
        let put = |job: Job| Some(Job { due: now, standing: Standing::Waiting, ..job });
        let changed = self.change_job(actor, id, Act::JobRetried, put).await?;
        self.announce_work();
        Ok(changed)
    }

    /// Takes a job out of the queue for good. Whether there was such a job.
    pub async fn drop_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        self.change_job(actor, id, Act::JobDropped, |_| None).await
    }

    async fn change_job(
        &self,
        actor: &Actor,
        id: JobId,
        act: Act,
        change: impl Fn(Job) -> Option<Job>,
    ) -> Result<bool, StoreError> {
        loop {
            let Some(job) = self.job(id).await? else { return Ok(false) };
            let Some(row) = self.row(job_key(&job)).await? else { continue };
            let mut changes = Changeset {
                require: vec![(job_key(&job), Some(row.version))],
                delete: vec![job_key(&job)],
                append: vec![Event::new(self.now(), actor.clone(), act).job(id).to_bytes()?],
                ..Changeset::default()
            };
            if let Some(changed) = change(job) {
                changes.delete.retain(|key| *key != job_key(&changed));
                changes.put.push((job_key(&changed), records::encode(&changed)?));
            }
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|_| true),
            }
        }
    }
}

pub(crate) fn job_key(job: &Job) -> Vec<u8> {
    match job.standing {
        Standing::Waiting | Standing::Leased => Key::of(Table::Job).time(job.due).id(&job.id).done(),
        Standing::Abandoned => Key::of(Table::Abandoned).id(&job.id).done(),
    }
}

fn notice_key(case: CaseId, job: JobId) -> Vec<u8> {
    Key::of(Table::Notice).id(&case).id(&job).done()
}
