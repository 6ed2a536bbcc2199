//! Who of a group is answering a case at the moment. It hinders nobody: it is there to be seen, and it ends by itself.

use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    ids::{CaseId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Who saves nothing for this long is no longer taken to be answering.
pub const ANSWERING: Duration = Duration::from_mins(15);

/// That somebody of the group is answering.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answering {
    pub user: UserId,
    pub since: Timestamp,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Mark {
    #[cbor(n(0), with = "records::time")]
    since: Timestamp,
    #[cbor(n(1), with = "records::time")]
    until: Timestamp,
}

impl Ledger {
    /// Who of `group` is answering the case, the earliest first.
    pub async fn answering(&self, case: CaseId, group: &GroupId) -> Result<Vec<Answering>, StoreError> {
        /// More names help nobody.
        const MOST: usize = 20;
        let range = Key::of(Table::Answering).id(&case).text(group.as_str()).range();
        let now = self.now();
        let mut found = Vec::new();
        for (key, row) in self.engine().scan(range, MOST).await? {
            let mark: Mark = records::decode(&row.value)?;
            let Some(user) = key.last_chunk::<20>().map(|id| UserId::from_bytes(*id)) else { continue };
            if mark.until > now {
                found.push(Answering { user, since: mark.since });
            }
        }
        found.sort_by_key(|answering| answering.since);
        Ok(found)
    }

    /// Says that `user` is answering from now on, or still: what stood there goes on, unless it had ended.
    pub(super) async fn put_answering(
        &self,
        case: CaseId,
        group: &GroupId,
        user: UserId,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let (key, now) = (answering_key(case, group, user), self.now());
        let earlier = self.row(key.clone()).await?;
        let earlier = earlier.and_then(|row| records::decode::<Mark>(&row.value).ok());
        let since = earlier.filter(|mark| mark.until > now).map_or(now, |mark| mark.since);
        let until = now.saturating_add(ANSWERING).unwrap_or(Timestamp::MAX);
        changes.put.push((key, records::encode(&Mark { since, until })?));
        Ok(())
    }

    /// Removes marks that have ended; how many went.
    pub(super) async fn sweep_answering(&self) -> Result<usize, StoreError> {
        const BATCH: usize = 500;
        let rows = self.engine().scan(Key::of(Table::Answering).range(), BATCH).await?;
        let now = self.now();
        let over = |value: &Bytes| records::decode::<Mark>(value).is_ok_and(|mark| mark.until <= now);
        let mut changes = Changeset::default();
        for (key, row) in rows.into_iter().filter(|(_, row)| over(&row.value)) {
            changes.require.push((key.clone(), Some(row.version)));
            changes.delete.push(key);
        }
        let count = changes.delete.len();
        match self.commit(changes).await {
            Ok(_) => Ok(count),
            // Somebody went on answering: the next round sees it.
            Err(StoreError::Conflict) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

pub(super) fn answering_key(case: CaseId, group: &GroupId, user: UserId) -> Vec<u8> {
    Key::of(Table::Answering).id(&case).text(group.as_str()).id(&user).done()
}
