//! The MTA-STS policies that are known, for as long as each says and never more of them than fit. A policy that was
//! seen once binds until it ends, whatever becomes of its record or its host (RFC 8461 §3.3).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use super::{
    settings::Exchangers,
    sts::{self, Policy},
    sts_fetch::Fetcher,
};

/// Domains that are remembered.
const MOST: usize = 2_000;
/// How long the answer about a domain is taken for granted.
const FRESH: Duration = Duration::from_mins(5);

pub(super) struct Shelf {
    fetcher: Fetcher,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    asked: Instant,
    bound: Option<Bound>,
}

/// A policy that binds until it ends.
#[derive(Clone)]
struct Bound {
    id: String,
    policy: Policy,
    until: Instant,
}

impl Shelf {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, known: Mutex::default() }
    }

    /// The policy that binds mail to `domain` now.
    pub(super) async fn policy(&self, domain: &str, exchangers: &Exchangers) -> Option<Policy> {
        let now = Instant::now();
        let known = self.recall(domain);
        let bound = known.as_ref().and_then(|known| known.bound.clone()).filter(|bound| bound.until > now);
        if known.is_some_and(|known| known.asked + FRESH > now) {
            return bound.map(|bound| bound.policy);
        }
        let records = exchangers.resolver.txt(&format!("_mta-sts.{domain}")).await.unwrap_or_default();
        let bound = match sts::id(&records) {
            Some(id) if bound.as_ref().is_none_or(|bound| bound.id != id) => {
                match self.fetcher.fetch(domain, exchangers).await {
                    Ok(policy) => Some(Bound { id, until: now + policy.max_age, policy }),
                    Err(error) => {
                        tracing::warn!(%domain, %error, "an MTA-STS policy is announced and cannot be fetched");
                        bound
                    }
                }
            }
            _ => bound,
        };
        self.remember(domain, Known { asked: now, bound: bound.clone() });
        bound.map(|bound| bound.policy)
    }

    fn recall(&self, domain: &str) -> Option<Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(domain).cloned()
    }

    fn remember(&self, domain: &str, known: Known) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST && !all.contains_key(domain) {
            // Those without a policy go first: nobody can push a policy out while there are any.
            let first = all.iter().min_by_key(|(_, known)| (known.bound.is_some(), known.asked));
            if let Some(first) = first.map(|(domain, _)| domain.clone()) {
                all.remove(&first);
            }
        }
        all.insert(domain.to_owned(), known);
    }
}

#[cfg(test)]
impl Shelf {
    /// As if the domain had been asked about long ago.
    pub(super) fn age(&self, domain: &str) {
        let mut all = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = all.get_mut(domain)
            && let Some(long_ago) = known.asked.checked_sub(FRESH * 2)
        {
            known.asked = long_ago;
        }
    }
}
