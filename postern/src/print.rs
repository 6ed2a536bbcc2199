//! What commands write to stdout: aligned tables for people, JSON for programs. Never writes to a log.

use std::io::{ErrorKind, Write};

use anyhow::Context;
use serde::Serialize;

/// Prints lines. A reader that went away (`| head`) is not a failure; a full disk is: what it cut short looks whole.
pub(crate) fn lines(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match writeln!(out, "{text}").and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error).context("cannot write to stdout"),
        _ => Ok(()),
    }
}

pub(crate) fn json<T: Serialize>(value: &T) -> anyhow::Result<()> {
    lines(&serde_json::to_string_pretty(value)?)
}

/// An error with its causes, each said once: many an error's own words end with those of its cause.
pub(crate) fn told(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |mut told, cause| {
        if !told.contains(&cause) {
            told.push_str(if told.is_empty() { "" } else { ": " });
            told.push_str(&cause);
        }
        told
    })
}

/// A table with a heading, columns as wide as their longest cell.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> anyhow::Result<()> {
    lines(&laid_out(heading, rows))
}

/// The table as text.
pub(crate) fn laid_out(heading: &[&str], rows: &[Vec<String>]) -> String {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: &[String]| {
        let padded = cells.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading: Vec<String> = heading.iter().map(|name| name.to_uppercase()).collect();
    let mut text = vec![line(&heading)];
    text.extend(rows.iter().map(|row| line(row)));
    text.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_was_named_is_not_named_again() {
        let error = anyhow::anyhow!("disk gone").context("cannot read x: disk gone").context("keys.root");
        assert_eq!(told(&error), "keys.root: cannot read x: disk gone");
    }

    #[test]
    fn columns_line_up() {
        let rows = [vec!["K7Q-4M2X".to_owned(), "é".to_owned(), "x".to_owned()]];
        assert_eq!(laid_out(&["case", "owner", "due"], &rows), "CASE      OWNER  DUE\nK7Q-4M2X  é      x");
    }
}
