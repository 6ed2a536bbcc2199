//! What was sent to each user's own address, the newest first, so that a forged notice is one that is not there. Kinds, times and
//! what became of it; never content. A row is written with the end of the job that it is about.

use jiff::{SignedDuration, Timestamp};
use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    ids::{CaseReference, JobId, UserId},
    jobs::Job,
    keys::{Key, Table},
    ledger::Ledger,
    records,
    trail::{read_place, written_place},
};

/// Days for which it is kept.
pub const NOTICE_DAYS: i64 = 90;

/// Bytes behind the user in a key: time, and job.
const PLACE: usize = 28;

/// A mail of ours to a user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SentNotice {
    #[cbor(n(0), with = "records::time")]
    pub at: Timestamp,
    /// The name of its kind, as jobs are listed.
    #[n(1)]
    pub kind: String,
    /// The case that it names, if it names one.
    #[n(2)]
    pub case: Option<CaseReference>,
    #[n(3)]
    pub fate: NoticeFate,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(index_only)]
pub enum NoticeFate {
    /// The next mail system took it.
    #[n(0)]
    Sent,
    /// It was refused, or tried for as long as mail is tried.
    #[n(1)]
    GivenUp,
    /// It was taken and came back.
    #[n(2)]
    Returned,
}

/// Part of what was sent to one user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SentNotices {
    pub notices: Vec<SentNotice>,
    /// Where the next part begins, if there is more; opaque.
    pub next: Option<String>,
}

impl Ledger {
    /// What was sent to a user, from a place of an earlier part on.
    pub async fn sent_notices(
        &self,
        user: UserId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<SentNotices, StoreError> {
        let mut range = of(user).range();
        if let Some(place) = after.and_then(read_place::<PLACE>) {
            range.from = of(user).raw(&place).raw(&[0]).done();
        }
        let rows = self.engine().scan(range, limit + 1).await?;
        let notices = rows.iter().take(limit).map(|(_, row)| records::decode(&row.value));
        let last = rows.get(limit.saturating_sub(1)).filter(|_| rows.len() > limit);
        let next = last.and_then(|(key, _)| key.last_chunk::<PLACE>()).map(written_place);
        Ok(SentNotices { notices: notices.collect::<Result<_, _>>()?, next })
    }

    /// Notes what became of a mail of ours, if it went to a user's own address.
    pub(crate) async fn note_sent(
        &self,
        job: &Job,
        at: Timestamp,
        fate: NoticeFate,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let Some(user) = self.directory().user_by_email(job.to()).map(|user| user.id) else { return Ok(()) };
        let case = match job.case() {
            Some(case) => self.case(case).await?.map(|case| case.reference),
            None => None,
        };
        let notice = SentNotice { at, kind: job.kind.as_str().to_owned(), case, fate };
        changes.put.push((sent_notice_key(user, at, job.id), records::encode(&notice)?));
        Ok(())
    }

    /// Notes that it came back.
    pub(crate) async fn note_sent_back(
        &self,
        to: &mail::Address,
        at: Timestamp,
        job: JobId,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let Some(user) = self.directory().user_by_email(to).map(|user| user.id) else { return Ok(()) };
        let key = sent_notice_key(user, at, job);
        // A bounce that is here before the end of the try is written down with that end.
        let Some(row) = self.row(key.clone()).await? else { return Ok(()) };
        let notice: SentNotice = records::decode(&row.value)?;
        changes.put.push((key, records::encode(&SentNotice { fate: NoticeFate::Returned, ..notice })?));
        Ok(())
    }

    /// Forgets what was sent so long ago that nobody asks any more; how many rows went.
    pub async fn sweep_sent_notices(&self) -> Result<usize, StoreError> {
        let oldest = self.now().saturating_sub(SignedDuration::from_hours(24 * NOTICE_DAYS));
        let oldest = oldest.unwrap_or(Timestamp::MIN);
        self.sweep(Table::SentNotice, |key, row| {
            let notice: SentNotice = records::decode(&row.value)?;
            Ok(if notice.at < oldest { vec![key.to_vec()] } else { Vec::new() })
        })
        .await
    }
}

fn of(user: UserId) -> Key {
    Key::of(Table::SentNotice).id(&user)
}

fn sent_notice_key(user: UserId, at: Timestamp, job: JobId) -> Vec<u8> {
    of(user).time_descending(at).id(&job).done()
}
