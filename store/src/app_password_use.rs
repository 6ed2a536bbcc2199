//! When app passwords were last used, to the hour: what lets their owner see which of them nobody needs any more, and a stranger's
//! use. It is no part of the directory, which nothing but people change.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    ids::{AppPasswordId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// A login within this time of the last one noted writes nothing.
const PRECISION: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Use {
    #[cbor(n(0), with = "records::time")]
    at: Timestamp,
}

impl Ledger {
    /// Notes that an app password was used now.
    pub async fn app_password_used(&self, user: UserId, id: AppPasswordId) -> Result<(), StoreError> {
        let (key, now) = (use_key(user, id), self.now());
        if let Some(row) = self.row(key.clone()).await? {
            let known: Use = records::decode(&row.value)?;
            if now.duration_since(known.at) < PRECISION {
                return Ok(());
            }
        }
        let put = vec![(key, records::encode(&Use { at: now })?)];
        self.commit(Changeset { put, ..Changeset::default() }).await.map(drop)
    }

    /// When each app password of a user was last used; those that never were are missing.
    pub async fn app_password_uses(
        &self,
        user: UserId,
    ) -> Result<BTreeMap<AppPasswordId, Timestamp>, StoreError> {
        /// More than a user may have.
        const MOST: usize = 100;
        let rows = self.engine().scan(Key::of(Table::AppPasswordUse).id(&user).range(), MOST).await?;
        let uses = rows.iter().filter_map(|(key, row)| {
            let id = AppPasswordId::from_bytes(*key.last_chunk::<20>()?);
            Some(records::decode::<Use>(&row.value).map(|known| (id, known.at)))
        });
        uses.collect()
    }
}

pub(crate) fn use_key(user: UserId, id: AppPasswordId) -> Vec<u8> {
    Key::of(Table::AppPasswordUse).id(&user).id(&id).done()
}
