//! Half-way in: the password was right and the second step is to come.
//!
//! An entry is no session and never becomes one: it has its own token, lasts minutes, allows few tries, and all it says
//! is whose second step it is.

use std::{fmt, time::Duration};

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    ids::{UserId, base32},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// To find the telephone, or to set up an app.
const LIFE: Duration = Duration::from_mins(15);
/// Codes that may be tried with one entry.
const TRIES: u8 = 5;

/// 160 random bits, for the cookie. `Debug` does not show them.
#[derive(Clone, PartialEq, Eq)]
pub struct EntryToken(String);

/// Somebody whose password was right.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    #[n(0)]
    pub user: UserId,
    /// Where the sign-in leads.
    #[n(1)]
    pub next: String,
    #[cbor(n(2), with = "records::time")]
    pub until: Timestamp,
    /// Tries that are left.
    #[n(3)]
    tries: u8,
}

impl EntryToken {
    /// Takes what a cookie holds; whether it is an entry shows when it is looked up.
    pub fn from_cookie(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> Vec<u8> {
        Key::of(Table::Entry).raw(&certs::sha256(self.0.as_bytes())).done()
    }
}

impl fmt::Debug for EntryToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EntryToken(..)")
    }
}

impl Ledger {
    /// Lets somebody whose password was right come to the second step.
    pub async fn begin_entry(&self, user: UserId, next: &str) -> Result<EntryToken, StoreError> {
        let token = EntryToken(base32(&certs::random::<20>()?));
        let until =
            self.now().saturating_add(LIFE).map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let entry = Entry { user, next: next.to_owned(), until, tries: TRIES };
        let put = vec![(token.key(), records::encode(&entry)?)];
        self.commit(Changeset { put, ..Changeset::default() }).await?;
        Ok(token)
    }

    /// Whose second step it is, if the entry is not over.
    pub async fn entry(&self, token: &EntryToken) -> Result<Option<Entry>, StoreError> {
        Ok(self.entry_row(token).await?.map(|(entry, _)| entry))
    }

    /// Takes one try; none if the entry is over or has none left. The try is gone before the code is looked at.
    pub async fn try_entry(&self, token: &EntryToken) -> Result<Option<Entry>, StoreError> {
        loop {
            let Some((entry, version)) = self.entry_row(token).await? else { return Ok(None) };
            let Some(tries) = entry.tries.checked_sub(1) else { return Ok(None) };
            let less = Entry { tries, ..entry };
            let changes = Changeset {
                require: vec![(token.key(), Some(version))],
                put: vec![(token.key(), records::encode(&less)?)],
                ..Changeset::default()
            };
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|_| Some(less)),
            }
        }
    }

    pub async fn end_entry(&self, token: &EntryToken) -> Result<(), StoreError> {
        self.commit(Changeset { delete: vec![token.key()], ..Changeset::default() }).await.map(drop)
    }

    /// Removes entries that are over; says how many.
    pub async fn sweep_entries(&self) -> Result<usize, StoreError> {
        let now = self.now();
        self.sweep(Table::Entry, |key, row| {
            let over = records::decode::<Entry>(&row.value)?.until <= now;
            Ok(if over { vec![key.to_vec()] } else { Vec::new() })
        })
        .await
    }

    async fn entry_row(&self, token: &EntryToken) -> Result<Option<(Entry, u64)>, StoreError> {
        let Some(row) = self.row(token.key()).await? else { return Ok(None) };
        let entry: Entry = records::decode(&row.value)?;
        Ok((entry.until > self.now()).then_some((entry, row.version)))
    }
}
