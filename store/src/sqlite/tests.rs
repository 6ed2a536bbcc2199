//! What only this engine has: the folder, the lock, reading beside a writer, a full disk, the end.

use std::{
    fs,
    os::unix::fs::{MetadataExt, PermissionsExt},
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use tempfile::{TempDir, tempdir};
use tokio::task::JoinSet;

use super::*;
use crate::{chain, conformance};

const T: u8 = 200;

async fn open(folder: &Path) -> Arc<dyn Engine> {
    Arc::new(Sqlite::open(folder, Options::default()).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn conforms() {
    conformance::run(open).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps() {
    conformance::keeps(open).await;
}

fn fresh() -> (TempDir, Sqlite) {
    let folder = tempdir().unwrap();
    let engine = Sqlite::open(folder.path(), Options::default()).unwrap();
    (folder, engine)
}

fn put(key: &[u8], size: usize) -> Changeset {
    Changeset {
        put: vec![(key.to_vec(), vec![7; size].into())],
        append: vec![Bytes::from_static(b"put")],
        ..Changeset::default()
    }
}

fn delete(key: &[u8]) -> Changeset {
    Changeset { delete: vec![key.to_vec()], ..Changeset::default() }
}

async fn rows(engine: &Sqlite) -> usize {
    let range = Range::prefix(&[T]);
    engine.scan(range, usize::MAX).await.unwrap().len()
}

#[tokio::test]
async fn only_one_process_writes() {
    let (folder, first) = fresh();
    let refused = Sqlite::open(folder.path(), Options::default()).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains(folder.path().to_str().unwrap()), "{text}");
    assert!(text.contains(&format!("(process {})", std::process::id())), "{text}");
    first.close().await;
    Sqlite::open(folder.path(), Options::default()).unwrap();
}

#[tokio::test]
async fn a_reader_beside_the_writer_sees_what_is_committed() {
    let (folder, writer) = fresh();
    let reader = Sqlite::open_read_only(folder.path()).unwrap();
    for number in 0..3 {
        assert_eq!(rows(&reader).await, usize::from(number));
        writer.commit(put(&[T, number], 10)).await.unwrap();
    }
    let told = reader.commit(put(&[T, 9], 10)).await.unwrap_err();
    assert!(told.to_string().contains("for reading only"), "{told}");
    assert_eq!(rows(&writer).await, 3);
    writer.close().await;
    assert_eq!(rows(&reader).await, 3);
    reader.close().await;

    let alone = Sqlite::open_read_only(folder.path()).unwrap();
    assert_eq!(rows(&alone).await, 3);
    assert_eq!(chain::verify(&alone).await.unwrap().unwrap().sequence, 3);
}

#[test]
fn what_is_no_ledger_is_named() {
    let folder = tempdir().unwrap();
    let absent = Sqlite::open_read_only(folder.path()).unwrap_err();
    assert!(matches!(absent, OpenError::Absent { .. }), "{absent}");
    let file = folder.path().join("ledger.sqlite");

    fs::write(&file, vec![b'x'; 5000]).unwrap();
    let foreign = Sqlite::open(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(foreign, OpenError::Foreign { .. }), "{foreign}");

    fs::remove_file(&file).unwrap();
    let other = Connection::open(&file).unwrap();
    other.execute_batch("CREATE TABLE shopping (item)").unwrap();
    let foreign = Sqlite::open(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(foreign, OpenError::Foreign { .. }), "{foreign}");
}

#[tokio::test]
async fn a_later_format_is_refused_untouched() {
    let (folder, engine) = fresh();
    engine.close().await;
    let file = folder.path().join("ledger.sqlite");
    let later = Connection::open(&file).unwrap();
    later.pragma_update(None, "user_version", 2).unwrap();
    drop(later);
    for opened in [Sqlite::open(folder.path(), Options::default()), Sqlite::open_read_only(folder.path())] {
        let error = opened.unwrap_err();
        assert!(matches!(error, OpenError::Newer { found: 2, .. }), "{error}");
    }
}

#[tokio::test]
async fn files_are_the_owners_alone_and_the_reserve_has_blocks() {
    let parent = tempdir().unwrap();
    let folder = parent.path().join("deep").join("data");
    let engine = Sqlite::open(&folder, Options::default()).unwrap();
    engine.commit(put(&[T], 10)).await.unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&folder), 0o700);
    let mut names = Vec::new();
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        assert_eq!(mode(&file.path()), 0o600, "{:?}", file.path());
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    let expected = ["lock", "reserve", "sqlite", "sqlite-shm", "sqlite-wal"];
    assert_eq!(names, expected.map(|end| format!("ledger.{end}")));
    let reserve = fs::metadata(folder.join("ledger.reserve")).unwrap();
    assert!(reserve.blocks() * 512 >= reserve::SIZE);
}

/// SQLite's own limit of pages stands for the disk's: the same error, without a small disk.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_takes_deletions_and_then_more() {
    let folder = tempdir().unwrap();
    let full = |connection: &Connection| connection.query_row("PRAGMA max_page_count = 40", [], |_| Ok(()));
    let engine = Sqlite::open_prepared(folder.path(), Options::default(), full).unwrap();
    let mut kept = 0_u8;
    while engine.commit(put(&[T, kept], 30_000)).await.is_ok() {
        kept += 1;
    }
    assert!(kept > 3);
    let head = chain::head(&engine).await.unwrap();
    assert_eq!(head.sequence, u64::from(kept));
    for _ in 0..3 {
        let told = engine.commit(put(&[T, 99], 30_000)).await;
        assert_eq!(told, Err(CommitError::Full));
    }
    assert_eq!(rows(&engine).await, usize::from(kept));
    assert!(engine.broken().borrow().is_none());

    for key in 0..2 {
        engine.commit(delete(&[T, key])).await.unwrap();
    }
    engine.commit(put(&[T, 99], 30_000)).await.unwrap();
    engine.close().await;
    let again = Sqlite::open(folder.path(), Options::default()).unwrap();
    assert_eq!(rows(&again).await, usize::from(kept) - 1);
    let head = chain::verify(&again).await.unwrap().unwrap();
    assert_eq!(head.sequence, u64::from(kept) + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn any_other_failure_is_final() {
    let folder = tempdir().unwrap();
    let made = Sqlite::open(folder.path(), Options::default()).unwrap();
    made.close().await;
    let failing = |connection: &Connection| connection.pragma_update(None, "query_only", true);
    let engine = Sqlite::open_prepared(folder.path(), Options::default(), failing).unwrap();
    let mut watch = engine.broken();
    assert!(watch.borrow().is_none());
    for _ in 0..3 {
        let told = engine.commit(put(&[T], 10)).await.unwrap_err();
        assert!(told.to_string().contains("restart Postern"), "{told}");
    }
    watch.wait_for(Option::is_some).await.unwrap();
    assert_eq!(rows(&engine).await, 0);
    engine.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn closing_finishes_what_was_taken() {
    let (folder, engine) = fresh();
    let engine = Arc::new(engine);
    let mut tasks = JoinSet::new();
    for number in 0..200_u8 {
        let engine = engine.clone();
        tasks.spawn(async move { engine.commit(put(&[T, number], 500)).await.is_ok() });
    }
    // Some are told before, some after: whoever was told Ok is there.
    let first = tasks.join_next().await.unwrap().unwrap();
    engine.close().await;
    let others = tasks.join_all().await;
    let taken = others.into_iter().chain([first]).filter(|ok| *ok).count();
    let again = Sqlite::open(folder.path(), Options::default()).unwrap();
    assert_eq!(rows(&again).await, taken);
    assert!(taken > 0);
}

/// What durability and space rest on, as the writing connection has it.
#[test]
fn the_settings_are_in_force() {
    let folder = tempdir().unwrap();
    let check = |connection: &Connection| {
        let expected = [
            ("synchronous", 2),
            ("page_size", connection::PAGE),
            ("auto_vacuum", 2),
            ("wal_autocheckpoint", 0),
        ];
        for (name, value) in expected {
            let found: i64 = connection.pragma_query_value(None, name, |row| row.get(0))?;
            assert_eq!(found, value, "{name}");
        }
        let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
        assert_eq!(mode, "wal");
        Ok(())
    };
    for _ in 0..2 {
        Sqlite::open_prepared(folder.path(), Options::default(), check).unwrap();
    }
}

/// Who finds the queue full waits, also with a changeset larger than the whole queue.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_makes_wait() {
    let folder = tempdir().unwrap();
    let options = Options { queue_bytes: 150_000, batch_bytes: 1, ..Options::default() };
    let engine = Arc::new(Sqlite::open(folder.path(), options).unwrap());
    let mut tasks = JoinSet::new();
    for number in 0..40 {
        let engine = engine.clone();
        let size = if number % 10 == 0 { 400_000 } else { 60_000 };
        tasks.spawn(async move { engine.commit(put(&[T, number], size)).await.unwrap() });
    }
    assert_eq!(tasks.join_all().await.len(), 40);
    assert_eq!(rows(&engine).await, 40);
}

#[tokio::test]
async fn dropping_is_closing() {
    let (folder, engine) = fresh();
    engine.commit(put(&[T], 500)).await.unwrap();
    drop(engine);
    let again = Sqlite::open(folder.path(), Options::default()).unwrap();
    assert_eq!(rows(&again).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_stays_bounded() {
    let folder = tempdir().unwrap();
    let options = Options { log_bytes: 1 << 20, ..Options::default() };
    let engine = Sqlite::open(folder.path(), options).unwrap();
    for number in 0..120_u8 {
        engine.commit(put(&[T, number], 100_000)).await.unwrap();
    }
    let log = fs::metadata(folder.path().join("ledger.sqlite-wal")).unwrap();
    assert!(log.len() < 3 << 20, "{} bytes of log", log.len());
    assert_eq!(rows(&engine).await, 120);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_writer_gives_space_back() {
    let folder = tempdir().unwrap();
    let options = Options { idle: Duration::from_millis(20), ..Options::default() };
    let engine = Sqlite::open(folder.path(), options).unwrap();
    for number in 0..40 {
        engine.commit(put(&[T, number], 1 << 20)).await.unwrap();
    }
    for number in 0..39 {
        engine.commit(delete(&[T, number])).await.unwrap();
    }
    let size = || fs::metadata(folder.path().join("ledger.sqlite")).unwrap().len();
    let patience = Instant::now() + Duration::from_secs(30);
    while size() > 16 << 20 {
        assert!(Instant::now() < patience, "still {} bytes", size());
        tokio::task::yield_now().await;
    }
    assert_eq!(rows(&engine).await, 1);
}

/// Whoever can write to the file is found out by the chain.
#[tokio::test]
async fn tampering_is_found() {
    let (folder, engine) = fresh();
    for number in 0..9 {
        engine.commit(put(&[T, number], 10)).await.unwrap();
    }
    engine.close().await;
    let file = folder.path().join("ledger.sqlite");
    let original = fs::read(&file).unwrap();
    let state = "SELECT value FROM ledger WHERE key = x'0068'";
    let key = |sequence: u64| chain::record_key(sequence);
    let tamper = async |sql: &str, first: u64| {
        fs::write(&file, &original).unwrap();
        let connection = Connection::open(&file).unwrap();
        let before: Vec<u8> = connection.query_row(state, [], |row| row.get(0)).unwrap();
        assert_eq!(before[..8], 9_u64.to_be_bytes());
        let changed = connection.execute(sql, [key(first)]).unwrap();
        assert!(changed > 0);
        drop(connection);
        let engine = Sqlite::open_read_only(folder.path()).unwrap();
        chain::verify(&engine).await.unwrap().unwrap_err()
    };
    let bad = |sequence, fault| chain::Bad { sequence, fault };
    let changed = "UPDATE ledger SET value = value || x'00' WHERE key = ?1";
    assert_eq!(tamper(changed, 4).await, bad(4, chain::Fault::Changed));
    let deleted = "DELETE FROM ledger WHERE key = ?1";
    assert_eq!(tamper(deleted, 4).await, bad(4, chain::Fault::Missing));
    assert_eq!(tamper(deleted, 9).await, bad(9, chain::Fault::Missing));
    let cut = "DELETE FROM ledger WHERE key >= ?1 AND key < x'0066'";
    assert_eq!(tamper(cut, 6).await, bad(6, chain::Fault::Missing));
    let added = "INSERT INTO ledger SELECT ?1, value, version FROM ledger WHERE key > x'0065' LIMIT 1";
    assert_eq!(tamper(added, 10).await, bad(10, chain::Fault::BeyondHead));
}

#[tokio::test]
async fn an_audit_record_is_never_written_over() {
    let (folder, engine) = fresh();
    engine.commit(put(b"\xc8a", 10)).await.unwrap();
    engine.close().await;
    drop(engine);
    let database = folder.path().join("ledger.sqlite");
    let tampered = rusqlite::Connection::open(&database).unwrap();
    tampered.execute("DELETE FROM ledger WHERE key = ?1", [&chain::STATE_KEY[..]]).unwrap();
    drop(tampered);
    let engine = Sqlite::open(folder.path(), Options::default()).unwrap();
    let before = engine.get(&[chain::record_key(1)]).await.unwrap();
    let refused = engine.commit(put(b"\xc8b", 10)).await.unwrap_err();
    assert!(matches!(&refused, CommitError::Broken(why) if why.contains("audit record")), "{refused}");
    assert_eq!(engine.get(&[chain::record_key(1)]).await.unwrap(), before);
}
