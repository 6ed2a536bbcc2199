//! The audit chain: each event's record carries a hash over the event and the record before it.
//!
//! Engines link events inside the commit that writes them, so the sequence has no gap and no
//! branch. Whoever changes, removes, inserts or swaps a record breaks the chain from there on;
//! whoever cuts the tail contradicts the stored head. Rewriting the whole chain and its head is
//! found only by comparing with a head kept elsewhere. This file never interprets an event.

use std::cmp::Ordering;

use aws_lc_rs::digest::{Context, SHA256};
use bytes::Bytes;

use crate::engine::{Broken, Engine, Range};

/// First byte of the keys that belong to the engine: the chain's records and head.
pub const TABLE: u8 = 0;

/// Second byte of a record's key; eight bytes of big-endian sequence number follow.
const RECORD: u8 = b'e';

/// Where an engine keeps the head beside its own counters: `sequence (8) ‖ hash (32) ‖ version (8)`.
pub(crate) const STATE_KEY: [u8; 2] = [TABLE, b'h'];

/// Bytes of hash before the event in a record.
const HASH: usize = 32;

/// Separates these hashes from every other use of SHA-256.
const DOMAIN: &[u8] = b"postern audit chain 1\0";

/// Rows read at a time by [`verify`].
const PAGE: usize = 512;

/// The end of a chain: its last event's number, and the hash that stands for all up to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// 1 for the first event; 0 while there is none.
    pub sequence: u64,
    pub hash: [u8; HASH],
}

impl Head {
    /// The head of a chain without events.
    pub const EMPTY: Self = Self { sequence: 0, hash: [0; HASH] };
}

/// The record that follows `previous`: the new head and the bytes to store under
/// [`record_key`]`(head.sequence)`: `hash (32) ‖ event`.
///
/// hash = SHA-256(domain ‖ sequence as 8 bytes big-endian ‖ previous hash ‖ event).
pub fn link(previous: &Head, event: &[u8]) -> (Head, Bytes) {
    let sequence = previous.sequence.saturating_add(1);
    let head = Head { sequence, hash: digest(sequence, &previous.hash, event) };
    let mut record = Vec::with_capacity(HASH + event.len());
    record.extend_from_slice(&head.hash);
    record.extend_from_slice(event);
    (head, record.into())
}

fn digest(sequence: u64, previous: &[u8; HASH], event: &[u8]) -> [u8; HASH] {
    let mut context = Context::new(&SHA256);
    context.update(DOMAIN);
    context.update(&sequence.to_be_bytes());
    context.update(previous);
    context.update(event);
    let mut hash = [0; HASH];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The key of the record with this sequence number; records sort by number.
pub fn record_key(sequence: u64) -> Vec<u8> {
    let mut key = vec![TABLE, RECORD];
    key.extend_from_slice(&sequence.to_be_bytes());
    key
}

/// The records from number `first` on, to the end of the chain.
pub fn records(first: u64) -> Range {
    Range { from: record_key(first), to: vec![TABLE, RECORD + 1] }
}

/// The number in a record's key; `None` if it is no record's key.
pub fn sequence_of(key: &[u8]) -> Option<u64> {
    let digits = key.strip_prefix(&[TABLE, RECORD])?;
    Some(u64::from_be_bytes(digits.try_into().ok()?))
}

/// The event inside a record; `None` if the record is too short to be one.
pub fn event(record: &Bytes) -> Option<Bytes> {
    (record.len() >= HASH).then(|| record.slice(HASH..))
}

/// What an engine remembers between two runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct State {
    pub(crate) head: Head,
    /// The version of the last commit.
    pub(crate) version: u64,
}

impl State {
    pub(crate) const EMPTY: Self = Self { head: Head::EMPTY, version: 0 };

    pub(crate) fn encode(&self) -> [u8; 48] {
        let mut bytes = [0; 48];
        bytes[..8].copy_from_slice(&self.head.sequence.to_be_bytes());
        bytes[8..40].copy_from_slice(&self.head.hash);
        bytes[40..].copy_from_slice(&self.version.to_be_bytes());
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (sequence, rest) = bytes.split_first_chunk::<8>()?;
        let (hash, rest) = rest.split_first_chunk::<HASH>()?;
        let version = rest.try_into().ok()?;
        Some(Self {
            head: Head { sequence: u64::from_be_bytes(*sequence), hash: *hash },
            version: u64::from_be_bytes(version),
        })
    }
}

/// The first record at which the chain does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "audit record {sequence} {fault}; restore the ledger from a backup to see what it said, and \
     find out who could write to the data folder"
)]
pub struct Bad {
    pub sequence: u64,
    pub fault: Fault,
}

