//! What is kept only to recognise something again, and for how long: the marks by which a second delivery gets the answer
//! of the first, what a bounce is about, who was away, how other domains want their mail. A sweep goes through them a part at a time, for ever; it never
//! touches a message, a case or the audit trail.

use std::time::Duration;

use jiff::Timestamp;

use crate::{
    accept::AcceptedCase,
    cases::{Case, case_key},
    engine::{Changeset, Row, Rows},
    error::StoreError,
    ids::{CaseId, HeldId, PassageId},
    jobs::SentMail,
    keys::{Key, Table},
    ledger::Ledger,
    mta_sts::MailPolicy,
    records,
    returns::AwayNote,
    shadow::Counted,
};

/// Longer than any mail system tries (RFC 5321 §4.5.4.1: four to five days), and as long as content is kept.
pub const KEPT: Duration = Duration::from_hours(30 * 24);

/// Rows looked at together; their deletions are one commit.
const STEP: usize = 500;

/// The tables that are swept, one after the other.
const SWEPT: [Table; 7] = [
    Table::Source,
    Table::RelaySource,
    Table::HeldSource,
    Table::Sent,
    Table::Away,
    Table::MailPolicy,
    Table::ShadowSource,
];

/// Where a sweep goes on; the default is the beginning.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SweepPlace {
    table: usize,
    /// The last key that was looked at.
    after: Option<Vec<u8>>,
}

/// Until when something is needed.
enum Needed {
    /// As long after this moment as it is kept.
    After(Timestamp),
    /// As long after this moment, and after the last message of the case.
    AfterCase(CaseId, Timestamp),
}

impl Ledger {
    /// Looks at the next `rows` rows or a few more and removes those that are needed no more. How many went, and where
    /// to go on.
    pub async fn sweep_marks(
        &self,
        from: SweepPlace,
        rows: usize,
    ) -> Result<(usize, SweepPlace), StoreError> {
        let (mut place, mut looked_at, mut removed) = (from, 0, 0);
        while looked_at < rows {
            let Some(table) = SWEPT.get(place.table).copied() else {
                return Ok((removed, SweepPlace::default()));
            };
            let mut range = Key::of(table).range();
            if let Some(after) = place.after.take() {
                range.from = [after.as_slice(), &[0]].concat();
            }
            let found = self.engine().scan(range, STEP).await?;
            looked_at += found.len();
            place = match found.last() {
                Some((last, _)) if found.len() == STEP => SweepPlace { after: Some(last.clone()), ..place },
                _ => SweepPlace { table: place.table + 1, after: None },
            };
            removed += self.remove_over(table, found).await?;
        }
        Ok((removed, place))
    }

    async fn remove_over(&self, table: Table, rows: Rows) -> Result<usize, StoreError> {
        let before = self.now().saturating_sub(KEPT).unwrap_or(Timestamp::MIN);
        let mut over = Vec::new();
        let mut of_cases = Vec::new();
        for (key, row) in rows {
            match needed(table, &key, &row) {
                Ok(Needed::After(at)) if at < before => over.push((key, row.version)),
                Ok(Needed::AfterCase(case, at)) if at < before => of_cases.push((case, key, row.version)),
                Ok(_) => {}
                // One that cannot be read must not keep the others.
                Err(error) => tracing::error!(?table, %error, "a mark cannot be read and stays"),
            }
        }
        let cases: Vec<_> = of_cases.iter().map(|(case, ..)| case_key(*case)).collect();
        let cases = self.engine().get(&cases).await?;
        for ((_, key, version), row) in of_cases.into_iter().zip(cases) {
            if row.is_none_or(|row| rests_since(&row).is_some_and(|last| last < before)) {
                over.push((key, version));
            }
        }
        if over.is_empty() {
            return Ok(0);
        }
        let count = over.len();
        let changes = Changeset {
            delete: over.iter().map(|(key, _)| key.clone()).collect(),
            require: over.into_iter().map(|(key, version)| (key, Some(version))).collect(),
            ..Changeset::default()
        };
        match self.commit(changes).await {
            Ok(_) => Ok(count),
            // One of them was needed again: the next round sees it.
            Err(StoreError::Conflict) => Ok(0),
            Err(error) => Err(error),
        }
    }
}

fn needed(table: Table, key: &[u8], row: &Row) -> Result<Needed, StoreError> {
    let made = |second: i64| Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
    Ok(match table {
        Table::Source => {
            let case = records::decode::<AcceptedCase>(&row.value)?.id;
            Needed::AfterCase(case, made(case.second()))
        }
        Table::RelaySource => Needed::After(made(records::decode::<PassageId>(&row.value)?.second())),
        Table::HeldSource => Needed::After(made(records::decode::<HeldId>(&row.value)?.second())),
        Table::Sent => Needed::After(records::decode::<SentMail>(&row.value)?.at),
        // An earlier release noted no time. Copies come within minutes: what is that old is not asked for again.
        Table::ShadowSource => {
            let at = records::decode::<Counted>(&row.value)?.at;
            Needed::After(at.unwrap_or(Timestamp::MIN))
        }
        Table::MailPolicy => Needed::After(records::decode::<MailPolicy>(&row.value)?.until),
        _ => {
            let note: AwayNote = records::decode(&row.value)?;
            let case = key.get(1..).and_then(<[u8]>::first_chunk::<20>);
            let case = case.ok_or_else(|| StoreError::Corrupt("a note of no case".to_owned()))?;
            Needed::AfterCase(CaseId::from_bytes(*case), note.at)
        }
    })
}

/// When the last message of a case came; none if it cannot be read: then nothing of it goes.
fn rests_since(row: &Row) -> Option<Timestamp> {
    records::decode::<Case>(&row.value).ok().map(|case| case.last_message_at)
}
