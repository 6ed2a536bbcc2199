//! The text of one configuration file with its places: sections and keys as written, and every problem found
//! with its line. Reads values through declared keys only; decides nothing about their meaning.

use std::cell::RefCell;
use std::fmt;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::key::{Form, Key, OptionalKey, Read, Section, Wrong};

/// One thing that is wrong in the file, as the person who must mend it reads it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) line: usize,
    /// `section.key`, or the section, or empty when the file as a whole cannot be read.
    pub(crate) key: String,
    pub(crate) what: String,
    pub(crate) remedy: String,
}

/// Everything wrong with one file, in the order of its lines.
#[derive(Debug)]
pub(crate) struct Problems {
    pub(crate) file: PathBuf,
    pub(crate) problems: Vec<Problem>,
}

impl std::error::Error for Problems {}

impl fmt::Display for Problems {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                writeln!(out)?;
            }
            write!(out, "{}:{}: ", self.file.display(), problem.line)?;
            if !problem.key.is_empty() {
                write!(out, "{}: ", problem.key)?;
            }
            write!(out, "{}\n    {}", problem.what, problem.remedy)?;
        }
        Ok(())
    }
}

/// A parsed file. `'t` is its text.
pub(crate) struct Document<'t> {
    text: &'t str,
    folder: PathBuf,
    sections: DeTable<'t>,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Document<'t> {
    /// `folder` is what relative paths in the file are relative to.
    pub(crate) fn parse(text: &'t str, folder: &Path) -> Result<Self, Problem> {
        match DeTable::parse(text) {
            Ok(sections) => Ok(Self {
                text,
                folder: folder.to_owned(),
                sections: sections.into_inner(),
                problems: RefCell::default(),
            }),
            Err(error) => Err(Problem {
                line: line_of(text, error.span().map_or(0, |span| span.start)),
                key: String::new(),
                what: format!("this is not TOML: {}", error.message()),
                remedy: "write `key = value` lines under [section] headers; text in \"double quotes\""
                    .to_owned(),
            }),
        }
    }

    /// Notes every section and key that nobody declared.
    pub(crate) fn check_names(&self, declared: &[&Section]) {
        for (name, value) in &self.sections {
            let line = line_of(self.text, name.span().start);
            let name = name.get_ref().as_ref();
            let Some(section) = declared.iter().find(|section| section.name == name) else {
                let sections = declared.iter().map(|section| section.name);
                self.note(line, name, unknown("section", name, sections));
                continue;
            };
            match (section.form, value.get_ref()) {
                (Form::One, DeValue::Table(keys)) => self.check_keys(section, keys),
                (Form::Entries, DeValue::Array(entries)) => {
                    for entry in entries {
                        match entry.get_ref() {
                            DeValue::Table(keys) => self.check_keys(section, keys),
                            _ => self.note(line, name, not_entries(name)),
                        }
                    }
                }
                (Form::One, _) => self.note(line, name, not_a_section(name)),
                (Form::Entries, _) => self.note(line, name, not_entries(name)),
            }
        }
    }

    fn check_keys(&self, section: &Section, keys: &DeTable<'_>) {
        for key in keys.keys() {
            let name = key.get_ref().as_ref();
            if !section.keys.iter().any(|declared| declared.name() == name) {
                let names = section.keys.iter().map(|declared| declared.name());
                self.note(
                    line_of(self.text, key.span().start),
                    &format!("{}.{name}", section.name),
                    unknown("key", name, names),
                );
            }
        }
    }

    pub(crate) fn table(&self, section: &'static Section) -> Table<'_, 't> {
        let (line, keys) = self.section(section.name).map_or((1, None), |(line, keys)| (line, Some(keys)));
        Table { document: self, section, line, keys }
    }

    /// Every `[[section]]`, in the order of the file.
    pub(crate) fn entries(&self, section: &'static Section) -> Vec<Table<'_, 't>> {
        let written = self.sections.get(section.name).and_then(|value| value.get_ref().as_array());
        let entries = written.into_iter().flatten().filter_map(|entry| match entry.get_ref() {
            DeValue::Table(keys) => Some((line_of(self.text, entry.span().start), keys)),
            _ => None,
        });
        entries.map(|(line, keys)| Table { document: self, section, line, keys: Some(keys) }).collect()
    }

    fn section(&self, name: &str) -> Option<(usize, &DeTable<'t>)> {
        let (key, value) = self.sections.get_key_value(name)?;
        match value.get_ref() {
            DeValue::Table(keys) => Some((line_of(self.text, key.span().start), keys)),
            _ => None,
        }
    }

    /// The line of a key; of its section when the key is not written; of the file's start otherwise.
    pub(super) fn line(&self, section: &str, key: &str) -> usize {
        let Some((header, keys)) = self.section(section) else {
            return 1;
        };
        keys.get_key_value(key).map_or(header, |(key, _)| line_of(self.text, key.span().start))
    }

    /// Notes a problem with a key that was read well by itself but does not go with the others.
    pub(crate) fn object(&self, section: &str, key: &str, wrong: Wrong) {
        self.note(self.line(section, key), &format!("{section}.{key}"), wrong);
    }

    fn note(&self, line: usize, key: &str, wrong: Wrong) {
        self.problems.borrow_mut().push(Problem {
            line,
            key: key.to_owned(),
            what: wrong.what,
            remedy: wrong.remedy,
        });
    }

    pub(crate) fn into_problems(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.line);
        problems
    }
}