/// What is wrong with a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    #[error("is missing")]
    Missing,
    #[error("is not a record of the chain")]
    Foreign,
    #[error("does not match its hash: it, or the one before it, was changed, swapped or inserted")]
    Changed,
    #[error("stands after the end that the ledger remembers")]
    BeyondHead,
}

/// Walks a chain in order, holding nothing but its head.
#[derive(Debug, Clone)]
pub struct Walk {
    head: Head,
}

impl Default for Walk {
    fn default() -> Self {
        Self::from_head(Head::EMPTY)
    }
}

impl Walk {
    /// Starts after `head`, which is trusted: [`Head::EMPTY`] for the whole chain.
    pub fn from_head(head: Head) -> Self {
        Self { head }
    }

    /// Takes the next record as it was stored.
    pub fn step(&mut self, key: &[u8], record: &[u8]) -> Result<(), Bad> {
        let expected = self.head.sequence.saturating_add(1);
        let bad = |fault| Bad { sequence: expected, fault };
        match sequence_of(key) {
            None => return Err(bad(Fault::Foreign)),
            Some(found) if found > expected => return Err(bad(Fault::Missing)),
            Some(found) if found < expected => return Err(bad(Fault::Foreign)),
            Some(_) => {}
        }
        let Some((hash, event)) = record.split_first_chunk::<HASH>() else {
            return Err(bad(Fault::Foreign));
        };
        if *hash != digest(expected, &self.head.hash, event) {
            return Err(bad(Fault::Changed));
        }
        self.head = Head { sequence: expected, hash: *hash };
        Ok(())
    }

    /// The head after the records taken so far.
    pub fn head(&self) -> Head {
        self.head
    }

    /// Ends the walk: the chain must end where `stored` says.
    pub fn finish(self, stored: &Head) -> Result<Head, Bad> {
        let (walked, promised) = (self.head.sequence, stored.sequence);
        let (sequence, fault) = match walked.cmp(&promised) {
            Ordering::Less => (walked.saturating_add(1), Fault::Missing),
            Ordering::Greater => (promised.saturating_add(1), Fault::BeyondHead),
            Ordering::Equal if self.head.hash == stored.hash => return Ok(self.head),
            Ordering::Equal => (promised, Fault::Changed),
        };
        Err(Bad { sequence, fault })
    }
}

/// The head that the engine remembers.
pub async fn head(engine: &dyn Engine) -> Result<Head, Broken> {
    let key = [STATE_KEY.to_vec()];
    let rows = engine.get(&key).await?;
    match rows.into_iter().next().flatten() {
        None => Ok(Head::EMPTY),
        Some(row) => {
            State::decode(&row.value).map(|state| state.head).ok_or_else(|| Broken(MALFORMED_STATE.into()))
        }
    }
}

pub(crate) const MALFORMED_STATE: &str = "the ledger's own state row is malformed: the data were \
     changed from outside; restore them from a backup";

/// Verifies the whole chain up to its present head: `Ok(Ok(head))` if it is whole, `Ok(Err(bad))`
/// with the first record that is not. Bounded memory; events may be appended meanwhile.
pub async fn verify(engine: &dyn Engine) -> Result<Result<Head, Bad>, Broken> {
    let stored = head(engine).await?;
    let mut walk = Walk::default();
    if let Err(bad) = advance(engine, &mut walk, &stored).await? {
        return Ok(Err(bad));
    }
    // A record above the head is a fault only if a head read after it still does not cover it.
    let next = stored.sequence.saturating_add(1);
    let beyond = engine.scan(records(next), 1).await?;
    let beyond = beyond.first().and_then(|(key, _)| sequence_of(key));
    let now = head(engine).await?;
    match beyond.filter(|sequence| *sequence > now.sequence) {
        Some(sequence) => Ok(Err(Bad { sequence, fault: Fault::BeyondHead })),
        None => Ok(walk.finish(&stored)),
    }
}

