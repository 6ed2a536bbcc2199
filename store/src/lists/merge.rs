//! Several ranges of rows, each in order, read as one in order: a few rows of each at a time, so that what is read grows
//! with what is shown and not with what there is.

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, VecDeque},
};

use bytes::Bytes;

use super::shelves::PLACE;
use crate::{engine::Range, error::StoreError, keys::Key, ledger::Ledger};

/// A row's time and case: rows of all ranges are ordered by it.
pub(super) type Place = [u8; PLACE];

/// Rows that are read of one range when it has run dry.
const REFILL: usize = 256;

pub(super) struct Merge<'a> {
    ledger: &'a Ledger,
    sources: Vec<Source>,
    /// The next place of each source that has one.
    next: BinaryHeap<Reverse<(Place, usize)>>,
}

struct Source {
    /// What is not read yet; `None`: all is.
    rest: Option<Range>,
    read: VecDeque<(Place, Bytes)>,
}

/// The part of one list that is wanted: the places after `after`, and those from `from` until before `to` if they are given.
#[derive(Debug, Clone, Default)]
pub(super) struct Part {
    pub(super) after: Option<Place>,
    pub(super) from: Option<[u8; 8]>,
    pub(super) to: Option<[u8; 8]>,
}

impl Part {
    fn of(&self, list: &Key) -> Range {
        let mut range = list.clone().range();
        if let Some(to) = &self.to {
            range.to = list.clone().raw(to).done();
        }
        if let Some(from) = &self.from {
            range.from = list.clone().raw(from).done();
        }
        if let Some(after) = &self.after {
            range.from = range.from.max(list.clone().raw(after).raw(&[0]).done());
        }
        range
    }
}

impl<'a> Merge<'a> {
    /// Begins to read; some `wanted` rows will be asked for.
    pub(super) async fn begin(
        ledger: &'a Ledger,
        lists: &[Key],
        part: &Part,
        wanted: usize,
    ) -> Result<Self, StoreError> {
        let each = (2 * wanted / lists.len().max(1)).clamp(4, wanted.max(4));
        let ranges: Vec<_> = lists.iter().map(|list| (part.of(list), each)).collect();
        let found = ledger.engine().scans(ranges.clone()).await?;
        let mut merge = Self { ledger, sources: Vec::with_capacity(lists.len()), next: BinaryHeap::new() };
        for ((range, limit), rows) in ranges.into_iter().zip(found) {
            let mut source = Source { rest: Some(range), read: VecDeque::new() };
            source.take(rows, limit);
            merge.sources.push(source);
            merge.note(merge.sources.len() - 1);
        }
        Ok(merge)
    }

    /// The next row of all.
    pub(super) async fn next(&mut self) -> Result<Option<(Place, Bytes)>, StoreError> {
        let Some(Reverse((_, index))) = self.next.pop() else { return Ok(None) };
        let Some(source) = self.sources.get_mut(index) else { return Ok(None) };
        let row = source.read.pop_front();
        if let (true, Some(rest)) = (source.read.is_empty(), source.rest.clone()) {
            let rows = self.ledger.engine().scan(rest, REFILL).await?;
            source.take(rows, REFILL);
        }
        self.note(index);
        Ok(row)
    }

    fn note(&mut self, index: usize) {
        let first = self.sources.get(index).and_then(|source| source.read.front());
        self.next.extend(first.map(|(place, _)| Reverse((*place, index))));
    }
}

impl Source {
    fn take(&mut self, rows: crate::engine::Rows, limit: usize) {
        self.rest = match (self.rest.take(), rows.last()) {
            (Some(range), Some((last, _))) if rows.len() == limit && last[..] < range.to[..] => {
                Some(Range { from: [last.as_slice(), &[0]].concat(), ..range })
            }
            _ => None,
        };
        let placed = rows.into_iter().filter_map(|(key, row)| Some((*key.last_chunk()?, row.value)));
        self.read.extend(placed);
    }
}
