//! What every engine must do, asserted the same way for each of them.
//!
//! [`run`] is for every engine, [`keeps`] for those that keep rows in a folder. Each scenario gets
//! a fresh engine in a folder of its own.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::{
    chain,
    engine::{CHANGESET_LIMIT, Changeset, CommitError, Committed, Engine, Range, Row},
};

/// A table byte that no engine gives a meaning to.
const T: u8 = 200;

/// The suite for every engine; `open` may ignore the folder.
pub(crate) async fn run(open: impl AsyncFn(&Path) -> Arc<dyn Engine>) {
    let fresh = async || Fresh::new(&open).await;
    rows_come_back(&*fresh().await.engine).await;
    last_write_of_a_changeset_wins(&*fresh().await.engine).await;
    scans_are_ordered_and_bounded(&*fresh().await.engine).await;
    preconditions(&*fresh().await.engine).await;
    versions_grow_and_are_never_used_twice(&*fresh().await.engine).await;
    counters(&*fresh().await.engine).await;
    rejected_changesets_leave_nothing(&*fresh().await.engine).await;
    large_values(&*fresh().await.engine).await;
    chain_is_contiguous(&*fresh().await.engine).await;
    conflicts_do_not_harm_others(fresh().await.engine.clone()).await;
    concurrent_commits(fresh().await.engine.clone()).await;
    reads_are_consistent(fresh().await.engine.clone()).await;
    random_changesets_match_a_map(&*fresh().await.engine).await;
    close_ends_commits(&*fresh().await.engine).await;
}

/// The suite for engines whose folder can be opened again.
pub(crate) async fn keeps(open: impl AsyncFn(&Path) -> Arc<dyn Engine>) {
    let folder = TempDir::new().unwrap();
    let mut last = None;
    for round in 0..3_u8 {
        let engine = open(folder.path()).await;
        if let Some((committed, earlier)) = last {
            let committed: Committed = committed;
            assert_eq!(get(&*engine, &[T, 0]).await, earlier);
            assert_eq!(number(&*engine, &[T, 2]).await, i64::from(round) * 5);
            let head = chain::head(&*engine).await.unwrap();
            assert_eq!(head.sequence, committed.audit_head);
            let next = engine.commit(append(b"again")).await.unwrap();
            assert_eq!(next.audit_head, committed.audit_head + 1);
            assert!(next.version > committed.version);
        }
        let change = Changeset {
            put: vec![(vec![T, 0], Bytes::from(vec![round; 3000]))],
            add: vec![(vec![T, 2], 5)],
            append: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
            ..Changeset::default()
        };
        let committed = engine.commit(change).await.unwrap();
        last = Some((committed, get(&*engine, &[T, 0]).await));
        assert_eq!(chain::verify(&*engine).await.unwrap().map(|_| ()), Ok(()));
        engine.close().await;
    }
}

/// An engine and the folder that lives as long.
struct Fresh {
    engine: Arc<dyn Engine>,
    _folder: TempDir,
}

impl Fresh {
    async fn new(open: &impl AsyncFn(&Path) -> Arc<dyn Engine>) -> Self {
        let folder = TempDir::new().unwrap();
        Self { engine: open(folder.path()).await, _folder: folder }
    }
}

fn put(key: &[u8], value: impl Into<Bytes>) -> Changeset {
    Changeset { put: vec![(key.to_vec(), value.into())], ..Changeset::default() }
}

fn add(key: &[u8], amount: i64) -> Changeset {
    Changeset { add: vec![(key.to_vec(), amount)], ..Changeset::default() }
}

fn append(event: &[u8]) -> Changeset {
    Changeset { append: vec![Bytes::copy_from_slice(event)], ..Changeset::default() }
}

fn table() -> Range {
    Range::prefix(&[T])
}

async fn get(engine: &dyn Engine, key: &[u8]) -> Option<Row> {
    let rows = engine.get(&[key.to_vec()]).await.unwrap();
    assert_eq!(rows.len(), 1);
    rows.into_iter().next().unwrap()
}

async fn number(engine: &dyn Engine, key: &[u8]) -> i64 {
    let row = get(engine, key).await.unwrap();
    i64::from_be_bytes(row.value.as_ref().try_into().unwrap())
}

async fn keys(engine: &dyn Engine, range: Range, limit: usize) -> Vec<Vec<u8>> {
    let rows = engine.scan(range, limit).await.unwrap();
    rows.into_iter().map(|(key, _)| key).collect()
}

