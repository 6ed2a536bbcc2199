//! Which of the leased jobs may be sent now. It sends nothing and waits for nothing.
//!
//! A domain gets a further lane only while more lanes are free than it has: the first slow domain takes half of them,
//! the second half of the rest, and there is always one for somebody else. A mail that has been under way for long counts
//! no more among the lanes (but still for its domain), so that many slow domains together hold nobody up either.

use std::collections::{HashMap, VecDeque};

use store::Leased;

use super::Word;

/// For each lane, mails under way that are slow and do not count.
const SLOW: usize = 3;
/// For each lane, jobs that are here and could be sent; those of slow domains may be some more.
const AHEAD: usize = 4;

/// The jobs that this worker holds.
pub(super) struct Lanes {
    most: usize,
    share: Share,
    waiting: VecDeque<Leased>,
    under_way: HashMap<String, usize>,
    slow: usize,
}

/// How much of the lanes one domain gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Share {
    /// Everything goes to one place, whatever the domain.
    Whole,
    /// At most so many lanes, and fewer while others have some.
    Fair(usize),
}

impl Lanes {
    pub(super) fn new(most: usize, share: Share) -> Self {
        let (waiting, under_way) = (VecDeque::new(), HashMap::new());
        Self { most: most.max(1), share, waiting, under_way, slow: 0 }
    }

    /// The next job that may be sent; from now on it is under way.
    pub(super) fn next(&mut self) -> Option<Leased> {
        if self.free() == 0 {
            return None;
        }
        let place = self.waiting.iter().position(|leased| !self.is_full(leased.job.domain()))?;
        let leased = self.waiting.remove(place)?;
        *self.under_way.entry(leased.job.domain().to_owned()).or_default() += 1;
        Some(leased)
    }

    /// One of those under way takes long, or is not under way any more.
    pub(super) fn hear(&mut self, word: &Word) {
        match word {
            Word::Slow => self.slow += 1,
            Word::Over { domain, was_slow } => {
                if let Some(count) = self.under_way.get_mut(domain) {
                    *count = count.saturating_sub(1);
                }
                self.under_way.retain(|_, count| *count > 0);
                self.slow = self.slow.saturating_sub(usize::from(*was_slow));
            }
        }
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
        if self.free() == 0 {
            return 0;
        }
        let ready = self.waiting.iter().filter(|leased| !self.is_full(leased.job.domain())).count();
        let room = (self.most * AHEAD).saturating_sub(ready);
        room.min((self.most * AHEAD * 4).saturating_sub(self.waiting.len()))
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

    fn free(&self) -> usize {
        let taken = self.under_way.values().sum::<usize>() - self.slow.min(self.most * SLOW);
        self.most.saturating_sub(taken)
    }

    fn is_full(&self, domain: &str) -> bool {
        let count = self.under_way.get(domain).copied().unwrap_or_default();
        match self.share {
            Share::Whole => false,
            Share::Fair(most) => count >= most.max(1) || count >= self.free().max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::dns::zone::Zone;
    use crate::worker::tests::{gateway, relay};

    /// So many jobs to each of these domains, one domain after the other.
    async fn jobs(domains: &[&str], each: usize) -> Vec<Leased> {
        let gateway = gateway(&Zone::open().await).await;
        for domain in domains {
            for number in 0..each {
                relay(gateway.ledger(), &format!("jo{number}@{domain}")).await;
            }
        }
        let all = domains.len() * each;
        let mut jobs = gateway.ledger().lease_jobs(all, Duration::from_mins(1), &[]).await.unwrap();
        let place = |leased: &Leased| domains.iter().position(|domain| *domain == leased.job.domain());
        jobs.sort_by_key(place);
        jobs
    }

    fn over(domain: &str, was_slow: bool) -> Word {
        Word::Over { domain: domain.to_owned(), was_slow }
    }

    fn begun(lanes: &mut Lanes) -> Vec<String> {
        std::iter::from_fn(|| lanes.next()).map(|leased| leased.job.domain().to_owned()).collect()
    }

    fn count(begun: &[String], domain: &str) -> usize {
        begun.iter().filter(|known| *known == domain).count()
    }

    #[tokio::test]
    async fn two_slow_domains_never_have_all_lanes() {
        let mut lanes = Lanes::new(8, Share::Fair(4));
        lanes.add(jobs(&["slow.example", "mute.example", "live.example"], 20).await);
        let begun = begun(&mut lanes);
        let of = |domain| count(&begun, domain);
        assert_eq!((of("slow.example"), of("mute.example"), of("live.example")), (4, 2, 1));
        assert_eq!(lanes.busy(), ["live.example", "mute.example", "slow.example"]);
        assert!(lanes.room() > 0, "a fourth domain would have the last one");
        // Whoever is quick goes on, the others do not.
        lanes.hear(&over("live.example", false));
        assert_eq!(lanes.next().unwrap().job.domain(), "live.example");
    }

    #[tokio::test]
    async fn a_domain_alone_has_what_it_may() {
        let mut lanes = Lanes::new(8, Share::Fair(4));
        lanes.add(jobs(&["live.example"], 20).await);
        assert_eq!(begun(&mut lanes).len(), 4);
        let mut lanes = Lanes::new(8, Share::Whole);
        lanes.add(jobs(&["live.example"], 20).await);
        assert_eq!(begun(&mut lanes).len(), 8, "a smarthost is one place");
        let mut lanes = Lanes::new(1, Share::Fair(4));
        lanes.add(jobs(&["live.example"], 2).await);
        assert_eq!(begun(&mut lanes).len(), 1);
    }

    #[tokio::test]
    async fn what_takes_long_holds_up_nobody_and_has_an_end_too() {
        let domains: Vec<String> = (0..12).map(|number| format!("d{number:02}.example")).collect();
        let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
        let mut lanes = Lanes::new(2, Share::Fair(2));
        lanes.add(jobs(&domains, 1).await);
        let mut begun_so_far = begun(&mut lanes).len();
        assert_eq!((begun_so_far, lanes.room()), (2, 0));
        // Each of those under way turns out slow in its turn.
        let mut slow = 0;
        while slow < begun_so_far {
            lanes.hear(&Word::Slow);
            slow += 1;
            begun_so_far += begun(&mut lanes).len();
        }
        assert_eq!(begun_so_far, 2 + 2 * SLOW, "no more than that at once");
        lanes.hear(&over(domains[0], true));
        assert_eq!(begun(&mut lanes).len(), 1);
    }
}
