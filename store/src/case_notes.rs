//! Internal notes of a case: what the people of one side tell each other about it. Sealed under their group's key, never part
//! of a notice, and gone with the content. Another group has no way to them: there is none in the types.

use jiff::Timestamp;
use mail::GroupId;
use minicbor::{Decode, Encode};

use crate::{
    audit::{Act, Actor, Event},
    case_events::user,
    cases::Case,
    engine::Changeset,
    error::StoreError,
    group_sealed,
    ids::{CaseId, NoteId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// Longest note in bytes.
pub const LONGEST_NOTE: usize = 4_000;

/// A side has no more notes in one case than this.
const MOST_NOTES: usize = 200;

/// What somebody noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaseNote {
    pub id: NoteId,
    pub at: Timestamp,
    pub by: Option<UserId>,
    pub text: String,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Record {
    #[cbor(n(0), with = "records::time")]
    at: Timestamp,
    #[n(1)]
    by: Option<UserId>,
    #[n(2)]
    text: String,
}

impl Ledger {
    /// Adds a note of `group`.
    ///
    /// # Errors
    /// `Denied` for a text that is empty or too long, for one note too many, and in an archived case.
    pub async fn add_note(
        &self,
        actor: &Actor,
        case: &Case,
        group: &GroupId,
        text: &str,
    ) -> Result<(), StoreError> {
        let mut changes = Changeset::default();
        self.put_note(actor, case, group, text, &mut changes).await?;
        self.commit(changes).await.map(drop)
    }

    /// The same within another commit.
    pub(crate) async fn put_note(
        &self,
        actor: &Actor,
        case: &Case,
        group: &GroupId,
        text: &str,
        changes: &mut Changeset,
    ) -> Result<(), StoreError> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST_NOTE {
            return Err(StoreError::Denied(format!("a note has 1 to {LONGEST_NOTE} bytes")));
        }
        if case.side(group).is_none() || case.is_archived() {
            return Err(StoreError::Denied("there is nothing to note about this case".to_owned()));
        }
        let there = self.engine().scan(notes_of(case.id, group).range(), MOST_NOTES).await?;
        if there.len() >= MOST_NOTES {
            return Err(StoreError::Denied(format!(
                "this case has {MOST_NOTES} notes, which is all it holds"
            )));
        }
        let at = self.now();
        let key = notes_of(case.id, group).id(&NoteId::new(at)?).done();
        let record = Record { at, by: user(actor), text: text.to_owned() };
        let row = group_sealed::encode(self.directory().ring(group)?, &key, &record)?;
        changes.require.push((key.clone(), None));
        changes.put.push((key, row));
        let event = Event::new(at, actor.clone(), Act::NoteAdded).group(group).case(case.id);
        changes.append.push(event.to_bytes()?);
        Ok(())
    }

    /// The notes of `group`, the oldest first. One that cannot be read is left out, and said in the log.
    pub async fn notes(&self, case: CaseId, group: &GroupId) -> Result<Vec<CaseNote>, StoreError> {
        let directory = self.directory();
        let ring = directory.ring(group)?;
        let rows = self.engine().scan(notes_of(case, group).range(), MOST_NOTES).await?;
        let mut notes = Vec::with_capacity(rows.len());
        for (key, row) in rows {
            let Some(id) = key.last_chunk::<20>().map(|id| NoteId::from_bytes(*id)) else { continue };
            match group_sealed::decode::<Record>(ring, &key, &row.value) {
                Ok(Record { at, by, text }) => notes.push(CaseNote { id, at, by, text }),
                Err(error) => tracing::error!(%case, %error, "a note cannot be read and is left out"),
            }
        }
        notes.sort_by_key(|note| note.at);
        Ok(notes)
    }
}

pub(crate) fn notes_of(case: CaseId, group: &GroupId) -> Key {
    Key::of(Table::CaseNote).id(&case).text(group.as_str())
}
