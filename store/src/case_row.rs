//! The row of a case, and everything that is derived from it: written together, here and nowhere else.
//!
//! What is derived follows from the case alone, as it was and as it is, so that no change of a case can forget a list or
//! a count. Nothing here reads the ledger or decides what a case becomes.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    cases::{Case, case_key},
    engine::Changeset,
    error::StoreError,
    lists, records,
    reports::move_gauges,
};

/// Writes `after` in the place of `before`, if that is still at its version when the changes are committed; a new case
/// has none before it. Once for each case in a changeset.
pub(crate) fn write_case(
    before: Option<(&Case, u64)>,
    after: &Case,
    changes: &mut Changeset,
) -> Result<(), StoreError> {
    let after = Case { lists: lists::EDITION, ..after.clone() };
    let mut stale = before.map_or(Ok(BTreeMap::new()), |(case, _)| lists::rows(case))?;
    for (key, value) in lists::rows(&after)? {
        if stale.remove(&key).is_none_or(|old| old != value) {
            changes.put.push((key, value));
        }
    }
    changes.delete.extend(stale.into_keys());
    set_timers(before.map(|(case, _)| case), &after, changes)?;
    count(before.map(|(case, _)| case), &after, changes);
    move_gauges(before.map(|(case, _)| case), &after, changes);
    if let Some((case, version)) = before {
        changes.require.push((case_key(case.id), Some(version)));
    }
    changes.put.push((case_key(after.id), records::encode(&after)?));
    Ok(())
}

fn set_timers(before: Option<&Case>, after: &Case, changes: &mut Changeset) -> Result<(), StoreError> {
    // A case of an earlier release has none.
    let known = before.filter(|case| case.lists == lists::EDITION);
    let old: BTreeSet<_> = known.into_iter().flat_map(Case::timer_keys).collect();
    let new: BTreeSet<_> = after.timer_keys().into_iter().collect();
    let nothing = records::encode(&())?;
    changes.delete.extend(old.difference(&new).cloned());
    changes.put.extend(new.difference(&old).map(|key| (key.clone(), nothing.clone())));
    Ok(())
}

fn count(before: Option<&Case>, after: &Case, changes: &mut Changeset) {
    let mut moved: BTreeMap<Vec<u8>, i64> = BTreeMap::new();
    for key in lists::counters(after) {
        *moved.entry(key).or_default() += 1;
    }
    for key in before.into_iter().flat_map(lists::counters) {
        *moved.entry(key).or_default() -= 1;
    }
    changes.add.extend(moved.into_iter().filter(|(_, by)| *by != 0));
}
