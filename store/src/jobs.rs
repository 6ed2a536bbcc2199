//! Work that is due: written in the commit that makes it due, leased, idempotent, retried.
//!
//! A job's key begins with its due time, so the next job is the first row. A lease moves the job
//! into the future: a worker that dies leaves it to become due again by itself. How a job is done is
//! the worker's business (`gateway::Worker`).

use std::time::Duration;

use jiff::Timestamp;
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    cases::{Case, Side, case_key},
    engine::{Changeset, Range, Row},
    error::StoreError,
    ids::{CaseId, JobId},
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
    /// When an administrator last gave it the whole time again.
    #[cbor(n(7), with = "records::optional_time", has_nil)]
    pub retried_at: Option<Timestamp>,
}

impl Job {
    /// From when on its patience is counted.
    pub fn patience_from(&self) -> Timestamp {
        self.retried_at.unwrap_or(self.created_at)
    }
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
    /// The number of the message that waits.
    #[n(1)]
    pub number: u32,
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

/// Rows read at once when all jobs are gone through.
const PAGE: usize = 1_000;

/// Writes a notice job for every side that wants one.
pub(crate) fn make_notices(
    case: &mut Case,
    now: Timestamp,
    changes: &mut Changeset,
) -> Result<(), StoreError> {
    let id = case.id;
    for side in case.sides.iter_mut().filter(|side| side.wants_notice()) {
        side.noticed = side.waiting;
        let notice =
            Notice { case: id, number: side.waiting, group: side.group.clone(), to: side.contact.clone() };
        let job = Job {
            id: JobId::new(now)?,
            kind: JobKind::Notice(notice),
            created_at: now,
            due: now,
            attempts: 0,
            standing: Standing::Waiting,
            last_error: None,
            retried_at: None,
        };
        changes.put.push((job_key(&job), records::encode(&job)?));
    }
    Ok(())
}

impl Ledger {
    /// Takes up to `limit` due jobs for `time`; nobody else gets them before that is over.
    pub async fn lease_jobs(&self, limit: usize, time: Duration) -> Result<Vec<Leased>, StoreError> {
        let now = self.now();
        let until = now.saturating_add(time).unwrap_or(now);
        let due = Range {
            from: Key::of(Table::Job).done(),
            to: Key::of(Table::Job).time(now).raw(&[0xff; 20]).done(),
        };
        let mut changes = Changeset::default();
        let mut jobs = Vec::new();
        for (key, row) in self.engine().scan(due, limit).await? {
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

    /// Makes every leased job due again. For a process that knows that no other one works on this
    /// ledger: what it leased before it was killed need not wait for the leases to end.
    pub async fn release_leases(&self) -> Result<(), StoreError> {
        for job in self.jobs_in(Table::Job).await? {
            if job.standing == Standing::Leased {
                let waiting = Job { due: self.now(), standing: Standing::Waiting, ..job.clone() };
                let changes = Changeset {
                    delete: vec![job_key(&job)],
                    put: vec![(job_key(&waiting), records::encode(&waiting)?)],
                    ..Changeset::default()
                };
                self.commit(changes).await?;
            }
        }
        Ok(())
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
        match outcome {
            Outcome::Done => {
                let sent = Job { due: now, last_error: None, ..job.clone() };
                changes.put.push((notice_key(notice.case, job.id), records::encode(&sent)?));
                changes.append.push(event(&job, now, Actor::Worker, Act::NoticeSent).to_bytes()?);
            }
            Outcome::Again(due, error) => {
                let waiting =
                    Job { due, standing: Standing::Waiting, last_error: Some(error), ..job.clone() };
                changes.put.push((job_key(&waiting), records::encode(&waiting)?));
            }
            Outcome::Abandoned(error) => {
                let abandoned = Job { standing: Standing::Abandoned, last_error: Some(error), ..job.clone() };
                changes.put.push((job_key(&abandoned), records::encode(&abandoned)?));
                changes.append.push(event(&job, now, Actor::Worker, Act::NoticeAbandoned).to_bytes()?);
                return self.commit_untold(notice, changes).await;
            }
        }
        self.commit(changes).await.map(drop)
    }

    /// Commits the end of a notice that never got away, and lets the next message of its case make a
    /// new one. The job's own row stands first among the preconditions.
    async fn commit_untold(&self, notice: &Notice, changes: Changeset) -> Result<(), StoreError> {
        loop {
            let mut changes = changes.clone();
            if let Some((mut case, version)) = self.versioned_case(notice.case).await? {
                let told = |side: &&mut Side| side.group == notice.group && side.noticed == notice.number;
                if let Some(side) = case.sides.iter_mut().find(told) {
                    side.noticed = 0;
                    changes.require.push((case_key(case.id), Some(version)));
                    changes.put.push((case_key(case.id), records::encode(&case)?));
                }
            }
            let job = changes.require.first().cloned();
            match (self.commit(changes).await, job) {
                // The case moved on, and the job did not: look at the case again.
                (Err(StoreError::Conflict), Some((key, version)))
                    if self.row(key.clone()).await?.map(|row| row.version) == version => {}
                (done, _) => return done.map(drop),
            }
        }
    }

    /// Everything that waits, is leased or was given up; those due first come first.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let mut jobs = self.jobs_in(Table::Job).await?;
        jobs.extend(self.jobs_in(Table::Abandoned).await?);
        Ok(jobs)
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.jobs().await?.into_iter().find(|job| job.id == id))
    }

