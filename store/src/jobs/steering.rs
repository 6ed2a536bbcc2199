//! What an administrator may do about jobs: hold, release, retry, drop; one, a case's, a domain's, all.
//!
//! A hold on a domain is a record of its own, so it holds what comes later too. Jobs are changed one by one, each with
//! its own event, many of them under way at once.

use jiff::Timestamp;
use minicbor::{Decode, Encode};
use tokio::task::JoinSet;

use crate::{
    audit::{Act, Actor, Event},
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, JobId},
    jobs::{
        Job, Standing,
        ending::{Ending, event},
        queue::{Page, job_key},
    },
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// A domain whose jobs wait until an administrator says otherwise, those to come included.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct DomainHold {
    /// Empty: every domain.
    #[n(0)]
    pub domain: String,
    #[cbor(n(1), with = "records::time")]
    pub since: Timestamp,
    #[n(2)]
    pub by: Actor,
}

/// Which jobs a person means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Selection {
    Job(JobId),
    Case(CaseId),
    Domain(String),
    All,
}

/// What is done to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Hold,
    Release,
    /// Due at this moment, with the whole time again.
    Retry(Timestamp),
    Drop,
}

/// Jobs that are changed at the same time, so that the engine commits them together.
const AT_ONCE: usize = 32;

impl DomainHold {
    /// Whether jobs to `domain` wait for it.
    pub(super) fn holds(&self, domain: &str) -> bool {
        self.domain.is_empty() || self.domain == domain
    }
}

impl Selection {
    fn matches(&self, job: &Job) -> bool {
        match self {
            Self::Job(id) => job.id == *id,
            Self::Case(case) => job.case() == Some(*case),
            Self::Domain(domain) => job.domain() == domain.to_lowercase(),
            Self::All => true,
        }
    }

    /// The domain whose hold it means; the empty one is all.
    ///
    /// # Errors
    /// `Denied` if it names no domain: a slip of the pen must not mean everything.
    fn domain(&self) -> Result<Option<String>, StoreError> {
        match self {
            Self::Domain(domain) if domain.is_empty() => {
                Err(StoreError::Denied("no domain is named; name one, or say that all are meant".to_owned()))
            }
            Self::Domain(domain) => Ok(Some(domain.to_lowercase())),
            Self::All => Ok(Some(String::new())),
            Self::Job(_) | Self::Case(_) => Ok(None),
        }
    }
}

impl Ledger {
    /// Stops jobs; for a domain, or all, those to come as well. How many wait now.
    ///
    /// What a worker has already is stopped as well, unless the dialogue with the other server has begun; if that ends
    /// without success, the job does not go back to the queue.
    ///
    /// # Errors
    /// `Denied` if no domain is named.
    pub async fn hold_jobs(&self, actor: &Actor, selection: &Selection) -> Result<u64, StoreError> {
        let Some(domain) = selection.domain()? else { return self.steer(actor, selection, Step::Hold).await };
        let hold = DomainHold { domain: domain.clone(), since: self.now(), by: actor.clone() };
        let event = Event::new(hold.since, actor.clone(), Act::DomainHeld).domain(&domain);
        let changes = Changeset {
            require: vec![(hold_key(&domain), None)],
            put: vec![(hold_key(&domain), records::encode(&hold)?)],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        match self.commit(changes).await {
            // It is on hold already.
            Ok(_) | Err(StoreError::Conflict) => {}
            Err(error) => return Err(error),
        }
        Ok(self.count_rows(lanes(selection)).await? as u64)
    }

    /// Lets jobs go on. How many.
    ///
    /// # Errors
    /// `Denied` if they wait because more than was named is on hold.
    pub async fn release_jobs(&self, actor: &Actor, selection: &Selection) -> Result<u64, StoreError> {
        let holds = self.domain_holds().await?;
        let mut released = 0;
        match selection.domain()? {
            Some(domain) => {
                let wider = holds.iter().any(|hold| hold.domain.is_empty());
                if wider && !domain.is_empty() {
                    return Err(StoreError::Denied(
                        "everything is on hold; release everything, then hold what shall wait".to_owned(),
                    ));
                }
                let meant = |hold: &&DomainHold| domain.is_empty() || hold.domain == domain;
                for hold in holds.iter().filter(meant) {
                    self.end_hold(actor, &hold.domain).await?;
                }
                if holds.iter().any(|hold| meant(&hold)) {
                    released += self.count_rows(lanes(selection)).await? as u64;
                }
            }
            None => self.check_held_alone(selection, &holds).await?,
        }
        released += self.steer(actor, selection, Step::Release).await?;
        self.announce_work();
        Ok(released)
    }

    /// Makes jobs due now, also those that were given up, and gives them the whole time again. How many.
    ///
    /// # Errors
    /// `Denied` if a worker is busy with the one job that is meant.
    pub async fn retry_jobs(&self, actor: &Actor, selection: &Selection) -> Result<u64, StoreError> {
        let retried = self.steer(actor, selection, Step::Retry(self.now())).await?;
        self.announce_work();
        Ok(retried)
    }

    /// Takes jobs out of the queue for good. How many. The sender of a relayed mail is told.
    ///
    /// # Errors
    /// `Denied` if a worker is busy with the one job that is meant.
    pub async fn drop_jobs(&self, actor: &Actor, selection: &Selection) -> Result<u64, StoreError> {
        let dropped = self.steer(actor, selection, Step::Drop).await?;
        self.announce_work();
        Ok(dropped)
    }

    /// [`Ledger::retry_jobs`] for one job. Whether there was such a job.
    pub async fn retry_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        Ok(self.retry_jobs(actor, &Selection::Job(id)).await? == 1)
    }

