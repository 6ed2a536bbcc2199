//! Spreadsheets: every cell of every sheet, row by row, cells between tabs, so that a column's title stands in the same
//! column as what is below it. Numbers as digits, dates as dates; formulas are their results.

use std::io::Cursor;

use calamine::{Data, DataRef, ExcelDateTime, Ods, Range, Reader, Xls, Xlsb, Xlsx};

use super::{Page, Why};

/// Sheets of one workbook that are read.
const SHEETS: usize = 500;
/// Empty cells that are written as such; behind more of them columns say nothing any more.
const GAP: u32 = 50;

type Bytes<'a> = Cursor<&'a [u8]>;

/// A workbook of Excel since 2007, as XML or binary.
pub(super) fn workbook(document: &[u8], page: &mut Page) -> Result<(), Why> {
    match Xlsx::new(Cursor::new(document)) {
        Ok(book) => xml(book, page),
        Err(_) => ranges(Xlsb::new(Cursor::new(document)).map_err(|_| Why::Damaged)?, page),
    }
}

pub(super) fn open_document(document: &[u8], page: &mut Page) -> Result<(), Why> {
    ranges(Ods::new(Cursor::new(document)).map_err(|_| Why::Damaged)?, page)
}

/// A compound file: a workbook of Excel before 2007, or something that nothing here reads. An encrypted document lies in a
/// stream of that name (MS-OFFCRYPTO §2.3.4.4).
pub(super) fn old(document: &[u8], page: &mut Page) -> Result<(), Why> {
    const PACKAGE: &[u8] = b"E\0n\0c\0r\0y\0p\0t\0e\0d\0P\0a\0c\0k\0a\0g\0e\0";
    if memchr::memmem::find(document, PACKAGE).is_some() {
        return Err(Why::Closed);
    }
    let book: Xls<Bytes<'_>> = Xls::new(Cursor::new(document)).map_err(|error| match error {
        calamine::XlsError::Password => Why::Closed,
        _ => Why::Unknown,
    })?;
    ranges(book, page)
}

/// Cell by cell: a sheet may have its last cell in the millionth row and hold two.
fn xml(mut book: Xlsx<Bytes<'_>>, page: &mut Page) -> Result<(), Why> {
    let names = book.sheet_names();
    for name in names.iter().take(SHEETS) {
        sheet(name, page);
        let Ok(mut cells) = book.worksheet_cells_reader(name) else { continue };
        let mut at = At::default();
        while let Some(cell) = cells.next_cell().map_err(|_| Why::Damaged)? {
            if page.is_full() {
                return Ok(());
            }
            let (row, column) = cell.get_position();
            if !matches!(cell.get_value(), DataRef::Empty | DataRef::Error(_)) {
                at.moves(row, column, page);
                value(cell.get_value(), page);
            }
        }
    }
    if names.len() > SHEETS { Err(Why::TooLarge) } else { Ok(()) }
}

fn ranges<'a, R: Reader<Bytes<'a>>>(mut book: R, page: &mut Page) -> Result<(), Why> {
    let names = book.sheet_names();
    for name in names.iter().take(SHEETS) {
        sheet(name, page);
        let Ok(range) = book.worksheet_range(name) else { continue };
        let range: Range<Data> = range;
        let mut at = At::default();
        for (row, column, cell) in range.used_cells() {
            if page.is_full() {
                return Ok(());
            }
            at.moves(row as u32, column as u32, page);
            value(&by_reference(cell), page);
        }
    }
    if names.len() > SHEETS { Err(Why::TooLarge) } else { Ok(()) }
}

fn by_reference(cell: &Data) -> DataRef<'_> {
    match cell {
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => DataRef::SharedString(text),
        Data::Int(number) => DataRef::Int(*number),
        Data::Float(number) => DataRef::Float(*number),
        Data::Bool(truth) => DataRef::Bool(*truth),
        Data::DateTime(at) => DataRef::DateTime(*at),
        Data::Error(_) | Data::Empty => DataRef::Empty,
    }
}

fn sheet(name: &str, page: &mut Page) {
    page.line();
    // Names that the program gave are no words of anybody.
    if !name.starts_with("Sheet") {
        page.write(name);
        page.line();
    }
}

/// The cell that was written last.
#[derive(Debug, Default)]
struct At {
    row: u32,
    column: u32,
}

impl At {
    fn moves(&mut self, row: u32, column: u32, page: &mut Page) {
        if row != self.row {
            page.line();
            self.column = 0;
            self.row = row;
        }
        for _ in self.column..column.min(self.column.saturating_add(GAP)) {
            page.write("\t");
        }
        self.column = column;
    }
}

fn value(cell: &DataRef<'_>, page: &mut Page) {
    match cell {
        DataRef::Int(number) => page.write(&number.to_string()),
        DataRef::Float(number) => page.write(&digits(*number)),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => page.write(text),
        DataRef::SharedString(text) => page.write(text),
        DataRef::Bool(truth) => page.write(if *truth { "true" } else { "false" }),
        DataRef::DateTime(at) => page.write(&date(at)),
        DataRef::Error(_) | DataRef::Empty => {}
    }
}

/// A meter point number is a number to Excel, and 1.2E12 to whoever prints it carelessly. Doubles are exact up to 2^53.
fn digits(number: f64) -> String {
    match number.fract() == 0.0 && number.abs() < 9.007e15 {
        true => format!("{number:.0}"),
        false => number.to_string(),
    }
}

fn date(at: &ExcelDateTime) -> String {
    if at.is_duration() {
        return at.as_f64().to_string();
    }
    let (year, month, day, hour, minute, ..) = at.to_ymd_hms_milli();
    match (hour, minute) {
        (0, 0) => format!("{day:02}/{month:02}/{year:04}"),
        _ => format!("{day:02}/{month:02}/{year:04} {hour:02}:{minute:02}"),
    }
}
