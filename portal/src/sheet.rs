//! Rows of figures, told three ways: a table of a page, a CSV file (RFC 4180) whose cells no spreadsheet takes for a
//! formula, and JSON with the same names. Never decides what may be in a row.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::Response;
use serde_json::{Map, Value};
use templates::pages::{Table, TableCell, TableColumn, TableRow};

use crate::file_names;

/// A column: its name in files, and what people call it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Column {
    pub(crate) key: &'static str,
    pub(crate) label: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Number(u64),
    /// Nothing to say, such as the median of no answers.
    Empty,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sheet {
    pub(crate) columns: Vec<Column>,
    pub(crate) rows: Vec<Vec<Cell>>,
}

/// The form in which somebody takes a sheet away.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileForm {
    Csv,
    Json,
}

impl FileForm {
    pub(crate) fn ending(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Json => "json",
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Cell {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<Option<u64>> for Cell {
    fn from(number: Option<u64>) -> Self {
        number.map_or(Self::Empty, Self::Number)
    }
}

impl Sheet {
    /// As a file with this name; the ending is added.
    pub(crate) fn file(&self, name: &str, form: FileForm) -> Response {
        let (kind, text) = match form {
            FileForm::Csv => ("text/csv; charset=utf-8; header=present", self.csv()),
            FileForm::Json => ("application/json", self.json()),
        };
        download(kind, &format!("{name}.{}", form.ending()), Body::from(text))
    }

    pub(crate) fn csv(&self) -> String {
        let mut text = String::new();
        csv_line(&self.columns.iter().map(|column| Cell::from(column.key)).collect::<Vec<_>>(), &mut text);
        for row in &self.rows {
            csv_line(row, &mut text);
        }
        text
    }

    pub(crate) fn json(&self) -> String {
        Value::Array(self.rows.iter().map(|row| self.object(row)).collect()).to_string()
    }

    /// One row as an object with the columns' names.
    pub(crate) fn object(&self, row: &[Cell]) -> Value {
        let value = |cell: &Cell| match cell {
            Cell::Text(text) => Value::from(text.as_str()),
            Cell::Number(number) => Value::from(*number),
            Cell::Empty => Value::Null,
        };
        let names = self.columns.iter().map(|column| column.key.to_owned());
        Value::Object(names.zip(row.iter().map(value)).collect::<Map<_, _>>())
    }

    /// The first rows as a table of a page; the first column heads each row.
    pub(crate) fn table(&self, caption: String, most: usize) -> Table {
        let is_number = |at: usize| {
            self.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Number(_))))
                && !self.rows.iter().any(|row| matches!(row.get(at), Some(Cell::Text(_))))
        };
        let columns: Vec<_> = self
            .columns
            .iter()
            .enumerate()
            .map(|(at, column)| TableColumn { label: column.label.clone(), number: is_number(at) })
            .collect();
        let rows = self.rows.iter().take(most).map(|row| TableRow {
            head: row.first().map(shown).unwrap_or_default(),
            cells: row
                .iter()
                .zip(&columns)
                .skip(1)
                .map(|(cell, column)| TableCell {
                    label: column.label.clone(),
                    text: shown(cell),
                    number: column.number,
                })
                .collect(),
        });
        Table { caption, rows: rows.collect(), columns, more: self.rows.len().saturating_sub(most) }
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::Text(text) => text.clone(),
        Cell::Number(number) => number.to_string(),
        Cell::Empty => "–".to_owned(),
    }
}

/// A line of CSV with its end.
pub(crate) fn csv_line(cells: &[Cell], text: &mut String) {
    for (at, cell) in cells.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        match cell {
            Cell::Text(word) => quoted(word, text),
            Cell::Number(number) => text.push_str(&number.to_string()),
            Cell::Empty => {}
        }
    }
    text.push_str("\r\n");
}

/// A spreadsheet runs what begins like a formula, also behind spaces; with a quote in front it is text. Everything that could
/// end a cell stands in double quotes (RFC 4180 §2).
fn quoted(word: &str, text: &mut String) {
    const RUNS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];
    let guard = word.starts_with(RUNS) || word.trim_start().starts_with(RUNS);
    if !guard && !word.contains([',', '"', '\r', '\n']) {
        text.push_str(word);
        return;
    }
    text.push('"');
    if guard {
        text.push('\'');
    }
    text.push_str(&word.replace('"', "\"\""));
    text.push('"');
}

/// An answer that browsers keep as a file.
pub(crate) fn download(kind: &'static str, name: &str, body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    let disposition = HeaderValue::try_from(file_names::disposition(name));
    headers.insert(CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment")));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet(cells: Vec<Cell>) -> Sheet {
        let names = ["a", "b", "c", "d"];
        let columns = names.map(|key| Column { key, label: key.to_uppercase() });
        Sheet { columns: columns[..cells.len()].to_vec(), rows: vec![cells] }
    }

    #[test]
    fn cells_are_quoted_as_the_standard_says() {
        let sheet = sheet(vec!["plain".into(), "a,b".into(), "say \"x\"\r\nnext".into(), Cell::Empty]);
        assert_eq!(sheet.csv(), "a,b,c,d\r\nplain,\"a,b\",\"say \"\"x\"\"\r\nnext\",\r\n");
        assert_eq!(
            sheet.json(),
            "[{\"a\":\"plain\",\"b\":\"a,b\",\"c\":\"say \\\"x\\\"\\r\\nnext\",\"d\":null}]"
        );
    }

    #[test]
    fn no_cell_begins_like_a_formula() {
        for hostile in ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1", "=\"x\",1"] {
            let csv = sheet(vec![hostile.into(), 7.into()]).csv();
            let line = csv.split_once("\r\n").unwrap().1;
            assert!(line.starts_with("\"'") && line.ends_with(",7\r\n"), "{hostile:?}: {line:?}");
        }
        assert_eq!(sheet(vec![5.into()]).csv(), "a\r\n5\r\n");
    }

    #[test]
    fn a_table_says_how_much_it_leaves_out() {
        let mut sheet = sheet(vec!["x".into(), 1.into()]);
        sheet.rows = vec![sheet.rows[0].clone(); 3];
        let table = sheet.table("Rows".into(), 2);
        assert_eq!((table.rows.len(), table.more), (2, 1));
        assert_eq!((table.columns[0].number, table.columns[1].number), (false, true));
        assert_eq!(table.rows[0].cells[0].label, "B");
    }
}
