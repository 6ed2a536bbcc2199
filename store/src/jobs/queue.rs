//! Who gets what next.
//!
//! A job's key begins with the domain that it goes to, then its due time. So the queue is one lane for each domain:
//! a lane that is busy, on hold or not yet due is stepped over with one look, however many jobs stand in it, and a
//! dead domain with ten thousand jobs keeps nobody else waiting. A lease moves a job into the future of its lane: a
//! worker that dies leaves it to become due again by itself.

use std::{
    collections::{HashSet, VecDeque},
    time::Duration,
};

use bytes::Bytes;
use certs::RootKey;
use jiff::Timestamp;

use crate::{
    engine::{Changeset, Engine, Range, Row},
    error::StoreError,
    ids::{CaseId, JobId},
    jobs::{Job, Leased, SentMail, Standing, sent_key},
    keys::{Key, Table},
    ledger::Ledger,
    records, sealed,
};

/// Rows read at once where most of them are stepped over.
const STEP: usize = 64;
/// Rows read at once where all of them are wanted.
pub(super) const PAGE: usize = 500;
/// The most jobs that one list holds.
const MOST_LISTED: usize = 10_000;

/// A job that could be leased.
struct Candidate {
    key: Vec<u8>,
    version: u64,
    job: Job,
}

/// Those of one domain, the one due first first.
type Lane = VecDeque<Candidate>;

/// What stands in the key of a job of the queue.
struct Place<'a> {
    domain: &'a [u8],
    due: u64,
}

/// What the walk through the queue does after a row.
enum Step {
    Next,
    /// Past all other jobs of this domain.
    NextDomain,
    Stop,
}

