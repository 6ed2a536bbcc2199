//! What follows from the end of a job: what is written, who is told, what is destroyed. One commit for each end.

use jiff::Timestamp;
use mail::{Address, Notify, ReversePath};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    case_row::write_case,
    content::give_up,
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, ContentId, JobId},
    jobs::{
        DeliveryReport, Digest, Fate, Job, JobKind, Leased, Notice, Outcome, RelayJob, Standing,
        collecting::{due_key, entry_key},
        queue::{after_lease, job_key},
    },
    keys::{Key, Table},
    ledger::Ledger,
    passage::{PassageRecord, passage_key},
    records,
    sent_notices::NoticeFate,
    tasks::TaskKind,
};

/// How a job ended for good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ending {
    Sent,
    /// Sent to a server that reports nothing.
    Unreported,
    Needless,
    /// Refused, or never to be sent.
    GivenUp(String),
    /// Tried for as long as mail is tried.
    Expired(String),
    Dropped,
}

/// A mail of our own that left, or may have: what a bounce of it is about.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct SentMail {
    #[n(0)]
    pub(crate) kind: JobKind,
    #[cbor(n(1), with = "records::time")]
    pub(crate) at: Timestamp,
    /// It came back: the status.
    #[n(2)]
    pub(crate) returned: Option<String>,
    /// The cases and message numbers that a digest told of.
    #[n(3)]
    pub(crate) told: Vec<(CaseId, u32)>,
}

impl SentMail {
    pub(crate) fn of(job: &Job, at: Timestamp) -> Self {
        Self { kind: job.kind.clone(), at, returned: None, told: Vec::new() }
    }
}

impl Ledger {
    /// Ends a try. `Conflict`: the lease had run out and somebody else has the job.
    pub async fn finish_job(&self, leased: Leased, outcome: Outcome) -> Result<(), StoreError> {
        match self.finish(&leased, &outcome).await {
            // Perhaps it was only told to stop, or not to, while the worker had it.
            Err(StoreError::Conflict) => match self.leased_still(&leased.job).await? {
                Some(leased) => self.finish(&leased, &outcome).await,
                None => Err(StoreError::Conflict),
            },
            done => done,
        }
    }

    /// Whether nothing of a leased job may be sent any more: it, its domain or everything was put on hold since, or the
    /// lease is over.
    pub async fn is_stopped(&self, job: &Job) -> Result<bool, StoreError> {
        if self.domain_holds().await?.iter().any(|hold| hold.holds(job.domain())) {
            return Ok(true);
        }
        Ok(self.leased_still(job).await?.is_none_or(|now| now.job.standing == Standing::Stopping))
    }

    /// The job as it stands under the same lease.
    async fn leased_still(&self, job: &Job) -> Result<Option<Leased>, StoreError> {
        let Some(row) = self.row(job_key(job)).await? else { return Ok(None) };
        let now = self.job_in(job.id, &row)?;
        let same = now.is_under_way() && now.attempts == job.attempts;
        Ok(same.then_some(Leased { job: now, version: row.version }))
    }

    async fn finish(&self, leased: &Leased, outcome: &Outcome) -> Result<(), StoreError> {
        let (job, version) = (&leased.job, leased.version);
        let waiting = Job { standing: after_lease(job.standing), ..job.clone() };
        let ending = match outcome {
            Outcome::Done => Ending::Sent,
            Outcome::Unreported => Ending::Unreported,
            // A mail that somebody sent is never needless.
            Outcome::Needless if matches!(job.kind, JobKind::Relay(_)) => {
                Ending::GivenUp("it was not handed over".to_owned())
            }
            Outcome::Needless => Ending::Needless,
            Outcome::Abandoned(error) => Ending::GivenUp(error.clone()),
            Outcome::Expired(error) => Ending::Expired(error.clone()),
            // Nothing was tried.
            Outcome::Stopped => {
                let attempts = job.attempts.saturating_sub(1);
                let waiting = Job { due: self.now(), attempts, ..waiting };
                return self.try_again(leased, &waiting, Changeset::default()).await;
            }
            Outcome::Again(due, error) => {
                let waiting = Job { due: *due, last_error: Some(error.clone()), ..waiting };
                return self.try_again(leased, &waiting, Changeset::default()).await;
            }
            Outcome::Late(due, error) => {
                let mut waiting = Job { due: *due, last_error: Some(error.clone()), ..waiting };
                let mut changes = Changeset::default();
                if self.warn(job, error, &mut changes).await? {
                    waiting.warned_at = Some(self.now());
                }
                return self.try_again(leased, &waiting, changes).await;
            }
        };
        self.end_job(job, version, &ending, &Actor::Worker).await
    }

