//! What of a case's content goes when its retention time is over: the keys of its messages, without which they are noise in every
//! copy, the notes and the tags of both sides. The case itself and the audit trail stay.

use crate::{
    case_notes::notes_of,
    case_tags::{rows_of, tags_of},
    cases::Case,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
};

/// Rows of one kind; a case has at most a thousand messages, and fewer notes and tags.
const MOST: usize = 1_000;

impl Ledger {
    /// The keys of the rows that go.
    pub(crate) async fn content_rows(&self, case: &Case) -> Result<Vec<Vec<u8>>, StoreError> {
        let mut gone = Vec::new();
        let wraps = self.engine().scan(Key::of(Table::Wrap).id(&case.id).range(), MOST).await?;
        gone.extend(wraps.into_iter().map(|(key, _)| key));
        for side in &case.sides {
            let notes = self.engine().scan(notes_of(case.id, &side.group).range(), MOST).await?;
            gone.extend(notes.into_iter().map(|(key, _)| key));
            let tags = self.engine().scan(tags_of(case.id, &side.group).range(), MOST).await?;
            gone.extend(tags.iter().filter_map(|(key, _)| rows_of(case.id, key)).flatten());
        }
        Ok(gone)
    }
}
