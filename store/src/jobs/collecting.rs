//! Telling mailboxes that something waits: a notice at once, or an entry in the mailbox's next digest.
//!
//! At most one for each mailbox and case until somebody looked, whichever it is (`Side::wants_notice`).

use jiff::Timestamp;
use mail::{Address, GroupId};
use minicbor::{Decode, Encode};

use crate::{
    alerts::next_time,
    case_row::write_case,
    cases::{Case, Side, Undelivered, case_key},
    directory::MailboxAlerts,
    engine::{Changeset, Range},
    error::StoreError,
    ids::{CaseId, JobId},
    jobs::{Digest, Job, JobKind, Notice},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// The most cases of one digest.
pub(super) const MOST_ENTRIES: usize = 1_000;

/// The digest that collects for a mailbox; gone as soon as a worker makes it.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Collecting {
    #[n(0)]
    job: JobId,
}

/// That a digest tells of a case.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Entry {
    #[n(0)]
    pub(super) case: CaseId,
    /// The number of the message that waits.
    #[n(1)]
    pub(super) number: u32,
}

impl Ledger {
    /// Writes a notice job, or an entry in a digest, for every side that wants to be told.
    pub(crate) async fn make_notices(
        &self,
        case: &mut Case,
        now: Timestamp,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let directory = self.directory();
        let id = case.id;
        let mut told = Vec::new();
        for side in case.sides.iter_mut().filter(|side| side.wants_notice()) {
            side.noticed = side.waiting;
            told.push(side.group.clone());
            let alerts = directory.mailbox(&side.contact).map(|mailbox| &mailbox.alerts);
            let (group, to, number) = (side.group.clone(), side.contact.clone(), side.waiting);
            match alerts.and_then(|alerts| next_digest(alerts, now)) {
                Some(due) => {
                    let digest = JobKind::Digest(Digest { group, mailbox: to });
                    self.collect(digest, due, (id, number), changes).await?;
                }
                None => {
                    let notice = Notice { case: id, number, group, to };
                    self.put_job(&Job::new(JobId::new(now)?, JobKind::Notice(notice), now, now), changes)?;
                }
            }
        }
        self.make_alerts(case, &told, now, changes).await
    }

    /// Adds an entry to the digest that collects for the mailbox or the user, or begins one.
    pub(crate) async fn collect(
        &self,
        digest: JobKind,
        due: Timestamp,
        (case, number): (CaseId, u32),
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let Some(key) = due_key(&digest) else { return Ok(()) };
        let entry = Entry { case, number };
        let begun_here = changes.put.iter().find(|(known, _)| *known == key).map(|(_, value)| value.clone());
        let job = match (begun_here, self.row(key.clone()).await?) {
            (Some(begun), _) => records::decode::<Collecting>(&begun)?.job,
            // Only required, not written: mails to one mailbox do not stand in each other's way.
            (None, Some(row)) => {
                changes.require.push((key, Some(row.version)));
                records::decode::<Collecting>(&row.value)?.job
            }
            (None, None) => {
                let job = JobId::new(self.now())?;
                changes.require.push((key.clone(), None));
                changes.put.push((key, records::encode(&Collecting { job })?));
                self.put_job(&Job::new(job, digest, due, due), changes)?;
                job
            }
        };
        changes.put.push((entry_key(job, entry.case), records::encode(&entry)?));
        Ok(())
    }

    /// Whether a notice still says something: nobody has looked, nothing was taken back, and no later notice stands for
    /// it. If not, the job ends with [`Outcome::Needless`](crate::Outcome::Needless).
    pub async fn notice_stands(&self, notice: &Notice) -> Result<bool, StoreError> {
        let case = self.case(notice.case).await?;
        let side = case.as_ref().and_then(|case| case.side(&notice.group));
        Ok(side.is_some_and(|side| side.waiting > side.seen && side.noticed == notice.number))
    }

    /// What a digest job tells: its cases that still wait, at most a thousand. None: there is nothing left to say.
    pub async fn digest(&self, job: &Job) -> Result<Vec<Case>, StoreError> {
        let JobKind::Digest(digest) = &job.kind else { return Ok(Vec::new()) };
        let waits = |case: &Case| case.side(&digest.group).is_some_and(|side| side.waiting > side.seen);
        Ok(self.cases_of_digest(job).await?.into_iter().filter(waits).collect())
    }

    pub(crate) async fn cases_of_digest(&self, job: &Job) -> Result<Vec<Case>, StoreError> {
        let keys: Vec<_> =
            self.digest_entries(job.id).await?.iter().map(|entry| case_key(entry.case)).collect();
        let rows = self.engine().get(&keys).await?;
        rows.into_iter().flatten().map(|row| records::decode::<Case>(&row.value)).collect()
    }

