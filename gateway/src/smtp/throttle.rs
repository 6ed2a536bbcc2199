//! Who tries passwords too often: failed logins counted by address, and by account over all addresses, across all
//! connections, in tables that never grow beyond their size. It checks no password, knows not which accounts there are, and
//! nothing that strangers do keeps out somebody who logged in from there before.

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

/// So many failures of strangers at one account within [`ACCOUNT_WINDOW`], wherever they come from, and further guesses at the
/// user's own password wait for their turn.
const ACCOUNT_FAILURES: u32 = 20;
const ACCOUNT_WINDOW: Duration = Duration::from_secs(600);

/// Between two turns, and the longest wait for one; whoever would wait longer comes again.
const TURN: Duration = Duration::from_secs(15);
const LONGEST: Duration = Duration::from_secs(30);

/// Origins remembered, and accounts. The oldest is forgotten for the next.
const ORIGINS: usize = 10_000;

/// Counts failed logins.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
struct Tables {
    failures: HashMap<Origin, Failures>,
    /// What strangers did to an account.
    accounts: HashMap<String, Guessed>,
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

#[derive(Debug)]
struct Guessed {
    failures: Failures,
    /// When the last turn that was given away begins.
    turn: Instant,
}

/// A login that may be tried, and what is done with the user's own password.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) attempt: Try,
    pub(crate) own: Own,
}

/// When a user's own password is looked at. App passwords are at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    Now,
    After(Duration),
    /// Not with this try.
    Never,
}

/// A login that is tried. It counts as failed until it is said to have succeeded, so that tries in flight count.
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
    pub(crate) fn begin(&self, peer: IpAddr, user: &str, now: Instant) -> Option<Admitted> {
        let familiar = (network(peer), user.to_lowercase());
        let mut tables = self.tables();
        let origin = match tables.familiar.contains_key(&familiar) {
            true => Origin::Familiar(familiar.clone()),
            false => Origin::Network(familiar.0),
        };
        if !tables.count(&origin, now) {
            return None;
        }
        let own = match origin {
            Origin::Familiar(_) => Own::Now,
            Origin::Network(_) => tables.guess(&familiar.1, now),
        };
        Some(Admitted { attempt: Try { origin, familiar }, own })
    }

    /// The password was right.
    pub(crate) fn succeeded(&self, attempt: Try, now: Instant) {
        let mut tables = self.tables();
        // Only its own try is taken back: one good account must not pay for guessing at others.
        if let Some(failures) = tables.failures.get_mut(&attempt.origin) {
            failures.count = failures.count.saturating_sub(1);
        }
        if let (Origin::Network(_), Some(guessed)) =
            (&attempt.origin, tables.accounts.get_mut(&attempt.familiar.1))
        {
            guessed.failures.count = guessed.failures.count.saturating_sub(1);
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
        let failures = self.failures.entry(origin.clone()).or_insert(Failures::none(now));
        failures.count(now, FAILURES, WINDOW)
    }

    /// Counts a stranger's try at an account, and says when it is looked at.
    fn guess(&mut self, user: &str, now: Instant) -> Own {
        let user = user.to_owned();
        make_room(&mut self.accounts, &user, |guessed| guessed.failures.since);
        let fresh = Guessed { failures: Failures::none(now), turn: now };
        let guessed = self.accounts.entry(user).or_insert(fresh);
        if guessed.failures.count(now, ACCOUNT_FAILURES, ACCOUNT_WINDOW) {
            return Own::Now;
        }
        let turn = guessed.turn.max(now) + TURN;
        match turn - now {
            wait if wait > LONGEST => Own::Never,
            wait => {
                guessed.turn = turn;
                Own::After(wait)
            }
        }
    }
}

impl Failures {
    fn none(since: Instant) -> Self {
        Self { since, count: 0 }
    }

