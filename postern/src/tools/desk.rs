//! An opened ledger with what tools need beside it. The engine's own lock keeps two processes apart.

use std::sync::Arc;

use anyhow::Context;
use certs::RootKey;
use policies::{RulesHash, Standing};
use store::engine::{Engine, Range};
use store::sqlite::Sqlite;
use store::{Directory, Ledger, RuleSource, StoreError};

use crate::config::Config;

/// A ledger and the policies that its content is judged by.
#[derive(Clone)]
pub(crate) struct Desk {
    pub(crate) ledger: Ledger,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) rules: Standing,
    /// Policies that are tried beside them.
    pub(crate) tried: Option<Standing>,
}

impl Desk {
    /// Opens the configured ledger for this process alone, and never makes one.
    pub(crate) async fn open(config: &Config) -> anyhow::Result<Self> {
        config.check_data()?;
        let engine = open_engine(config).await?;
        if is_empty(engine.as_ref()).await? {
            engine.close().await;
            return Err(config.no_ledger().into());
        }
        Self::on(engine, config).await
    }

    /// As [`Desk::open`], and makes the ledger if there is none.
    pub(crate) async fn found(config: &Config) -> anyhow::Result<Self> {
        Self::on(open_engine(config).await?, config).await
    }

    async fn on(engine: Arc<dyn Engine>, config: &Config) -> anyhow::Result<Self> {
        let root = Arc::new(config.root_key()?);
        let ledger = open_ledger(&engine, root, config).await?;
        let rules = Standing::from(Arc::new(config.rules()?));
        let tried = config.tried_rules()?.map(|rules| Standing::from(Arc::new(rules)));
        Ok(Self { ledger, engine, rules, tried })
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

/// Looks whether the configured root key opens the configured ledger, also while a server runs on it.
pub(crate) async fn look(config: &Config) -> anyhow::Result<()> {
    if !config.allows_a_look() {
        return Ok(());
    }
    opened_to_look(config).await?.close().await;
    Ok(())
}

/// The companies, users and mailboxes of the configured ledger, also while a server runs on it.
pub(crate) async fn directory_of(config: &Config) -> anyhow::Result<Arc<Directory>> {
    let ledger = opened_to_look(config).await?;
    let directory = ledger.directory();
    ledger.close().await;
    Ok(directory)
}

/// The files of rules that judged mail of the configured ledger.
pub(crate) async fn kept_rules(config: &Config, hash: RulesHash) -> anyhow::Result<Vec<RuleSource>> {
    let ledger = opened_to_look(config).await?;
    let kept = ledger.rules(hash.as_bytes()).await;
    ledger.close().await;
    kept?.with_context(|| {
        format!("the ledger keeps no rules {hash}; `postern health` and `postern policy check` name those of today")
    })
}

/// The configured ledger, to be read. With an engine of which only one process can have the files, the server must be stopped.
pub(crate) async fn opened_to_look(config: &Config) -> anyhow::Result<Ledger> {
    if !config.allows_a_look() {
        return Ok(Desk::open(config).await?.ledger);
    }
    let root = Arc::new(config.root_key()?);
    let folder = config.server.data.clone();
    let opened = tokio::task::spawn_blocking(move || Sqlite::open_read_only(&folder)).await?;
    let engine: Arc<dyn Engine> = Arc::new(opened.map_err(|error| config.places.told("server.data", error))?);
    if is_empty(engine.as_ref()).await? {
        return Err(config.no_ledger().into());
    }
    open_ledger(&engine, root, config).await
}

async fn open_ledger(
    engine: &Arc<dyn Engine>,
    root: Arc<RootKey>,
    config: &Config,
) -> anyhow::Result<Ledger> {
    match Ledger::open(Arc::clone(engine), root).await {
        Err(StoreError::Denied(reason)) => Err(config.places.told("keys.root", reason).into()),
        opened => opened.with_context(|| unopened(config)),
    }
}

/// A start of `postern init` that was cut short leaves a database with nothing in it.
async fn is_empty(engine: &dyn Engine) -> anyhow::Result<bool> {
    let everything = Range { from: Vec::new(), to: vec![u8::MAX; 8] };
    Ok(engine.scan(everything, 1).await.map_err(StoreError::from)?.is_empty())
}