    async fn try_again(
        &self,
        leased: &Leased,
        waiting: &Job,
        mut changes: Changeset,
    ) -> Result<(), StoreError> {
        changes.require.push((job_key(&leased.job), Some(leased.version)));
        self.move_job(&leased.job, waiting, &mut changes)?;
        self.commit(changes).await?;
        self.announce_work();
        Ok(())
    }

    /// Writes the report that a relayed mail waits, if its sender wants one and none was written. Whether it did.
    async fn warn(&self, job: &Job, why: &str, changes: &mut Changeset) -> Result<bool, StoreError> {
        let JobKind::Relay(relay) = &job.kind else { return Ok(false) };
        if job.warned_at.is_some() || !wants_report(relay.to.notify, Fate::Delayed) {
            return Ok(false);
        }
        let Some((passage, _)) = self.passage_row(relay.passage).await? else { return Ok(false) };
        self.report(&passage, relay, Fate::Delayed, why.to_owned(), changes)
    }

    /// Commits the end of a job and all that follows. What follows may touch a case, a passage or a task that others
    /// change too: then it is put together anew, as long as the job itself is still the same.
    pub(super) async fn end_job(
        &self,
        job: &Job,
        version: u64,
        ending: &Ending,
        actor: &Actor,
    ) -> Result<(), StoreError> {
        if due_key(&job.kind).is_some() {
            self.pass_on_rest(job).await?;
        }
        if let JobKind::Digest(digest) = &job.kind {
            self.untell_digest(job, digest, ending).await?;
        }
        let key = job_key(job);
        let destroyed = loop {
            let mut changes = Changeset {
                require: vec![(key.clone(), Some(version))],
                delete: vec![key.clone()],
                append: vec![event(job, self.now(), actor, act(&job.kind, ending)).to_bytes()?],
                ..Changeset::default()
            };
            let destroyed = self.follow(job, ending, &mut changes).await?;
            match self.commit(changes).await {
                Ok(committed) => break destroyed.map(|content| (content, committed.version)),
                Err(StoreError::Conflict)
                    if self.row(key.clone()).await?.map(|row| row.version) == Some(version) => {}
                Err(error) => return Err(error),
            }
        };
        if let Some((content, version)) = destroyed {
            self.remove_arriving(content, version).await?;
        }
        // A report may have been made.
        if let JobKind::Relay(_) = job.kind {
            self.announce_work();
        }
        Ok(())
    }

    /// Before a digest is given up: a stop in between leaves cases that are told twice, never one that is not told.
    async fn untell_digest(&self, job: &Job, digest: &Digest, ending: &Ending) -> Result<(), StoreError> {
        let failed = match ending {
            Ending::GivenUp(_) | Ending::Expired(_) => Some(&digest.mailbox),
            Ending::Dropped | Ending::Needless => None,
            Ending::Sent | Ending::Unreported => return Ok(()),
        };
        self.untell_all(&self.told_by(job.id).await?, &digest.group, failed).await
    }

    /// Adds what follows from the end. The content to remove afterwards, if its key goes with this commit.
    async fn follow(
        &self,
        job: &Job,
        ending: &Ending,
        changes: &mut Changeset,
    ) -> Result<Option<ContentId>, StoreError> {
        match &job.kind {
            JobKind::Relay(relay) => return self.follow_relay(relay, ending, changes).await,
            JobKind::Notice(notice) => self.follow_notice(job, notice, ending, changes).await?,
            JobKind::Digest(_) | JobKind::AlertDigest(_) => self.follow_digest(job, ending, changes).await?,
            JobKind::Receipt(_)
            | JobKind::Report(_)
            | JobKind::Held(_)
            | JobKind::Link(_)
            | JobKind::Case(_)
            | JobKind::Alert(_)
            | JobKind::Idle(_) => {
                self.follow_own(job, ending, Vec::new(), changes).await?;
            }
        }
        Ok(None)
    }

