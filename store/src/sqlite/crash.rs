//! Loss of power, replayed: what the disk held at each acknowledgement, and every way in which the
//! writes after it may have arrived in part.
//!
//! Between two acknowledgements SQLite appends to the log, syncs it, and sometimes copies the log
//! into the database and syncs that. So a cut leaves either the old database with any mixture of
//! old and new sectors in the log, or the new log with any mixture in the database.

use std::{collections::BTreeMap, fs, path::Path};

use bytes::Bytes;
use tempfile::tempdir;

use super::*;
use crate::chain;

const T: u8 = 200;
const SECTOR: usize = 512;

/// The rows that callers see.
type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// What the disk held at an acknowledgement.
struct Disk {
    database: Vec<u8>,
    log: Vec<u8>,
}

impl Disk {
    /// Read after the writer has answered once more: by then it is done with the log, which it
    /// may have brought over after the acknowledgement.
    async fn settled(engine: &Sqlite, folder: &Path) -> Self {
        let idle = Changeset { require: vec![(vec![T, 254], Some(1))], ..Changeset::default() };
        assert_eq!(engine.commit(idle).await, Err(CommitError::Conflict));
        Self {
            database: fs::read(folder.join("ledger.sqlite")).unwrap(),
            log: fs::read(folder.join("ledger.sqlite-wal")).unwrap(),
        }
    }
}

/// xorshift: the test is the same at every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % below as u64) as usize
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.roll(256) as u8).collect()
    }

    /// `old` on its way to `new`: some sectors arrived, the length is anything between, and what
    /// was not written beyond the old end reads as zeros.
    fn torn(&mut self, old: &[u8], new: &[u8]) -> Vec<u8> {
        let (short, long) = (old.len().min(new.len()), old.len().max(new.len()));
        let length = short + self.roll(long - short + 1);
        let whole = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            bytes.resize(length, 0);
            bytes
        };
        let (old, mut torn) = (whole(old), whole(new));
        let odds = 1 + self.roll(8);
        for at in (0..length).step_by(SECTOR) {
            let sector = at..length.min(at + SECTOR);
            if self.roll(odds) == 0 {
                torn[sector.clone()].copy_from_slice(&old[sector]);
            }
        }
        torn
    }
}

/// One more change of the workload, in the model and as a changeset.
fn change(dice: &mut Dice, number: u8, model: &mut Model) -> Changeset {
    let mut change = Changeset::default();
    for _ in 0..1 + dice.roll(6) {
        let key = vec![T, dice.roll(40) as u8];
        let length = [20, 300, 5_000, 70_000][dice.roll(4)];
        let value = dice.bytes(length);
        model.insert(key.clone(), value.clone());
        change.put.push((key, value.into()));
    }
    let gone = vec![T, dice.roll(40) as u8];
    model.remove(&gone);
    change.delete.push(gone);
    let count = i64::from(number) + 1;
    model.insert(vec![T, 255], count.to_be_bytes().to_vec());
    change.add.push((vec![T, 255], 1));
    change.append = vec![Bytes::from(vec![number; 40])];
    change
}

#[tokio::test(flavor = "multi_thread")]
async fn power_cuts_lose_nothing_acknowledged() {
    let folder = tempdir().unwrap();
    let options = Options {
        // Small, so that the log is brought over and begun anew many times.
        log_bytes: 300 << 10,
        ..Options::default()
    };
    let engine = Sqlite::open(folder.path(), options).unwrap();
    let mut dice = Dice(0x0dd_ba11);
    let mut models = vec![Model::new()];
    let mut before = Disk::settled(&engine, folder.path()).await;
    let mut brought = 0;
    for number in 0..40 {
        let mut model = models[usize::from(number)].clone();
        engine.commit(change(&mut dice, number, &mut model)).await.unwrap();
        models.push(model);
        let after = Disk::settled(&engine, folder.path()).await;
        for _ in 0..6 {
            let cut = Disk { database: before.database.clone(), log: dice.torn(&before.log, &after.log) };
            survives(&cut, &models[usize::from(number)..]).await;
        }
        if before.database != after.database {
            brought += 1;
            for _ in 0..6 {
                let cut =
                    Disk { database: dice.torn(&before.database, &after.database), log: after.log.clone() };
                survives(&cut, &models[usize::from(number) + 1..]).await;
            }
        }
        before = after;
    }
    assert!(brought > 5, "the log was brought over only {brought} times");
}

/// The ledger on `disk` opens, is in one of the `allowed` states, and is whole.
async fn survives(disk: &Disk, allowed: &[Model]) {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("ledger.sqlite"), &disk.database).unwrap();
    fs::write(folder.path().join("ledger.sqlite-wal"), &disk.log).unwrap();
    let engine = Sqlite::open(folder.path(), Options::default()).unwrap();
    let rows = engine.scan(Range::prefix(&[T]), usize::MAX).await.unwrap();
    let found: Model = rows.into_iter().map(|(k, row)| (k, row.value.to_vec())).collect();
    let state = allowed.iter().position(|model| *model == found);
    assert!(state.is_some(), "neither the last acknowledged state nor the next");
    let head = chain::verify(&engine).await.unwrap().unwrap();
    let count = found.get(&[T, 255][..]).map_or(0, |count| count[7]);
    assert_eq!(head.sequence, u64::from(count));
    engine.close().await;
}
