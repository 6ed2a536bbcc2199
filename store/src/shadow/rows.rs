//! A report of shadow mode as rows, for whoever prints it: the command line and the portal show the same ones. What the
//! columns are called is theirs; nothing here is a word for people.

use mail::ProcessId;
use serde::{Deserialize, Serialize};

use super::{ShadowReport, Tally};

/// What would have happened, table by table, the largest counts first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowRows {
    /// First and last day, both counted.
    pub first: String,
    pub last: String,
    /// Class.
    pub mails: Vec<ShadowRow>,
    /// Verdict, rule.
    pub verdicts: Vec<ShadowRow>,
    /// Mailbox, verdict, process.
    pub mailboxes: Vec<ShadowRow>,
    /// Mailbox.
    pub notices: Vec<ShadowRow>,
    /// Process, the second, margin.
    pub runners_up: Vec<ShadowRow>,
    /// Group, keyed id, whether there was personal data.
    pub unmapped: Vec<ShadowRow>,
    /// Category, verdict.
    pub findings: Vec<ShadowRow>,
    /// Verdict, that of the tried rules, process.
    pub compared: Vec<ShadowRow>,
    /// Why copies were taken and not counted.
    #[serde(default)]
    pub uncounted: Vec<ShadowRow>,
    /// Mails that were not looked at, because nobody here wrote them or nobody was to get them.
    pub left_out: u64,
}

/// Something that is counted, in the order of its table's columns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShadowRow {
    pub of: Vec<String>,
    pub count: u64,
}

impl From<ShadowReport> for ShadowRows {
    fn from(report: ShadowReport) -> Self {
        let (first, last) = report.days;
        let mut rows = Self { first: first.to_string(), last: last.to_string(), ..Self::default() };
        for (tally, count) in report.counts {
            let (table, of) = rows.place(tally);
            table.push(ShadowRow { of, count });
        }
        for table in rows.tables_mut() {
            table.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.of.cmp(&other.of)));
        }
        rows
    }
}

impl ShadowRows {
    fn place(&mut self, tally: Tally) -> (&mut Vec<ShadowRow>, Vec<String>) {
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
            Tally::LeftOut { why } => (&mut self.uncounted, vec![why]),
            Tally::Alike { verdict } => (&mut self.compared, vec![verdict.clone(), verdict, String::new()]),
        }
    }

    fn tables_mut(&mut self) -> [&mut Vec<ShadowRow>; 9] {
        [
            &mut self.mails,
            &mut self.verdicts,
            &mut self.mailboxes,
            &mut self.notices,
            &mut self.runners_up,
            &mut self.unmapped,
            &mut self.findings,
            &mut self.compared,
            &mut self.uncounted,
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
    }
}
