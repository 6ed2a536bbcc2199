//! Requests about shadow mode: how far Postern is let, and what would have happened. Counts only; there is nothing else.

use anyhow::{Context, bail};
use jiff::civil::Date;
use mail::{GroupId, ProcessId};
use serde::{Deserialize, Serialize};
use store::{DirectoryChange, Scope, ShadowReport, Stage, Tally};

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

/// What would have happened, table by table, the largest counts first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct ShadowRows {
    pub(crate) first: String,
    pub(crate) last: String,
    pub(crate) mails: Vec<Row>,
    pub(crate) verdicts: Vec<Row>,
    pub(crate) mailboxes: Vec<Row>,
    pub(crate) notices: Vec<Row>,
    pub(crate) runners_up: Vec<Row>,
    pub(crate) unmapped: Vec<Row>,
    pub(crate) findings: Vec<Row>,
    pub(crate) compared: Vec<Row>,
    /// Mails that were not looked at, because nobody here wrote them or nobody was to get them.
    pub(crate) left_out: u64,
}

/// Something that is counted, in the words of its table's heading.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Row {
    pub(crate) of: Vec<String>,
    pub(crate) count: u64,
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

impl From<ShadowReport> for ShadowRows {
    fn from(report: ShadowReport) -> Self {
        let (first, last) = report.days;
        let mut rows = Self { first: first.to_string(), last: last.to_string(), ..Self::default() };
        for (tally, count) in report.counts {
            let (table, of) = rows.place(tally);
            table.push(Row { of, count });
        }
        for table in rows.tables_mut() {
            table.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.of.cmp(&other.of)));
        }
        rows
    }
}

impl ShadowRows {
    fn place(&mut self, tally: Tally) -> (&mut Vec<Row>, Vec<String>) {
        let process = |id: Option<ProcessId>| id.map(|id| id.to_string()).unwrap_or_default();
        match tally {
            Tally::Mail { class } => (&mut self.mails, vec![class]),
            Tally::Verdict { verdict, rule } => (&mut self.verdicts, vec![verdict, rule]),
            Tally::Mailbox { address, verdict, process: id } => {
                (&mut self.mailboxes, vec![address.to_string(), verdict, process(id)])
            }
            Tally::Notice { address } => (&mut self.notices, vec![address.to_string()]),
            Tally::RunnerUp { process, second, margin } => (
                &mut self.runners_up,
                vec![process.to_string(), second.to_string(), margin.as_str().to_owned()],
            ),
            Tally::Unmapped { group, id, personal } => {
                let personal = if personal { "personal data" } else { "nothing personal" };
                (&mut self.unmapped, vec![group.to_string(), id, personal.to_owned()])
            }
            Tally::Finding { category, verdict } => (&mut self.findings, vec![category, verdict]),
            Tally::Otherwise { verdict, tried, process: id } => {
                (&mut self.compared, vec![verdict, tried, process(id)])
            }
            Tally::Alike { verdict } => (&mut self.compared, vec![verdict.clone(), verdict, String::new()]),
        }
    }

    fn tables_mut(&mut self) -> [&mut Vec<Row>; 8] {
        [
            &mut self.mails,
            &mut self.verdicts,
            &mut self.mailboxes,
            &mut self.notices,
            &mut self.runners_up,
            &mut self.unmapped,
            &mut self.findings,
            &mut self.compared,
        ]
    }

    /// Each table with its title and the heading of its columns.
    pub(crate) fn tables(&self) -> [(&'static str, &'static [&'static str], &[Row]); 8] {
        [
            ("Mails", &["class", "mails"], &self.mails),
            ("What would have been decided", &["verdict", "rule", "recipients"], &self.verdicts),
            ("Mailboxes", &["mailbox", "verdict", "process", "mails"], &self.mailboxes),
            ("Notices that would have been sent", &["mailbox", "notices"], &self.notices),
            (
                "The process that came second",
                &["process", "second", "margin", "recipients"],
                &self.runners_up,
            ),
            (
                "Addresses of counterparties that are no mailbox",
                &["company", "keyed id", "with", "mails"],
                &self.unmapped,
            ),
            ("Personal data", &["category", "verdict", "mails"], &self.findings),
            (
                "The tried rules beside the standing ones",
                &["verdict", "tried", "process", "recipients"],
                &self.compared,
            ),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_counts_come_first() {
        let tally = |rule: &str| Tally::Verdict { verdict: "hold".to_owned(), rule: rule.to_owned() };
        let day = "2026-06-01".parse().unwrap();
        let counts = [(tally("a"), 1), (tally("b"), 3), (tally("c"), 3)].into();
        let rows = ShadowRows::from(ShadowReport { days: (day, day), counts });
        let order: Vec<_> = rows.verdicts.iter().map(|row| row.of[1].as_str()).collect();
        assert_eq!(order, ["b", "c", "a"]);
        assert_eq!(rows.first, "2026-06-01");
        let heading =
            rows.tables().map(|(_, heading, rows)| rows.iter().all(|row| row.of.len() + 1 == heading.len()));
        assert!(heading.into_iter().all(|fits| fits));
    }
}