    /// The notices of a case that left, oldest first.
    pub async fn notices(&self, case: CaseId) -> Result<Vec<Job>, StoreError> {
        let rows = self.engine().scan(Key::of(Table::Notice).id(&case).range(), PAGE).await?;
        rows.iter().map(|(_, row)| records::decode(&row.value)).collect()
    }

    /// How many jobs wait or are leased, and how many were given up.
    pub async fn count_jobs(&self) -> Result<(usize, usize), StoreError> {
        Ok((self.rows_of(Table::Job).await?.len(), self.rows_of(Table::Abandoned).await?.len()))
    }

    async fn jobs_in(&self, table: Table) -> Result<Vec<Job>, StoreError> {
        self.rows_of(table).await?.iter().map(|row| records::decode(&row.value)).collect()
    }

    async fn rows_of(&self, table: Table) -> Result<Vec<Row>, StoreError> {
        let mut range = Key::of(table).range();
        let mut found = Vec::new();
        loop {
            let rows = self.engine().scan(range.clone(), PAGE).await?;
            let next = rows.last().map(|(key, _)| [key.as_slice(), &[0]].concat());
            let more = rows.len() == PAGE;
            found.extend(rows.into_iter().map(|(_, row)| row));
            match next {
                Some(next) if more => range.from = next,
                _ => return Ok(found),
            }
        }
    }

    /// Makes a job due now, also one that was given up. Whether there was such a job.
    ///
    /// # Errors
    /// `Denied` if a worker is busy with it.
    pub async fn retry_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        let Some((job, version)) = self.idle_job(id).await? else { return Ok(false) };
        let now = self.now();
        // What was given up for its age gets the whole time again; what the notice says of itself stays.
        let waiting = Job { due: now, retried_at: Some(now), standing: Standing::Waiting, ..job.clone() };
        let mut changes = Changeset {
            require: vec![(job_key(&job), Some(version))],
            put: vec![(job_key(&waiting), records::encode(&waiting)?)],
            append: vec![event(&job, now, actor.clone(), Act::JobRetried).to_bytes()?],
            ..Changeset::default()
        };
        if job_key(&job) != job_key(&waiting) {
            changes.delete.push(job_key(&job));
        }
        self.commit(changes).await?;
        self.announce_work();
        Ok(true)
    }

    /// Takes a job out of the queue for good. Whether there was such a job.
    ///
    /// # Errors
    /// `Denied` if a worker is busy with it.
    pub async fn drop_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        let Some((job, version)) = self.idle_job(id).await? else { return Ok(false) };
        let JobKind::Notice(notice) = &job.kind;
        let changes = Changeset {
            require: vec![(job_key(&job), Some(version))],
            delete: vec![job_key(&job)],
            append: vec![event(&job, self.now(), actor.clone(), Act::JobDropped).to_bytes()?],
            ..Changeset::default()
        };
        self.commit_untold(notice, changes).await?;
        Ok(true)
    }

    /// A job that no worker is busy with.
    async fn idle_job(&self, id: JobId) -> Result<Option<(Job, u64)>, StoreError> {
        let Some(job) = self.job(id).await? else { return Ok(None) };
        if job.standing == Standing::Leased {
            let reason = format!("job {id} is being worked on; look again when that is over");
            return Err(StoreError::Denied(reason));
        }
        Ok(self.row(job_key(&job)).await?.map(|row| (job, row.version)))
    }
}

fn event(job: &Job, at: Timestamp, actor: Actor, act: Act) -> Event {
    let JobKind::Notice(notice) = &job.kind;
    Event::new(at, actor, act).group(&notice.group).case(notice.case).job(job.id)
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
