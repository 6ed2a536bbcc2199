//! The MTA-STS policies of other domains (RFC 8461), remembered until they end: who restarts this process, or waits for
//! it, must not be able to switch a policy off. What is in one is the courier's business.

use jiff::Timestamp;
use minicbor::{Decode, Encode};

use crate::{
    engine::Changeset,
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// A policy that binds until it ends.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct MailPolicy {
    /// The id of its record in DNS.
    #[n(0)]
    pub id: String,
    /// The policy as published.
    #[n(1)]
    pub text: String,
    #[cbor(n(2), with = "records::time")]
    pub until: Timestamp,
}

impl Ledger {
    /// The policy that was last seen for `domain`, unless it has ended.
    pub async fn mail_policy(&self, domain: &str) -> Result<Option<MailPolicy>, StoreError> {
        let Some(row) = self.row(policy_key(domain)).await? else { return Ok(None) };
        let policy: MailPolicy = records::decode(&row.value)?;
        Ok(Some(policy).filter(|policy| policy.until > self.now()))
    }

    /// Remembers the policy of `domain` instead of an earlier one.
    pub async fn keep_mail_policy(&self, domain: &str, policy: &MailPolicy) -> Result<(), StoreError> {
        let put = vec![(policy_key(domain), records::encode(policy)?)];
        self.commit(Changeset { put, ..Changeset::default() }).await.map(drop)
    }
}

fn policy_key(domain: &str) -> Vec<u8> {
    Key::of(Table::MailPolicy).text(domain).done()
}
