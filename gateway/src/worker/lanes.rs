//! Which of the leased jobs may be sent now: so many at once, so many of them to one domain. It sends nothing and waits
//! for nothing.

use std::collections::{HashMap, VecDeque};

use store::Leased;

/// The jobs that this worker holds.
pub(super) struct Lanes {
    most: usize,
    per_domain: usize,
    waiting: VecDeque<Leased>,
    under_way: HashMap<String, usize>,
}

impl Lanes {
    pub(super) fn new(most: usize, per_domain: usize) -> Self {
        let most = most.max(1);
        Self {
            most,
            per_domain: per_domain.clamp(1, most),
            waiting: VecDeque::new(),
            under_way: HashMap::new(),
        }
    }

    /// The next job that may be sent; from now on it is under way.
    pub(super) fn next(&mut self) -> Option<Leased> {
        if self.under_way.values().sum::<usize>() >= self.most {
            return None;
        }
        let place = self.waiting.iter().position(|leased| !self.is_full(leased.job.domain()))?;
        let leased = self.waiting.remove(place)?;
        *self.under_way.entry(leased.job.domain().to_owned()).or_default() += 1;
        Some(leased)
    }

    /// A job to this domain is not under way any more.
    pub(super) fn end(&mut self, domain: &str) {
        if let Some(count) = self.under_way.get_mut(domain) {
            *count = count.saturating_sub(1);
        }
        self.under_way.retain(|_, count| *count > 0);
    }

    pub(super) fn add(&mut self, jobs: Vec<Leased>) {
        self.waiting.extend(jobs);
    }

    /// The jobs that were not begun.
    pub(super) fn into_waiting(self) -> Vec<Leased> {
        self.waiting.into()
    }

    /// Jobs worth leasing: enough for every lane, and a few ahead, because leasing them together is one commit. Few
    /// enough to be sent long before their lease ends. None while there is no lane for them.
    pub(super) fn room(&self) -> usize {
        if self.under_way.values().sum::<usize>() >= self.most {
            return 0;
        }
        (self.most * 4).saturating_sub(self.waiting.len())
    }

    /// Domains that get no more for now: all their lanes are taken, or jobs for them are here already.
    pub(super) fn busy(&self) -> Vec<String> {
        let full = self.under_way.keys().filter(|domain| self.is_full(domain)).cloned();
        let here = self.waiting.iter().map(|leased| leased.job.domain().to_owned());
        let mut busy: Vec<String> = full.chain(here).collect();
        busy.sort();
        busy.dedup();
        busy
    }

    fn is_full(&self, domain: &str) -> bool {
        self.under_way.get(domain).is_some_and(|count| *count >= self.per_domain)
    }
}
