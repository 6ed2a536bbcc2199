//! Who tries passwords too often: failed logins counted by address across all connections, in a table that never grows
//! beyond its size. It checks no password, and nothing that strangers do keeps out somebody who logged in from there
//! before.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::crowd::network;

/// So many failures of one origin within [`WINDOW`], and it waits until the window is over.
const FAILURES: u32 = 10;
const WINDOW: Duration = Duration::from_secs(60);

/// Origins remembered. The oldest is forgotten for the next.
const ORIGINS: usize = 10_000;

/// Counts failed logins.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    failures: HashMap<Origin, Failures>,
    /// When a user last logged in from a network.
    familiar: HashMap<Familiar, Instant>,
}

/// A network and a user in lower case, with one success in common.
type Familiar = (IpAddr, String);

/// What failures are counted of. A user who logged in from a network before has a count of its own there: neither do
/// others spend it, nor is guessing at that user free.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Origin {
    Network(IpAddr),
    Familiar(Familiar),
}

#[derive(Debug)]
struct Failures {
    since: Instant,
    count: u32,
}

/// A login that may be tried. It counts as failed until it is said to have succeeded, so that tries in flight count.
#[derive(Debug)]
pub(crate) struct Try {
    origin: Origin,
    familiar: Familiar,
}

/// Whether this user logged in from this network before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    Familiar,
    Stranger,
}

impl Throttle {
    /// Asked before a password is checked. None: not now.
    pub(crate) fn begin(&self, peer: IpAddr, user: &str, now: Instant) -> Option<Try> {
        let familiar = (network(peer), user.to_lowercase());
        let mut tables = self.tables();
        let origin = match tables.familiar.contains_key(&familiar) {
            true => Origin::Familiar(familiar.clone()),
            false => Origin::Network(familiar.0),
        };
        tables.count(&origin, now).then_some(Try { origin, familiar })
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, attempt: Try, now: Instant) {
        let mut tables = self.tables();
        // Only its own try is taken back: one good account must not pay for guessing at others.
        if let Some(failures) = tables.failures.get_mut(&attempt.origin) {
            failures.count = failures.count.saturating_sub(1);
        }
        make_room(&mut tables.familiar, &attempt.familiar, |at| *at);
        tables.familiar.insert(attempt.familiar, now);
    }

    fn tables(&self) -> MutexGuard<'_, Tables> {
        // Entries stand alone; none is left half changed.
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    /// Counts a try; false if there were too many.
    fn count(&mut self, origin: &Origin, now: Instant) -> bool {
        make_room(&mut self.failures, origin, |failures| failures.since);
        let fresh = Failures { since: now, count: 0 };
        let failures = self.failures.entry(origin.clone()).or_insert(fresh);
        if now.duration_since(failures.since) >= WINDOW {
            *failures = Failures { since: now, count: 0 };
        }
        let may = failures.count < FAILURES;
        failures.count += u32::from(may);
        may
    }
}

impl Try {
    pub(crate) fn standing(&self) -> Standing {
        match self.origin {
            Origin::Familiar(_) => Standing::Familiar,
            Origin::Network(_) => Standing::Stranger,
        }
    }
}

/// Forgets the oldest entry if a new one would be one too many.
fn make_room<K: Hash + Eq + Clone, V>(table: &mut HashMap<K, V>, key: &K, age: impl Fn(&V) -> Instant) {
    if table.len() < ORIGINS || table.contains_key(key) {
        return;
    }
    let oldest = table.iter().min_by_key(|(_, value)| age(value)).map(|(key, _)| key.clone());
    if let Some(oldest) = oldest {
        table.remove(&oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ADA: &str = "ada@alpha.example";

    fn peer(last: u8) -> IpAddr {
        IpAddr::from([192, 0, 2, last])
    }

    fn fail(throttle: &Throttle, peer: IpAddr, user: &str, times: u32, now: Instant) -> u32 {
        (0..times).filter(|_| throttle.begin(peer, user, now).is_some()).count() as u32
    }

    #[test]
    fn an_address_that_fails_too_often_waits_and_others_do_not() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        assert_eq!(fail(&throttle, peer(1), ADA, FAILURES * 8, start), FAILURES);
        assert!(throttle.begin(peer(1), "other", start + WINDOW - Duration::from_millis(1)).is_none());
        assert!(throttle.begin(peer(2), ADA, start).is_some());
        assert_eq!(fail(&throttle, peer(1), ADA, FAILURES * 2, start + WINDOW), FAILURES, "cooled down");
    }

    #[test]
    fn successes_are_not_counted() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for _ in 0..FAILURES * 3 {
            let attempt = throttle.begin(peer(1), ADA, start).unwrap();
            throttle.succeeded(attempt, start);
        }
        assert_eq!(fail(&throttle, peer(1), "other", FAILURES, start), FAILURES);
    }

    #[test]
    fn a_known_user_is_not_kept_out_by_strangers_at_the_same_address() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let first = throttle.begin(peer(1), ADA, start).unwrap();
        assert_eq!(first.standing(), Standing::Stranger);
        throttle.succeeded(first, start);
        fail(&throttle, peer(1), "other", FAILURES * 2, start);
        let again = throttle.begin(peer(1), "Ada@Alpha.example", start).unwrap();
        assert_eq!(again.standing(), Standing::Familiar);
        throttle.succeeded(again, start);
        assert_eq!(fail(&throttle, peer(1), ADA, FAILURES * 2, start), FAILURES, "guessing is bounded too");
        assert_eq!(throttle.begin(peer(2), ADA, start).unwrap().standing(), Standing::Stranger);
    }

    #[test]
    fn tables_do_not_grow_and_forget_the_oldest() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for number in 0..ORIGINS as u32 + 100 {
            let address = IpAddr::from(number.to_be_bytes());
            let now = start + Duration::from_millis(u64::from(number));
            let attempt = throttle.begin(address, ADA, now).unwrap();
            throttle.succeeded(attempt, now);
        }
        let tables = throttle.tables();
        assert_eq!((tables.failures.len(), tables.familiar.len()), (ORIGINS, ORIGINS));
        let known =
            |number: u32| tables.familiar.contains_key(&(IpAddr::from(number.to_be_bytes()), ADA.to_owned()));
        assert!(!known(99) && known(100) && known(ORIGINS as u32 + 99));
    }
}
