//! What is derived from a case for the lists: its rows on each side, and what it counts for. Pure: a case goes in, keys
//! and values come out, so that what a change has to write is the difference between before and after.
//!
//! Every row begins with the group and with what a permission names, so that who reads by a permission never comes near a
//! row of another group, participant, process or contact type. Every row ends with a time and the case, its *place*.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use mail::{ContactType, GroupId, Mpid, ProcessId};
use minicbor::{Decode, Encode};

use crate::{
    cases::{Case, Side},
    casework::CaseState,
    directory::Permission,
    error::StoreError,
    ids::UserId,
    keys::{Key, Table},
    records,
};

/// The lists as this release writes them. A case says in which it stands; 0: in those of an earlier release.
pub(crate) const EDITION: u8 = 1;

/// Bytes of a row's place: time and case.
pub(crate) const PLACE: usize = 28;

/// Who owes the answer, as one side sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Owed {
    ByUs,
    ByThem,
}

/// Where the rows of one permission stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Slot<'a> {
    pub(crate) group: &'a GroupId,
    pub(crate) participant: &'a Mpid,
    pub(crate) process: &'a ProcessId,
    pub(crate) contact_type: &'a ContactType,
}

/// One shelf of a slot: the cases in one state, owned by somebody or by nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Shelf(u8);

/// What a list knows of a case without reading it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(crate) struct Line {
    #[n(0)]
    shelf: u8,
    #[n(1)]
    pub(crate) owner: Option<UserId>,
    #[n(2)]
    pub(crate) others: Vec<GroupId>,
    #[cbor(n(3), with = "records::optional_time", has_nil)]
    pub(crate) due: Option<Timestamp>,
    #[cbor(n(4), with = "records::time")]
    pub(crate) opened_at: Timestamp,
    #[cbor(n(5), with = "records::time")]
    pub(crate) last_message_at: Timestamp,
    #[n(6)]
    pub(crate) undelivered: bool,
}

impl<'a> Slot<'a> {
    pub(crate) fn of(group: &'a GroupId, permission: &'a Permission) -> Self {
        let Permission { participant, process, contact_type } = permission;
        Self { group, participant, process, contact_type }
    }

    fn taken_by(case: &'a Case, side: &'a Side) -> Self {
        let (process, contact_type) = (&case.process, &case.contact_type);
        Self { group: &side.group, participant: &side.participant, process, contact_type }
    }

    fn key(self, table: Table) -> Key {
        let key = Key::of(table).text(self.group.as_str()).text(self.participant.as_str());
        key.text(self.process.as_str()).text(self.contact_type.as_str())
    }

    /// Before a place: by last message, one shelf.
    pub(crate) fn by_message(self, shelf: Shelf) -> Key {
        self.key(Table::CasesByMessage).raw(&[shelf.0])
    }

    /// By last message, of one owner; those that are ended apart.
    pub(crate) fn by_owner(self, owner: UserId, ended: bool) -> Key {
        self.key(Table::CasesByOwner).id(&owner).raw(&[u8::from(ended)])
    }

    /// By the deadline, the earliest first.
    pub(crate) fn by_due(self, owed: Owed) -> Key {
        self.key(Table::CasesByDue).raw(&[owed.byte()])
    }

    /// By the opening, the latest first. The row holds nothing and stands as long as the slot is the same.
    pub(crate) fn by_opening(self) -> Key {
        self.key(Table::CasesByOpening)
    }

    /// The same, of one counterparty.
    pub(crate) fn by_counterparty(self, other: &GroupId) -> Key {
        self.key(Table::CasesByCounterparty).text(other.as_str())
    }

    /// Before all counters.
    pub(crate) fn counters(self) -> Key {
        self.key(Table::CaseCount)
    }

    /// Before the counters of shelves.
    pub(crate) fn shelves(self) -> Key {
        self.counters().raw(b"s")
    }

    /// How many stand on a shelf.
    pub(crate) fn count_on(self, shelf: Shelf) -> Vec<u8> {
        self.shelves().raw(&[shelf.0]).done()
    }