impl Ledger {
    /// Takes up to `limit` due jobs for `time`; nobody else gets them before that is over. Domains take turns, and
    /// those of `busy` (lower case) get nothing now.
    pub async fn lease_jobs(
        &self,
        limit: usize,
        time: Duration,
        busy: &[String],
    ) -> Result<Vec<Leased>, StoreError> {
        let now = self.now();
        let until = now.saturating_add(time).unwrap_or(now);
        let mut changes = Changeset::default();
        let mut jobs = Vec::new();
        for Candidate { key, version, job } in self.due_jobs(limit, now, busy).await? {
            changes.require.push((key.clone(), Some(version)));
            changes.delete.push(key);
            // Its worker died with it.
            if job.standing == Standing::Stopping {
                self.put_job(&Job { standing: Standing::OnHold, ..job }, &mut changes)?;
                continue;
            }
            // A bounce may be here before the end of the try is written down.
            if job.attempts == 0 && job.kind.can_come_back() {
                changes.put.push((sent_key(job.id), records::encode(&SentMail::of(&job, now))?));
            }
            let job = Job { due: until, attempts: job.attempts + 1, standing: Standing::Leased, ..job };
            self.put_job(&job, &mut changes)?;
            // From now on its entries stand: what comes next is told by the next digest.
            self.close_digest(&job, &mut changes).await?;
            jobs.push(job);
        }
        if changes.put.is_empty() {
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

    /// The jobs to lease: one of each domain in turn until there are `limit`. Begins behind the domain that was
    /// served last, so that with more domains than a lease holds each has its turn.
    async fn due_jobs(
        &self,
        limit: usize,
        now: Timestamp,
        busy: &[String],
    ) -> Result<Vec<Candidate>, StoreError> {
        let Some(closed) = self.closed_domains(busy).await? else { return Ok(Vec::new()) };
        let table = Key::of(Table::Queue).range();
        let start = self.turn().unwrap_or_else(|| table.from.clone());
        let mut lanes: Vec<(Vec<u8>, Lane)> = Vec::new();
        for range in [
            Range { from: start.clone(), to: table.to.clone() },
            Range { from: table.from.clone(), to: start.clone() },
        ] {
            self.walk(range, |key, row| {
                let Some(place) = Place::of(key) else { return Step::Next };
                if closed.contains(place.domain) || place.due > millis(now) {
                    return Step::NextDomain;
                }
                let Some(job) = readable(self.root(), key, row) else { return Step::Next };
                let known = lanes.last().is_some_and(|(domain, _)| domain == place.domain);
                if !known && lanes.len() >= limit {
                    return Step::Stop;
                }
                if !known {
                    lanes.push((place.domain.to_vec(), Lane::new()));
                }
                let Some((_, lane)) = lanes.last_mut() else { return Step::Stop };
                lane.push_back(Candidate { key: key.to_vec(), version: row.version, job });
                if lane.len() >= limit { Step::NextDomain } else { Step::Next }
            })
            .await?;
        }
        if let Some((domain, _)) = lanes.last() {
            self.set_turn(after_domain(domain));
        }
        let mut lanes: Vec<_> = lanes.into_iter().map(|(_, lane)| lane).collect();
        let mut chosen = Vec::new();
        while chosen.len() < limit && lanes.iter().any(|lane| !lane.is_empty()) {
            let round = lanes.iter_mut().filter_map(Lane::pop_front);
            chosen.extend(round.take(limit - chosen.len()));
        }
        Ok(chosen)
    }

    /// When the next job of a domain that is neither on hold nor `busy` is due, if there is one.
    pub async fn next_due(&self, busy: &[String]) -> Result<Option<Timestamp>, StoreError> {
        let Some(closed) = self.closed_domains(busy).await? else { return Ok(None) };
        let mut next: Option<u64> = None;
        self.walk(Key::of(Table::Queue).range(), |key, row| {
            if readable(self.root(), key, row).is_none() {
                return Step::Next;
            }
            if let Some(place) = Place::of(key).filter(|place| !closed.contains(place.domain)) {
                next = Some(next.map_or(place.due, |next| next.min(place.due)));
            }
            Step::NextDomain
        })
        .await?;
        let at =
            next.map(|next| i64::try_from(next).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok()));
        Ok(at.map(|at| at.unwrap_or(Timestamp::MAX)))
    }

    /// Domains that get nothing now; `None`: none gets anything.
    async fn closed_domains(&self, busy: &[String]) -> Result<Option<HashSet<Vec<u8>>>, StoreError> {
        let mut closed: HashSet<Vec<u8>> = busy.iter().map(|domain| domain.clone().into_bytes()).collect();
        for hold in self.domain_holds().await? {
            if hold.domain.is_empty() {
                return Ok(None);
            }
            closed.insert(hold.domain.into_bytes());
        }
        Ok(Some(closed))
    }

    /// Goes through a part of the queue in the order of its keys.
    async fn walk(
        &self,
        mut range: Range,
        mut look: impl FnMut(&[u8], &Row) -> Step,
    ) -> Result<(), StoreError> {
        loop {
            let rows = self.engine().scan(range.clone(), STEP).await?;
            let more = rows.len() == STEP;
            for (key, row) in rows {
                if key < range.from {
                    continue;
                }
                range.from = match look(&key, &row) {
                    Step::Next => [key.as_slice(), &[0]].concat(),
                    Step::NextDomain => {
                        Place::of(&key).map_or_else(|| range.to.clone(), |place| after_domain(place.domain))
                    }
                    Step::Stop => return Ok(()),
                };
            }
            if !more {
                return Ok(());
            }
        }
    }

    /// Makes every leased job due again. For a process that knows that no other one works on this
    /// ledger: what it leased before it was killed need not wait for the leases to end.
    pub async fn release_leases(&self) -> Result<(), StoreError> {
        let now = self.now();
        let mut page = Page::of(Key::of(Table::Queue).range());
        while let Some(jobs) = page.next(self).await? {
            for (job, version) in jobs.into_iter().filter(|(job, _)| job.is_under_way()) {
                let free = Job { due: now, standing: after_lease(job.standing), ..job.clone() };
                let mut changes =
                    Changeset { require: vec![(job_key(&job), Some(version))], ..Changeset::default() };
                self.move_job(&job, &free, &mut changes)?;
                match self.commit(changes).await {
                    Ok(_) | Err(StoreError::Conflict) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    /// What waits, is leased, on hold or was given up: the first ten thousand, domain by domain, those due first first.
    pub async fn jobs(&self) -> Result<Vec<Job>, StoreError> {
        let holds = self.domain_holds().await?;
        let mut found = Vec::new();
        for table in [Table::Queue, Table::OnHold, Table::Abandoned] {
            let mut page = Page::of(Key::of(table).range());
            while let Some(jobs) = page.next(self).await? {
                found.extend(jobs.into_iter().map(|(job, _)| job));
                if found.len() >= MOST_LISTED {
                    break;
                }
            }
        }
        found.truncate(MOST_LISTED);
        for job in &mut found {
            let held = holds.iter().any(|hold| hold.holds(job.domain()));
            if held && job.standing == Standing::Waiting {
                job.standing = Standing::OnHold;
            }
        }
        Ok(found)
    }

    pub async fn job(&self, id: JobId) -> Result<Option<Job>, StoreError> {
        Ok(self.versioned_job(id).await?.map(|(job, _)| job))
    }

    /// Goes through the queue if it must: what an administrator asks for may take as long as the queue is.
    pub(super) async fn versioned_job(&self, id: JobId) -> Result<Option<(Job, u64)>, StoreError> {
        for table in [Table::OnHold, Table::Abandoned] {
            if let Some(row) = self.row(Key::of(table).id(&id).done()).await? {
                return Ok(Some((self.job_in(id, &row)?, row.version)));
            }
        }
        let mut page = Page::of(Key::of(Table::Queue).range());
        while let Some(jobs) = page.next(self).await? {
            if let Some(found) = jobs.into_iter().find(|(job, _)| job.id == id) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// The notices of a case that left, oldest first.
    pub async fn notices(&self, case: CaseId) -> Result<Vec<Job>, StoreError> {
        /// A case of a thousand messages makes no more than that.
        const MOST: usize = 1_000;
        let rows = self.engine().scan(Key::of(Table::Notice).id(&case).range(), MOST).await?;
        rows.iter().map(|(_, row)| records::decode(&row.value)).collect()
    }

    /// How many jobs wait, are leased or on hold, and how many were given up.
    pub async fn count_jobs(&self) -> Result<(usize, usize), StoreError> {
        let waiting = self.count_rows(Key::of(Table::Queue).range()).await?;
        let held = self.count_rows(Key::of(Table::OnHold).range()).await?;
        Ok((waiting + held, self.count_rows(Key::of(Table::Abandoned).range()).await?))
    }

    pub(super) async fn count_rows(&self, mut range: Range) -> Result<usize, StoreError> {
        let mut count = 0;
        loop {
            let rows = self.engine().scan(range.clone(), PAGE).await?;
            count += rows.len();
            match rows.last() {
                Some((key, _)) if rows.len() == PAGE => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(count),
            }
        }
    }
}

/// Goes through a table of jobs page by page; damaged rows are left out, and said in the log.
pub(super) struct Page {
    range: Option<Range>,
}

impl Page {
    pub(super) fn of(range: Range) -> Self {
        Self { range: Some(range) }
    }

    pub(super) async fn next(&mut self, ledger: &Ledger) -> Result<Option<Vec<(Job, u64)>>, StoreError> {
        let Some(range) = self.range.take() else { return Ok(None) };
        let rows = ledger.engine().scan(range.clone(), PAGE).await?;
        if let Some((key, _)) = rows.last().filter(|_| rows.len() == PAGE) {
            self.range = Some(Range { from: [key.as_slice(), &[0]].concat(), to: range.to });
        }
        let root = ledger.root();
        let jobs = rows.iter().filter_map(|(key, row)| Some((readable(root, key, row)?, row.version)));
        Ok(Some(jobs.collect()))
    }
}

impl<'a> Place<'a> {
    fn of(key: &'a [u8]) -> Option<Self> {
        // Table, domain, zero, eight bytes of time, twenty of id.
        let (head, _id) = key.split_last_chunk::<20>()?;
        let (head, due) = head.split_last_chunk::<8>()?;
        let domain = head.get(1..head.len().checked_sub(1)?)?;
        Some(Self { domain, due: u64::from_be_bytes(*due) })
    }
}

/// One job that cannot be read must not stop the others.
fn readable(root: &RootKey, key: &[u8], row: &Row) -> Option<Job> {
    let id = JobId::from_bytes(*key.last_chunk::<20>()?);
    match sealed::decode(root, Table::Queue, &id, &row.value) {
        Ok(job) => Some(job),
        Err(error) => {
            tracing::error!(job = %id, %error, "a job cannot be read and is left where it is");
            None
        }
    }
}

/// Where a job stands that no worker has any more, and that did not end.
pub(super) fn after_lease(standing: Standing) -> Standing {
    match standing {
        Standing::Stopping => Standing::OnHold,
        _ => Standing::Waiting,
    }
}

/// The first key behind all jobs of the domain: they all have a zero byte where this has a one.
fn after_domain(domain: &[u8]) -> Vec<u8> {
    Key::of(Table::Queue).raw(domain).raw(&[1]).done()
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

pub(super) fn job_key(job: &Job) -> Vec<u8> {
    match job.standing {
        Standing::Waiting | Standing::Leased | Standing::Stopping => {
            Key::of(Table::Queue).text(job.domain()).time(job.due).id(&job.id).done()
        }
        Standing::OnHold => Key::of(Table::OnHold).id(&job.id).done(),
        Standing::Abandoned => Key::of(Table::Abandoned).id(&job.id).done(),
    }
}

/// The row of a job; where it stands in the queue is in its key.
fn job_row(root: &RootKey, job: &Job) -> Result<(Vec<u8>, Bytes), StoreError> {
    let value = match job.kind.passes_through() {
        // Under one name wherever it stands, so that it can be moved.
        true => sealed::encode(root, Table::Queue, &job.id, job)?,
        false => records::encode(job)?,
    };
    Ok((job_key(job), value))
}

impl Ledger {
    pub(crate) fn put_job(&self, job: &Job, changes: &mut Changeset) -> Result<(), StoreError> {
        changes.put.push(job_row(self.root(), job)?);
        Ok(())
    }

    /// Puts the job as it is `then`, where it belongs then. Deletions come after puts in a changeset.
    pub(super) fn move_job(&self, now: &Job, then: &Job, changes: &mut Changeset) -> Result<(), StoreError> {
        self.put_job(then, changes)?;
        if job_key(now) != job_key(then) {
            changes.delete.push(job_key(now));
        }
        Ok(())
    }

    pub(super) fn job_in(&self, id: JobId, row: &Row) -> Result<Job, StoreError> {
        sealed::decode(self.root(), Table::Queue, &id, &row.value)
    }
}

/// Earlier releases kept the jobs of all domains in one row by due time.
pub(crate) async fn move_old_jobs(engine: &dyn Engine, root: &RootKey) -> Result<(), StoreError> {
    let mut range = Key::of(Table::Job).range();
    loop {
        let rows = engine.scan(range.clone(), PAGE).await?;
        let Some((last, _)) = rows.last() else { return Ok(()) };
        range.from = [last.as_slice(), &[0]].concat();
        let mut changes = Changeset::default();
        for (key, row) in rows {
            if let Some(job) = readable(root, &key, &row) {
                changes.put.push(job_row(root, &job)?);
                changes.require.push((key.clone(), Some(row.version)));
                changes.delete.push(key);
            }
        }
        match engine.commit(changes).await.map_err(StoreError::from) {
            // Another process opens the same ledger, and moves them.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
    }
}
