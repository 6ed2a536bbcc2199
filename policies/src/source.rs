//! A policy file as text, and errors that name file, line, key and remedy. It never opens a file itself.

use std::{fmt::Display, ops::Range};

use serde::{Deserialize, de::DeserializeOwned};
use toml::{
    Spanned,
    de::{DeTable, Deserializer},
};

/// Every policy file may have these; they are no part of what it rules.
const EXAMPLES: &str = "example";

/// What is wrong in a policy file, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}: {key}: {problem}; {remedy}")]
pub struct PolicyError {
    /// The file's name as the caller gave it.
    pub file: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// The key concerned, or the first word of the line where TOML itself is broken.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub remedy: String,
}

/// One policy file: its name and its text.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &'a str) -> Self {
        Self { file, text }
    }

    /// The file as the raw form `T`, without its examples; what the values mean is checked by the caller.
    pub(crate) fn read<T: DeserializeOwned>(self) -> Result<T, PolicyError> {
        let mut table = self.table()?;
        table.get_mut().remove(EXAMPLES);
        T::deserialize(Deserializer::from(table)).map_err(|error| self.broken(&error))
    }

    /// The examples of the file: what each `[[example]]` says.
    pub(crate) fn examples<T: DeserializeOwned>(self) -> Result<Vec<T>, PolicyError> {
        #[derive(Deserialize)]
        struct Examples<T> {
            #[serde(default = "Vec::new", rename = "example")]
            all: Vec<T>,
        }
        let mut only = DeTable::new();
        if let Some((key, value)) = self.table()?.get_mut().remove_entry(EXAMPLES) {
            only.insert(key, value);
        }
        let examples = Examples::deserialize(Deserializer::from(Spanned::new(0..self.text.len(), only)));
        examples.map(|Examples { all }| all).map_err(|error| self.broken(&error))
    }

    fn table(self) -> Result<Spanned<DeTable<'a>>, PolicyError> {
        DeTable::parse(self.text).map_err(|error| self.broken(&error))
    }

    /// What the TOML reader found.
    fn broken(self, error: &toml::de::Error) -> PolicyError {
        let span = error.span().unwrap_or_default();
        let problem = error.message().replace('\n', " ");
        let missing = problem.strip_prefix("missing field `").and_then(|rest| rest.split('`').next());
        let key = missing.map_or_else(|| self.key_at(&span), str::to_owned);
        self.error(span, &key, &problem, remedy(&problem))
    }

    /// An error about the value at `span`.
    pub(crate) fn error(
        self,
        span: Range<usize>,
        key: &str,
        problem: impl Display,
        remedy: impl Display,
    ) -> PolicyError {
        PolicyError {
            file: self.file.to_owned(),
            line: self.line(span.start),
            key: key.to_owned(),
            problem: problem.to_string(),
            remedy: remedy.to_string(),
        }
    }

    /// The line of an octet of the text, from 1.
    pub(crate) fn line(self, at: usize) -> usize {
        self.text.get(..at).unwrap_or_default().matches('\n').count() + 1
    }

    /// A name of the market (process, contact type) out of a text value.
    pub(crate) fn name<T>(self, key: &str, value: &Spanned<String>) -> Result<T, PolicyError>
    where
        T: std::str::FromStr<Err: Display>,
    {
        let remedy = "correct the spelling";
        value.as_ref().parse().map_err(|e| self.error(value.span(), key, e, remedy))
    }

    /// A text that people will read, in a subject line as well: one line, 1 to `longest` characters.
    pub(crate) fn words(
        self,
        key: &str,
        value: &Spanned<String>,
        longest: usize,
    ) -> Result<String, PolicyError> {
        let text = value.as_ref();
        let problem = if text.trim().is_empty() {
            "the text is empty".to_owned()
        } else if text.chars().any(char::is_control) {
            "the text has a line break or control character".to_owned()
        } else if text.chars().count() > longest {
            format!("the text is longer than {longest} characters")
        } else {
            return Ok(text.clone());
        };
        let remedy = format!("write one line of 1 to {longest} characters");
        Err(self.error(value.span(), key, problem, remedy))
    }

    /// The key a TOML error is about: TOML points at the key itself, or at its value or an element of it.
    fn key_at(self, span: &Range<usize>) -> String {
        let (before, at) = self.text.split_at_checked(span.start).unwrap_or((self.text, ""));
        let line = before.rsplit('\n').next().unwrap_or_default().trim();
        let (word, rest) = at.split_at(at.find(|c| !is_bare(c)).unwrap_or(at.len()));
        let is_key = rest.trim_start().starts_with('=') || matches!(line, "[" | "[[");
        if is_key && !word.is_empty() {
            return word.to_owned();
        }
        let value_of = before.rfind('=').map(|equals| before[..equals].trim_end());
        let key = value_of.and_then(|text| text.rsplit(|c| !is_bare(c)).next()).unwrap_or(word);
        key.to_owned()
    }
}

/// A character of a bare key (TOML §Keys).
fn is_bare(character: char) -> bool {
    character.is_ascii_alphanumeric() || matches!(character, '_' | '-')
}

/// What to do about an error of the TOML reader, which says itself what it expected.
fn remedy(problem: &str) -> &'static str {
    if problem.starts_with("unknown field") {
        "correct the spelling or remove the key"
    } else if problem.starts_with("missing field") {
        "add the key"
    } else if problem.starts_with("duplicate") {
        "keep one of the two"
    } else if problem.starts_with("invalid type") || problem.starts_with("unknown variant") {
        "write a value of the kind that is expected"
    } else {
        "correct the TOML of this line"
    }
}