async fn rows_come_back(engine: &dyn Engine) {
    assert_eq!(get(engine, &[T]).await, None);
    assert_eq!(engine.get(&[]).await.unwrap(), []);
    let zeros = vec![T, 0, 0, 255, 0];
    let mut change = put(&zeros, vec![0, 255, 0]);
    change.put.push((vec![T, 1], Bytes::new()));
    let committed = engine.commit(change).await.unwrap();
    let row = |value: &'static [u8]| Row { value: Bytes::from_static(value), version: committed.version };
    // In the order asked for, the same key more than once included.
    let asked = [vec![T, 1], vec![T, 9], zeros.clone(), vec![T, 1]];
    let found = engine.get(&asked).await.unwrap();
    let expected = [Some(row(b"")), None, Some(row(&[0, 255, 0])), Some(row(b""))];
    assert_eq!(found, expected);

    let gone = Changeset { delete: vec![zeros.clone(), vec![T, 77]], ..Changeset::default() };
    engine.commit(gone).await.unwrap();
    assert_eq!(get(engine, &zeros).await, None);
    assert_eq!(keys(engine, table(), 9).await, [vec![T, 1]]);
}

async fn last_write_of_a_changeset_wins(engine: &dyn Engine) {
    let mut change = put(&[T, 1], "first");
    change.put.push((vec![T, 1], Bytes::from_static(b"last")));
    change.put.push((vec![T, 2], Bytes::from_static(b"gone")));
    change.delete.push(vec![T, 2]);
    engine.commit(change).await.unwrap();
    assert_eq!(get(engine, &[T, 1]).await.unwrap().value, "last");
    assert_eq!(get(engine, &[T, 2]).await, None);
}

async fn scans_are_ordered_and_bounded(engine: &dyn Engine) {
    let mut change = put(&[T - 1, 255], "below");
    // Written out of order, and with keys that are prefixes of others.
    for key in [&[T, 3][..], &[T, 0, 5], &[T], &[T, 255], &[T, 0], &[T + 1]] {
        change.put.push((key.to_vec(), Bytes::copy_from_slice(key)));
    }
    engine.commit(change).await.unwrap();
    let all: [&[u8]; 5] = [&[T], &[T, 0], &[T, 0, 5], &[T, 3], &[T, 255]];
    assert_eq!(keys(engine, table(), 100).await, all);
    assert_eq!(keys(engine, table(), 2).await, all[..2]);
    assert_eq!(keys(engine, table(), usize::MAX).await, all);
    assert!(keys(engine, table(), 0).await.is_empty());
    let range = |from: &[u8], to: &[u8]| Range { from: from.to_vec(), to: to.to_vec() };
    let half_open = range(&[T, 0], &[T, 3]);
    assert_eq!(keys(engine, half_open, 100).await, all[1..3]);
    assert_eq!(keys(engine, range(&[T, 0, 0], &[T, 4]), 100).await, all[2..4]);
    assert!(keys(engine, range(&[T, 3], &[T, 3]), 100).await.is_empty());
    assert!(keys(engine, range(&[T, 4], &[T, 3]), 100).await.is_empty());
    for (key, row) in engine.scan(table(), 100).await.unwrap() {
        assert_eq!(key, row.value);
    }
}

async fn preconditions(engine: &dyn Engine) {
    let require = |key: u8, version: Option<u64>| Changeset {
        require: vec![(vec![T, key], version)],
        ..put(&[T, 9], "written")
    };
    let conflict = Err(CommitError::Conflict);
    assert_eq!(engine.commit(require(1, Some(1))).await, conflict);
    assert_eq!(get(engine, &[T, 9]).await, None);
    let first = engine.commit(put(&[T, 1], "a")).await.unwrap().version;
    assert_eq!(engine.commit(require(1, None)).await, conflict);
    assert!(engine.commit(require(1, Some(first))).await.is_ok());
    let second = engine.commit(put(&[T, 1], "a")).await.unwrap().version;
    assert!(second > first, "the same value written again is a new version");
    assert_eq!(engine.commit(require(1, Some(first))).await, conflict);

    // One that holds does not make up for one that does not.
    let mut mixed = require(1, Some(second));
    mixed.require.push((vec![T, 2], Some(second)));
    assert_eq!(engine.commit(mixed).await, conflict);

    // They look at the state before the changeset, not at its own writes.
    let mut own = put(&[T, 3], "new");
    own.require.push((vec![T, 3], None));
    assert!(engine.commit(own.clone()).await.is_ok());
    assert_eq!(engine.commit(own).await, conflict);
}

async fn versions_grow_and_are_never_used_twice(engine: &dyn Engine) {
    let mut last = 0;
    for _ in 0..5 {
        let made = engine.commit(put(&[T, 1], "x")).await.unwrap();
        assert!(made.version > last);
        assert_eq!(get(engine, &[T, 1]).await.unwrap().version, made.version);
        let gone = Changeset { delete: vec![vec![T, 1]], ..Changeset::default() };
        last = engine.commit(gone).await.unwrap().version;
        assert!(last > made.version);
    }
    assert!(engine.commit(Changeset::default()).await.unwrap().version > last);
}