/// One section while it is read. `None` from a reader means: a problem was noted, go on with the next key.
pub(crate) struct Table<'d, 't> {
    document: &'d Document<'t>,
    section: &'static Section,
    /// Of its header.
    line: usize,
    /// None when the file does not have it.
    keys: Option<&'d DeTable<'t>>,
}

impl<'t> Table<'_, 't> {
    fn value(&self, key: &str) -> Option<&Spanned<DeValue<'t>>> {
        self.keys?.get(key)
    }

    pub(crate) fn read<T>(&self, key: &Key<T>) -> Option<T> {
        debug_assert!(self.declares(key.name), "{} is not in its section's list", key.name);
        if let Some(value) = self.value(key.name) {
            return self.accept(key.name, value.get_ref(), key.read);
        }
        match key.default {
            Some(default) => self.fall_back(key, default),
            None => {
                let header = match self.section.form {
                    Form::One => format!("[{}]", self.section.name),
                    Form::Entries => format!("[[{}]]", self.section.name),
                };
                let remedy = format!("write, under {header}: {} = {}", key.name, key.example);
                self.object(key.name, Wrong::new("this key is missing", remedy));
                None
            }
        }
    }

    pub(crate) fn read_optional<T>(&self, key: &OptionalKey<T>) -> Option<Option<T>> {
        debug_assert!(self.declares(key.name), "{} is not in its section's list", key.name);
        match self.value(key.name) {
            Some(value) => self.accept(key.name, value.get_ref(), key.read).map(Some),
            None => Some(None),
        }
    }

    /// A path of the file as a path of the process: relative ones start at the file's folder.
    pub(crate) fn place(&self, path: PathBuf) -> PathBuf {
        self.document.folder.join(path)
    }

    fn accept<T>(&self, name: &str, value: &DeValue<'_>, read: Read<T>) -> Option<T> {
        match read(value) {
            Ok(value) => Some(value),
            Err(wrong) => {
                self.object(name, wrong);
                None
            }
        }
    }

    fn fall_back<T>(&self, key: &Key<T>, default: &str) -> Option<T> {
        match DeValue::parse(default) {
            Ok(value) => self.accept(key.name, value.get_ref(), key.read),
            Err(error) => {
                let what = format!("the built-in default {default} is not TOML: {}", error.message());
                self.object(key.name, Wrong::new(what, "write the key yourself and report this"));
                None
            }
        }
    }

    /// Of its header.
    pub(crate) fn line(&self) -> usize {
        self.line
    }

    fn declares(&self, name: &str) -> bool {
        self.section.keys.iter().any(|key| key.name() == name)
    }

    /// Notes a problem with a key of this very table.
    pub(crate) fn object(&self, name: &str, wrong: Wrong) {
        let written = self.keys.and_then(|keys| keys.get_key_value(name));
        let line = written.map_or(self.line, |(key, _)| line_of(self.document.text, key.span().start));
        self.document.note(line, &format!("{}.{name}", self.section.name), wrong);
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    1 + text.bytes().take(offset).filter(|byte| *byte == b'\n').count()
}

fn not_a_section(name: &str) -> Wrong {
    Wrong::new(
        format!("`{name}` is a section, not a single value"),
        format!("write [{name}] on a line of its own and its keys below"),
    )
}

fn not_entries(name: &str) -> Wrong {
    Wrong::new(
        format!("`{name}` may stand several times and is written with two brackets"),
        format!("write [[{name}]] on a line of its own and its keys below"),
    )
}

fn unknown<'n>(kind: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Wrong {
    let near =
        known.clone().filter(|known| distance(name, known) <= 2).min_by_key(|known| distance(name, known));
    let remedy = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("remove it; known here: {}", known.collect::<Vec<_>>().join(", ")),
    };
    Wrong::new(format!("there is no {kind} `{name}`"), remedy)
}

/// Edits (insert, delete, replace) between two short names: enough to recognise a slip of the finger.
fn distance(left: &str, right: &str) -> usize {
    let right: Vec<char> = right.chars().collect();
    let mut row: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.chars().take(64).enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in right.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    row[right.len()]
}
