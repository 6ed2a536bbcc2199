//! An opened ledger with what tools need beside it. The engine's own lock keeps two processes apart.

use std::sync::Arc;

use anyhow::{Context, bail};
use policies::Ruleset;
use store::Ledger;
use store::engine::{Engine, Range};

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
    /// Opens the configured ledger for this process alone. An empty folder is refused: where a ledger was, it is
    /// a disk that is not mounted, and a new ledger in its place would know no company and refuse all mail for good.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        if !crate::engine::exists(config.server.engine, &config.server.data) {
            bail!(absent(config));
        }
        let engine = open_engine(config).await?;
        // A start of `postern init` that was cut short leaves a database with nothing in it.
        let everything = Range { from: Vec::new(), to: vec![u8::MAX; 8] };
        if engine.scan(everything, 1).await.map_err(store::StoreError::from)?.is_empty() {
            engine.close().await;
            bail!(absent(config));
        }
        Self::on(engine, config).await
    }

    /// As [`Desk::open`], and makes the ledger if there is none.
    pub(crate) async fn found(config: &Config) -> anyhow::Result<Self> {
        Self::on(open_engine(config).await?, config).await
    }

    async fn on(engine: Arc<dyn Engine>, config: &Config) -> anyhow::Result<Self> {
        let root = Arc::new(config.root_key()?);
        let ledger = Ledger::open(Arc::clone(&engine), root).await.with_context(|| unopened(config))?;
        let rules = Arc::new(config.rules()?);
        Ok(Self { ledger, engine, rules })
    }

    pub(crate) async fn health(&self) -> anyhow::Result<Health> {
        let (waiting, abandoned) = self.ledger.count_jobs().await?;
        Ok(Health { ready: self.broken().is_none(), durable: self.ledger.durable(), waiting, abandoned })
    }

    /// What broke the ledger, if anything did.
    pub(crate) fn broken(&self) -> Option<String> {
        self.engine.broken().borrow().as_ref().map(|broken| broken.0.clone())
    }
}

async fn open_engine(config: &Config) -> anyhow::Result<Arc<dyn Engine>> {
    let (choice, folder) = (config.server.engine, config.server.data.clone());
    let opened = tokio::task::spawn_blocking(move || crate::engine::open(choice, &folder)).await?;
    opened.with_context(|| unopened(config))
}

fn unopened(config: &Config) -> String {
    format!("cannot open the ledger in {}", config.server.data.display())
}

fn absent(config: &Config) -> String {
    let data = config.server.data.display();
    format!("there is no ledger in {data}; is the disk mounted? `postern init` makes one")
}
