//! What a user has beside the password, and whether one is needed to sign in.
//!
//! One row for each user, read when somebody signs in and never held in memory. A user without a row signs in with the
//! password alone.

use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// The factors of one user.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Factors {
    /// The user signs in with a second factor, and has to set one up first.
    #[n(0)]
    pub(crate) required: bool,
}

impl Ledger {
    pub(crate) async fn factors_row(&self, user: UserId) -> Result<(Factors, Option<u64>), StoreError> {
        match self.row(factors_key(user)).await? {
            Some(row) => Ok((records::decode(&row.value)?, Some(row.version))),
            None => Ok((Factors::default(), None)),
        }
    }

    /// From this commit on the user needs a second factor.
    pub(crate) async fn require_second_factor(
        &self,
        user: UserId,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let (mut factors, version) = self.factors_row(user).await?;
        factors.required = true;
        changes.require.push((factors_key(user), version));
        changes.put.push((factors_key(user), records::encode(&factors)?));
        Ok(())
    }
}

fn factors_key(user: UserId) -> Vec<u8> {
    Key::of(Table::Factors).id(&user).done()
}
