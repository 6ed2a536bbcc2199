//! Lists of cases: which ones a reader asks for, in which order, page by page.
//!
//! What may be read is given as permissions, and nothing else is ever touched: neither a row that is left out nor a count
//! tells of what lies outside. What no list is ordered by is filtered out row by row, within a budget; a page that was cut
//! off by it says where to go on.

mod counts;
mod making;
mod merge;
mod shelves;
mod wishes;

use jiff::Timestamp;
use mail::{GroupId, ProcessId};

use crate::{
    cases::CasePage,
    casework::CaseState,
    directory::Permission,
    engine::Range,
    error::StoreError,
    ids::{CaseId, UserId},
    keys::{Key, Table},
    ledger::Ledger,
    lists::{
        merge::{Merge, Part, Place},
        shelves::{Line, PLACE, Shelf, Slot},
    },
    records,
};

pub use counts::CaseCounts;
pub(crate) use making::{made, made_key};
pub use shelves::Owed;
pub(crate) use shelves::{EDITION, counters, rows};
pub(crate) use wishes::wishes_key;
pub use wishes::{ListWishes, SavedFilter};

/// The most cases that one page holds.
const LARGEST_PAGE: usize = 1_000;

/// Rows of a list that are looked at for one page: some milliseconds.
const LINES_LOOKED_AT: usize = 4_000;

/// The same where the case itself has to be read.
const CASES_LOOKED_AT: usize = 1_000;

/// Which cases; what is not said excludes none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CaseFilter {
    /// In one of these states.
    pub states: Vec<CaseState>,
    pub owner: OwnerFilter,
    /// With such a deadline; the list is then by deadline.
    pub due: Option<DueFilter>,
    /// With this group on the other side.
    pub counterparty: Option<GroupId>,
    /// Opened at this moment or later.
    pub opened_from: Option<Timestamp>,
    /// Opened before this moment.
    pub opened_before: Option<Timestamp>,
    /// Not ended, and a notice about it could not be delivered.
    pub undelivered: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OwnerFilter {
    #[default]
    Anybody,
    Nobody,
    User(UserId),
}

/// Deadlines after one moment and up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueFilter {
    pub owed: Owed,
    pub after: Option<Timestamp>,
    pub until: Option<Timestamp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum CaseOrder {
    /// The latest first.
    #[default]
    LastMessage,
    /// The earliest first; cases without a deadline are not in it.
    Due,
    /// The latest first.
    Opened,
}

impl Ledger {
    /// A page of the cases of `group` that `permissions` let read and `filter` means. `after` is where an earlier page
    /// ended; what is no such place means the first page. A page with a `next` may be short, or empty: then the budget was
    /// spent on cases that the filter does not mean.
    pub async fn list_cases(
        &self,
        group: &GroupId,
        permissions: &[Permission],
        filter: &CaseFilter,
        order: CaseOrder,
        after: Option<&str>,
        limit: usize,
    ) -> Result<CasePage, StoreError> {
        let limit = limit.clamp(1, LARGEST_PAGE);
        let listing = Listing::of(filter, order);
        let mut slots: Vec<_> = permissions.iter().map(|permission| Slot::of(group, permission)).collect();
        slots.sort();
        slots.dedup();
        let lists = self.lists_of(&slots, filter, listing).await?;
        let part = listing.part(filter, after.and_then(place_of));
        let merge = Merge::begin(self, &lists, &part, limit + 1).await?;
        let (ids, next) = self.pick(merge, group, filter, listing, limit).await?;
        Ok(CasePage { cases: self.cases_by_id(ids.into_iter()).await?, next: next.map(|place| hex(&place)) })
    }

