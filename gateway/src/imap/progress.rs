//! How far a folder was read: which mails wait for their turn, which are taken and wait to be removed there. Pure.
//!
//! What is saved of it is one number, so that everything below it is done. After a crash what is above it is taken
//! again, and the ledger knows it then.

use std::collections::BTreeSet;

use super::standing::State;

/// So many mails may wait for anything; more of them means that something is wrong that time does not heal.
const MOST: usize = 100_000;

/// The way through one folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Progress {
    uid_validity: u32,
    /// The highest UID that was looked at.
    high: u32,
    /// To be tried again.
    later: BTreeSet<u32>,
    /// The one of them that was tried last.
    tried: u32,
    /// Durable here, not yet removed there.
    unmarked: BTreeSet<u32>,
}

impl Progress {
    /// The folder is open, and numbered like that. If it was numbered differently before, it is read from its beginning.
    pub(super) fn open(&mut self, uid_validity: u32, saved: Option<State>) {
        if self.uid_validity != uid_validity {
            let known = saved.filter(|saved| saved.uid_validity == uid_validity);
            *self = Self { uid_validity, high: known.map_or(0, |saved| saved.last_uid), ..Self::default() };
        }
    }

    /// The first UID that was not looked at; none if there can be no higher one.
    pub(super) fn next(&self) -> Option<u32> {
        self.high.checked_add(1)
    }

    /// Everything up to there was looked at.
    pub(super) fn reach(&mut self, uid: u32) {
        self.high = self.high.max(uid);
    }

    pub(super) fn taken(&mut self, uid: u32) {
        self.reach(uid);
        self.later.remove(&uid);
        self.unmarked.insert(uid);
    }

    pub(super) fn put_off(&mut self, uid: u32) {
        self.reach(uid);
        self.later.insert(uid);
    }

    /// There is nothing more to be done about it.
    pub(super) fn settled(&mut self, uid: u32) {
        self.reach(uid);
        self.later.remove(&uid);
        self.unmarked.remove(&uid);
    }

    pub(super) fn first_waiting(&self) -> Option<u32> {
        self.later.first().copied()
    }

    /// Those that wait, each in its turn: who was tried last comes last.
    pub(super) fn turns(&self) -> Vec<u32> {
        let (before, behind): (Vec<_>, Vec<_>) = self.later.iter().partition(|uid| **uid <= self.tried);
        [behind, before].concat()
    }

    pub(super) fn turn(&mut self, uid: u32) {
        self.tried = uid;
    }

    /// The turns begin at the first one again.
    pub(super) fn turn_back(&mut self) {
        self.tried = 0;
    }

    pub(super) fn unmarked(&self) -> &BTreeSet<u32> {
        &self.unmarked
    }

    pub(super) fn is_overfull(&self) -> bool {
        self.later.len() + self.unmarked.len() >= MOST
    }

    /// What may be saved. None before a folder was open.
    pub(super) fn state(&self) -> Option<State> {
        let waiting = self.later.first().into_iter().chain(self.unmarked.first()).min();
        let last_uid = waiting.map_or(self.high, |first| first.saturating_sub(1));
        (self.uid_validity != 0).then_some(State { uid_validity: self.uid_validity, last_uid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(progress: &Progress) -> u32 {
        progress.state().unwrap().last_uid
    }

    #[test]
    fn what_is_saved_never_passes_what_waits() {
        let mut progress = Progress::default();
        assert_eq!(progress.state(), None);
        progress.open(7, Some(State { uid_validity: 7, last_uid: 10 }));
        assert_eq!((progress.next(), last(&progress)), (Some(11), 10));
        progress.taken(12);
        progress.put_off(13);
        progress.taken(20);
        assert_eq!((progress.next(), last(&progress)), (Some(21), 11));
        progress.settled(12);
        assert_eq!(last(&progress), 12);
        progress.taken(13);
        assert_eq!(last(&progress), 12, "taken, but still there");
        progress.settled(13);
        assert_eq!(last(&progress), 19);
        progress.settled(20);
        progress.reach(30);
        assert_eq!(last(&progress), 30);
    }

    #[test]
    fn those_that_wait_have_their_turn() {
        let mut progress = Progress::default();
        progress.open(7, None);
        [3, 5, 8].into_iter().for_each(|uid| progress.put_off(uid));
        assert_eq!(progress.turns(), [3, 5, 8]);
        progress.turn(5);
        assert_eq!(progress.turns(), [8, 3, 5]);
        progress.settled(3);
        progress.turn(8);
        assert_eq!(progress.turns(), [5, 8]);
        progress.turn(5);
        progress.turn_back();
        assert_eq!(progress.turns(), [5, 8]);
    }

    #[test]
    fn a_folder_numbered_anew_is_read_from_its_beginning() {
        let mut progress = Progress::default();
        progress.open(7, Some(State { uid_validity: 6, last_uid: 10 }));
        assert_eq!(progress.next(), Some(1));
        progress.taken(5);
        progress.open(7, Some(State { uid_validity: 7, last_uid: 0 }));
        assert_eq!(progress.unmarked().len(), 1, "the same folder: nothing is forgotten");
        progress.open(8, Some(State { uid_validity: 7, last_uid: 4 }));
        assert_eq!((progress.next(), progress.unmarked().len()), (Some(1), 0));
        progress.reach(u32::MAX);
        assert_eq!(progress.next(), None);
    }
}