    /// How many that are not ended somebody owns.
    pub(crate) fn count_of(self, owner: UserId) -> Vec<u8> {
        self.counters().raw(b"o").id(&owner).done()
    }

    /// Before the counters of deadlines, for each quarter of an hour ([`quarter`]).
    pub(crate) fn deadlines(self, owed: Owed) -> Key {
        self.counters().raw(b"d").raw(&[owed.byte()])
    }
}

impl Owed {
    pub(crate) const BOTH: [Self; 2] = [Self::ByUs, Self::ByThem];

    fn byte(self) -> u8 {
        match self {
            Self::ByUs => 0,
            Self::ByThem => 1,
        }
    }
}

impl Shelf {
    /// Beside its own shelf, a case stands here while a notice about it could not be delivered.
    pub(crate) const UNDELIVERED: Self = Self(0x40);

    /// The shelves of one state.
    pub(crate) fn of(state: CaseState) -> impl Iterator<Item = Self> {
        let standing: &[u8] = match state {
            CaseState::Open => &[0],
            CaseState::AwaitingUs => &[1],
            CaseState::AwaitingThem => &[2],
            // Whoever owes the answer: by us, by them.
            CaseState::Escalated => &[3, 4],
            CaseState::Closed => &[5],
            CaseState::Archived => &[6],
        };
        standing.iter().flat_map(|standing| [Self(standing << 1), Self(standing << 1 | 1)])
    }

    fn holding(case: &Case, side: &Side) -> Self {
        let standing = match (case.state(&side.group), owed(case, side)) {
            (CaseState::Open, _) => 0,
            (CaseState::AwaitingUs, _) => 1,
            (CaseState::AwaitingThem, _) => 2,
            (CaseState::Escalated, Some(Owed::ByUs)) => 3,
            (CaseState::Escalated, _) => 4,
            (CaseState::Closed, _) => 5,
            (CaseState::Archived, _) => 6,
        };
        Self(standing << 1 | u8::from(side.owner.is_some()))
    }

    /// Its mark in a key.
    pub(crate) fn byte(self) -> u8 {
        self.0
    }

    pub(crate) fn is_owned(self) -> bool {
        self.0 & 1 == 1
    }

    /// Whose answer the cases of the shelf wait for.
    pub(crate) fn owed(self) -> Option<Owed> {
        match self.0 >> 1 {
            1 | 3 => Some(Owed::ByUs),
            2 | 4 => Some(Owed::ByThem),
            _ => None,
        }
    }

    pub(crate) fn state(self) -> CaseState {
        match self.0 >> 1 {
            1 => CaseState::AwaitingUs,
            2 => CaseState::AwaitingThem,
            3 | 4 => CaseState::Escalated,
            5 => CaseState::Closed,
            6 => CaseState::Archived,
            _ => CaseState::Open,
        }
    }

    pub(crate) fn is_ended(self) -> bool {
        matches!(self.state(), CaseState::Closed | CaseState::Archived)
    }
}

impl Line {
    /// What the lists of `group` know of the case, if it takes part.
    pub(crate) fn of(case: &Case, group: &GroupId) -> Option<Self> {
        case.side(group).map(|side| Self::on(case, side))
    }

    fn on(case: &Case, side: &Side) -> Self {
        Self {
            shelf: Shelf::holding(case, side).0,
            owner: side.owner,
            others: case.counterparties(&side.group).map(|other| other.group.clone()).collect(),
            due: case.due.as_ref().map(|due| due.at),
            opened_at: case.opened_at,
            last_message_at: case.last_message_at,
            undelivered: case.sides.iter().any(|side| side.undelivered.is_some()),
        }
    }

    pub(crate) fn shelf(&self) -> Shelf {
        Shelf(self.shelf)
    }
}

