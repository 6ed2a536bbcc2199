//! Comma-separated values (RFC 4180) as people's programs write them: read whole and within bounds, each cell with its
//! line and column. What a spreadsheet puts before a cell so that it is no formula is taken off. Never decides what a
//! cell means.

/// Rows of one file, and characters of one cell.
const MOST_ROWS: usize = 20_000;
const LONGEST_CELL: usize = 300;

/// A row: its line, counted from 1, and its cells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) line: usize,
    pub(crate) cells: Vec<String>,
}

/// Why a file cannot be read, and where. `key`: of the family of texts `csv_problem`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    pub(crate) line: usize,
    /// Counted from 1.
    pub(crate) column: usize,
    pub(crate) key: &'static str,
}

/// Every row that is not empty. Cells are parted by what the first line has more of, commas or semicolons.
pub(crate) fn read(text: &str) -> Result<Vec<Row>, Unreadable> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let comma = if first.matches(';').count() > first.matches(',').count() { ';' } else { ',' };
    let mut reader = Reader { rest: text, line: 1, comma };
    let mut rows = Vec::new();
    while !reader.rest.is_empty() {
        let row = reader.row()?;
        if row.cells.iter().all(String::is_empty) {
            continue;
        }
        if rows.len() == MOST_ROWS {
            return Err(Unreadable { line: row.line, column: 1, key: "rows" });
        }
        rows.push(row);
    }
    Ok(rows)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    comma: char,
}

impl Reader<'_> {
    fn row(&mut self) -> Result<Row, Unreadable> {
        let line = self.line;
        let mut cells = Vec::new();
        loop {
            let column = cells.len() + 1;
            self.rest = self.rest.trim_start_matches(' ');
            let cell = if self.rest.starts_with('"') { self.quoted(column)? } else { self.plain() };
            if cell.chars().count() > LONGEST_CELL || cells.len() == 64 {
                return Err(Unreadable { line: self.line, column, key: "long" });
            }
            cells.push(unguarded(cell));
            if let Some(rest) = self.rest.strip_prefix(self.comma) {
                self.rest = rest;
                continue;
            }
            if !self.rest.is_empty() && !self.end_of_line() {
                return Err(Unreadable { line: self.line, column, key: "quote" });
            }
            return Ok(Row { line, cells });
        }
    }

    fn end_of_line(&mut self) -> bool {
        let rest = self.rest.strip_prefix("\r\n").or_else(|| self.rest.strip_prefix(['\n', '\r']));
        let Some(rest) = rest else { return false };
        self.rest = rest;
        self.line += 1;
        true
    }

    fn plain(&mut self) -> String {
        let end = self.rest.find([self.comma, '\r', '\n']).unwrap_or(self.rest.len());
        let (cell, rest) = self.rest.split_at(end);
        self.rest = rest;
        cell.trim().to_owned()
    }

    fn quoted(&mut self, column: usize) -> Result<String, Unreadable> {
        let begins = self.line;
        let mut cell = String::new();
        self.rest = &self.rest[1..];
        loop {
            let Some(end) = self.rest.find('"') else {
                return Err(Unreadable { line: begins, column, key: "open" });
            };
            cell.push_str(&self.rest[..end]);
            self.line += self.rest[..end].matches('\n').count();
            self.rest = &self.rest[end + 1..];
            match self.rest.strip_prefix('"') {
                Some(rest) => {
                    cell.push('"');
                    self.rest = rest;
                }
                None => return Ok(cell.trim().to_owned()),
            }
        }
    }
}

/// What [`crate::sheet`] puts before a cell that begins like a formula.
fn unguarded(cell: String) -> String {
    match cell.strip_prefix('\'') {
        Some(rest) if rest.trim_start().starts_with(['=', '+', '-', '@', '\t', '\r']) => rest.to_owned(),
        _ => cell,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(text: &str) -> Vec<(usize, Vec<String>)> {
        read(text).unwrap().into_iter().map(|row| (row.line, row.cells)).collect()
    }

    #[test]
    fn files_of_spreadsheets_are_read() {
        let rows = cells("\u{feff}a,b\r\n 1 , \"x, \"\"y\"\"\"\r\n\r\n\"two\nlines\",'=1+1\r\nlast,");
        assert_eq!(rows[0], (1, vec!["a".into(), "b".into()]));
        assert_eq!(rows[1], (2, vec!["1".into(), "x, \"y\"".into()]));
        assert_eq!(rows[2], (4, vec!["two\nlines".into(), "=1+1".into()]));
        assert_eq!(rows[3], (6, vec!["last".into(), String::new()]));
        assert_eq!(cells("a;b,c;d\n1;2;3")[1].1, ["1", "2", "3"]);
        assert_eq!(cells("a,\"x, \"\"y\"\"\"")[0].1[1], "x, \"y\"");
        assert!(cells("").is_empty() && cells("\r\n,,\n").is_empty());
    }

    #[test]
    fn what_cannot_be_read_says_where() {
        for (text, line, column, key) in [
            ("a,b\n1,\"open", 2, 2, "open"),
            ("a\n\"x\"y", 2, 1, "quote"),
            (&*format!("a\nb\n{}", "x".repeat(301)), 3, 1, "long"),
            (&*"a\n".repeat(20_001), 20_001, 1, "rows"),
        ] {
            assert_eq!(read(text), Err(Unreadable { line, column, key }), "{key}");
        }
    }

    #[test]
    fn a_sheet_reads_back() {
        let mut text = String::new();
        let words = ["=1+1", "plain", "a,b", "say \"x\"", "@x", "'quoted'"];
        crate::sheet::csv_line(&words.map(Into::into), &mut text);
        assert_eq!(read(&text).unwrap()[0].cells, words);
    }
}