async fn counters(engine: &dyn Engine) {
    let key = [T, 1];
    engine.commit(add(&key, 5)).await.unwrap();
    engine.commit(add(&key, -7)).await.unwrap();
    assert_eq!(number(engine, &key).await, -2);
    let mut twice = add(&key, 10);
    twice.add.push((key.to_vec(), 100));
    let version = engine.commit(twice).await.unwrap().version;
    assert_eq!(number(engine, &key).await, 108);
    assert_eq!(get(engine, &key).await.unwrap().version, version);
    for _ in 0..2 {
        engine.commit(add(&key, i64::MAX)).await.unwrap();
    }
    assert_eq!(number(engine, &key).await, i64::MAX);

    let value = Bytes::copy_from_slice(&41_i64.to_be_bytes());
    engine.commit(put(&[T, 2], value)).await.unwrap();
    engine.commit(add(&[T, 2], 1)).await.unwrap();
    assert_eq!(number(engine, &[T, 2]).await, 42);
}

async fn rejected_changesets_leave_nothing(engine: &dyn Engine) {
    engine.commit(put(&[T, 1], "no counter")).await.unwrap();
    let before = chain::head(engine).await.unwrap();
    let full = || Changeset {
        put: vec![(vec![T, 5], Bytes::from_static(b"never"))],
        delete: vec![vec![T, 1]],
        add: vec![(vec![T, 6], 1)],
        append: vec![Bytes::from_static(b"never")],
        ..Changeset::default()
    };
    let mut conflict = full();
    conflict.require.push((vec![T, 1], None));
    let mut no_counter = full();
    no_counter.delete.clear();
    no_counter.add.push((vec![T, 1], 1));
    let mut reserved = full();
    reserved.put.push((chain::record_key(1), Bytes::new()));
    let mut empty_key = full();
    empty_key.delete.push(Vec::new());
    let mut large = full();
    large.put.push((vec![T, 7], vec![0; CHANGESET_LIMIT].into()));

    assert_eq!(engine.commit(conflict).await, Err(CommitError::Conflict));
    for bad in [no_counter, reserved, empty_key, large] {
        let told = engine.commit(bad).await;
        assert!(matches!(told, Err(CommitError::Refused(_))), "{told:?}");
    }
    assert_eq!(keys(engine, table(), 100).await, [vec![T, 1]]);
    assert_eq!(chain::head(engine).await.unwrap(), before);
    assert!(engine.broken().borrow().is_none());
    assert!(engine.commit(full()).await.is_ok());
}

async fn large_values(engine: &dyn Engine) {
    for (number, size) in [1 << 10, 64 << 10, (64 << 10) + 16, 1 << 20].iter().enumerate() {
        let value: Bytes = (0..*size).map(|i: usize| (i * 31 + i / 251) as u8).collect();
        let key = [T, number as u8];
        engine.commit(put(&key, value.clone())).await.unwrap();
        assert!(get(engine, &key).await.unwrap().value == value);
    }
    let event = vec![7; 100_000];
    let head = engine.commit(append(&event)).await.unwrap().audit_head;
    let record = get(engine, &chain::record_key(head)).await.unwrap();
    assert!(chain::event(&record.value).unwrap() == event);
}

async fn chain_is_contiguous(engine: &dyn Engine) {
    assert_eq!(chain::head(engine).await.unwrap(), chain::Head::EMPTY);
    let first = engine.commit(put(&[T], "no event")).await.unwrap();
    assert_eq!(first.audit_head, 0);
    let two = Changeset {
        append: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")],
        ..Changeset::default()
    };
    assert_eq!(engine.commit(two).await.unwrap().audit_head, 2);
    assert_eq!(engine.commit(append(b"")).await.unwrap().audit_head, 3);
    let records = engine.scan(chain::records(1), 100).await.unwrap();
    let events: Vec<Bytes> = records.iter().map(|(_, row)| chain::event(&row.value).unwrap()).collect();
    assert_eq!(events, ["one", "two", ""]);
    let head = chain::verify(engine).await.unwrap().unwrap();
    assert_eq!(head, chain::head(engine).await.unwrap());
    assert_eq!(head.sequence, 3);
}

