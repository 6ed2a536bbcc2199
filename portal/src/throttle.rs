//! How often a password may be tried: by account and network, by account, and by network.
//!
//! A stranger who tries a victim's account from elsewhere uses up the budget of strangers, never
//! that of a browser or a network from which the victim has signed in before: nobody is locked out
//! by another.
//! Accounts are held as digests, in memory only, and forgotten when their budget is whole again.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// A budget of tries that fills up again: `burst` at once, then one for each `refill`.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    burst: u32,
    refill: Duration,
}

/// One account from one network: five at once, then one a minute.
const PAIR: Allowance = Allowance { burst: 5, refill: Duration::from_secs(60) };
/// One account from all networks that it never signed in from: at most 80 in the first hour.
const ACCOUNT: Allowance = Allowance { burst: 20, refill: Duration::from_secs(60) };
/// One network, whatever the accounts: an office of people who mistype on Monday morning.
const NETWORK: Allowance = Allowance { burst: 60, refill: Duration::from_secs(5) };
/// Budgets held; when there are more, the ones nearest to whole are forgotten.
const MOST_HELD: usize = 50_000;

type Account = [u8; 32];

/// An IPv4 address, or the /64 of an IPv6 address: what one household or office has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Network([u8; 8]);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Budget {
    Pair(Account, Network),
    Account(Account),
    Network(Network),
}

/// Whether the account has been signed in to with this browser before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Browser {
    Known,
    New,
}

/// All budgets.
#[derive(Debug, Default)]
pub(crate) struct Throttle {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// When each budget will be whole again (a leaky bucket kept as one instant).
    whole_at: HashMap<Budget, Instant>,
    /// Where an account has signed in from, and when last.
    familiar: HashMap<(Account, Network), Instant>,
}

impl Throttle {
    /// Takes one try; when there is none left, says how long to wait.
    pub(crate) fn try_now(
        &self,
        email: &str,
        peer: IpAddr,
        browser: Browser,
        now: Instant,
    ) -> Result<(), Duration> {
        let (account, network) = (account(email), Network::of(peer));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let mut budgets = vec![(Budget::Pair(account, network), PAIR), (Budget::Network(network), NETWORK)];
        if browser == Browser::New && !held.familiar.contains_key(&(account, network)) {
            budgets.push((Budget::Account(account), ACCOUNT));
        }
        let wait = budgets.iter().map(|(budget, allowance)| held.wait(*budget, *allowance, now)).max();
        if let Some(wait) = wait.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        for (budget, allowance) in budgets {
            held.spend(budget, allowance, now);
        }
        held.forget(now);
        Ok(())
    }

    /// The password was right: it costs nobody a try, and the network is a known one.
    pub(crate) fn succeeded(&self, email: &str, peer: IpAddr, browser: Browser, now: Instant) {
        let (account, network) = (account(email), Network::of(peer));
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.whole_at.remove(&Budget::Pair(account, network));
        held.refund(Budget::Network(network), NETWORK);
        if browser == Browser::New && !held.familiar.contains_key(&(account, network)) {
            held.refund(Budget::Account(account), ACCOUNT);
        }
        held.familiar.insert((account, network), now);
    }
}

impl Held {
    fn wait(&self, budget: Budget, allowance: Allowance, now: Instant) -> Duration {
        let Some(whole_at) = self.whole_at.get(&budget) else { return Duration::ZERO };
        let owed = whole_at.saturating_duration_since(now);
        (owed + allowance.refill).saturating_sub(allowance.refill * allowance.burst)
    }

    fn spend(&mut self, budget: Budget, allowance: Allowance, now: Instant) {
        let whole_at = self.whole_at.entry(budget).or_insert(now);
        *whole_at = (*whole_at).max(now) + allowance.refill;
    }

    fn refund(&mut self, budget: Budget, allowance: Allowance) {
        if let Some(whole_at) = self.whole_at.get_mut(&budget) {
            *whole_at = whole_at.checked_sub(allowance.refill).unwrap_or(*whole_at);
        }
    }

    /// Keeps memory bounded whoever tries what.
    fn forget(&mut self, now: Instant) {
        if self.whole_at.len() > MOST_HELD {
            self.whole_at.retain(|_, whole_at| *whole_at > now);
        }
        if self.whole_at.len() > MOST_HELD {
            let mut ends: Vec<_> = self.whole_at.values().copied().collect();
            let middle = ends.len() / 2;
            let (_, median, _) = ends.select_nth_unstable(middle);
            let median = *median;
            self.whole_at.retain(|_, whole_at| *whole_at > median);
        }
        if self.familiar.len() > MOST_HELD {
            let week = Duration::from_secs(7 * 24 * 3600);
            self.familiar.retain(|_, last| now.saturating_duration_since(*last) < week);
        }
        if self.familiar.len() > MOST_HELD {
            let mut lasts: Vec<_> = self.familiar.values().copied().collect();
            let middle = lasts.len() / 2;
            let (_, median, _) = lasts.select_nth_unstable(middle);
            let median = *median;
            self.familiar.retain(|_, last| *last > median);
        }
    }
}

