//! The counts of shadow mode as tables of a page and as one sheet for a file.

use store::{ShadowRow, ShadowRows};
use templates::pages::ShadowTable;

use crate::access::Visitor;
use crate::portal::Portal;
use crate::sheet::{Cell, Column, Sheet};

/// Rows of one table on the page; all of them are in the files.
const ROWS: usize = 25;

/// What stands in a column, and so how it is said to people.
#[derive(Clone, Copy)]
enum Said {
    AsIs,
    Verdict,
    Process,
    Group,
}

/// A table: its name, its columns, what its numbers count, and its rows.
struct Counted<'a> {
    name: &'static str,
    columns: &'static [(&'static str, Said)],
    counts: &'static str,
    rows: &'a [ShadowRow],
}

fn counted(rows: &ShadowRows) -> [Counted<'_>; 9] {
    use Said::{AsIs, Group, Process, Verdict};
    let table = |name, columns, counts, rows| Counted { name, columns, counts, rows };
    [
        table(
            "mailboxes",
            &[("mailbox", AsIs), ("verdict", Verdict), ("process", Process)],
            "count_mails",
            &rows.mailboxes,
        ),
        table("verdicts", &[("verdict", Verdict), ("rule_id", AsIs)], "count_recipients", &rows.verdicts),
        table(
            "runners_up",
            &[("process", Process), ("second", Process), ("margin", AsIs)],
            "count_recipients",
            &rows.runners_up,
        ),
        table(
            "unmapped",
            &[("company", Group), ("id", AsIs), ("personal", AsIs)],
            "count_mails",
            &rows.unmapped,
        ),
        table("findings", &[("category", AsIs), ("verdict", Verdict)], "count_mails", &rows.findings),
        table("notices", &[("mailbox", AsIs)], "count_notices", &rows.notices),
        table(
            "compared",
            &[("verdict", Verdict), ("tried", Verdict), ("process", Process)],
            "count_recipients",
            &rows.compared,
        ),
        table("uncounted", &[("why", AsIs)], "count_reports", &rows.uncounted),
        table("mails", &[("class", AsIs)], "count_mails", &rows.mails),
    ]
}

/// The tables that have rows.
pub(super) fn of(portal: &Portal, visitor: &Visitor, rows: &ShadowRows) -> Vec<ShadowTable> {
    let word = |key: &str| portal.words.say_of("shadow", key, &[]).unwrap_or_else(|| key.to_owned());
    let tables = counted(rows).into_iter().filter(|table| !table.rows.is_empty());
    tables
        .map(|table| {
            let says: Vec<_> = table.columns.iter().map(|(_, said)| *said).collect();
            let heads = table.columns.iter().map(|(key, _)| *key).chain([table.counts]);
            let sheet = Sheet {
                columns: heads.map(|key| Column { key, label: word(key) }).collect(),
                rows: table
                    .rows
                    .iter()
                    .map(|row| {
                        let cells =
                            row.of.iter().zip(&says).map(|(text, said)| said.of(portal, visitor, text));
                        cells.map(Cell::from).chain([Cell::from(row.count)]).collect()
                    })
                    .collect(),
            };
            let title = word(table.name);
            ShadowTable {
                anchor: table.name,
                says: word(&format!("{}_says", table.name)),
                table: sheet.table(title.clone(), ROWS),
                title,
            }
        })
        .collect()
}

impl Said {
    fn of(self, portal: &Portal, visitor: &Visitor, text: &str) -> String {
        let known = match self {
            Self::AsIs => None,
            Self::Verdict => portal.words.say_of("verdict", text, &[]),
            Self::Process => {
                let catalogue = portal.catalogue();
                let id = text.parse().ok();
                id.and_then(|id| catalogue.process(&id).map(|process| process.name.clone()))
            }
            Self::Group => text.parse().ok().map(|group| visitor.group_name(&group)),
        };
        known.unwrap_or_else(|| text.to_owned())
    }
}

/// Every row of every table, with the names that files use.
pub(super) fn sheet(rows: &ShadowRows) -> Sheet {
    let column = |key| Column { key, label: String::new() };
    let mut sheet = Sheet {
        columns: ["table", "first", "second", "third", "count"].map(column).into(),
        rows: Vec::new(),
    };
    for table in counted(rows) {
        sheet.rows.extend(table.rows.iter().map(|row| {
            let mut cells = vec![Cell::from(table.name)];
            cells.extend(row.of.iter().map(|text| Cell::from(text.as_str())));
            cells.resize(4, Cell::Empty);
            cells.push(Cell::from(row.count));
            cells
        }));
    }
    sheet
}
