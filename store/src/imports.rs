//! A file of people or permissions that somebody has looked at and not applied yet: one for each user, sealed, because it
//! holds names and addresses. Nothing here reads it.

use jiff::{SignedDuration, Timestamp};
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    directory::User,
    engine::Changeset,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
    records, sealed,
};

/// Largest file, in bytes.
pub const LARGEST_IMPORT: usize = 512 * 1024;
/// Who has not applied it after this time looks at it anew.
const KEPT: SignedDuration = SignedDuration::from_hours(1);

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Import {
    #[cbor(n(0), with = "records::time")]
    at: Timestamp,
    #[n(1)]
    text: String,
}

impl Ledger {
    /// Lays a file ready for its user, in the place of an earlier one.
    ///
    /// # Errors
    /// `Denied` if it is larger than [`LARGEST_IMPORT`].
    pub async fn lay_import(&self, user: &User, text: &str) -> Result<(), StoreError> {
        if text.len() > LARGEST_IMPORT {
            return Err(StoreError::Denied(format!(
                "the file is larger than {LARGEST_IMPORT} bytes; cut it in two"
            )));
        }
        let import = Import { at: self.now(), text: text.to_owned() };
        let row = sealed::encode(self.root(), Table::Import, &user.id, &import)?;
        let event = Event::new(self.now(), Actor::User(user.id), Act::ImportLaid).group(&user.group);
        let changes = Changeset {
            put: vec![(import_key(user.id), row)],
            append: vec![event.to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await.map(drop)
    }

    /// The file that lies ready; none if there is none or it has lain for an hour.
    pub async fn laid_import(&self, user: UserId) -> Result<Option<String>, StoreError> {
        let Some(row) = self.row(import_key(user)).await? else { return Ok(None) };
        let import: Import = sealed::decode(self.root(), Table::Import, &user, &row.value)?;
        Ok((self.now().duration_since(import.at) < KEPT).then_some(import.text))
    }

    /// Takes it away: it is applied.
    pub async fn forget_import(&self, user: UserId) -> Result<(), StoreError> {
        self.commit(Changeset { delete: vec![import_key(user)], ..Changeset::default() }).await.map(drop)
    }

    /// Removes those that nobody applied in time; says how many.
    pub async fn sweep_imports(&self) -> Result<usize, StoreError> {
        /// Users with a file at the same time are few.
        const BATCH: usize = 1_000;
        let rows = self.engine().scan(Key::of(Table::Import).range(), BATCH).await?;
        let mut changes = Changeset::default();
        for (key, row) in rows {
            let user = self.directory().users().map(|user| user.id).find(|id| import_key(*id) == key);
            let lies = match user {
                Some(user) => {
                    let import: Import = sealed::decode(self.root(), Table::Import, &user, &row.value)?;
                    self.now().duration_since(import.at) < KEPT
                }
                None => false,
            };
            if !lies {
                changes.delete.push(key);
            }
        }
        let swept = changes.delete.len();
        if swept > 0 {
            self.commit(changes).await?;
        }
        Ok(swept)
    }
}

pub(crate) fn import_key(user: UserId) -> Vec<u8> {
    Key::of(Table::Import).id(&user).done()
}
