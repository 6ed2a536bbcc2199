//! The row of a case, and everything that is derived from it: written together, here and nowhere else.
//!
//! What is derived follows from the case alone, as it was and as it is, so that no change of a case can forget a list.
//! Nothing here reads the ledger or decides what a case becomes.

use std::collections::BTreeSet;

use crate::{
    cases::{Case, case_key},
    engine::Changeset,
    error::StoreError,
    records,
};

/// Writes `after` in the place of `before`, if that is still at its version when the changes are committed; a new case
/// has none before it. Once for each case in a changeset.
pub(crate) fn write_case(
    before: Option<(&Case, u64)>,
    after: &Case,
    changes: &mut Changeset,
) -> Result<(), StoreError> {
    let old: BTreeSet<_> = before.iter().flat_map(|(case, _)| case.list_keys()).collect();
    let new: BTreeSet<_> = after.list_keys().collect();
    let nothing = records::encode(&())?;
    changes.delete.extend(old.difference(&new).cloned());
    changes.put.extend(new.difference(&old).map(|key| (key.clone(), nothing.clone())));
    if let Some((case, version)) = before {
        changes.require.push((case_key(case.id), Some(version)));
    }
    changes.put.push((case_key(after.id), records::encode(after)?));
    Ok(())
}