    async fn follow_notice(
        &self,
        job: &Job,
        notice: &Notice,
        ending: &Ending,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        match ending {
            Ending::Sent | Ending::Unreported => {
                let returned = self.sent(job.id).await?.and_then(|(sent, _)| sent.returned);
                if returned.is_none() {
                    self.told_again(notice, changes).await?;
                }
                let sent = Job { due: self.now(), last_error: None, returned, ..job.clone() };
                changes.put.push((notice_key(notice.case, job.id), records::encode(&sent)?));
            }
            Ending::GivenUp(_) | Ending::Expired(_) => {
                self.untell(notice.case, &notice.group, notice.number, Some(&notice.to), changes).await?;
            }
            // What made it needless may be that its message was taken back: the next one must be told.
            Ending::Dropped | Ending::Needless => {
                self.untell(notice.case, &notice.group, notice.number, None, changes).await?;
            }
        }
        self.follow_own(job, ending, Vec::new(), changes).await
    }

    /// A notice that arrives makes an earlier failure a matter of the past.
    async fn told_again(&self, notice: &Notice, changes: &mut Changeset) -> Result<(), StoreError> {
        let Some((before, version)) = self.versioned_case(notice.case).await? else { return Ok(()) };
        let mut case = before.clone();
        let mut sides = case.sides.iter_mut();
        let Some(side) = sides.find(|side| side.group == notice.group && side.undelivered.is_some()) else {
            return Ok(());
        };
        side.undelivered = None;
        write_case(Some((&before, version)), &case, changes)
    }

    async fn follow_digest(
        &self,
        job: &Job,
        ending: &Ending,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        self.close_digest(job, changes).await?;
        let told = self.told_by(job.id).await?;
        // One that was given up keeps its entries for another try.
        if !matches!(ending, Ending::GivenUp(_) | Ending::Expired(_)) {
            changes.delete.extend(told.iter().map(|(case, _)| entry_key(job.id, *case)));
        }
        self.follow_own(job, ending, told, changes).await
    }

    /// What all mail of our own has in common.
    async fn follow_own(
        &self,
        job: &Job,
        ending: &Ending,
        told: Vec<(CaseId, u32)>,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        match ending {
            Ending::Sent | Ending::Unreported if !job.kind.can_come_back() => {
                self.note_sent(job, self.now(), NoticeFate::Sent, changes).await
            }
            Ending::Sent | Ending::Unreported => {
                let known = self.sent(job.id).await?;
                changes.require.push((sent_key(job.id), known.as_ref().map(|(_, version)| *version)));
                let returned = known.and_then(|(sent, _)| sent.returned);
                let fate = returned.as_ref().map_or(NoticeFate::Sent, |_| NoticeFate::Returned);
                let sent = SentMail { returned, told, ..SentMail::of(job, self.now()) };
                self.note_sent(job, sent.at, fate, changes).await?;
                changes.put.push((sent_key(job.id), records::encode(&sent)?));
                Ok(())
            }
            Ending::Needless => {
                changes.delete.push(sent_key(job.id));
                Ok(())
            }
            Ending::Dropped => Ok(()),
            Ending::GivenUp(error) | Ending::Expired(error) => {
                let abandoned =
                    Job { standing: Standing::Abandoned, last_error: Some(error.clone()), ..job.clone() };
                self.put_job(&abandoned, changes)?;
                self.note_sent(job, self.now(), NoticeFate::GivenUp, changes).await?;
                let address = job.to().clone();
                let kind = match &job.kind {
                    JobKind::Notice(_)
                    | JobKind::Digest(_)
                    | JobKind::Case(_)
                    | JobKind::Alert(_)
                    | JobKind::AlertDigest(_) => TaskKind::NoticeGivenUp { address },
                    kind => self.given_up(kind.as_str(), &address),
                };
                let group = self.group_told(&job.kind);
                self.add_task(&Actor::Worker, Some(&group), kind, job.case(), changes).await
            }
        }
    }

