//! The texts of one language: `templates/words/en.toml`, or a translation of it.
//!
//! A text has a key, `area.key`, and places for values, `{name}`. A text that depends on a number has two forms, `one`
//! and `other`, chosen by the value `n`. Nothing here escapes: that is done where a text is printed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::Arc;

use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value;

const ENGLISH: &str = include_str!("../words/en.toml");

/// All texts of a language, by their keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words(Arc<BTreeMap<String, Text>>);

/// What is wrong with a file of texts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WordsError {
    #[error("this is not TOML: {0}")]
    Unreadable(String),
    #[error("{key}: a text is \"words {{value}} words\", or a table with `one` and `other`, in one [area]")]
    Form { key: String },
    #[error("{key}: the braces do not match; write {{name}} with letters, digits and _ in between")]
    Braces { key: String },
    #[error("{key} is missing; copy it from the English file and translate it")]
    Missing { key: String },
    #[error("{key} is no key of the English file; remove it, or correct its spelling")]
    Unknown { key: String },
    #[error("{key} has the values {found}, the English text has {expected}; use the same")]
    Values { key: String, found: String, expected: String },
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Text {
    Plain(Phrase),
    Counted { one: Phrase, other: Phrase },
}

/// Words and values in turn: literal text before each value, and what follows the last.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Phrase {
    values: Vec<(String, String)>,
    end: String,
}

impl Words {
    /// The English texts, which are part of the program.
    ///
    /// # Errors
    /// When the file that was compiled in is damaged; a test keeps it from being.
    pub fn english() -> Result<Self, WordsError> {
        Self::parse(ENGLISH)
    }

    /// A translation: the same keys with the same values.
    ///
    /// # Errors
    /// The first key that is missing, unknown, or has other values than the English text.
    pub fn translated(&self, file: &str) -> Result<Self, WordsError> {
        let other = Self::parse(file)?;
        if let Some(key) = other.0.keys().find(|key| !self.0.contains_key(*key)) {
            return Err(WordsError::Unknown { key: key.clone() });
        }
        for (key, text) in self.0.iter() {
            let Some(translation) = other.0.get(key) else {
                return Err(WordsError::Missing { key: key.clone() });
            };
            let (found, expected) = (translation.values(), text.values());
            if found != expected {
                let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
                let (found, expected) = (list(found), list(expected));
                return Err(WordsError::Values { key: key.clone(), found, expected });
            }
        }
        Ok(other)
    }

    fn parse(file: &str) -> Result<Self, WordsError> {
        let areas: toml::Table =
            toml::from_str(file).map_err(|error| WordsError::Unreadable(error.to_string()))?;
        let mut texts = BTreeMap::new();
        for (area, entries) in areas {
            let Some(entries) = entries.as_table() else { return Err(WordsError::Form { key: area }) };
            for (key, text) in entries {
                let key = format!("{area}.{key}");
                let text = Text::read(text, &key)?;
                texts.insert(key, text);
            }
        }
        Ok(Self(Arc::new(texts)))
    }

    /// The text of a key with its values; a value that is not given stays empty. `None`: there is no such key.
    pub fn say(&self, key: &str, values: &[(&str, &str)]) -> Option<String> {
        let text = self.0.get(key)?;
        let value =
            |name: &str| values.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| *value);
        Some(text.phrase(value("n")).fill(value))
    }

    /// Every key, with the names of its values.
    pub fn keys(&self) -> impl Iterator<Item = (&str, BTreeSet<&str>)> {
        self.0.iter().map(|(key, text)| (key.as_str(), text.values()))
    }
}

impl Text {
    fn read(value: &toml::Value, key: &str) -> Result<Self, WordsError> {
        let form = || WordsError::Form { key: key.to_owned() };
        match value {
            toml::Value::String(text) => Ok(Self::Plain(Phrase::read(text, key)?)),
            toml::Value::Table(forms) if forms.len() == 2 => {
                let form = |name| forms.get(name).and_then(toml::Value::as_str).ok_or_else(form);
                Ok(Self::Counted {
                    one: Phrase::read(form("one")?, key)?,
                    other: Phrase::read(form("other")?, key)?,
                })
            }
            _ => Err(form()),
        }
    }

    fn phrase(&self, n: &str) -> &Phrase {
        match self {
            Self::Plain(phrase) => phrase,
            Self::Counted { one, .. } if n == "1" => one,
            Self::Counted { other, .. } => other,
        }
    }

    /// The names of all values; a text with a number always has `n`.
    fn values(&self) -> BTreeSet<&str> {
        match self {
            Self::Plain(phrase) => phrase.names().collect(),
            Self::Counted { one, other } => one.names().chain(other.names()).chain(["n"]).collect(),
        }
    }
}