fn account(email: &str) -> Account {
    certs::sha256(email.trim().to_lowercase().as_bytes())
}

impl Network {
    pub(crate) fn of(peer: IpAddr) -> Self {
        let mut bytes = [0; 8];
        match peer.to_canonical() {
            IpAddr::V4(address) => bytes[..4].copy_from_slice(&address.octets()),
            IpAddr::V6(address) => bytes.copy_from_slice(&address.octets()[..8]),
        }
        Self(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFICE: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn elsewhere(number: u32) -> IpAddr {
        IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 + number))
    }

    #[test]
    fn one_guesser_is_slowed_to_one_a_minute() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for _ in 0..5 {
            assert_eq!(throttle.try_now("sam@beta.example", OFFICE, Browser::New, start), Ok(()));
        }
        assert_eq!(
            throttle.try_now("SAM@beta.example ", OFFICE, Browser::New, start),
            Err(Duration::from_secs(60))
        );
        assert_eq!(
            throttle.try_now("sam@beta.example", OFFICE, Browser::New, start + Duration::from_secs(60)),
            Ok(())
        );
        assert!(
            throttle
                .try_now("sam@beta.example", OFFICE, Browser::New, start + Duration::from_secs(61))
                .is_err()
        );
        assert_eq!(throttle.try_now("kit@beta.example", OFFICE, Browser::New, start), Ok(()));
    }

    #[test]
    fn a_thousand_networks_get_at_most_a_hundred_tries_an_hour() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let tried = (0..36_000u32)
            .filter(|number| {
                let now = start + Duration::from_millis(u64::from(*number) * 100);
                throttle.try_now("sam@beta.example", elsewhere(number % 1_000), Browser::New, now).is_ok()
            })
            .count();
        assert!((60..=100).contains(&tried), "{tried}");
    }

    #[test]
    fn strangers_do_not_lock_the_owner_out() {
        let throttle = Throttle::default();
        let start = Instant::now();
        throttle.succeeded("sam@beta.example", OFFICE, Browser::New, start);
        for number in 0..1_000 {
            let _ = throttle.try_now("sam@beta.example", elsewhere(number), Browser::New, start);
        }
        assert!(throttle.try_now("sam@beta.example", elsewhere(5_000), Browser::New, start).is_err());
        assert_eq!(throttle.try_now("sam@beta.example", OFFICE, Browser::New, start), Ok(()));
        let travelling = throttle.try_now("sam@beta.example", elsewhere(5_001), Browser::Known, start);
        assert_eq!(travelling, Ok(()), "nor while travelling, nor after a restart");
    }

    #[test]
    fn one_network_cannot_try_a_password_on_a_thousand_accounts() {
        let throttle = Throttle::default();
        let start = Instant::now();
        let tried = (0..1_000)
            .filter(|number| {
                throttle.try_now(&format!("user{number}@beta.example"), OFFICE, Browser::New, start).is_ok()
            })
            .count();
        assert_eq!(tried, 60);
    }

    #[test]
    fn an_office_signs_in_on_monday_morning() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for number in 0..1_000 {
            let email = format!("user{number}@beta.example");
            assert_eq!(throttle.try_now(&email, OFFICE, Browser::New, start), Ok(()));
            throttle.succeeded(&email, OFFICE, Browser::New, start);
        }
    }

    #[test]
    fn memory_is_bounded() {
        let throttle = Throttle::default();
        let start = Instant::now();
        for number in 0..60_000u32 {
            let _ = throttle.try_now(
                &format!("user{number}@beta.example"),
                elsewhere(number),
                Browser::New,
                start,
            );
        }
        assert!(throttle.held.lock().unwrap().whole_at.len() <= MOST_HELD + 3);
        for number in 0..60_000u32 {
            let now = start + Duration::from_millis(u64::from(number));
            throttle.succeeded("sam@beta.example", elsewhere(number), Browser::New, now);
        }
        assert_eq!(
            throttle.try_now("kit@beta.example", OFFICE, Browser::New, start + Duration::from_secs(60)),
            Ok(())
        );
        let held = throttle.held.lock().unwrap();
        assert!(held.familiar.len() <= MOST_HELD);
        let latest = (account("sam@beta.example"), Network::of(elsewhere(59_999)));
        assert!(held.familiar.contains_key(&latest), "the latest are kept");
    }
}
