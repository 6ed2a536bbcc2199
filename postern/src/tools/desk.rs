//! An opened ledger with what tools need beside it. The engine's own lock keeps two processes apart.

use std::sync::Arc;

use anyhow::Context;
use policies::Ruleset;
use store::Ledger;
use store::engine::Engine;

use super::rows::Health;
use crate::config::Config;

/// A ledger and the policies that its content is judged by.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) rules: Arc<Ruleset>,
}

impl Desk {
    /// Opens the configured ledger for this process alone.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        let root = Arc::new(config.root_key()?);
        let folder = config.server.data.clone();
        let shown = folder.display().to_string();
        let choice = config.server.engine;
        let engine = tokio::task::spawn_blocking(move || crate::engine::open(choice, &folder))
            .await?
            .with_context(|| format!("cannot open the ledger in {shown}"))?;
        let ledger = Ledger::open(Arc::clone(&engine), root)
            .await
            .with_context(|| format!("cannot open the ledger in {shown}"))?;
        let rules = Arc::new(config.rules()?);
        Ok(Self { ledger, engine, rules })
    }

    pub(crate) async fn health(&self) -> anyhow::Result<Health> {
        let (waiting, abandoned) = self.ledger.count_jobs().await?;
        Ok(Health {
            ready: self.broken().is_none(),
            durable: self.ledger.durable(),
            waiting,
            abandoned,
        })
    }

    /// What broke the ledger, if anything did.
    pub(crate) fn broken(&self) -> Option<String> {
        self.engine.broken().borrow().as_ref().map(|broken| broken.0.clone())
    }
}