    /// [`Ledger::drop_jobs`] for one job. Whether there was such a job.
    pub async fn drop_job(&self, actor: &Actor, id: JobId) -> Result<bool, StoreError> {
        Ok(self.drop_jobs(actor, &Selection::Job(id)).await? == 1)
    }

    /// The domains that are on hold, at most a thousand.
    pub async fn domain_holds(&self) -> Result<Vec<DomainHold>, StoreError> {
        const MOST: usize = 1_000;
        let rows = self.engine().scan(Key::of(Table::DomainHold).range(), MOST).await?;
        rows.iter().map(|(_, row)| records::decode(&row.value)).collect()
    }

    async fn end_hold(&self, actor: &Actor, domain: &str) -> Result<(), StoreError> {
        let event = Event::new(self.now(), actor.clone(), Act::DomainReleased).domain(domain);
        let changes = Changeset {
            delete: vec![hold_key(domain)],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await.map(drop)
    }

    /// A job that waits with its whole domain cannot be released alone.
    async fn check_held_alone(&self, selection: &Selection, holds: &[DomainHold]) -> Result<(), StoreError> {
        let Selection::Job(id) = selection else { return Ok(()) };
        let Some((job, _)) = self.versioned_job(*id).await? else { return Ok(()) };
        match holds.iter().find(|hold| hold.holds(job.domain())) {
            Some(hold) if hold.domain.is_empty() => Err(StoreError::Denied(format!(
                "job {id} waits because everything is on hold; release everything"
            ))),
            Some(hold) => Err(StoreError::Denied(format!(
                "job {id} waits because the domain {} is on hold; release the domain",
                hold.domain
            ))),
            None => Ok(()),
        }
    }

    async fn steer(&self, actor: &Actor, selection: &Selection, step: Step) -> Result<u64, StoreError> {
        if let Selection::Job(id) = selection {
            let Some((job, version)) = self.versioned_job(*id).await? else { return Ok(0) };
            if job.is_under_way() && !step.reaches_workers() {
                let reason = format!("job {id} is being worked on; look again when that is over");
                return Err(StoreError::Denied(reason));
            }
            return Ok(u64::from(self.step(actor, job, version, step).await?));
        }
        let mut changed = 0;
        for range in step.ranges(selection) {
            let mut page = Page::of(range);
            while let Some(jobs) = page.next(self).await? {
                let meant =
                    |job: &Job| selection.matches(job) && (!job.is_under_way() || step.reaches_workers());
                changed += self.step_all(actor, jobs.into_iter().filter(|(job, _)| meant(job)), step).await?;
            }
        }
        Ok(changed)
    }

    async fn step_all(
        &self,
        actor: &Actor,
        jobs: impl Iterator<Item = (Job, u64)>,
        step: Step,
    ) -> Result<u64, StoreError> {
        let mut under_way = JoinSet::new();
        let mut changed = 0;
        for (job, version) in jobs {
            if under_way.len() >= AT_ONCE {
                changed += joined(under_way.join_next().await)?;
            }
            let (ledger, actor) = (self.clone(), actor.clone());
            under_way.spawn(async move { ledger.step(&actor, job, version, step).await });
        }
        while !under_way.is_empty() {
            changed += joined(under_way.join_next().await)?;
        }
        Ok(changed)
    }

    /// Whether the job was changed; not if somebody else was faster, or it is so already.
    async fn step(&self, actor: &Actor, job: Job, version: u64, step: Step) -> Result<bool, StoreError> {
        let (then, act) = match step {
            Step::Drop => {
                return match self.end_job(&job, version, &Ending::Dropped, actor).await {
                    Ok(()) => Ok(true),
                    Err(StoreError::Conflict) => Ok(false),
                    Err(error) => Err(error),
                };
            }
            Step::Hold if job.standing == Standing::Waiting => {
                (Job { standing: Standing::OnHold, ..job.clone() }, Act::JobHeld)
            }
            Step::Hold if job.standing == Standing::Leased => {
                (Job { standing: Standing::Stopping, ..job.clone() }, Act::JobHeld)
            }
            Step::Release if job.standing == Standing::Stopping => {
                (Job { standing: Standing::Leased, ..job.clone() }, Act::JobReleased)
            }
            Step::Release if job.standing == Standing::OnHold => {
                let due = job.due.max(self.now());
                (Job { standing: Standing::Waiting, due, ..job.clone() }, Act::JobReleased)
            }
            // What was given up for its age gets the whole time again; what the mail says of itself stays.
            Step::Retry(now) if job.standing != Standing::OnHold && !is_retried(&job, now) => {
                let then =
                    Job { due: now, retried_at: Some(now), standing: Standing::Waiting, ..job.clone() };
                (then, Act::JobRetried)
            }
            Step::Hold | Step::Release | Step::Retry(_) => return Ok(false),
        };
        let mut changes = Changeset {
            require: vec![(job_key(&job), Some(version))],
            append: vec![event(&job, self.now(), actor, act).to_bytes()?],
            ..Changeset::default()
        };
        self.move_job(&job, &then, &mut changes)?;
        match self.commit(changes).await {
            Ok(_) => Ok(true),
            Err(StoreError::Conflict) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Step {
    /// Whether it concerns jobs that a worker has.
    fn reaches_workers(self) -> bool {
        matches!(self, Self::Hold | Self::Release)
    }

    /// Where the jobs stand that it can change.
    fn ranges(self, selection: &Selection) -> Vec<Range> {
        let on_hold = Key::of(Table::OnHold).range();
        let abandoned = Key::of(Table::Abandoned).range();
        match self {
            Self::Hold => vec![lanes(selection)],
            Self::Release => vec![lanes(selection), on_hold],
            Self::Retry(_) => vec![lanes(selection), abandoned],
            Self::Drop => vec![lanes(selection), on_hold, abandoned],
        }
    }
}

/// Already so: a walk through the queue meets again what it has moved.
fn is_retried(job: &Job, now: Timestamp) -> bool {
    job.standing == Standing::Waiting && job.due == now && job.retried_at == Some(now)
}

fn joined(one: Option<Result<Result<bool, StoreError>, tokio::task::JoinError>>) -> Result<u64, StoreError> {
    match one {
        Some(Ok(changed)) => changed.map(u64::from),
        Some(Err(error)) => Err(StoreError::Broken(error.to_string())),
        None => Ok(0),
    }
}

/// The part of the queue in which the selected jobs stand.
fn lanes(selection: &Selection) -> Range {
    match selection {
        Selection::Domain(domain) => Key::of(Table::Queue).text(&domain.to_lowercase()).range(),
        Selection::Job(_) | Selection::Case(_) | Selection::All => Key::of(Table::Queue).range(),
    }
}

fn hold_key(domain: &str) -> Vec<u8> {
    Key::of(Table::DomainHold).text(domain).done()
}