/// Walks up to `stored`.
async fn advance(engine: &dyn Engine, walk: &mut Walk, stored: &Head) -> Result<Result<(), Bad>, Broken> {
    while walk.head().sequence < stored.sequence {
        let next = walk.head().sequence.saturating_add(1);
        let left = usize::try_from(stored.sequence - walk.head().sequence).unwrap_or(PAGE);
        let page = engine.scan(records(next), PAGE.min(left)).await?;
        if page.is_empty() {
            return Ok(Err(Bad { sequence: next, fault: Fault::Missing }));
        }
        for (key, row) in page {
            if let Err(bad) = walk.step(&key, &row.value) {
                return Ok(Err(bad));
            }
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use proptest::{prelude::*, sample::Index};

    use super::*;

    type Record = (Vec<u8>, Bytes);

    fn chain(events: &[Vec<u8>]) -> (Vec<Record>, Head) {
        let mut head = Head::EMPTY;
        let mut records = Vec::new();
        for event in events {
            let (next, record) = link(&head, event);
            records.push((record_key(next.sequence), record));
            head = next;
        }
        (records, head)
    }

    fn walk(records: &[Record], stored: &Head) -> Result<Head, Bad> {
        let mut walk = Walk::default();
        for (key, record) in records {
            walk.step(key, record)?;
        }
        walk.finish(stored)
    }

    fn events() -> impl Strategy<Value = Vec<Vec<u8>>> {
        prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 2..30)
    }

    /// The first record that differs from the original, by number.
    fn first_difference(original: &[Record], tampered: &[Record]) -> u64 {
        let same = original.iter().zip(tampered).take_while(|(a, b)| a == b);
        same.count() as u64 + 1
    }

    proptest! {
        #[test]
        fn whole_chains_verify(events in events()) {
            let (records, head) = chain(&events);
            prop_assert_eq!(walk(&records, &head), Ok(head));
            prop_assert_eq!(head.sequence, events.len() as u64);
            for (record, expected) in records.iter().zip(&events) {
                prop_assert_eq!(&event(&record.1).unwrap(), expected);
            }
        }

        #[test]
        fn one_changed_bit_is_named(events in events(), at: Index, bit: Index) {
            let (mut records, head) = chain(&events);
            let at = at.index(records.len());
            let mut record = records[at].1.to_vec();
            let bit = bit.index(record.len() * 8);
            record[bit / 8] ^= 1 << (bit % 8);
            records[at].1 = record.into();
            let bad = walk(&records, &head).unwrap_err();
            prop_assert_eq!(bad, Bad { sequence: at as u64 + 1, fault: Fault::Changed });
        }

        #[test]
        fn deleting_and_cutting_is_named(events in events(), from: Index, to: Index) {
            let (mut records, head) = chain(&events);
            let (a, b) = (from.index(records.len()), to.index(records.len()));
            let (from, to) = (a.min(b), a.max(b));
            records.drain(from..=to);
            let bad = walk(&records, &head).unwrap_err();
            prop_assert_eq!(bad, Bad { sequence: from as u64 + 1, fault: Fault::Missing });
        }

        /// Also when the sequence numbers are made good again afterwards.
        #[test]
        fn inserting_is_named(events in events(), at: Index, what: Vec<u8>, renumber: bool) {
            let (original, head) = chain(&events);
            let at = at.index(original.len());
            let previous = match at {
                0 => Head::EMPTY,
                _ => chain(&events[..at]).1,
            };
            prop_assume!(what != events[at]);
            let (next, forged) = link(&previous, &what);
            let mut records = original.clone();
            records.insert(at, (record_key(next.sequence), forged));
            if renumber {
                for (number, record) in (1..).zip(&mut records) {
                    record.0 = record_key(number);
                }
            }
            // The forged record itself is well linked: what follows it is not.
            let bad = walk(&records, &head).unwrap_err();
            prop_assert_eq!(bad.sequence, at as u64 + 2);
        }

        #[test]
        fn swapping_is_named(events in events(), one: Index, other: Index, keys: bool) {
            let (original, head) = chain(&events);
            let (one, other) = (one.index(original.len()), other.index(original.len()));
            prop_assume!(one != other);
            let mut records = original.clone();
            records.swap(one, other);
            if !keys {
                for (number, record) in (1..).zip(&mut records) {
                    record.0 = record_key(number);
                }
            }
            let bad = walk(&records, &head).unwrap_err();
            prop_assert_eq!(bad.sequence, first_difference(&original, &records));
        }

        #[test]
        fn a_forged_tail_contradicts_the_head(events in events(), what: Vec<u8>) {
            let (mut records, head) = chain(&events);
            let last = records.len() - 1;
            prop_assume!(what != events[last]);
            let before = chain(&events[..last]).1;
            records[last].1 = link(&before, &what).1;
            let bad = walk(&records, &head).unwrap_err();
            prop_assert_eq!(bad, Bad { sequence: head.sequence, fault: Fault::Changed });
            let (next, record) = link(&head, &what);
            let (mut records, _) = chain(&events);
            records.push((record_key(next.sequence), record));
            let bad = walk(&records, &head).unwrap_err();
            let beyond = Bad { sequence: next.sequence, fault: Fault::BeyondHead };
            prop_assert_eq!(bad, beyond);
        }

        #[test]
        fn any_bytes_are_judged(key: Vec<u8>, record: Vec<u8>) {
            prop_assert!(Walk::default().step(&key, &record).is_err());
            prop_assert!(State::decode(&record).is_none() || record.len() == 48);
        }

        #[test]
        fn states_come_back(sequence: u64, hash: [u8; HASH], version: u64) {
            let state = State { head: Head { sequence, hash }, version };
            prop_assert_eq!(State::decode(&state.encode()), Some(state));
        }
    }
}
