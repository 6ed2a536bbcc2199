//! The one storage trait: an ordered map of byte keys with atomic, durable commits.
//!
//! Everything the ledger knows is written on top of these three verbs, once, and runs on every
//! engine that passes `conformance.rs`. An engine never interprets a key or a value, with two
//! exceptions that must happen inside the commit to be right: counters, which add up, and audit
//! events, which are linked onto the node's chain (`chain.rs`).

use std::{collections::HashSet, future::Future, pin::Pin};

use bytes::Bytes;
use tokio::sync::watch;

/// A boxed future, so that `dyn Engine` is possible.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What is stored under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    pub value: Bytes,
    /// The version of the commit that last wrote the row: at least 1, and larger for every later
    /// commit. All rows of one changeset carry the same version.
    pub version: u64,
}

/// Keys and their rows, ascending.
pub type Rows = Vec<(Vec<u8>, Row)>;

/// The keys from `from` (inclusive) up to `to` (exclusive), in byte order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Range {
    pub from: Vec<u8>,
    pub to: Vec<u8>,
}

impl Range {
    /// Every key that begins with `prefix`, the prefix itself included.
    ///
    /// A prefix of nothing but 0xff bytes (or none) has no successor of its own; the range then
    /// ends at sixteen 0xff bytes, above every key an engine accepts from the ledger.
    pub fn prefix(prefix: &[u8]) -> Self {
        let kept = prefix.iter().rposition(|byte| *byte != u8::MAX);
        let to = match kept {
            Some(last) => {
                let mut to = prefix[..=last].to_vec();
                to[last] += 1;
                to
            }
            None => vec![u8::MAX; prefix.len() + 16],
        };
        Self { from: prefix.to_vec(), to }
    }
}

/// What one commit changes; nothing of it happens unless all of it does.
///
/// Order within a commit: `require` is checked against the state before it, then `put`, `delete`
/// and `add` are applied in this order, each list from front to back. A key put twice keeps the
/// last value; a key both put and deleted is gone; deleting an absent key is fine. See
/// [`Changeset::check`] for what no engine takes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changeset {
    /// Key at exactly this version; `None`: the key is absent.
    pub require: Vec<(Vec<u8>, Option<u64>)>,
    pub put: Vec<(Vec<u8>, Bytes)>,
    pub delete: Vec<Vec<u8>>,
    /// Counters: the value is 8 bytes, a big-endian `i64`; an absent counter is zero. Additions
    /// saturate, and commute, so no precondition is needed to count.
    pub add: Vec<(Vec<u8>, i64)>,
    /// Audit events, linked onto the node's chain in this order by the commit itself.
    pub append: Vec<Bytes>,
}

/// The longest key in bytes; the shortest has one.
pub const KEY_LIMIT: usize = 1024;

/// The largest changeset in bytes ([`Changeset::size`]): one is held in memory as a whole. Far
/// smaller is better: commits above about 1.5 MiB are slow on common disks.
pub const CHANGESET_LIMIT: usize = 16 << 20;

/// What a commit after [`Engine::close`] is told.
pub(crate) const CLOSED: &str = "the ledger is closed; start Postern again to use it";

impl Changeset {
    /// Makes one changeset of two.
    pub(crate) fn extend(&mut self, other: Self) {
        self.require.extend(other.require);
        self.put.extend(other.put);
        self.delete.extend(other.delete);
        self.add.extend(other.add);
        self.append.extend(other.append);
    }

    /// Bytes of keys, values and events.
    pub fn size(&self) -> usize {
        let require: usize = self.require.iter().map(|(key, _)| key.len()).sum();
        let put: usize = self.put.iter().map(|(k, v)| k.len() + v.len()).sum();
        let delete: usize = self.delete.iter().map(Vec::len).sum();
        let add: usize = self.add.iter().map(|(key, _)| key.len() + 8).sum();
        let append: usize = self.append.iter().map(Bytes::len).sum();
        require + put + delete + add + append
    }

    /// What every engine refuses before it looks at any row: keys of a wrong length, writes to
    /// the engine's own table ([`crate::chain::TABLE`], which may be read), a counter that the
    /// same changeset also puts or deletes, and more bytes than [`CHANGESET_LIMIT`].
    pub fn check(&self) -> Result<(), CommitError> {
        let size = self.size();
        if size > CHANGESET_LIMIT {
            return Err(CommitError::Refused(format!(
                "a changeset of {size} bytes is above the limit of {CHANGESET_LIMIT}; split it"
            )));
        }
        let required = self.require.iter().map(|(key, _)| key);
        let written = self.put.iter().map(|(key, _)| key).chain(&self.delete);
        let counted = self.add.iter().map(|(key, _)| key);
        for key in written.clone().chain(counted.clone()) {
            if key.first() == Some(&crate::chain::TABLE) {
                return Err(CommitError::Refused(format!(
                    "keys beginning with byte {} belong to the engine and cannot be written",
                    crate::chain::TABLE
                )));
            }
        }
        for key in required.chain(written.clone()).chain(counted.clone()) {
            if key.is_empty() || key.len() > KEY_LIMIT {
                return Err(CommitError::Refused(format!(
                    "a key of {} bytes; it must have 1 to {KEY_LIMIT}",
                    key.len()
                )));
            }
        }
        if self.add.is_empty() {
            return Ok(());
        }
        let written: HashSet<&Vec<u8>> = written.collect();
        if counted.into_iter().any(|key| written.contains(key)) {
            return Err(CommitError::Refused(
                "a counter is added to and also put or deleted in one changeset".into(),
            ));
        }
        Ok(())
    }
}

