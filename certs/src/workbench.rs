//! The memory that password hashing works in: a few blocks that are kept and lent, one to each run. Allocating and
//! freeing 19 MiB for each login tears holes into the heap and lets the process grow with the load; kept blocks bound
//! it. It knows nothing of passwords and never lends one block twice at once.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use argon2::Block;

/// As many runs as there are blocks; the next waits. More would not be faster on the machines that this is for.
const BENCHES: usize = 4;

/// Blocks of the usual cost, in KiB. What needs more allocates for itself, one at a time.
const USUAL: usize = 19 * 1024;

static BENCHES_OF_ALL: Benches = Benches::new(BENCHES, USUAL);

/// Lends memory of `blocks` KiB to `work`, after waiting for it if it must. What is in it is left from the run before:
/// Argon2 writes every block before it reads it.
pub(crate) fn with<T>(blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
    BENCHES_OF_ALL.with(blocks, work)
}

struct Benches {
    most: usize,
    usual: usize,
    state: Mutex<State>,
    returned: Condvar,
    /// Runs of an unusual cost, which come from an import only.
    odd: Mutex<()>,
}

struct State {
    lent: usize,
    idle: Vec<Vec<Block>>,
}

/// A block on loan; it goes back when dropped, so that a panic loses none.
struct Loan<'a> {
    benches: &'a Benches,
    blocks: Vec<Block>,
}

impl Benches {
    const fn new(most: usize, usual: usize) -> Self {
        let state = Mutex::new(State { lent: 0, idle: Vec::new() });
        Self { most, usual, state, returned: Condvar::new(), odd: Mutex::new(()) }
    }

    fn with<T>(&self, blocks: usize, work: impl FnOnce(&mut [Block]) -> T) -> T {
        if blocks > self.usual {
            let _turn = self.odd.lock().unwrap_or_else(PoisonError::into_inner);
            return work(&mut vec![Block::new(); blocks]);
        }
        let mut loan = self.borrow();
        // The first run with a block allocates it; outside of the lock, since that takes a moment.
        if loan.blocks.is_empty() {
            loan.blocks = vec![Block::new(); self.usual];
        }
        work(&mut loan.blocks)
    }

    fn borrow(&self) -> Loan<'_> {
        let all_lent = |state: &mut State| state.lent >= self.most;
        let mut state =
            self.returned.wait_while(self.state(), all_lent).unwrap_or_else(PoisonError::into_inner);
        state.lent += 1;
        let blocks = state.idle.pop().unwrap_or_default();
        Loan { benches: self, blocks }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A count and a list are changed without a panic between them.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Loan<'_> {
    fn drop(&mut self) {
        let mut state = self.benches.state();
        state.lent -= 1;
        let blocks = std::mem::take(&mut self.blocks);
        if !blocks.is_empty() {
            state.idle.push(blocks);
        }
        drop(state);
        self.benches.returned.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::thread;
    use std::time::Duration;

    use super::*;

    #[test]
    fn no_more_blocks_than_benches_whatever_the_crowd() {
        let benches = Benches::new(2, 8);
        let (now, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| {
                    benches.with(8, |blocks| {
                        assert_eq!(blocks.len(), 8);
                        most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        thread::sleep(Duration::from_millis(2));
                        now.fetch_sub(1, Ordering::SeqCst);
                    });
                });
            }
        });
        assert_eq!(most.into_inner(), 2);
        let state = benches.state();
        assert_eq!((state.lent, state.idle.len()), (0, 2), "kept for the next");
    }

    #[test]
    fn the_same_memory_is_lent_again() {
        let benches = Benches::new(2, 8);
        let first = benches.with(8, |blocks| blocks.as_ptr() as usize);
        assert_eq!(benches.with(4, |blocks| blocks.as_ptr() as usize), first);
    }

    #[test]
    fn unusual_costs_get_what_they_need_and_nothing_is_kept() {
        let benches = Benches::new(1, 8);
        assert_eq!(benches.with(9, |blocks| blocks.len()), 9);
        assert!(benches.state().idle.is_empty());
    }

    #[test]
    fn a_panic_gives_its_block_back() {
        let benches = Benches::new(1, 8);
        let fall = || benches.with(8, |_| panic!("in the middle"));
        assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(fall)).is_err());
        assert_eq!(benches.with(8, |blocks| blocks.len()), 8);
    }
}
