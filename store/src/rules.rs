//! The rules that judged mail, kept by their hash for as long as the ledger lasts, so that a decision can be explained by
//! the rules that made it. Nothing here reads a rule; texts come in and go out.

use minicbor::{Decode, Encode};

use crate::{
    engine::{Changeset, Committed},
    error::StoreError,
    keys::{Key, Table},
    ledger::Ledger,
    records,
};

/// By what a message is where it is. Category and count are all that is kept of what was found in it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decision {
    /// The hash of the rules that judged it.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub rules: [u8; 32],
    /// What named its place, in one word: `mailbox`, `references`, ...
    #[n(1)]
    pub signal: String,
    /// How many findings of each category counted.
    #[n(2)]
    pub findings: Vec<(String, u32)>,
}

/// Name and text of a rule file.
pub type RuleSource = (String, String);

impl Ledger {
    /// Keeps the files of the rules with this hash; once is enough.
    pub async fn keep_rules(&self, hash: &[u8; 32], sources: &[RuleSource]) -> Result<(), StoreError> {
        let key = key(hash);
        if self.row(key.clone()).await?.is_some() {
            return Ok(());
        }
        let mut changes = Changeset::default();
        changes.require.push((key.clone(), None));
        changes.put.push((key, records::encode(&sources.to_vec())?));
        match self.commit(changes).await {
            // Another process was faster, with the same texts.
            Ok(Committed { .. }) | Err(StoreError::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The files of the rules with this hash, if any mail here was judged by them.
    pub async fn rules(&self, hash: &[u8; 32]) -> Result<Option<Vec<RuleSource>>, StoreError> {
        self.row(key(hash)).await?.map(|row| records::decode(&row.value)).transpose()
    }
}

fn key(hash: &[u8; 32]) -> Vec<u8> {
    Key::of(Table::Rules).raw(hash).done()
}
