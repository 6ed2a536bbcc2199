//! Rows that are over are removed: a table is gone through from its beginning, so many rows at a time, with a commit for each
//! batch in which some go. What is over, the table's own file says; nothing here knows it.

use crate::{
    engine::{Changeset, Row},
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
};

const BATCH: usize = 1_000;

impl Ledger {
    /// Asks of every row of a table what goes with it: nothing if it stays, otherwise its key and those of rows that only lead
    /// to it. Says how many rows went.
    pub(crate) async fn sweep(
        &self,
        table: Table,
        mut goes: impl FnMut(&[u8], &Row) -> Result<Vec<Vec<u8>>, StoreError>,
    ) -> Result<usize, StoreError> {
        let mut range = Key::of(table).range();
        let mut swept = 0;
        loop {
            let rows = self.engine().scan(range.clone(), BATCH).await?;
            let mut changes = Changeset::default();
            for (key, row) in &rows {
                let gone = goes(key, row)?;
                swept += usize::from(!gone.is_empty());
                changes.delete.extend(gone);
            }
            if !changes.delete.is_empty() {
                self.commit(changes).await?;
            }
            match rows.last() {
                Some((key, _)) if rows.len() == BATCH => range.from = [key.as_slice(), &[0]].concat(),
                _ => return Ok(swept),
            }
        }
    }
}