    /// What is known of a mail of our own that left.
    pub(crate) async fn sent(&self, job: JobId) -> Result<Option<(SentMail, u64)>, StoreError> {
        let Some(row) = self.row(sent_key(job)).await? else { return Ok(None) };
        Ok(Some((records::decode(&row.value)?, row.version)))
    }

    /// One recipient of a passage less. With the last one its key goes, and so its content.
    async fn follow_relay(
        &self,
        relay: &RelayJob,
        ending: &Ending,
        changes: &mut Changeset,
    ) -> Result<Option<ContentId>, StoreError> {
        let key = passage_key(relay.passage);
        let Some((passage, version)) = self.passage_row(relay.passage).await? else { return Ok(None) };
        match ending {
            Ending::Sent | Ending::Needless => {}
            Ending::Unreported => {
                let detail = "handed to a server that sends no delivery reports".to_owned();
                if wants_report(relay.to.notify, Fate::Relayed) {
                    self.report(&passage, relay, Fate::Relayed, detail, changes)?;
                }
            }
            Ending::GivenUp(error) => {
                if !self.fail(&passage, relay, error.clone(), changes)? {
                    self.tell_people(relay, changes).await?;
                }
            }
            // Where a domain cannot be reached at all, that is more than one sender's matter.
            Ending::Expired(error) => {
                self.fail(&passage, relay, error.clone(), changes)?;
                self.tell_people(relay, changes).await?;
            }
            Ending::Dropped => {
                let why = "removed by an administrator".to_owned();
                if !self.fail(&passage, relay, why, changes)? {
                    self.tell_people(relay, changes).await?;
                }
            }
        }
        changes.require.push((key.clone(), Some(version)));
        let open = passage.open.saturating_sub(1);
        if open > 0 {
            let rest = PassageRecord { open, ..passage };
            changes.put.push((key, self.passage_value(&rest)?));
            return Ok(None);
        }
        let gone = Event::new(self.now(), Actor::Worker, Act::ContentDestroyed);
        changes.append.push(gone.group(&relay.group).passage(relay.passage).to_bytes()?);
        changes.delete.push(key);
        give_up(passage.content, changes)?;
        Ok(Some(passage.content))
    }

    /// A relayed mail did not arrive. Whether its sender hears of it by mail.
    fn fail(
        &self,
        passage: &PassageRecord,
        relay: &RelayJob,
        detail: String,
        changes: &mut Changeset,
    ) -> Result<bool, StoreError> {
        // Sent again it is tried again, and not taken for what was done.
        changes.delete.extend(passage.marks_of(&relay.to));
        Ok(wants_report(relay.to.notify, Fate::Failed)
            && self.report(passage, relay, Fate::Failed, detail, changes)?)
    }

    /// The sender's company sees in the portal that a mail of its own did not arrive, whatever the sender wanted to hear.
    async fn tell_people(&self, relay: &RelayJob, changes: &mut Changeset) -> Result<(), StoreError> {
        let kind = self.given_up("relay", &relay.to.address);
        self.add_task(&Actor::Worker, Some(&relay.group), kind, None, changes).await
    }

    /// Where an address belongs to nobody here, its domain says enough: one task for all that goes there.
    pub fn given_up(&self, kind: &str, address: &Address) -> TaskKind {
        let kind = kind.to_owned();
        match self.directory().group_of(address) {
            Some(_) => TaskKind::MailGivenUp { kind, address: address.clone() },
            None => TaskKind::DomainGivenUp { kind, domain: address.domain().to_owned() },
        }
    }

