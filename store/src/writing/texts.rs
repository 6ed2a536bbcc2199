//! Texts that a group keeps for its people to write with, sealed for the group. Who may change them is decided before.

use mail::GroupId;
use minicbor::{Decode, Encode};

use super::sealed::Sealed;
use crate::{
    audit::{Act, Actor, Event},
    engine::Changeset,
    error::StoreError,
    ids::TextId,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Texts that a group has.
pub const MOST_TEXTS: usize = 200;

/// One text for reuse.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextTemplate {
    pub id: TextId,
    pub name: String,
    pub text: String,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct TextRow {
    #[n(0)]
    sealed: Sealed,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Words {
    #[n(0)]
    name: String,
    #[n(1)]
    text: String,
}

impl Ledger {
    /// The texts of the group, by name.
    pub async fn text_templates(&self, group: &GroupId) -> Result<Vec<TextTemplate>, StoreError> {
        let directory = self.directory();
        let ring = directory.ring(group)?;
        let mut texts = Vec::new();
        for (key, row) in self.engine().scan(texts_of(group).range(), MOST_TEXTS).await? {
            let Some(id) = key.last_chunk::<20>().map(|id| TextId::from_bytes(*id)) else { continue };
            let row: TextRow = records::decode(&row.value)?;
            let Words { name, text } = row.sealed.open(ring, &key)?;
            texts.push(TextTemplate { id, name, text });
        }
        texts.sort_by_cached_key(|text| (text.name.to_lowercase(), text.id));
        Ok(texts)
    }

    /// Keeps a text: a new one, or what `id` says from now on.
    ///
    /// # Errors
    /// `Denied` if there is none of that id, or no room for one more.
    pub async fn put_text_template(
        &self,
        actor: &Actor,
        group: &GroupId,
        id: Option<TextId>,
        name: &str,
        text: &str,
    ) -> Result<TextId, StoreError> {
        let (key, before) = self.place_of_text(group, id).await?;
        let words = Words { name: name.to_owned(), text: text.to_owned() };
        let sealed = Sealed::new(self.directory().ring(group)?, &text_key(group, key), &words)?;
        let changes = Changeset {
            require: vec![(text_key(group, key), before)],
            put: vec![(text_key(group, key), records::encode(&TextRow { sealed })?)],
            append: vec![Event::new(self.now(), actor.clone(), Act::TextSet).group(group).to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await?;
        Ok(key)
    }

    /// Removes a text; one that is gone already is no error.
    pub async fn remove_text_template(
        &self,
        actor: &Actor,
        group: &GroupId,
        id: TextId,
    ) -> Result<(), StoreError> {
        let Some(row) = self.row(text_key(group, id)).await? else { return Ok(()) };
        let changes = Changeset {
            require: vec![(text_key(group, id), Some(row.version))],
            delete: vec![text_key(group, id)],
            append: vec![Event::new(self.now(), actor.clone(), Act::TextRemoved).group(group).to_bytes()?],
            ..Changeset::default()
        };
        self.commit(changes).await.map(drop)
    }

    async fn place_of_text(
        &self,
        group: &GroupId,
        id: Option<TextId>,
    ) -> Result<(TextId, Option<u64>), StoreError> {
        if let Some(id) = id {
            let row = self.row(text_key(group, id)).await?;
            let row = row.ok_or_else(|| StoreError::Denied("there is no such text".to_owned()))?;
            return Ok((id, Some(row.version)));
        }
        let others = self.engine().scan(texts_of(group).range(), MOST_TEXTS).await?;
        if others.len() == MOST_TEXTS {
            return Err(StoreError::Denied(format!("{MOST_TEXTS} texts are as many as there may be")));
        }
        Ok((TextId::new(self.now())?, None))
    }
}

fn texts_of(group: &GroupId) -> Key {
    Key::of(Table::TextTemplate).text(group.as_str())
}

fn text_key(group: &GroupId, id: TextId) -> Vec<u8> {
    texts_of(group).id(&id).done()
}
