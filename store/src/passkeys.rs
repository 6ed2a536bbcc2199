//! Passkeys: keys that an authenticator holds, as further second factors of a user, and the ceremonies in which they are
//! made and shown (WebAuthn). What a ceremony or a key holds is the business of who checks it; here it is bytes.

use std::time::Duration;

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use crate::{
    audit::Act,
    engine::Changeset,
    error::StoreError,
    factors::renew,
    ids::{UserId, base32},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// So many a user may have.
pub const MOST_PASSKEYS: usize = 10;
/// Time to touch an authenticator.
const CEREMONY: Duration = Duration::from_mins(10);

/// A passkey of a user.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct StoredPasskey {
    /// What its user calls it by in addresses.
    #[n(0)]
    pub id: String,
    #[n(1)]
    pub name: String,
    #[cbor(n(2), with = "records::time")]
    pub made: Timestamp,
    /// The public key, and what counts how often it was used.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub key: Vec<u8>,
}

/// A ceremony that has begun.
#[derive(Debug, Encode, Decode)]
#[cbor(map)]
struct Ceremony {
    #[n(0)]
    user: UserId,
    /// What the browser is asked.
    #[n(3)]
    question: String,
    #[cbor(n(1), with = "minicbor::bytes")]
    state: Vec<u8>,
    #[cbor(n(2), with = "records::time")]
    until: Timestamp,
}

impl Ledger {
    pub async fn passkeys(&self, user: UserId) -> Result<Vec<StoredPasskey>, StoreError> {
        Ok(self.factors_row(user).await?.0.passkeys)
    }

    /// One more, with recovery codes if there were none left: the answer is the only copy of these. `None`: the user has as
    /// many as there may be, or this one already.
    pub async fn add_passkey(
        &self,
        user: UserId,
        name: &str,
        credential: &[u8],
        key: &[u8],
    ) -> Result<Option<Vec<String>>, StoreError> {
        let id = base32(&certs::sha256(credential)[..10]);
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            if factors.passkeys.len() >= MOST_PASSKEYS || factors.passkeys.iter().any(|known| known.id == id)
            {
                return Ok(None);
            }
            let (name, key) = (name.to_owned(), key.to_vec());
            factors.passkeys.push(StoredPasskey { id: id.clone(), name, made: self.now(), key });
            let codes = if factors.recovery.is_empty() { renew(&mut factors)? } else { Vec::new() };
            match self.write_factors(user, &factors, version, Some(Act::PasskeyAdded)).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| Some(codes)),
            }
        }
    }

    /// `false` if the user has none of that name.
    pub async fn remove_passkey(&self, user: UserId, id: &str) -> Result<bool, StoreError> {
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            let before = factors.passkeys.len();
            factors.passkeys.retain(|known| known.id != id);
            if factors.passkeys.len() == before {
                return Ok(false);
            }
            factors.drop_useless_codes();
            match self.write_factors(user, &factors, version, Some(Act::PasskeyRemoved)).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(|()| true),
            }
        }
    }

    /// The key as it is after it was used.
    pub async fn update_passkey(&self, user: UserId, id: &str, key: &[u8]) -> Result<(), StoreError> {
        loop {
            let (mut factors, version) = self.factors_row(user).await?;
            for known in factors.passkeys.iter_mut().filter(|known| known.id == id) {
                known.key = key.to_vec();
            }
            match self.write_factors(user, &factors, version, None).await {
                Err(StoreError::Conflict) => {}
                done => return done,
            }
        }
    }

    /// Keeps what a ceremony began with; one for each place, and a new one takes the place of the old.
    pub async fn begin_ceremony(
        &self,
        place: &str,
        user: UserId,
        question: &str,
        state: &[u8],
    ) -> Result<(), StoreError> {
        let until = self.now().saturating_add(CEREMONY);
        let until = until.map_err(|error| StoreError::Corrupt(error.to_string()))?;
        let ceremony = Ceremony { user, question: question.to_owned(), state: state.to_vec(), until };
        let put = vec![(ceremony_key(place), records::encode(&ceremony)?)];
        self.commit(Changeset { put, ..Changeset::default() }).await.map(drop)
    }

    /// What the ceremony of a place asks, if one has begun.
    pub async fn ceremony_question(&self, place: &str, user: UserId) -> Result<Option<String>, StoreError> {
        let Some(row) = self.row(ceremony_key(place)).await? else { return Ok(None) };
        let ceremony: Ceremony = records::decode(&row.value)?;
        let counts = ceremony.user == user && self.now() < ceremony.until;
        Ok(counts.then_some(ceremony.question))
    }

    /// What the ceremony of a place began with, once: a second answer to the same challenge finds nothing.
    pub async fn take_ceremony(&self, place: &str, user: UserId) -> Result<Option<Vec<u8>>, StoreError> {
        let key = ceremony_key(place);
        let Some(row) = self.row(key.clone()).await? else { return Ok(None) };
        let ceremony: Ceremony = records::decode(&row.value)?;
        let changes = Changeset {
            require: vec![(key.clone(), Some(row.version))],
            delete: vec![key],
            ..Changeset::default()
        };
        match self.commit(changes).await {
            Err(StoreError::Conflict) => return Ok(None),
            done => done?,
        };
        let counts = ceremony.user == user && self.now() < ceremony.until;
        Ok(counts.then_some(ceremony.state))
    }

    /// Removes ceremonies that nobody finished; says how many.
    pub async fn sweep_ceremonies(&self) -> Result<usize, StoreError> {
        let now = self.now();
        self.sweep(Table::Ceremony, |key, row| {
            let over = records::decode::<Ceremony>(&row.value)?.until <= now;
            Ok(if over { vec![key.to_vec()] } else { Vec::new() })
        })
        .await
    }
}

fn ceremony_key(place: &str) -> Vec<u8> {
    Key::of(Table::Ceremony).raw(&certs::sha256(place.as_bytes())).done()
}
