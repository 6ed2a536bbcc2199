//! How a user likes lists of cases: the columns, and filters under names. Sealed, because people write the names; what a
//! filter says only the portal knows.

use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    ledger::Ledger,
    sealed,
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Encode, Decode)]
#[cbor(map)]
pub struct ListWishes {
    /// The columns in their order; `None`: the user has not chosen.
    #[n(0)]
    pub columns: Option<Vec<String>>,
    #[cbor(n(1), default)]
    pub filters: Vec<SavedFilter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SavedFilter {
    #[n(0)]
    pub name: String,
    /// As it stands in an address: ids and dates.
    #[n(1)]
    pub query: String,
}

impl ListWishes {
    /// A user keeps no more filters than this.
    pub const MOST_FILTERS: usize = 20;
}

impl Ledger {
    pub async fn list_wishes(&self, user: UserId) -> Result<ListWishes, StoreError> {
        let row = self.row(wishes_key(user)).await?;
        row.map_or(Ok(ListWishes::default()), |row| self.opened(user, &row.value))
    }

    /// Keeps a filter under its name, in the place of an earlier one of that name.
    ///
    /// # Errors
    /// `Denied` if the user has as many as can be kept.
    pub async fn save_filter(
        &self,
        actor: &Actor,
        user: UserId,
        filter: SavedFilter,
    ) -> Result<(), StoreError> {
        self.change_wishes(actor, user, Act::FilterSaved, |wishes| {
            if let Some(known) = wishes.filters.iter_mut().find(|known| known.name == filter.name) {
                known.query.clone_from(&filter.query);
            } else if wishes.filters.len() < ListWishes::MOST_FILTERS {
                wishes.filters.push(filter.clone());
            } else {
                return Err(StoreError::Denied("remove a saved filter first".to_owned()));
            }
            Ok(())
        })
        .await
    }

    /// Removes the filter of that name, if there is one.
    pub async fn remove_filter(&self, actor: &Actor, user: UserId, name: &str) -> Result<(), StoreError> {
        self.change_wishes(actor, user, Act::FilterRemoved, |wishes| {
            wishes.filters.retain(|known| known.name != name);
            Ok(())
        })
        .await
    }

    pub async fn choose_columns(
        &self,
        actor: &Actor,
        user: UserId,
        columns: Vec<String>,
    ) -> Result<(), StoreError> {
        self.change_wishes(actor, user, Act::ColumnsChosen, |wishes| {
            wishes.columns = Some(columns.clone());
            Ok(())
        })
        .await
    }

    async fn change_wishes(
        &self,
        actor: &Actor,
        user: UserId,
        act: Act,
        change: impl Fn(&mut ListWishes) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        loop {
            let row = self.row(wishes_key(user)).await?;
            let known = row.as_ref().map(|row| self.opened(user, &row.value)).transpose()?;
            let mut wishes = known.unwrap_or_default();
            change(&mut wishes)?;
            let sealed = sealed::encode(self.root(), Table::ListWishes, &user, &wishes)?;
            let event = Event::new(self.now(), actor.clone(), act).user(user);
            let changes = Changeset {
                require: vec![(wishes_key(user), row.map(|row| row.version))],
                put: vec![(wishes_key(user), sealed)],
                append: vec![event.to_bytes()?],
                ..Changeset::default()
            };
            match self.commit(changes).await {
                Err(StoreError::Conflict) => {}
                done => return done.map(drop),
            }
        }
    }

    fn opened(&self, user: UserId, bytes: &[u8]) -> Result<ListWishes, StoreError> {
        sealed::decode(self.root(), Table::ListWishes, &user, bytes)
    }
}

pub(crate) fn wishes_key(user: UserId) -> Vec<u8> {
    Key::of(Table::ListWishes).id(&user).done()
}
