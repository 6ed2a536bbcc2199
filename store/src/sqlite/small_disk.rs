//! A disk that is really full: a small file system of the test's own, in a mount name space.

use std::{
    env, fs,
    io::Write,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use tempfile::tempdir;

use super::*;
use crate::chain;

const T: u8 = 200;

/// The variable in which the inner run of this test is told where its small disk is.
const DISK: &str = "POSTERN_TEST_SMALL_DISK";

const NAME: &str = "sqlite::small_disk::a_full_disk_loses_nothing_and_recovers";

/// Runs itself again where a file system of 40 MiB can be mounted without rights.
#[test]
fn a_full_disk_loses_nothing_and_recovers() {
    if let Some(disk) = env::var_os(DISK) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        return runtime.block_on(fill_and_recover(Path::new(&disk)));
    }
    let space = ["--map-root-user", "--mount", "sh", "-c"];
    let mount = format!("mount -t tmpfs -o size=40m tmpfs \"${DISK}\"");
    let disk = tempdir().unwrap();
    let run = |script: &str, rest: &[&str]| {
        let mut command = Command::new("unshare");
        command.args(space).arg(script).arg(env::current_exe().unwrap()).args(rest);
        command.env(DISK, disk.path()).output()
    };
    if !run(&mount, &[]).is_ok_and(|probe| probe.status.success()) {
        eprintln!("NOT TESTED: a full disk, because this machine allows no mount name space (unshare)");
        return;
    }
    let inner = run(&format!("{mount} && exec \"$0\" \"$@\""), &["--exact", NAME]).unwrap();
    let told = String::from_utf8_lossy(&inner.stdout);
    assert!(inner.status.success() && told.contains("1 passed"), "{told}");
}

fn options() -> Options {
    Options { idle: Duration::from_millis(20), ..Options::default() }
}

async fn put(engine: &Sqlite, key: u8) -> Result<Committed, CommitError> {
    let put = vec![(vec![T, key], vec![key; 200_000].into())];
    engine.commit(Changeset { put, ..Changeset::default() }).await
}

/// A deletion as the ledger makes them: with an audit event.
async fn delete(engine: &Sqlite, key: u8) -> Result<Committed, CommitError> {
    let (delete, append) = (vec![vec![T, key]], vec!["deleted".into()]);
    engine.commit(Changeset { delete, append, ..Changeset::default() }).await
}

async fn keys(engine: &Sqlite) -> Vec<u8> {
    let rows = engine.scan(Range::prefix(&[T]), usize::MAX).await.unwrap();
    for (key, row) in &rows {
        assert!(row.value == vec![key[1]; 200_000]);
    }
    rows.into_iter().map(|(key, _)| key[1]).collect()
}

/// Puts `key` as soon as the disk allows.
async fn put_in_time(engine: &Sqlite, key: u8) {
    let patience = Instant::now() + Duration::from_secs(20);
    while put(engine, key).await == Err(CommitError::Full) {
        assert!(Instant::now() < patience, "space came back, and nothing was taken");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn fill_and_recover(disk: &Path) {
    let folder = disk.join("data");
    let engine = Sqlite::open(&folder, options()).unwrap();
    let mut kept = Vec::new();
    for key in 0..250 {
        match put(&engine, key).await {
            Ok(_) => kept.push(key),
            Err(error) => assert_eq!(error, CommitError::Full),
        }
    }
    assert!((10..200).contains(&kept.len()), "{} values on the disk", kept.len());
    assert_eq!(keys(&engine).await, kept);

    // What makes room is taken at once, and then there is room.
    for key in kept.drain(..10) {
        delete(&engine, key).await.unwrap();
    }
    put_in_time(&engine, 251).await;
    kept.push(251);
    assert_eq!(keys(&engine).await, kept);
    engine.close().await;

    // Not a byte left, not even what the log would need to be made.
    let mut ballast = fs::File::create(disk.join("ballast")).unwrap();
    while ballast.write_all(&[1; 4096]).is_ok() {}
    let engine = Sqlite::open(&folder, options()).unwrap();
    assert_eq!(keys(&engine).await, kept);
    while put(&engine, 252).await.is_ok() {
        delete(&engine, kept.remove(0)).await.unwrap();
    }
    delete(&engine, kept.remove(0)).await.unwrap();
    let reader = Sqlite::open_read_only(&folder).unwrap();
    kept.extend(keys(&reader).await.contains(&252).then_some(252));
    assert_eq!(keys(&reader).await, kept);
    reader.close().await;

    drop(ballast);
    fs::remove_file(disk.join("ballast")).unwrap();
    put_in_time(&engine, 253).await;
    kept.push(253);
    assert_eq!(keys(&engine).await, kept);
    assert!(engine.broken().borrow().is_none());
    chain::verify(&engine).await.unwrap().unwrap();
    engine.close().await;
}
