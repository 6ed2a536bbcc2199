//! What comes back for mail of our own: bounces, delays and absences, found again by the job in the keyed
//! envelope sender.
//!
//! Never a message of a case: a failed notice lets the next message make a new one, and a person is asked to look.

use jiff::{Timestamp, civil::Date};
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, JobId, UserId},
    jobs::{Job, JobKind, SentMail, notice_key, sent_key},
    keys::{Key, Table},
    ledger::Ledger,
    records,
    tasks::TaskKind,
};

/// What a mail that came back says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Returned {
    /// It will never arrive. The status of RFC 3463 (`5.1.1`), if the report has one.
    Failed(String),
    /// It waits somewhere.
    Delayed,
    /// Somebody is out of office, perhaps until this day.
    Away(Option<Date>),
    /// An automatic answer that says nothing of use.
    Other,
}

/// That somebody of a group is away: an event of a case that its page can show.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct AwayNote {
    #[n(0)]
    pub group: GroupId,
    #[cbor(n(1), with = "records::time")]
    pub at: Timestamp,
    /// The last day, or the day of return, if stated.
    #[cbor(n(2), with = "records::optional_date", has_nil)]
    pub until: Option<Date>,
    /// Who, if a user wrote it.
    #[n(3)]
    pub user: Option<UserId>,
}

impl Ledger {
    /// Whether a mail of this job has left, so that something can come back for it.
    pub async fn has_sent(&self, job: JobId) -> Result<bool, StoreError> {
        Ok(self.sent(job).await?.is_some())
    }

    /// Takes note of what came back for a mail that we sent. What it was; `None` if no such mail left.
    pub async fn note_return(&self, job: JobId, returned: Returned) -> Result<Option<JobKind>, StoreError> {
        loop {
            let Some((sent, version)) = self.sent(job).await? else { return Ok(None) };
            let mut changes =
                Changeset { require: vec![(sent_key(job), Some(version))], ..Changeset::default() };
            match &returned {
                // Said twice, by whichever server: once is enough.
                Returned::Failed(_) if sent.returned.is_some() => return Ok(Some(sent.kind)),
                Returned::Failed(status) => self.note_failure(job, &sent, status, &mut changes).await?,
                Returned::Away(until) if sent.kind.case().is_some() => {
                    self.note_absence(job, &sent.kind, *until, &mut changes)?;
                }
                Returned::Delayed | Returned::Away(_) | Returned::Other => {
                    changes.append.push(self.event_of(job, &sent.kind, Act::ReturnNoted).to_bytes()?);
                }
            }
            match self.commit(changes).await {
                Ok(_) => {
                    self.announce_work();
                    return Ok(Some(sent.kind));
                }
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The next message may make a new notice, the case shows that nobody was told, and a person is asked to look.
    async fn note_failure(
        &self,
        job: JobId,
        sent: &SentMail,
        status: &str,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let status: String = status.chars().filter(|c| c.is_ascii_digit() || *c == '.').take(11).collect();
        let marked = SentMail { returned: Some(status.clone()), ..sent.clone() };
        changes.put.push((sent_key(job), records::encode(&marked)?));
        self.note_sent_back(sent.kind.to(), sent.at, job, changes).await?;
        let act = match &sent.kind {
            JobKind::Notice(notice) => {
                self.untell(notice.case, &notice.group, notice.number, Some(&notice.to), changes).await?;
                let key = notice_key(notice.case, job);
                if let Some(row) = self.row(key.clone()).await? {
                    let notice: Job = records::decode(&row.value)?;
                    let notice = Job { returned: Some(status.clone()), ..notice };
                    changes.put.push((key, records::encode(&notice)?));
                }
                Act::NoticeReturned
            }
            JobKind::Digest(digest) => {
                // Until the end of the try is written down, the entries say what it told.
                let mut told = sent.told.clone();
                told.extend(self.told_by(job).await?);
                self.untell_all(&told, &digest.group, Some(&digest.mailbox)).await?;
                Act::NoticeReturned
            }
            JobKind::Relay(_)
            | JobKind::Receipt(_)
            | JobKind::Report(_)
            | JobKind::Held(_)
            | JobKind::Link(_)
            | JobKind::Case(_)
            | JobKind::Alert(_)
            | JobKind::AlertDigest(_)
            | JobKind::Idle(_) => Act::MailReturned,
        };
        changes.append.push(self.event_of(job, &sent.kind, act).to_bytes()?);
        let kind = TaskKind::MailboxBounces { address: sent.kind.to().clone(), status };
        let group = self.group_told(&sent.kind);
        self.add_task(&Actor::Gateway, Some(&group), kind, sent.kind.case(), changes).await
    }

    fn note_absence(
        &self,
        job: JobId,
        kind: &JobKind,
        until: Option<Date>,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let Some(case) = kind.case() else { return Ok(()) };
        let user = self.directory().user_by_email(kind.to()).map(|user| user.id);
        let note = AwayNote { group: kind.group().clone(), at: self.now(), until, user };
        changes.put.push((away_key(case, job.as_bytes()), records::encode(&note)?));
        changes.append.push(self.event_of(job, kind, Act::AwayNoted).to_bytes()?);
        Ok(())
    }

    fn event_of(&self, job: JobId, kind: &JobKind, act: Act) -> Event {
        let event = Event::new(self.now(), Actor::Gateway, act).group(&self.group_told(kind)).job(job);
        Event { case: kind.case(), ..event }
    }

    /// The group whose mailbox a mail of ours goes to: whoever can mend it.
    pub(crate) fn group_told(&self, kind: &JobKind) -> GroupId {
        self.directory().group_of(kind.to()).unwrap_or(kind.group()).clone()
    }

    /// Who was away in a case, oldest first.
    pub async fn away_notes(&self, case: CaseId) -> Result<Vec<AwayNote>, StoreError> {
        /// A case has no more messages and notices than that.
        const MOST: usize = 2_000;
        let rows = self.engine().scan(Key::of(Table::Away).id(&case).range(), MOST).await?;
        let notes = rows.iter().map(|(_, row)| records::decode(&row.value));
        let mut notes = notes.collect::<Result<Vec<AwayNote>, _>>()?;
        notes.sort_by_key(|note| note.at);
        Ok(notes)
    }
}

/// One for each message or notice that was answered so: said twice, it is noted once.
pub(crate) fn away_key(case: CaseId, about: &[u8; 20]) -> Vec<u8> {
    Key::of(Table::Away).id(&case).raw(about).done()
}
