//! The policy files of a running server: read again on demand, and taken as a whole or not at all.

use std::sync::Arc;

use policies::{Ruleset, Standing};
use portal::Portal;
use store::{Ledger, RuleSource, StoreError};

use crate::config::Config;
use crate::tools::Desk;

/// Everything that goes by the rules.
pub(super) struct Rules {
    config: Config,
    ledger: Ledger,
    standing: Standing,
    tried: Option<Standing>,
    pages: Option<Arc<Portal>>,
}

impl Rules {
    /// Keeps the rules of the start as well, before any mail is judged by them.
    pub(super) async fn watch(config: &Config, desk: &Desk) -> anyhow::Result<Self> {
        let Desk { ledger, rules, tried, .. } = desk.clone();
        keep(&ledger, &rules.now()).await?;
        Ok(Self { config: config.clone(), ledger, standing: rules, tried, pages: None })
    }

    /// The pages show the new processes too.
    pub(super) fn tell(&mut self, pages: Arc<Portal>) {
        self.pages = Some(pages);
    }

    /// Reads all policy files that the configuration names. A wrong one leaves the old rules standing. Answers the new
    /// rules, if they stand.
    pub(super) async fn reload(&self) -> Option<Arc<Ruleset>> {
        let rules = match self.config.rules() {
            Ok(rules) => Arc::new(rules),
            Err(problems) => return self.refused(problems.to_string()),
        };
        if let Err(error) = keep(&self.ledger, &rules).await {
            return self.refused(format!("the ledger could not keep them: {error}"));
        }
        warn_of_examples(
            &rules,
            "the policy files do not do what their examples say; see `postern policy test`",
        );
        self.standing.replace(Arc::clone(&rules));
        if let Some(pages) = &self.pages {
            pages.replace_catalogue(Arc::new(rules.catalogue().clone()));
        }
        tracing::info!(rules = %rules.hash(), "policies read again");
        self.reload_tried();
        Some(rules)
    }

    /// Those that are tried are made of those that stand, and come after them. They decide nothing, so a wrong file leaves
    /// the old ones to be tried, and nothing else waits for it.
    fn reload_tried(&self) {
        let Some(tried) = &self.tried else { return };
        match self.config.tried_rules() {
            Ok(None) => {}
            Ok(Some(rules)) => {
                warn_of_examples(&rules, "the policies to be tried do not do what their examples say");
                tracing::info!(rules = %rules.hash(), "policies to be tried read again");
                tried.replace(Arc::new(rules));
            }
            Err(problems) => {
                let reason = problems.to_string();
                tracing::error!(%reason, "the new policies are not tried; the old ones are");
                tried.refuse(reason);
            }
        }
    }

    fn refused(&self, reason: String) -> Option<Arc<Ruleset>> {
        tracing::error!(%reason, "the new policies are not used; the old ones stay");
        self.standing.refuse(reason);
        None
    }
}

fn warn_of_examples(rules: &Ruleset, what: &'static str) {
    let failed = rules.try_examples().iter().filter(|tried| !tried.differences.is_empty()).count();
    if failed > 0 {
        tracing::warn!(failed, "{what}");
    }
}

async fn keep(ledger: &Ledger, rules: &Ruleset) -> Result<(), StoreError> {
    let source = |(name, text): (&str, &str)| (name.to_owned(), text.to_owned());
    let sources: Vec<RuleSource> = rules.files().sources().map(source).collect();
    ledger.keep_rules(rules.hash().as_bytes(), &sources).await
}
