//! How many peers there are, in all and from each network, and how many came within a minute. It knows addresses and
//! nothing else of them.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::options::Limits;

/// Networks whose arrivals are remembered at once. One more, and all are forgotten: a minute begins anew.
const NETWORKS: usize = 50_000;
const MINUTE: Duration = Duration::from_secs(60);

/// Who is connected.
pub(super) struct Crowd {
    total: usize,
    each: usize,
    per_minute: u32,
    present: Mutex<Present>,
}

#[derive(Default)]
struct Present {
    total: usize,
    /// Networks with at least one connection.
    each: HashMap<IpAddr, usize>,
    arrivals: Arrivals,
}

/// Connections since the minute began, by network: each may cost a TLS handshake, however short it stays.
#[derive(Default)]
struct Arrivals {
    since: Option<Instant>,
    each: HashMap<IpAddr, u32>,
}

/// Why there is no seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// Of connections in all.
    Listener,
    /// Of connections from this network.
    Network,
    /// Of connections from this network within a minute.
    Minute,
}

/// The place of one connection; given back when dropped.
pub(super) struct Seat {
    crowd: Arc<Crowd>,
    network: IpAddr,
}

impl Crowd {
    pub(super) fn new(limits: &Limits) -> Self {
        let Limits { connections, connections_per_address, connections_per_minute, .. } = *limits;
        Self {
            total: connections,
            each: connections_per_address,
            per_minute: connections_per_minute,
            present: Mutex::default(),
        }
    }

    pub(super) fn seat(self: Arc<Self>, address: IpAddr, now: Instant) -> Result<Seat, Full> {
        let network = network(address);
        let mut present = self.present();
        let mine = present.each.get(&network).copied().unwrap_or(0);
        if present.total >= self.total {
            return Err(Full::Listener);
        }
        if mine >= self.each {
            return Err(Full::Network);
        }
        if present.arrivals.count(network, now) > self.per_minute {
            return Err(Full::Minute);
        }
        present.total += 1;
        present.each.insert(network, mine + 1);
        drop(present);
        Ok(Seat { crowd: self, network })
    }

    fn present(&self) -> MutexGuard<'_, Present> {
        // Two counters cannot be left half changed.
        self.present.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Arrivals {
    /// Counts one more.
    fn count(&mut self, network: IpAddr, now: Instant) -> u32 {
        let over = self.since.is_none_or(|since| now.duration_since(since) >= MINUTE);
        if over || (self.each.len() >= NETWORKS && !self.each.contains_key(&network)) {
            self.each.clear();
            self.since = Some(now);
        }
        let mine = self.each.entry(network).or_default();
        *mine = mine.saturating_add(1);
        *mine
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut present = self.crowd.present();
        present.total -= 1;
        if let Entry::Occupied(mut mine) = present.each.entry(self.network) {
            *mine.get_mut() -= 1;
            if *mine.get() == 0 {
                mine.remove();
            }
        }
    }
}

/// One customer has a /64 of IPv6 (RFC 6177 §2), so that counts as one address.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd(connections: usize, connections_per_address: usize) -> Arc<Crowd> {
        Arc::new(Crowd::new(&Limits { connections, connections_per_address, ..Limits::default() }))
    }

    fn seat(crowd: &Arc<Crowd>, address: &str) -> Option<Seat> {
        crowd.clone().seat(address.parse().expect("an address"), Instant::now()).ok()
    }

    #[test]
    fn seats_are_counted_in_all_and_by_network() {
        let crowd = crowd(3, 2);
        let first = seat(&crowd, "192.0.2.1");
        let second = seat(&crowd, "192.0.2.1");
        assert!(first.is_some() && second.is_some());
        assert!(seat(&crowd, "192.0.2.1").is_none(), "two of one address");
        let other = seat(&crowd, "192.0.2.2");
        assert!(other.is_some());
        assert!(seat(&crowd, "192.0.2.3").is_none(), "three in all");
        drop(first);
        assert!(seat(&crowd, "192.0.2.1").is_some());
        drop((second, other));
        assert!(crowd.present().each.is_empty() && crowd.present().total == 0);
    }

    #[test]
    fn a_64_of_ipv6_is_one_address() {
        let crowd = crowd(10, 1);
        let _first = seat(&crowd, "2001:db8::1");
        assert!(seat(&crowd, "2001:db8::2").is_none());
        assert!(seat(&crowd, "2001:db8:0:1::1").is_some());
    }

    #[test]
    fn a_network_that_comes_and_goes_waits_for_the_next_minute() {
        let crowd = Arc::new(Crowd::new(&Limits { connections_per_minute: 3, ..Limits::default() }));
        let start = Instant::now();
        let knock = |last: u8, now| crowd.clone().seat([192, 0, 2, last].into(), now).err();
        for _ in 0..3 {
            assert_eq!(knock(1, start), None);
        }
        assert_eq!(knock(1, start + MINUTE / 2), Some(Full::Minute));
        assert_eq!(knock(2, start + MINUTE / 2), None, "another is not concerned");
        assert_eq!(knock(1, start + MINUTE), None);
    }

    #[test]
    fn arrivals_of_many_networks_take_bounded_room() {
        let (mut arrivals, now) = (Arrivals::default(), Instant::now());
        for number in 0..NETWORKS as u32 * 2 {
            arrivals.count(IpAddr::from(number.to_be_bytes()), now);
            assert!(arrivals.each.len() <= NETWORKS);
        }
    }
}
