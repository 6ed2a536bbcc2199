//! The request about the audit trail.

use store::chain;

use super::Desk;
use super::rows::{BadRecord, Trail};

impl Desk {
    /// Walks the whole chain.
    pub(super) async fn verify_audit(&self) -> anyhow::Result<Trail> {
        let walked = chain::verify(self.engine.as_ref()).await.map_err(store::StoreError::from)?;
        Ok(match walked {
            Ok(head) => Trail {
                events: head.sequence,
                head: head.hash.iter().map(|byte| format!("{byte:02x}")).collect(),
                bad: None,
            },
            Err(bad) => Trail {
                events: bad.sequence.saturating_sub(1),
                head: String::new(),
                bad: Some(BadRecord { sequence: bad.sequence, fault: bad.to_string() }),
            },
        })
    }
}
