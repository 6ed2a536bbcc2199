//! The fuse against mail that multiplies: more equal bodies from one company within an hour than people ever send, and
//! it blows, for that body only and until the hour is over. In memory; after a restart it starts anew.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use mail::GroupId;

/// How long equal bodies are counted together.
const WINDOW: SignedDuration = SignedDuration::from_hours(1);

/// Bodies that are remembered of one company; the oldest goes first. Companies are few and known.
const REMEMBERED: usize = 8192;

/// Counts equal bodies.
pub struct Fuse {
    most: u32,
    companies: Mutex<HashMap<GroupId, Company>>,
}

#[derive(Default)]
struct Company {
    counts: HashMap<[u8; 32], u32>,
    /// In the order in which they were first seen.
    seen: VecDeque<(Timestamp, [u8; 32])>,
}

impl Fuse {
    /// Blows at more than `most` equal bodies within an hour.
    pub fn new(most: u32) -> Self {
        Self { most, companies: Mutex::default() }
    }

    /// Whether one more mail with this body (its digest) may pass now. If not, it is to be refused for a while.
    pub fn admits(&self, group: &GroupId, body: [u8; 32], now: Timestamp) -> bool {
        // A count is changed without a panic between.
        let mut companies = self.companies.lock().unwrap_or_else(PoisonError::into_inner);
        companies.entry(group.clone()).or_default().count(body, now) <= self.most
    }
}

impl Company {
    fn count(&mut self, body: [u8; 32], now: Timestamp) -> u32 {
        // What was seen in the future was seen before the clock was put right.
        let fresh = |since: Timestamp| (SignedDuration::ZERO..WINDOW).contains(&now.duration_since(since));
        while self.seen.front().is_some_and(|(since, _)| !fresh(*since)) {
            self.forget();
        }
        if !self.counts.contains_key(&body) {
            if self.seen.len() >= REMEMBERED {
                self.forget();
            }
            self.seen.push_back((now, body));
        }
        let count = self.counts.entry(body).or_default();
        *count = count.saturating_add(1);
        *count
    }

    fn forget(&mut self) {
        if let Some((_, oldest)) = self.seen.pop_front() {
            self.counts.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(name: &str) -> GroupId {
        name.parse().unwrap()
    }

    fn at(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    #[test]
    fn blows_for_one_body_of_one_company_until_the_hour_is_over() {
        let fuse = Fuse::new(3);
        let (alpha, beta) = (group("alpha"), group("beta"));
        for minute in 0..3 {
            assert!(fuse.admits(&alpha, [1; 32], at(minute)));
        }
        assert!(!fuse.admits(&alpha, [1; 32], at(4)));
        assert!(!fuse.admits(&alpha, [1; 32], at(59)));
        assert!(fuse.admits(&alpha, [2; 32], at(59)), "another body");
        assert!(fuse.admits(&beta, [1; 32], at(59)), "another company");
        assert!(fuse.admits(&alpha, [1; 32], at(60)), "another hour");
        for _ in 0..2 {
            assert!(fuse.admits(&alpha, [1; 32], at(61)));
        }
        assert!(!fuse.admits(&alpha, [1; 32], at(62)), "and counted again");
    }

    #[test]
    fn remembers_so_many_bodies_and_survives_a_clock_that_jumps() {
        let fuse = Fuse::new(1);
        let alpha = group("alpha");
        let body = |number: u32| certs::sha256(&number.to_be_bytes());
        for number in 0..REMEMBERED as u32 * 2 {
            assert!(fuse.admits(&alpha, body(number), at(0)));
        }
        let remembered = |fuse: &Fuse| {
            let companies = fuse.companies.lock().unwrap();
            (companies[&alpha].counts.len(), companies[&alpha].seen.len())
        };
        assert_eq!(remembered(&fuse), (REMEMBERED, REMEMBERED));
        assert!(!fuse.admits(&alpha, body(REMEMBERED as u32 * 2 - 1), at(1)), "the latest is still known");
        assert!(!fuse.admits(&alpha, body(REMEMBERED as u32), at(1)), "and the oldest of them");
        assert!(fuse.admits(&alpha, body(1), at(-100_000)));
        assert_eq!(remembered(&fuse), (1, 1), "all others are of another time");
        assert!(fuse.admits(&alpha, body(1), at(100_000)));
    }
}
