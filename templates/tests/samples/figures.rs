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

fn chart(id: &'static str, title: &str, stacked: bool) -> Chart {
    let months = ["Jan 26", "Feb 26", "Mar 26", "Apr 26", "May 26", "Jun 26"];
    let bar = |at: usize, series: usize, y, height| Bar {
        x: 500 + 510 * at as u64 + if stacked { 0 } else { 180 * series as u64 },
        y,
        width: if stacked { 360 } else { 170 },
        height,
        class: ["s1", "s2"][series],
        title: format!("{}: {height}", months[at]),
    };
    let bars = (0..6).flat_map(|at| {
        let (low, high) = (400 + 150 * at as u64, 60 + 20 * at as u64);
        let above = if stacked { 1_760 - low - high } else { 1_760 - high };
        [bar(at, 0, 1_760 - low, low), bar(at, 1, above, high)]
    });
    let line =
        |at: u64| ChartLine { y: 1_760 - 415 * at, text_y: 1_795 - 415 * at, label: (at * 50).to_string() };
    let label = |(at, text): (usize, &str)| ChartLabel { x: 680 + 510 * at as u64, text: text.into() };
    Chart {
        id,
        title: title.into(),
        says: "Bars month by month. The table has the numbers.".into(),
        bars: bars.collect(),
        lines: (0..5).map(line).collect(),
        labels: months.into_iter().enumerate().map(label).collect(),
        legend: vec![
            Legend { class: "s1", label: "Answered in time".into() },
            Legend { class: "s2", label: "Answered late".into() },
        ],
    }
}

pub(crate) fn report(empty: bool) -> Report {
    let figure = |label: &str, value: &str, note: &str| Figure {
        label: label.into(),
        value: value.into(),
        note: note.into(),
    };
    let choice = |value: &str, chosen| FilterChoice { value: value.into(), label: value.into(), chosen };
    let filter = |name, label: &str| Filter {
        name,
        label: label.into(),
        choices: vec![choice("All", true), choice("Erroneous Transfers", false)],
    };
    let heads = ["Month", "Sent", "Received", "Answered in time", "Answered late", "Median to answer"];
    let rows: &[&[&str]] =
        &[&["May 2026", "96", "104", "71", "9", "3"], &["June 2026", "120", "98", "80", "4", "2"]];
    Report {
        frame: frame("Reports", true),
        heading: "Reports of Beta Power".into(),
        says: "Counted since Fri 2 January 2026, without a look at any message.".into(),
        here: "/reports",
        first: "2026-01".into(),
        last: "2026-06".into(),
        problem: empty.then(|| "Give two months such as 2026-06.".into()),
        filters: vec![filter("by", "Rows by"), filter("process", "Process"), filter("user", "User")],
        figures: vec![
            figure("Sent", "1204", ""),
            figure("Answered in time", "871", ""),
            figure("Answered late", "63", "7 % of all answers"),
            figure("Median to answer", "3", "working days"),
            figure("Open at the end", "41", "of the last month"),
        ],
        charts: if empty {
            Vec::new()
        } else {
            vec![
                chart("answers", "Answers in time and late", true),
                chart("messages", "Messages sent and received", false),
                chart("days", "Working days to answer", false),
            ]
        },
        table: table("Month by month", &heads, if empty { &[] } else { rows }),
        csv: "/reports/figures.csv".into(),
        json: "/reports/figures.json".into(),
        availability: (!empty).then(|| Availability {
            says: "Measured since Fri 2 January 2026.".into(),
            table: table("Availability", &["Month", "Available"], &[&["June 2026", "99.98 %"]]),
            gaps: vec!["Fri 22 May 2026, 14:32 BST: 9 minutes".into()],
        }),
    }
}

pub(crate) fn audit(empty: bool) -> Audit {
    let choice = |label: &str| FilterChoice { value: label.into(), label: label.into(), chosen: empty };
    let heads = ["When", "What", "By", "Case", "Process", "About", "Detail"];
    let when = "Fri 22 May 2026, 14:32 BST";
    let rows: &[&[&str]] = &[
        &[when, "Audit trail read", "Lee Marsh", "–", "–", "–", "–"],
        &[when, "Case read", "Sam Taylor", "K7Q-4M2X", "Erroneous Transfers", "–", "–"],
        &[when, "Stage set", "The market's operator", "–", "–", "–", "live"],
    ];
    Audit {
        frame: frame("Audit", true),
        company: "Beta Power".into(),
        acts: vec![choice("Case read"), choice("Stage set")],
        users: vec![choice("Sam Taylor")],
        case: "K7Q-4M2X".into(),
        first: "2026-05-01".into(),
        last: "2026-05-31".into(),
        problem: empty.then(|| "No case of your company has this reference.".into()),
        table: table("Events", &heads, if empty { &[] } else { rows }),
        newest: Some("/audit".into()),
        older: Some("/audit?after=x".into()),
        csv: "/audit/events.csv".into(),
        lines: "/audit/events.jsonl".into(),
    }
}