    /// The cases of one process that `group` takes part in, those with the latest message first: for who administers the
    /// machine and has no permissions.
    pub async fn cases(
        &self,
        group: &GroupId,
        process: &ProcessId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<CasePage, StoreError> {
        let mut slots = self.slots_in_use(group).await?;
        slots.retain(|slot| slot.process == *process);
        self.list_cases(group, &slots, &CaseFilter::default(), CaseOrder::LastMessage, after, limit).await
    }

    /// Which lists hold what the filter means; those that hold nothing are left out.
    async fn lists_of(
        &self,
        slots: &[Slot<'_>],
        filter: &CaseFilter,
        listing: Listing,
    ) -> Result<Vec<Key>, StoreError> {
        let mut lists = Vec::new();
        for (slot, shelves) in slots.iter().zip(self.shelves(slots).await?) {
            let meant = |shelf: &Shelf| shelves.holds(*shelf) && filter.means_shelf(*shelf);
            let of_states = CaseState::ALL.into_iter().flat_map(Shelf::of).filter(meant);
            match listing {
                Listing::Shelves => lists.extend(of_states.map(|shelf| slot.by_message(shelf))),
                Listing::Undelivered if shelves.holds(Shelf::UNDELIVERED) => {
                    lists.push(slot.by_message(Shelf::UNDELIVERED));
                }
                Listing::Owner(owner) => {
                    let mut ended: Vec<_> = of_states.map(Shelf::is_ended).collect();
                    ended.sort_unstable();
                    ended.dedup();
                    lists.extend(ended.into_iter().map(|ended| slot.by_owner(owner, ended)));
                }
                Listing::Due => {
                    let mut owed: Vec<_> = of_states.filter_map(Shelf::owed).collect();
                    owed.sort_unstable();
                    owed.dedup();
                    lists.extend(owed.into_iter().map(|owed| slot.by_due(owed)));
                }
                Listing::Opening if of_states.count() > 0 => lists.push(match &filter.counterparty {
                    Some(other) => slot.by_counterparty(other),
                    None => slot.by_opening(),
                }),
                Listing::Undelivered | Listing::Opening => {}
            }
        }
        Ok(lists)
    }

    /// The next cases of a list that the filter means, and where to go on if there may be more.
    async fn pick(
        &self,
        mut merge: Merge<'_>,
        group: &GroupId,
        filter: &CaseFilter,
        listing: Listing,
        limit: usize,
    ) -> Result<(Vec<CaseId>, Option<Place>), StoreError> {
        let budget = if listing.is_known() { LINES_LOOKED_AT } else { CASES_LOOKED_AT };
        let (mut ids, mut shown, mut seen) = (Vec::new(), None, 0);
        loop {
            let mut batch = Vec::new();
            while batch.len() <= limit {
                let Some(row) = merge.next().await? else { break };
                batch.push(row);
            }
            if batch.is_empty() {
                return Ok((ids, None));
            }
            seen += batch.len();
            let last = batch.last().map(|(place, _)| *place);
            for (place, line) in self.lines(batch, group, listing).await? {
                if !filter.means(&line) {
                    continue;
                }
                if ids.len() == limit {
                    return Ok((ids, shown));
                }
                ids.extend(place.last_chunk().map(|id| CaseId::from_bytes(*id)));
                shown = Some(place);
            }
            if seen >= budget {
                return Ok((ids, last));
            }
        }
    }

    /// What the lists know of the cases of these rows.
    async fn lines(
        &self,
        rows: Vec<(Place, bytes::Bytes)>,
        group: &GroupId,
        listing: Listing,
    ) -> Result<Vec<(Place, Line)>, StoreError> {
        if listing.is_known() {
            return rows.into_iter().map(|(place, known)| Ok((place, records::decode(&known)?))).collect();
        }
        let ids = rows.iter().filter_map(|(place, _)| place.last_chunk());
        let cases = self.cases_by_id(ids.map(|id| CaseId::from_bytes(*id))).await?;
        let line_of = |place: &Place| {
            let case = cases.iter().find(|case| place.ends_with(case.id.as_bytes()))?;
            Line::of(case, group)
        };
        Ok(rows.iter().filter_map(|(place, _)| Some((*place, line_of(place)?))).collect())
    }

    /// What permissions there could be for cases of the group that there are.
    async fn slots_in_use(&self, group: &GroupId) -> Result<Vec<Permission>, StoreError> {
        let mut range = Key::of(Table::CaseCount).text(group.as_str()).range();
        let mut slots = Vec::new();
        while let Some((key, _)) = self.engine().scan(range.clone(), 1).await?.pop() {
            let mut parts = key.get(1..).unwrap_or_default().splitn(5, |byte| *byte == 0).skip(1);
            let slot: Option<[&str; 3]> = (|| {
                let mut part = || std::str::from_utf8(parts.next()?).ok();
                Some([part()?, part()?, part()?])
            })();
            let parsed = slot.and_then(|[participant, process, contact_type]| {
                Some(Permission {
                    participant: participant.parse().ok()?,
                    process: process.parse().ok()?,
                    contact_type: contact_type.parse().ok()?,
                })
            });
            let Some(slot) = parsed else {
                return Err(StoreError::Corrupt("a count of cases under no permission".to_owned()));
            };
            range.from = Range::prefix(&Slot::of(group, &slot).counters().done()).to;
            slots.push(slot);
        }
        Ok(slots)
    }
}

/// The list that serves a filter and an order.
#[derive(Debug, Clone, Copy)]
enum Listing {
    Shelves,
    Undelivered,
    Owner(UserId),
    Due,
    Opening,
}

impl Listing {
    fn of(filter: &CaseFilter, order: CaseOrder) -> Self {
        match (order, filter.owner) {
            _ if filter.due.is_some() => Self::Due,
            (CaseOrder::Due, _) => Self::Due,
            (CaseOrder::Opened, _) => Self::Opening,
            (CaseOrder::LastMessage, _) if filter.undelivered => Self::Undelivered,
            (CaseOrder::LastMessage, OwnerFilter::User(owner)) => Self::Owner(owner),
            (CaseOrder::LastMessage, OwnerFilter::Anybody | OwnerFilter::Nobody) => Self::Shelves,
        }
    }

    /// Whether its rows say what a filter asks.
    fn is_known(self) -> bool {
        !matches!(self, Self::Opening)
    }

    fn part(self, filter: &CaseFilter, after: Option<Place>) -> Part {
        let next = |at: Timestamp| millis(at).saturating_add(1).to_be_bytes();
        let (from, to) = match (self, filter.due) {
            (Self::Due, Some(due)) => (due.after.map(next), due.until.map(next)),
            // The latest first: a later time is a smaller number.
            (Self::Opening, _) => (
                filter.opened_before.map(|before| (!millis(before)).saturating_add(1).to_be_bytes()),
                filter.opened_from.map(|from| (!millis(from)).saturating_add(1).to_be_bytes()),
            ),
            _ => (None, None),
        };
        Part { after, from, to }
    }
}

impl CaseFilter {
    fn means(&self, line: &Line) -> bool {
        self.means_shelf(line.shelf())
            && (!self.undelivered || line.undelivered && !line.shelf().is_ended())
            && self.counterparty.as_ref().is_none_or(|other| line.others.contains(other))
            && self.opened_from.is_none_or(|from| line.opened_at >= from)
            && self.opened_before.is_none_or(|before| line.opened_at < before)
            && match self.owner {
                OwnerFilter::User(owner) => line.owner == Some(owner),
                OwnerFilter::Anybody | OwnerFilter::Nobody => true,
            }
    }

    /// As far as a whole shelf is meant or is not.
    fn means_shelf(&self, shelf: Shelf) -> bool {
        (self.states.is_empty() || self.states.contains(&shelf.state()))
            && self.due.is_none_or(|due| shelf.owed() == Some(due.owed))
            && match self.owner {
                OwnerFilter::Anybody => true,
                OwnerFilter::Nobody => !shelf.is_owned(),
                OwnerFilter::User(_) => shelf.is_owned(),
            }
    }
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.as_millisecond()).unwrap_or(0)
}

/// The place in a list that a cursor names: that of a case which its reader was shown, or was permitted to see.
fn place_of(cursor: &str) -> Option<Place> {
    let mut place = [0; PLACE];
    if cursor.len() != 2 * PLACE || !cursor.is_ascii() {
        return None;
    }
    for (index, byte) in place.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&cursor[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(place)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