    async fn digest_entries(&self, job: JobId) -> Result<Vec<Entry>, StoreError> {
        let rows = self.engine().scan(entries(job), MOST_ENTRIES).await?;
        rows.iter().map(|(_, row)| records::decode(&row.value)).collect()
    }

    /// The cases and message numbers that a digest tells of.
    pub(crate) async fn told_by(&self, job: JobId) -> Result<Vec<(CaseId, u32)>, StoreError> {
        Ok(self.digest_entries(job).await?.into_iter().map(|entry| (entry.case, entry.number)).collect())
    }

    /// Ends the collecting of a digest, if it is the one that collects: what comes next is told by the next one.
    pub(super) async fn close_digest(&self, job: &Job, changes: &mut Changeset) -> Result<(), StoreError> {
        let Some(key) = due_key(&job.kind) else { return Ok(()) };
        let Some(row) = self.row(key.clone()).await? else { return Ok(()) };
        if records::decode::<Collecting>(&row.value)?.job == job.id {
            changes.require.push((key.clone(), Some(row.version)));
            changes.delete.push(key);
        }
        Ok(())
    }

    /// Gives what is more than one digest holds to further ones, due at once. A digest and its entries are written in one
    /// commit, so that no worker finds half of them.
    pub(super) async fn pass_on_rest(&self, job: &Job) -> Result<(), StoreError> {
        let mut range = entries(job.id);
        let first = self.engine().scan(range.clone(), MOST_ENTRIES).await?;
        let Some((last, _)) = first.last().filter(|_| first.len() == MOST_ENTRIES) else { return Ok(()) };
        range.from = [last.as_slice(), &[0]].concat();
        let now = self.now();
        loop {
            let rows = self.engine().scan(range.clone(), MOST_ENTRIES).await?;
            if rows.is_empty() {
                return Ok(());
            }
            let mut changes = Changeset::default();
            let next = Job::new(JobId::new(now)?, job.kind.clone(), now, now);
            self.put_job(&next, &mut changes)?;
            for (key, row) in rows {
                let entry: Entry = records::decode(&row.value)?;
                changes.put.push((entry_key(next.id, entry.case), row.value));
                changes.delete.push(key);
            }
            self.commit(changes).await?;
        }
    }

    /// Notes that a side was not told after all, so that its next message makes a new notice.
    pub(crate) async fn untell(
        &self,
        case: CaseId,
        group: &GroupId,
        number: u32,
        failed: Option<&Address>,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let Some((before, version)) = self.versioned_case(case).await? else { return Ok(()) };
        let mut case = before.clone();
        let now = self.now();
        let told = |side: &&mut Side| side.group == *group && side.noticed == number;
        let Some(side) = case.sides.iter_mut().find(told) else { return Ok(()) };
        side.noticed = 0;
        if let Some(to) = failed.filter(|_| side.waiting > side.seen) {
            let since = side.undelivered.as_ref().map_or(now, |earlier| earlier.since);
            side.undelivered = Some(Undelivered { to: to.clone(), since });
        }
        write_case(Some((&before, version)), &case, changes)
    }

    /// The same for every case of a digest, each in a commit of its own: doing it twice changes nothing.
    pub(crate) async fn untell_all(
        &self,
        told: &[(CaseId, u32)],
        group: &GroupId,
        failed: Option<&Address>,
    ) -> Result<(), StoreError> {
        for (case, number) in told {
            loop {
                let mut changes = Changeset::default();
                self.untell(*case, group, *number, failed, &mut changes).await?;
                match self.commit(changes).await {
                    Err(StoreError::Conflict) => {}
                    done => break done.map(drop)?,
                }
            }
        }
        Ok(())
    }
}

/// When a mailbox with digests is told next; `None`: at once.
fn next_digest(alerts: &MailboxAlerts, now: Timestamp) -> Option<Timestamp> {
    let MailboxAlerts::Digest(minutes) = alerts else { return None };
    next_time(minutes, now)
}

/// Where it stands which digest collects; none: the job is no digest.
pub(super) fn due_key(kind: &JobKind) -> Option<Vec<u8>> {
    match kind {
        JobKind::Digest(digest) => Some(Key::of(Table::DigestDue).text(&digest.mailbox.key()).done()),
        JobKind::AlertDigest(digest) => Some(Key::of(Table::AlertDigestDue).id(&digest.user).done()),
        _ => None,
    }
}

pub(super) fn entries(job: JobId) -> Range {
    Key::of(Table::DigestEntry).id(&job).range()
}

pub(super) fn entry_key(job: JobId, case: CaseId) -> Vec<u8> {
    Key::of(Table::DigestEntry).id(&job).id(&case).done()
}
