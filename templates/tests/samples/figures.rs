//! Sample pages of counts.

use templates::pages::*;

use super::mails::mark;
use super::{frame, when};

fn table(caption: &str, heads: &[&str], rows: &[&[&str]]) -> Table {
    let number = |at: usize| rows.iter().all(|row| row[at].bytes().all(|b| b.is_ascii_digit() || b == b'-'));
    let columns = heads.iter().enumerate();
    let columns: Vec<_> =
        columns.map(|(at, label)| TableColumn { label: (*label).into(), number: number(at) }).collect();
    let rows = rows.iter().map(|row| TableRow {
        head: row[0].into(),
        cells: row
            .iter()
            .zip(&columns)
            .skip(1)
            .map(|(text, column)| TableCell {
                label: column.label.clone(),
                text: (*text).into(),
                number: column.number,
            })
            .collect(),
    });
    Table { caption: caption.into(), rows: rows.collect(), columns, more: 3 }
}

pub(crate) fn shadow(empty: bool) -> Shadow {
    let stage = |process: &str, label: &str, state, set: bool| ProcessStage {
        process: process.into(),
        standing: mark(label, state),
        by: if set { "for your company".into() } else { "by the installation".into() },
        since: set.then(when),
        steps: vec![Step { href: "/shadow/stage?process=x&to=live".into(), label: "Promote …".into() }],
    };
    let counts = |anchor, title: &str, heads: &[&str], rows: &[&[&str]]| ShadowTable {
        anchor,
        title: title.into(),
        says: "What would have become of mail to each mapped mailbox.".into(),
        table: table(title, heads, rows),
    };
    Shadow {
        frame: frame("Shadow", true),
        market: false,
        company: "Beta Power".into(),
        told: (!empty).then(|| "Promoted: decisions are done from now on.".into()),
        stages: vec![
            stage("Erroneous Transfers", "Live", "good", true),
            stage("Disputed Change of Supplier Meter Readings", "Watched", "soon", false),
            stage("Everything else", "Watched", "soon", false),
        ],
        here: "/shadow".into(),
        first: "2026-05-01".into(),
        last: "2026-05-31".into(),
        problem: empty.then(|| "Give two days, the first not after the last.".into()),
        tables: if empty {
            Vec::new()
        } else {
            vec![
                counts(
                    "mailboxes",
                    "Mailbox by mailbox",
                    &["Mailbox", "Verdict", "Process", "Mails"],
                    &[
                        &["et@alpha.example", "Secured", "Erroneous Transfers", "412"],
                        &[
                            "disputed.readings@gamma-networks.example",
                            "Secured",
                            "Disputed Change of Supplier Meter Readings",
                            "96",
                        ],
                        &["et@alpha.example", "Refused", "", "7"],
                    ],
                ),
                counts(
                    "findings",
                    "Personal data by category",
                    &["Category", "Verdict", "Mails"],
                    &[&["mpan", "Secured", "398"], &["postal-address", "Held", "12"]],
                ),
            ]
        },
        csv: "/shadow/counts.csv".into(),
        json: "/shadow/counts.json".into(),
    }
}

pub(crate) fn stage_question() -> StageQuestion {
    let figure = |label: &str, value: &str, note: &str| Figure {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    StageQuestion {
        frame: frame("Shadow", true),
        back: "/shadow".into(),
        heading: "Promote Erroneous Transfers?".into(),
        says: vec![
            "From then on decisions about this mail are done.".into(),
            "The change is recorded with your name, and can be taken back here at any time.".into(),
        ],
        counted: vec![figure("Secured", "412", ""), figure("Refused", "7", "of 419")],
        action: "/shadow/stage".into(),
        token: "token".into(),
        process: "erroneous-transfers".into(),
        to: "live",
        button: "Promote".into(),
    }
}
