//! Where each key of a configuration stands, for what can only be found wrong after the file was read: a file that
//! it names, an address that it listens on.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};

use super::SECTIONS;
use super::document::{Document, Problem, Problems};
use super::key::Wrong;

/// File and lines, by `section.key`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Places {
    file: PathBuf,
    lines: BTreeMap<String, usize>,
}

impl Places {
    pub(super) fn of(document: &Document<'_>, file: &Path) -> Self {
        let mut lines = BTreeMap::new();
        for section in SECTIONS {
            for key in section.keys {
                let line = document.line(section.name, key.name());
                lines.insert(format!("{}.{}", section.name, key.name()), line);
            }
        }
        Self { file: file.to_owned(), lines }
    }

    /// The problem with the value of `key`, written as `section.key`.
    pub(crate) fn problem(&self, key: &str, what: impl Into<String>, remedy: impl Into<String>) -> Problems {
        let line = self.lines.get(key).copied().unwrap_or(1);
        let problem = Problem { line, key: key.to_owned(), what: what.into(), remedy: remedy.into() };
        Problems { file: self.file.clone(), problems: vec![problem] }
    }

    /// The problem with a key of the entry that stands at `line`.
    pub(super) fn in_entry(&self, line: usize, key: &str, wrong: Wrong) -> Problems {
        let problem = Problem { line, key: key.to_owned(), what: wrong.what, remedy: wrong.remedy };
        Problems { file: self.file.clone(), problems: vec![problem] }
    }

    /// An error in the words of whoever met it: what is wrong, a semicolon, what to do.
    pub(crate) fn told(&self, key: &str, error: impl Display) -> Problems {
        let error = error.to_string();
        match error.split_once("; ") {
            Some((what, remedy)) => self.problem(key, what, remedy),
            None => self.problem(key, error, "check the value of this key, or remove the line"),
        }
    }

    pub(super) fn wrong(&self, key: &str, wrong: Wrong) -> Problems {
        self.problem(key, wrong.what, wrong.remedy)
    }

    /// All that is wrong, in the order of the lines.
    pub(super) fn all(
        &self,
        results: impl IntoIterator<Item = Result<(), Problems>>,
    ) -> Result<(), Problems> {
        let found = results.into_iter().filter_map(Result::err);
        let mut problems: Vec<_> = found.flat_map(|found| found.problems).collect();
        problems.sort_by_key(|problem| problem.line);
        match problems.is_empty() {
            true => Ok(()),
            false => Err(Problems { file: self.file.clone(), problems }),
        }
    }
}