/// Every row of the lists that stands for the case.
pub(crate) fn rows(case: &Case) -> Result<BTreeMap<Vec<u8>, Bytes>, StoreError> {
    let nothing = records::encode(&())?;
    if case.lists == 0 {
        return Ok(case.old_list_keys().map(|key| (key, nothing.clone())).collect());
    }
    let mut rows = BTreeMap::new();
    for side in &case.sides {
        let (slot, line) = (Slot::taken_by(case, side), Line::on(case, side));
        let known = records::encode(&line)?;
        let mut put = |key: Key, at: fn(Key, Timestamp) -> Key, time, value: &Bytes| {
            rows.insert(at(key, time).id(&case.id).done(), value.clone());
        };
        let (shelf, last) = (line.shelf(), case.last_message_at);
        put(slot.by_message(shelf), Key::time_descending, last, &known);
        if line.undelivered && !shelf.is_ended() {
            put(slot.by_message(Shelf::UNDELIVERED), Key::time_descending, last, &known);
        }
        if let Some(owner) = side.owner {
            put(slot.by_owner(owner, shelf.is_ended()), Key::time_descending, last, &known);
        }
        if let (Some(owed), Some(due)) = (owed(case, side), line.due) {
            put(slot.by_due(owed), Key::time, due, &known);
        }
        put(slot.by_opening(), Key::time_descending, case.opened_at, &nothing);
        for other in &line.others {
            put(slot.by_counterparty(other), Key::time_descending, case.opened_at, &nothing);
        }
    }
    Ok(rows)
}

/// The counters in which the case counts, as often as it stands here.
pub(crate) fn counters(case: &Case) -> Vec<Vec<u8>> {
    if case.lists == 0 {
        return Vec::new();
    }
    let mut counted = Vec::new();
    for side in &case.sides {
        let (slot, line) = (Slot::taken_by(case, side), Line::on(case, side));
        let shelf = line.shelf();
        counted.push(slot.count_on(shelf));
        if shelf.is_ended() {
            continue;
        }
        if line.undelivered {
            counted.push(slot.count_on(Shelf::UNDELIVERED));
        }
        counted.extend(side.owner.map(|owner| slot.count_of(owner)));
        if let (Some(owed), Some(due)) = (owed(case, side), line.due) {
            counted.push(slot.deadlines(owed).number(quarter(due)).done());
        }
    }
    counted
}

/// The quarter of an hour at whose end, or before it, an instant lies, counted from 1970: deadlines are ends of days, and
/// every time zone has its midnight at the end of a quarter.
pub(crate) fn quarter(at: Timestamp) -> u32 {
    const MILLISECONDS: i64 = 15 * 60 * 1_000;
    let quarters = at.as_millisecond().saturating_add(MILLISECONDS - 1).div_euclid(MILLISECONDS);
    u32::try_from(quarters.max(0)).unwrap_or(u32::MAX)
}

/// Who owes an answer; nobody does in a case that is ended.
fn owed(case: &Case, side: &Side) -> Option<Owed> {
    let due = case.due.as_ref()?;
    match case.state(&side.group) {
        CaseState::Closed | CaseState::Archived => None,
        _ if due.side == side.group => Some(Owed::ByUs),
        _ => Some(Owed::ByThem),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shelf_knows_its_state_and_owner() {
        for state in CaseState::ALL {
            for shelf in Shelf::of(state) {
                assert_eq!(shelf.state(), state);
                assert_eq!(shelf.is_ended(), matches!(state, CaseState::Closed | CaseState::Archived));
            }
            assert_eq!(
                Shelf::of(state).filter(|shelf| shelf.is_owned()).count() * 2,
                Shelf::of(state).count()
            );
        }
    }

    #[test]
    fn a_quarter_ends_with_its_last_instant() {
        let at = |text: &str| quarter(text.parse().unwrap());
        assert_eq!(at("2026-06-01T16:00:00Z"), at("2026-06-01T15:45:00.001Z"));
        assert_eq!(at("2026-06-01T16:00:00.001Z"), at("2026-06-01T16:00:00Z") + 1);
        assert_eq!(at("2026-06-01T00:00:00Z") + 96, at("2026-06-02T00:00:00Z"));
        assert_eq!(at("1970-01-01T00:00:00Z"), 0);
        assert_eq!(at("1960-01-01T00:00:00Z"), 0);
    }
}
