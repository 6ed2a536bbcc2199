//! Waiting for something to become true, with a deadline. Never waits for time to pass.

use std::thread;
use std::time::{Duration, Instant};

/// Long enough for anything that works, on a machine that does other work too.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// Looks until there is something; panics with `what` when `limit` is over.
pub fn until_within<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {limit:?} in vain for {what}");
        thread::park_timeout(LOOK);
    }
}

/// As [`until_within`], for what should come soon.
pub fn until<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    until_within(what, PATIENCE, look)
}

/// Looks until it is true.
pub fn until_true(what: &str, mut look: impl FnMut() -> bool) {
    until(what, || look().then_some(()));
}