    /// Writes a report job, but never to a stranger: the sender must have been there itself, and the reverse path must
    /// be its own. Whether it was written.
    fn report(
        &self,
        passage: &PassageRecord,
        relay: &RelayJob,
        fate: Fate,
        detail: String,
        changes: &mut Changeset,
    ) -> Result<bool, StoreError> {
        let ReversePath::Address(to) = &passage.envelope.reverse_path else { return Ok(false) };
        let own = self.directory().group_of(to) == Some(&passage.from_group);
        if !own || !passage.proof.is_direct() {
            return Ok(false);
        }
        let report = DeliveryReport {
            group: passage.from_group.clone(),
            to: to.clone(),
            recipient: relay.to.clone(),
            envelope_id: passage.envelope.report.id.clone(),
            arrived_at: passage.received_at,
            fate,
            detail,
        };
        let now = self.now();
        self.put_job(&Job::new(JobId::new(now)?, JobKind::Report(report), now, now), changes)?;
        Ok(true)
    }
}

/// Whether the sender wants to hear of it (RFC 3461 §4.1).
fn wants_report(notify: Notify, fate: Fate) -> bool {
    match (notify, fate) {
        (Notify::Never, _) | (Notify::Default, Fate::Relayed) => false,
        (Notify::Default, Fate::Failed | Fate::Delayed) => true,
        (Notify::On { delay, .. }, Fate::Delayed) => delay,
        (Notify::On { failure, .. }, Fate::Failed) => failure,
        (Notify::On { success, .. }, Fate::Relayed) => success,
    }
}

pub(super) fn event(job: &Job, at: Timestamp, actor: &Actor, act: Act) -> Event {
    let mut event = Event::new(at, actor.clone(), act).group(job.group()).job(job.id);
    event.case = job.case();
    match &job.kind {
        JobKind::Relay(relay) => event.passage(relay.passage),
        JobKind::Held(held) => event.held(held.held),
        JobKind::Link(letter) => event.user(letter.user),
        JobKind::Alert(alert) => event.user(alert.user),
        JobKind::AlertDigest(digest) => event.user(digest.user),
        JobKind::Idle(idle) => event.user(idle.user),
        _ => event,
    }
}

fn act(kind: &JobKind, ending: &Ending) -> Act {
    match (ending, kind) {
        (Ending::Dropped, _) => Act::JobDropped,
        (Ending::Needless, _) => Act::NoticeNeedless,
        (Ending::Sent | Ending::Unreported, JobKind::Notice(_)) => Act::NoticeSent,
        (Ending::Sent | Ending::Unreported, JobKind::Relay(_)) => Act::RelayDone,
        (Ending::Sent | Ending::Unreported, JobKind::Receipt(_)) => Act::ReceiptSent,
        (Ending::Sent | Ending::Unreported, JobKind::Digest(_)) => Act::DigestSent,
        (Ending::Sent | Ending::Unreported, JobKind::Report(_)) => Act::ReportSent,
        (Ending::Sent | Ending::Unreported, JobKind::Held(_)) => Act::HeldNoticeSent,
        (Ending::Sent | Ending::Unreported, JobKind::Link(_)) => Act::LinkSent,
        (Ending::Sent | Ending::Unreported, JobKind::Case(_)) => Act::CaseNewsSent,
        (Ending::Sent | Ending::Unreported, JobKind::Idle(_)) => Act::IdleLetterSent,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Idle(_)) => Act::IdleLetterAbandoned,
        (Ending::Sent | Ending::Unreported, JobKind::Alert(_) | JobKind::AlertDigest(_)) => Act::AlertSent,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Alert(_) | JobKind::AlertDigest(_)) => {
            Act::AlertAbandoned
        }
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Notice(_)) => Act::NoticeAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Relay(_)) => Act::RelayAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Receipt(_)) => Act::ReceiptAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Digest(_)) => Act::DigestAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Report(_)) => Act::ReportAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Held(_)) => Act::HeldNoticeAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Link(_)) => Act::LinkAbandoned,
        (Ending::GivenUp(_) | Ending::Expired(_), JobKind::Case(_)) => Act::CaseNewsAbandoned,
    }
}

pub(crate) fn notice_key(case: CaseId, job: JobId) -> Vec<u8> {
    Key::of(Table::Notice).id(&case).id(&job).done()
}

pub(crate) fn sent_key(job: JobId) -> Vec<u8> {
    Key::of(Table::Sent).id(&job).done()
}