    /// Counts one more; false if there were too many.
    fn count(&mut self, now: Instant, most: u32, window: Duration) -> bool {
        if now.duration_since(self.since) >= window {
            *self = Self::none(now);
        }
        let may = self.count < most;
        self.count += u32::from(may);
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
            let attempt = throttle.begin(peer(1), ADA, start).unwrap().attempt;
            throttle.succeeded(attempt, start);
        }
        assert_eq!(fail(&throttle, peer(1), "other", FAILURES, start), FAILURES);
    }

    #[test]
    fn a_known_user_is_not_kept_out_by_strangers_at_the_same_address() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let first = throttle.begin(peer(1), ADA, start).unwrap().attempt;
        assert_eq!(first.standing(), Standing::Stranger);
        throttle.succeeded(first, start);
        fail(&throttle, peer(1), "other", FAILURES * 2, start);
        let again = throttle.begin(peer(1), "Ada@Alpha.example", start).unwrap().attempt;
        assert_eq!(again.standing(), Standing::Familiar);
        throttle.succeeded(again, start);
        assert_eq!(fail(&throttle, peer(1), ADA, FAILURES * 2, start), FAILURES, "guessing is bounded too");
        assert_eq!(throttle.begin(peer(2), ADA, start).unwrap().attempt.standing(), Standing::Stranger);
    }

    /// What becomes of a try from the network of this number.
    fn own(throttle: &Throttle, number: u32, user: &str, now: Instant) -> Own {
        throttle.begin(IpAddr::from(number.to_be_bytes()), user, now).unwrap().own
    }

    #[test]
    fn guesses_from_everywhere_at_one_account_are_few_and_whoever_is_known_there_waits_for_none() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        let first = throttle.begin(peer(1), ADA, start).unwrap();
        throttle.succeeded(first.attempt, start);
        // Whether there is such an account makes no difference.
        for user in [ADA, "nobody@alpha.example"] {
            let tries: Vec<Own> =
                (0..1000).map(|number| own(&throttle, 0x0a00_0000 + number * 256, user, start)).collect();
            assert!(tries[..20].iter().all(|own| *own == Own::Now));
            assert_eq!(tries[20..22], [Own::After(TURN), Own::After(TURN * 2)]);
            assert!(tries[22..].iter().all(|own| *own == Own::Never));
        }
        assert_eq!(
            throttle.begin(peer(1), ADA, start).unwrap().own,
            Own::Now,
            "from where she logged in before"
        );
        // A stranger to the network is not locked out: there is a turn, and then the window is over.
        assert_eq!(own(&throttle, 7, ADA, start + TURN), Own::After(LONGEST));
        assert_eq!(own(&throttle, 8, ADA, start + ACCOUNT_WINDOW), Own::Now);
        assert_eq!(
            own(&throttle, 9, "other@alpha.example", start),
            Own::Now,
            "other accounts are not concerned"
        );
    }

    #[test]
    fn right_passwords_from_many_networks_are_no_guesses() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for number in 0..ACCOUNT_FAILURES * 3 {
            let admitted = throttle.begin(IpAddr::from(number.to_be_bytes()), ADA, start).unwrap();
            assert_eq!(admitted.own, Own::Now);
            throttle.succeeded(admitted.attempt, start);
        }
    }

    #[test]
    fn tables_do_not_grow_and_forget_the_oldest() {
        let (throttle, start) = (Throttle::default(), Instant::now());
        for number in 0..ORIGINS as u32 + 100 {
            let address = IpAddr::from(number.to_be_bytes());
            let now = start + Duration::from_millis(u64::from(number));
            let user = format!("{number}@alpha.example");
            let attempt = throttle.begin(address, &user, now).unwrap().attempt;
            throttle.succeeded(attempt, now);
        }
        let tables = throttle.tables();
        let lengths = [tables.failures.len(), tables.familiar.len(), tables.accounts.len()];
        assert_eq!(lengths, [ORIGINS; 3]);
        let known = |number: u32| {
            let familiar = (IpAddr::from(number.to_be_bytes()), format!("{number}@alpha.example"));
            tables.familiar.contains_key(&familiar)
        };
        assert!(!known(99) && known(100) && known(ORIGINS as u32 + 99));
    }
}
