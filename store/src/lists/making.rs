//! Cases that an earlier release wrote are put into the lists, in bounded batches, from where it was cut off the last time.
//! A case itself says whether it stands in them, so that whoever changes it meanwhile puts it there at once.

use minicbor::{Decode, Encode};

use crate::{
    case_row::write_case,
    cases::Case,
    engine::{Changeset, Range},
    error::StoreError,
    ids::CaseId,
    keys::{Key, Table},
    ledger::Ledger,
    lists::EDITION,
    records,
};

/// Cases that are looked at in one commit.
const BATCH: usize = 256;

/// The one row that says how far it is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Progress {
    #[n(0)]
    edition: u8,
    /// The case after which to go on; `None`: all are done.
    #[cbor(n(1), with = "minicbor::bytes")]
    after: Option<Vec<u8>>,
}

/// That there is nothing to do: what a new ledger begins with.
pub(crate) fn made() -> Result<bytes::Bytes, StoreError> {
    records::encode(&Progress { edition: EDITION, after: None })
}

pub(crate) fn made_key() -> Vec<u8> {
    Key::of(Table::ListsMade).done()
}

impl Ledger {
    /// Whether every case stands in the lists; if not, [`Ledger::make_lists`] is under way, or will be.
    pub async fn lists_are_made(&self) -> Result<bool, StoreError> {
        if self.knows_lists() {
            return Ok(true);
        }
        let row = self.row(made_key()).await?;
        let progress = row.map(|row| records::decode::<Progress>(&row.value)).transpose()?;
        let made = progress.is_some_and(|known| known.edition == EDITION && known.after.is_none());
        if made {
            self.note_lists();
        }
        Ok(made)
    }

    /// Puts every case into the lists that is not in them. How many were put there. Cut off at any point, the next call
    /// goes on from there.
    pub async fn make_lists(&self) -> Result<u64, StoreError> {
        let (mut moved, mut at_once) = (0, BATCH);
        loop {
            let row = self.row(made_key()).await?;
            let known = row.as_ref().map(|row| records::decode::<Progress>(&row.value)).transpose()?;
            let after = match known.filter(|known| known.edition == EDITION) {
                Some(Progress { after: None, .. }) => return Ok(moved),
                Some(Progress { after, .. }) => after,
                None => None,
            };
            let (mut changes, count, last) = self.next_unlisted(after, at_once).await?;
            changes.require.push((made_key(), row.map(|row| row.version)));
            let progress = Progress { edition: EDITION, after: last };
            changes.put.push((made_key(), records::encode(&progress)?));
            match self.commit(changes).await {
                Ok(_) => (moved, at_once) = (moved + count, BATCH),
                // A case of the batch moved on meanwhile; a smaller batch has fewer that can.
                Err(StoreError::Conflict) => at_once = (at_once / 2).max(1),
                Err(error) => return Err(error),
            }
        }
    }

    /// The changes for the next cases, how many they are, and the last that was looked at, if there may be more.
    async fn next_unlisted(
        &self,
        after: Option<Vec<u8>>,
        limit: usize,
    ) -> Result<(Changeset, u64, Option<Vec<u8>>), StoreError> {
        let mut range = Key::of(Table::Case).range();
        if let Some(after) = after {
            let Range { from, .. } = &mut range;
            *from = [after.as_slice(), &[0]].concat();
        }
        let rows = self.engine().scan(range, limit).await?;
        let last = rows.last().filter(|_| rows.len() == limit).map(|(key, _)| key.clone());
        let (mut changes, mut count) = (Changeset::default(), 0);
        for (key, row) in &rows {
            match records::decode::<Case>(&row.value) {
                Ok(case) if case.lists == EDITION => {}
                Ok(case) => {
                    write_case(Some((&case, row.version)), &case, &mut changes)?;
                    count += 1;
                }
                // One that cannot be read must not keep the others out.
                Err(error) => {
                    let case = key.last_chunk::<20>().map(|id| CaseId::from_bytes(*id));
                    tracing::error!(?case, %error, "a case cannot be read and stands in no list");
                }
            }
        }
        Ok((changes, count, last))
    }
}
