//! Requests about shadow mode: how far Postern is let, and what would have happened. Counts only; there is nothing else.

use anyhow::{Context, bail};
use jiff::civil::Date;
use mail::{GroupId, ProcessId};
use serde::{Deserialize, Serialize};
use store::{DirectoryChange, Scope, ShadowRows, Stage};

use super::Desk;

/// A stage that is set.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StageRow {
    /// None: every group.
    pub(crate) group: Option<String>,
    /// None: every process.
    pub(crate) process: Option<String>,
    pub(crate) stage: String,
    pub(crate) since: String,
}

impl Desk {
    /// Sets a stage, or takes it back where none is given.
    pub(super) async fn set_stage(
        &self,
        group: Option<GroupId>,
        process: Option<ProcessId>,
        stage: Option<&str>,
    ) -> anyhow::Result<()> {
        let stage: Option<Stage> = stage.map(str::parse).transpose()?;
        let rules = self.rules.now();
        if let Some(process) = process.as_ref().filter(|process| rules.catalogue().process(process).is_none())
        {
            let known: Vec<_> = rules.catalogue().processes().map(|process| process.id.to_string()).collect();
            bail!("there is no process {process}; the catalogue has {}", known.join(", "));
        }
        self.change(DirectoryChange::Stage(Scope { group, process }, stage)).await
    }

    pub(super) fn stages(&self) -> Vec<StageRow> {
        let directory = self.ledger.directory();
        let row = |setting: &store::StageSetting| StageRow {
            group: setting.scope.group.as_ref().map(ToString::to_string),
            process: setting.scope.process.as_ref().map(ToString::to_string),
            stage: setting.stage.to_string(),
            since: setting.since.to_string(),
        };
        directory.stages().map(row).collect()
    }

    pub(super) async fn shadow_report(
        &self,
        group: Option<&GroupId>,
        (first, last): (&str, &str),
    ) -> anyhow::Result<ShadowRows> {
        let day = |text: &str| {
            text.parse::<Date>().with_context(|| format!("{text:?} is no day; write 2026-06-01"))
        };
        if let Some(group) = group.filter(|group| self.ledger.directory().group(group).is_none()) {
            bail!("there is no group {group}; see `postern directory list`");
        }
        Ok(self.ledger.shadow_report(group, (day(first)?, day(last)?)).await?.into())
    }
}
