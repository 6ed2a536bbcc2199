//! A table of figures as any page can have one.

use serde::Serialize;

/// Rows under a caption; the first column heads each row.
#[derive(Debug, Clone, Serialize)]
pub struct Table {
    pub caption: String,
    pub columns: Vec<TableColumn>,
    pub rows: Vec<TableRow>,
    /// Rows that are not shown.
    pub more: usize,
}

#[derive(Debug, Clone, Serialize)]
pub struct TableColumn {
    pub label: String,
    /// Holds numbers, which stand to the right.
    pub number: bool,
}

#[derive(Debug, Clone, Serialize)]
pub struct TableRow {
    pub head: String,
    pub cells: Vec<TableCell>,
}

/// A cell says its column's name again, for narrow screens.
#[derive(Debug, Clone, Serialize)]
pub struct TableCell {
    pub label: String,
    pub text: String,
    pub number: bool,
}