impl Phrase {
    fn read(text: &str, key: &str) -> Result<Self, WordsError> {
        let braces = || WordsError::Braces { key: key.to_owned() };
        let mut values = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(braces)?;
            let plain = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
            if name.is_empty() || !name.bytes().all(plain) || before.contains('}') {
                return Err(braces());
            }
            values.push((before.to_owned(), name.to_owned()));
            rest = after;
        }
        if rest.contains('}') {
            return Err(braces());
        }
        Ok(Self { values, end: rest.to_owned() })
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.values.iter().map(|(_, name)| name.as_str())
    }

    fn fill<'v>(&self, value: impl Fn(&str) -> &'v str) -> String {
        let mut filled = String::new();
        for (before, name) in &self.values {
            // Writing to a string cannot fail.
            let _ = write!(filled, "{before}{}", value(name));
        }
        filled + &self.end
    }
}

/// `{{say 'area.key' name=value}}`: the text, escaped as any value is.
impl HelperDef for Words {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        call: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        let key = call.param(0).and_then(|key| key.value().as_str()).unwrap_or_default();
        let unknown = || RenderErrorReason::Other(format!("there is no text {key:?}"));
        let text = self.0.get(key).ok_or_else(unknown)?;
        let mut values = Vec::new();
        for name in text.values() {
            let value = call.hash_get(name).filter(|value| !value.is_value_missing());
            let absent = || RenderErrorReason::Other(format!("the text {key:?} needs {name}"));
            values.push((name, printed(value.ok_or_else(absent)?.value())));
        }
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let said = self.say(key, &values).ok_or_else(unknown)?;
        Ok(ScopedJson::Derived(Value::String(said)))
    }
}

fn printed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "[case]\ntake = \"Take over from {name}\"\nopen = \"Open\"\n\
                          count = { one = \"{n} case\", other = \"{n} cases of {company}\" }\n";

    #[test]
    fn texts_are_filled_and_counted() {
        let words = Words::parse(SAMPLE).unwrap();
        assert_eq!(words.say("case.take", &[("name", "Asha")]).unwrap(), "Take over from Asha");
        assert_eq!(words.say("case.count", &[("n", "1"), ("company", "Alpha")]).unwrap(), "1 case");
        assert_eq!(words.say("case.count", &[("n", "0"), ("company", "A")]).unwrap(), "0 cases of A");
        assert_eq!(words.say("case.absent", &[]), None);
    }

    #[test]
    fn templates_say_them_escaped_and_miss_nothing() {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        registry.register_helper("say", Box::new(Words::parse(SAMPLE).unwrap()));
        let render = |template: &str| {
            registry.render_template(template, &serde_json::json!({ "who": "<b>", "several": 2 }))
        };
        assert_eq!(render("{{say 'case.take' name=who}}").unwrap(), "Take over from &lt;b&gt;");
        assert_eq!(render("{{say \"case.count\" n=several company='B'}}").unwrap(), "2 cases of B");
        assert!(render("{{say 'case.absent'}}").is_err());
        assert!(render("{{say 'case.take'}}").is_err());
        assert!(render("{{say 'case.take' name=nobody}}").is_err());
    }

    #[test]
    fn wrong_files_say_what_is_wrong() {
        let english = Words::parse(SAMPLE).unwrap();
        let take = "[case]\ntake = \"Von {name} nehmen\"\nopen = \"Offen\"\n";
        let count = "count = { one = \"{n} Fall\", other = \"{n} von {company}\" }\n";
        assert!(english.translated(&format!("{take}{count}")).is_ok());
        for (file, says) in [
            (take.to_owned(), "case.count is missing"),
            (format!("{take}{count}more = \"\"\n"), "case.more is no key"),
            (format!("{take}{count}").replace("{name}", "{whom}"), "has the values whom"),
            ("case = 1".to_owned(), "case: a text is"),
            ("[case]\ntake = 1".to_owned(), "case.take: a text is"),
            ("[case]\ntake = { one = \"x\" }".to_owned(), "case.take: a text is"),
            ("[case]\ntake = \"{na me}\"".to_owned(), "braces"),
            ("[case]\ntake = \"a } b\"".to_owned(), "braces"),
            ("[case]\ntake = \"{name\"".to_owned(), "braces"),
            ("[case".to_owned(), "not TOML"),
        ] {
            let error = english.translated(&file).unwrap_err().to_string();
            assert!(error.contains(says), "{file}: {error}");
        }
    }

    #[test]
    fn the_english_file_is_whole() {
        assert!(Words::english().unwrap().keys().count() > 5);
    }
}