/// Everybody moves the same row and counts; losers of the race leave no trace.
async fn conflicts_do_not_harm_others(engine: Arc<dyn Engine>) {
    let mut tasks = JoinSet::new();
    for task in 0..40_u8 {
        let engine = engine.clone();
        tasks.spawn(async move {
            let mut won = 0;
            for round in 0..5_u8 {
                let seen = get(&*engine, &[T, 0]).await.map(|row| row.version);
                let race = Changeset {
                    require: vec![(vec![T, 0], seen)],
                    put: vec![
                        (vec![T, 0], Bytes::from(vec![task, round])),
                        (vec![T, 2, task, round], Bytes::new()),
                    ],
                    append: vec![Bytes::from_static(b"won")],
                    ..add(&[T, 1], 1)
                };
                let mut calm = add(&[T, 3], 1);
                calm.append.push(Bytes::from_static(b"calm"));
                let (raced, calm) = tokio::join!(engine.commit(race), engine.commit(calm));
                calm.unwrap();
                match raced {
                    Ok(_) => won += 1,
                    Err(error) => assert_eq!(error, CommitError::Conflict),
                }
            }
            won
        });
    }
    let won: i64 = tasks.join_all().await.into_iter().sum();
    assert!(won >= 1);
    assert_eq!(number(&*engine, &[T, 1]).await, won);
    assert_eq!(number(&*engine, &[T, 3]).await, 200);
    let traces = keys(&*engine, Range::prefix(&[T, 2]), 1000).await;
    assert_eq!(traces.len() as i64, won);
    let head = chain::verify(&*engine).await.unwrap().unwrap();
    assert_eq!(head.sequence as i64, won + 200);
}

async fn concurrent_commits(engine: Arc<dyn Engine>) {
    let mut tasks = JoinSet::new();
    for number in 0..1000_u32 {
        let engine = engine.clone();
        tasks.spawn(async move {
            let mut key = vec![T, 1];
            key.extend_from_slice(&number.to_be_bytes());
            let mut change = put(&key, vec![number as u8; 300]);
            change.add.push((vec![T, 2], 1));
            change.append.push(Bytes::copy_from_slice(&key));
            engine.commit(change).await.unwrap()
        });
    }
    let done = tasks.join_all().await;
    let mut versions: Vec<u64> = done.iter().map(|done| done.version).collect();
    versions.sort_unstable();
    versions.dedup();
    assert_eq!(versions.len(), 1000);
    let mut heads: Vec<u64> = done.iter().map(|done| done.audit_head).collect();
    heads.sort_unstable();
    assert!(heads.into_iter().eq(1..=1000));
    assert_eq!(number(&*engine, &[T, 2]).await, 1000);
    assert_eq!(keys(&*engine, Range::prefix(&[T, 1]), 5000).await.len(), 1000);
    let head = chain::verify(&*engine).await.unwrap().unwrap();
    assert_eq!(head.sequence, 1000);
}

/// A writer keeps two rows equal; no reader ever sees them differ, by `get` or by `scan`.
async fn reads_are_consistent(engine: Arc<dyn Engine>) {
    let pair = |value: u32| {
        let value = Bytes::copy_from_slice(&value.to_be_bytes());
        let mut change = put(&[T, 1], value.clone());
        change.put.push((vec![T, 2], value));
        change
    };
    engine.commit(pair(0)).await.unwrap();
    let mut readers = JoinSet::new();
    for _ in 0..4 {
        let engine = engine.clone();
        readers.spawn(async move {
            for _ in 0..50 {
                let pair = [vec![T, 1], vec![T, 2]];
                let rows = engine.get(&pair).await.unwrap();
                assert!(rows[0].is_some());
                assert_eq!(rows[0], rows[1]);
                let rows = engine.scan(table(), 10).await.unwrap();
                assert_eq!(rows[0].1, rows[1].1);
            }
        });
    }
    for value in 1..50 {
        engine.commit(pair(value)).await.unwrap();
    }
    readers.join_all().await;
}

/// Puts and deletes of a fixed pseudo-random sequence, compared with a plain map.
async fn random_changesets_match_a_map(engine: &dyn Engine) {
    let mut map = std::collections::BTreeMap::new();
    let mut seed = 1_u64;
    let mut next = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (seed >> 33) % below
    };
    for _ in 0..60 {
        let mut change = Changeset::default();
        for _ in 0..next(8) {
            let key = vec![T, next(6) as u8, next(20) as u8];
            let value = vec![next(256) as u8; next(9000) as usize];
            change.put.push((key.clone(), value.clone().into()));
            map.insert(key, value);
        }
        for _ in 0..next(4) {
            let key = vec![T, next(6) as u8, next(20) as u8];
            map.remove(&key);
            change.delete.push(key);
        }
        engine.commit(change).await.unwrap();
    }
    let rows = engine.scan(table(), 10_000).await.unwrap();
    assert!(!map.is_empty());
    assert_eq!(rows.len(), map.len());
    for ((key, row), (expected, value)) in rows.iter().zip(&map) {
        assert_eq!(key, expected);
        assert!(row.value == *value);
    }
}

async fn close_ends_commits(engine: &dyn Engine) {
    engine.commit(put(&[T], "kept")).await.unwrap();
    engine.close().await;
    engine.close().await;
    let told = engine.commit(put(&[T], "late")).await;
    assert!(matches!(told, Err(CommitError::Broken(_))), "{told:?}");
    assert!(engine.broken().borrow().is_none(), "closed is not broken");
}
