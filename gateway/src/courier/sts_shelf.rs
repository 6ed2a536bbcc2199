//! The MTA-STS policies that are known, for as long as each says; in memory never more of them than fit, all of them in
//! the ledger. A policy that was seen once binds until it ends, whatever becomes of its record, its host, or this process
//! (RFC 8461 §3.3).

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use store::{Ledger, MailPolicy};
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
    ledger: Option<Ledger>,
    known: Mutex<HashMap<String, Known>>,
}

#[derive(Clone)]
struct Known {
    /// None: by an earlier process, or nobody.
    asked: Option<Instant>,
    bound: Option<Bound>,
}

/// A policy that binds until it ends.
#[derive(Clone)]
struct Bound {
    id: String,
    policy: Policy,
    until: Timestamp,
}

impl Shelf {
    pub(super) fn new(fetcher: Fetcher) -> Self {
        Self { fetcher, ledger: None, known: Mutex::default() }
    }

    pub(super) fn remember_in(&mut self, ledger: Ledger) {
        self.ledger = Some(ledger);
    }

    /// The policy that binds mail to `domain` now.
    pub(super) async fn policy(&self, domain: &str, exchangers: &Exchangers) -> Option<Policy> {
        let (asking, now) = (Instant::now(), self.now());
        let Known { asked, bound } = self.recall(domain).await;
        let bound = bound.filter(|bound| bound.until > now);
        if asked.is_some_and(|asked| asked + FRESH > asking) {
            return bound.map(|bound| bound.policy);
        }
        let records = exchangers.resolver.txt(&format!("_mta-sts.{domain}")).await.unwrap_or_default();
        let bound = match sts::id(&records) {
            Some(id) if bound.as_ref().is_none_or(|bound| bound.id != id) => {
                match self.fetcher.fetch(domain, exchangers).await {
                    Ok(policy) => {
                        let until = now.saturating_add(policy.max_age).unwrap_or(Timestamp::MAX);
                        let fresh = Bound { id, until, policy };
                        self.keep(domain, &fresh).await;
                        Some(fresh)
                    }
                    Err(error) => {
                        tracing::warn!(%domain, %error, "an MTA-STS policy is announced and cannot be fetched");
                        bound
                    }
                }
            }
            _ => bound,
        };
        self.remember(domain, Known { asked: Some(asking), bound: bound.clone() });
        bound.map(|bound| bound.policy)
    }

    async fn recall(&self, domain: &str) -> Known {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(domain).cloned();
        match known {
            Some(known) => known,
            None => Known { asked: None, bound: self.kept(domain).await },
        }
    }

    async fn kept(&self, domain: &str) -> Option<Bound> {
        match self.ledger.as_ref()?.mail_policy(domain).await {
            Ok(kept) => {
                let MailPolicy { id, text, until } = kept?;
                Some(Bound { id, policy: Policy::parse(&text)?, until })
            }
            Err(error) => {
                tracing::warn!(%domain, %error, "whether an MTA-STS policy is known cannot be read");
                None
            }
        }
    }

    async fn keep(&self, domain: &str, bound: &Bound) {
        let Some(ledger) = &self.ledger else { return };
        let kept = MailPolicy { id: bound.id.clone(), text: bound.policy.text(), until: bound.until };
        if let Err(error) = ledger.keep_mail_policy(domain, &kept).await {
            tracing::warn!(%domain, %error, "an MTA-STS policy is remembered by this process alone");
        }
    }

    fn now(&self) -> Timestamp {
        self.ledger.as_ref().map_or_else(Timestamp::now, Ledger::now)
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
        if let Some(known) = all.get_mut(domain) {
            known.asked = None;
        }
    }
}
