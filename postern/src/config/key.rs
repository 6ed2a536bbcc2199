//! How a configuration key is declared: once, with its name, its words, what stands in for it and how it is
//! read. The parser, the defaults and the printed example all come from these declarations, so they cannot
//! disagree. Knows no particular key.

use toml::de::DeValue;

/// Why a value was not accepted, and what to write instead. The place is added by whoever knows the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrong {
    pub(crate) what: String,
    pub(crate) remedy: String,
}

impl Wrong {
    pub(crate) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

pub(crate) type Read<T> = fn(&DeValue<'_>) -> Result<T, Wrong>;

/// What stands in for a key that the file does not give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// Nothing: the process does not start. The text is an example in TOML.
    Required(&'static str),
    /// This value, in TOML, read by the same reader.
    Default(&'static str),
    /// The thing is absent. The text is an example in TOML.
    Absent(&'static str),
}

/// A key that always has a value once the file is read.
pub(crate) struct Key<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) default: Option<&'static str>,
    /// Shown in the printed example when there is no default.
    pub(crate) example: &'static str,
    pub(crate) read: Read<T>,
}

/// A key whose absence means something.
pub(crate) struct OptionalKey<T: 'static> {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) example: &'static str,
    pub(crate) read: Read<T>,
}

/// A declared key, whatever its type: what the printed example and the check for unknown keys need.
pub(crate) trait Declared: Sync {
    fn name(&self) -> &'static str;
    fn doc(&self) -> &'static str;
    fn fallback(&self) -> Fallback;
}

impl<T> Declared for Key<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn fallback(&self) -> Fallback {
        match self.default {
            Some(default) => Fallback::Default(default),
            None => Fallback::Required(self.example),
        }
    }
}

impl<T> Declared for OptionalKey<T> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn doc(&self) -> &'static str {
        self.doc
    }

    fn fallback(&self) -> Fallback {
        Fallback::Absent(self.example)
    }
}

/// One `[section]` of the file, or a kind of `[[entry]]`.
pub(crate) struct Section {
    pub(crate) name: &'static str,
    pub(crate) doc: &'static str,
    pub(crate) form: Form,
    pub(crate) keys: &'static [&'static dyn Declared],
}

/// How often a section stands in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `[name]`, once or not at all.
    One,
    /// `[[name]]`, any number of times.
    Entries,
}
