//! Which servers take the mail of a domain (RFC 5321 §5.1): MX records in order, or the domain itself, less ourselves
//! and private addresses, bound by the domain's MTA-STS policy. It connects to none of them.

use std::{net::IpAddr, sync::Arc};

use rustls::ClientConfig;

use super::{
    address,
    connect::{Place, Protection, Server},
    failure::Cause,
    settings::{Exchangers, Private, TlsPolicy},
    sts::{Mode, Policy},
};
use crate::dns::DnsFailure;

/// Servers tried for one mail at a time; the rest of a long list is for the next try.
const TRIED: usize = 4;
/// Addresses of one host among them.
const ADDRESSES: usize = 2;

/// The two ways to speak TLS.
pub(super) struct Trust {
    pub(super) verified: Arc<ClientConfig>,
    pub(super) anyone: Arc<ClientConfig>,
}

impl Exchangers {
    /// The servers of `domain`, in the order in which they are to be tried; at least one.
    pub(super) async fn servers(
        &self,
        domain: &str,
        own_name: &str,
        policy: Option<Policy>,
        trust: &Trust,
    ) -> Result<Vec<Server>, Cause> {
        if domain.starts_with('[') {
            return Err(Cause::Literal);
        }
        let (records, implicit) = match self.resolver.mx(domain).await {
            Ok(records) => (records, false),
            Err(DnsFailure::NotFound) => (vec![(0, domain.to_owned())], true),
            Err(failure) => return Err(Cause::Name(failure)),
        };
        let mut records = usable(records, own_name)?;
        let enforced = policy.filter(|policy| policy.mode == Mode::Enforce);
        if let Some(policy) = &enforced {
            records.retain(|(_, host)| policy.names(host));
            if records.is_empty() {
                return Err(Cause::Unlisted);
            }
        }
        let protection = self.protection(enforced.is_some(), trust);
        let mut search = Search::default();
        for host in shuffled(records) {
            if search.places.len() >= TRIED || !self.look_up(&host, &mut search).await {
                break;
            }
        }
        let places = search.end(implicit)?;
        let server = |(host, address)| Server {
            host,
            port: self.port,
            place: Place::Address(address),
            protection: protection.clone(),
            login: None,
        };
        Ok(places.into_iter().map(server).collect())
    }

    fn protection(&self, enforced: bool, trust: &Trust) -> Protection {
        match (enforced, self.tls) {
            (true, _) | (false, TlsPolicy::Require) => Protection::Demanded(Arc::clone(&trust.verified)),
            (false, TlsPolicy::Prefer) => Protection::IfOffered(Arc::clone(&trust.anyone)),
            (false, TlsPolicy::None) => Protection::Clear,
        }
    }

    /// Adds the places of a host; false when this server itself is one of them: what comes after is no nearer.
    async fn look_up(&self, host: &str, search: &mut Search) -> bool {
        let addresses = match self.resolver.addresses(host).await {
            Ok(addresses) => addresses,
            Err(failure) => {
                search.fault.get_or_insert(failure);
                return true;
            }
        };
        if addresses.iter().any(|address| self.own.contains(address)) {
            search.ourselves = true;
            return false;
        }
        let allowed = |address: &IpAddr| self.private == Private::Allowed || address::is_public(*address);
        let before = search.places.len();
        search.places.extend(
            addresses.into_iter().filter(allowed).take(ADDRESSES).map(|address| (host.to_owned(), address)),
        );
        search.private |= search.places.len() == before;
        true
    }
}

/// What was found, and why not more.
#[derive(Default)]
struct Search {
    places: Vec<(String, IpAddr)>,
    fault: Option<DnsFailure>,
    ourselves: bool,
    private: bool,
}

impl Search {
    fn end(self, implicit: bool) -> Result<Vec<(String, IpAddr)>, Cause> {
        if !self.places.is_empty() {
            return Ok(self.places);
        }
        Err(match self.fault {
            Some(DnsFailure::NotFound) if implicit => Cause::NoSuchDomain,
            // An exchanger without an address is a slip in somebody's zone: it is mended sooner or later.
            Some(fault) => Cause::Name(fault),
            None if self.private => Cause::Private,
            None => Cause::Ourselves,
        })
    }
}

/// Without the null MX beside others, and without ourselves and all that are no nearer (RFC 5321 §5.1, RFC 7505 §3).
fn usable(records: Vec<(u16, String)>, own_name: &str) -> Result<Vec<(u16, String)>, Cause> {
    let mut records: Vec<_> = records.into_iter().filter(|(_, host)| !host.is_empty()).collect();
    if records.is_empty() {
        return Err(Cause::TakesNone);
    }
    let ours = records.iter().filter(|(_, host)| host.eq_ignore_ascii_case(own_name));
    if let Some(nearest) = ours.map(|(preference, _)| *preference).min() {
        records.retain(|(preference, _)| *preference < nearest);
    }
    if records.is_empty() { Err(Cause::Ourselves) } else { Ok(records) }
}

/// Most preferred first, equal ones in an order that differs from time to time.
fn shuffled(mut records: Vec<(u16, String)>) -> Vec<String> {
    // Without randomness the order is only the same every time.
    let seed = certs::random::<32>().unwrap_or_default();
    let lot = |host: &str| certs::sha256(&[seed.as_slice(), host.as_bytes()].concat());
    records.sort_by_cached_key(|(preference, host)| (*preference, lot(host)));
    records.into_iter().map(|(_, host)| host).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn records(of: &[(u16, &str)]) -> Vec<(u16, String)> {
        of.iter().map(|(preference, host)| (*preference, (*host).to_owned())).collect()
    }

    #[test]
    fn equal_exchangers_take_turns_and_better_ones_come_first() {
        let list = records(&[(20, "c"), (10, "a"), (10, "b")]);
        let orders: BTreeSet<Vec<String>> = (0..100).map(|_| shuffled(list.clone())).collect();
        let (ab, ba) = (["a", "b", "c"].map(str::to_owned), ["b", "a", "c"].map(str::to_owned));
        assert_eq!(orders, BTreeSet::from([ab.to_vec(), ba.to_vec()]));
    }

    #[test]
    fn we_never_deliver_to_ourselves_nor_further_away() {
        let list = records(&[(10, "near"), (20, "US"), (20, "same"), (30, "far")]);
        assert_eq!(usable(list, "us"), Ok(records(&[(10, "near")])));
        assert_eq!(usable(records(&[(10, "us"), (20, "far")]), "us"), Err(Cause::Ourselves));
    }

    #[test]
    fn a_null_mx_takes_nothing() {
        assert_eq!(usable(records(&[(0, "")]), "us"), Err(Cause::TakesNone));
        assert_eq!(usable(records(&[(0, ""), (10, "a")]), "us"), Ok(records(&[(10, "a")])));
    }
}