/// A counter's new value: what is stored (`None`: nothing, which counts as zero) plus `amount`.
pub(crate) fn count(key: &[u8], old: Option<&[u8]>, amount: i64) -> Result<[u8; 8], CommitError> {
    let old = match old.map(<[u8; 8]>::try_from) {
        None => 0,
        Some(Ok(bytes)) => i64::from_be_bytes(bytes),
        Some(Err(_)) => {
            return Err(CommitError::Refused(format!(
                "the row of table {} that it adds to is no counter",
                key.first().copied().unwrap_or_default()
            )));
        }
    };
    Ok(old.saturating_add(amount).to_be_bytes())
}

/// The receipt of a changeset that is durable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// The version every row written by this changeset now has.
    pub version: u64,
    /// The sequence number of the chain's last event after this changeset; 0: no event yet.
    pub audit_head: u64,
}

/// Why a changeset was not acknowledged. Nothing of it was applied, except that a changeset which
/// the engine was just writing when it broke may be found applied, whole, after the next start.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// A row is not at the version the changeset requires. Read again and decide anew.
    #[error("a row was changed by someone else in between; read it again and repeat the change")]
    Conflict,
    /// There is no room. May work later, when space was made.
    #[error("the ledger's disk is full; free space on it, then try again")]
    Full,
    /// The changeset breaks a rule of [`Changeset::check`], or adds to a row that is no counter.
    /// A mistake of the caller: repeating it is pointless.
    #[error("the ledger refuses a changeset: {0}")]
    Refused(String),
    /// The engine failed and accepts nothing more until it was opened anew.
    #[error("{0}")]
    Broken(String),
}

/// The engine failed. Final for commits; a later read may still succeed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

impl From<Broken> for CommitError {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken.0)
    }
}

/// An ordered map with atomic commits.
pub trait Engine: Send + Sync + 'static {
    /// The rows under `keys`, in the order of `keys`: one consistent read.
    fn get<'a>(&'a self, keys: &'a [Vec<u8>]) -> Pending<'a, Result<Vec<Option<Row>>, Broken>>;

    /// At most `limit` rows of `range`, in ascending byte order of their keys: one consistent read.
    fn scan(&self, range: Range, limit: usize) -> Pending<'_, Result<Rows, Broken>>;

    /// Several scans at once, their rows in the order of the scans. An engine that can makes one consistent read of it.
    fn scans(&self, scans: Vec<(Range, usize)>) -> Pending<'_, Result<Vec<Rows>, Broken>> {
        Box::pin(async move {
            let mut found = Vec::with_capacity(scans.len());
            for (range, limit) in scans {
                found.push(self.scan(range, limit).await?);
            }
            Ok(found)
        })
    }

    /// Applies the changeset atomically. On an engine that is [`durable`](Engine::durable), it
    /// survives loss of power from the moment this returns `Ok`.
    ///
    /// Dropping the future does not take the changeset back: it may or may not be applied.
    fn commit(&self, change: Changeset) -> Pending<'_, Result<Committed, CommitError>>;

    /// Whether `commit` really waits for the disk. Mail is acknowledged on no other engine unless
    /// the configuration says `durable = false`.
    fn durable(&self) -> bool;

    /// `Some` as soon as the engine is broken: it accepts no commit any more, and the process
    /// should say so and end. Look with `borrow`, wait with `wait_for(Option::is_some)`.
    fn broken(&self) -> watch::Receiver<Option<Broken>>;

    /// Takes no new commit, finishes those it has taken, and gives back files and threads.
    /// Idempotent; commits after it get [`CommitError::Broken`].
    fn close(&self) -> Pending<'_, ()>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_before_the_next_one() {
        assert_eq!(Range::prefix(b"ab").to, b"ac");
        assert_eq!(Range::prefix(b"a\xff").to, b"b");
        assert!(Range::prefix(b"\xff\xff").to > b"\xff\xff\xff".to_vec());
        assert!(Range::prefix(b"").to > b"\xff\xff\xff".to_vec());
    }

    #[test]
    fn rules_are_checked_before_any_row() {
        let good = Changeset {
            put: vec![(b"k".to_vec(), Bytes::new())],
            add: vec![(b"n".to_vec(), 1)],
            ..Changeset::default()
        };
        assert_eq!(good.check(), Ok(()));
        let mut own = good.clone();
        own.delete.push(vec![crate::chain::TABLE, 1]);
        let mut long = good.clone();
        long.require.push((vec![7; KEY_LIMIT + 1], None));
        let mut empty = good.clone();
        empty.put.push((Vec::new(), Bytes::new()));
        let mut both = good.clone();
        both.add.push((b"k".to_vec(), 1));
        let mut large = good;
        large.append.push(vec![0; CHANGESET_LIMIT].into());
        for bad in [own, long, empty, both, large] {
            assert!(matches!(bad.check(), Err(CommitError::Refused(_))));
        }
    }
}
