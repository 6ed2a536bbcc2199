//! The files that make a ruleset, as text: the shipped ones, and those that stand in for some of them. Their hash names
//! the rules, so that a decision can be explained by the rules that made it. It never opens a file itself.

use std::{collections::BTreeMap, fmt, str::FromStr};

use aws_lc_rs::digest::{Context, SHA256};

use crate::{
    Calendar, Calendars, Catalogue, ClassificationRules, PolicyError, TagRules, VerdictRules, catalogue,
    classification,
    detect::{self, Detectors},
    tags, verdicts,
};

/// What a file is for, by the name that it is kept under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `processes.toml`
    Catalogue,
    /// `tags.toml`
    Tags,
    /// `detectors.toml`
    Detectors,
    /// `classification.toml`
    Classification,
    /// `verdicts.toml`
    Verdicts,
    /// `calendars/one-off.toml`
    OneOff,
}

/// The text of one file, and the name that errors call it by.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Text {
    name: String,
    text: String,
}

/// All files of a ruleset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleFiles {
    /// By the name that they are kept under, which is the same wherever the files lie.
    files: BTreeMap<String, Text>,
}

/// Names the rules by their content: SHA-256 over name, length and text of every file.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RulesHash([u8; 32]);

/// A text that is no hash of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no hash of rules: 64 hexadecimal digits are expected")]
pub struct NotAHash;

/// What the second market has of its own; the rest is common to both.
const CASEWORK: [(FileKind, (&str, &str)); 5] = [
    (FileKind::Catalogue, catalogue::CASEWORK),
    (
        FileKind::Classification,
        ("shipped/casework/classification.toml", include_str!("../shipped/casework/classification.toml")),
    ),
    (FileKind::Tags, ("shipped/casework/tags.toml", include_str!("../shipped/casework/tags.toml"))),
    (
        FileKind::Detectors,
        ("shipped/casework/detectors.toml", include_str!("../shipped/casework/detectors.toml")),
    ),
    (
        FileKind::Verdicts,
        ("shipped/casework/verdicts.toml", include_str!("../shipped/casework/verdicts.toml")),
    ),
];

/// All but the calendars.
const SHIPPED: [(&str, &str); 5] =
    [catalogue::FILE, tags::FILE, detect::FILE, classification::FILE, verdicts::FILE];
/// Where calendars are kept.
const CALENDARS: &str = "calendars/";

impl FileKind {
    /// The five that a ruleset has one of each, and the holidays that are added to all calendars.
    pub const ALL: [Self; 6] =
        [Self::Catalogue, Self::Tags, Self::Detectors, Self::Classification, Self::Verdicts, Self::OneOff];

    /// The name that the file is kept under.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "processes.toml",
            Self::Tags => "tags.toml",
            Self::Detectors => "detectors.toml",
            Self::Classification => "classification.toml",
            Self::Verdicts => "verdicts.toml",
            Self::OneOff => "calendars/one-off.toml",
        }
    }
}

impl RuleFiles {
    /// The files that are part of the binary.
    pub fn shipped() -> Self {
        let files = SHIPPED.into_iter().chain(Calendars::shipped_files());
        let entry = |(name, text): (&'static str, &'static str)| {
            (kept_name(name).to_owned(), Text { name: name.to_owned(), text: text.to_owned() })
        };
        Self { files: files.map(entry).collect() }
    }

    /// Those of the second market that is part of the binary: councils and health bodies that exchange casework.
    pub fn casework() -> Self {
        let mut files = Self::shipped();
        for (kind, (name, text)) in CASEWORK {
            files.replace(kind, name, text);
        }
        files
    }

    /// The shipped files with `kept` in the places of their names: what [`RuleFiles::sources`] gave once.
    pub fn kept(kept: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut files = Self::shipped();
        for (name, text) in kept {
            files.files.insert(name.clone(), Text { name, text });
        }
        files
    }

    /// Puts a file in the place of the shipped one; `name` is for errors.
    pub fn replace(&mut self, kind: FileKind, name: impl Into<String>, text: impl Into<String>) {
        self.files.insert(kind.as_str().to_owned(), Text { name: name.into(), text: text.into() });
    }

    /// Adds a calendar, or puts it in the place of the shipped one of its name.
    pub fn calendar(&mut self, name: &str, text: impl Into<String>) -> Result<(), PolicyError> {
        let text = text.into();
        let calendar = Calendar::parse(name, &text)?;
        let kept = format!("{CALENDARS}{}.toml", calendar.name().as_str());
        self.files.insert(kept, Text { name: name.to_owned(), text });
        Ok(())
    }

    /// Name and text of every file, in an order that is always the same.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.iter().map(|(kept, file)| (kept.as_str(), file.text.as_str()))
    }

    /// Whether this file says what the one in the binary says.
    pub fn is_shipped(&self, kind: FileKind) -> bool {
        let mut shipped = SHIPPED.into_iter().chain(Calendars::shipped_files());
        shipped.any(|(name, text)| kept_name(name) == kind.as_str() && text == self.of(kind).1)
    }

    /// Name in errors and text of every file, in the same order.
    pub fn named(&self) -> impl Iterator<Item = (&str, &str)> {
        self.files.values().map(|file| (file.name.as_str(), file.text.as_str()))
    }

    /// The hash of the sources.
    pub fn hash(&self) -> RulesHash {
        let mut context = Context::new(&SHA256);
        for (name, text) in self.sources() {
            for part in [name, text] {
                context.update(&(part.len() as u64).to_be_bytes());
                context.update(part.as_bytes());
            }
        }
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        RulesHash(hash)
    }

    pub(crate) fn catalogue(&self) -> Result<Catalogue, PolicyError> {
        let (name, text) = self.of(FileKind::Catalogue);
        Catalogue::parse(name, text)
    }

    pub(crate) fn calendars(&self) -> Result<Calendars, PolicyError> {
        let one_off = self.of(FileKind::OneOff);
        let calendars = self
            .files
            .iter()
            .filter(|(kept, _)| kept.starts_with(CALENDARS) && kept.as_str() != FileKind::OneOff.as_str());
        Calendars::with(calendars.map(|(_, file)| (file.name.as_str(), file.text.as_str())), Some(one_off))
    }

    pub(crate) fn tags(&self) -> Result<TagRules, PolicyError> {
        let (name, text) = self.of(FileKind::Tags);
        TagRules::parse(name, text)
    }

    pub(crate) fn detectors(&self) -> Result<Detectors, PolicyError> {
        let (name, text) = self.of(FileKind::Detectors);
        Detectors::parse(name, text)
    }

    pub(crate) fn classification(&self) -> Result<ClassificationRules, PolicyError> {
        let (name, text) = self.of(FileKind::Classification);
        ClassificationRules::parse(name, text)
    }

    pub(crate) fn verdicts(&self) -> Result<VerdictRules, PolicyError> {
        let (name, text) = self.of(FileKind::Verdicts);
        VerdictRules::parse(name, text)
    }

    /// A set always has all of them, because it begins with the shipped ones.
    fn of(&self, kind: FileKind) -> (&str, &str) {
        self.files.get(kind.as_str()).map_or((kind.as_str(), ""), |file| (&file.name, &file.text))
    }
}

fn kept_name(shipped: &'static str) -> &'static str {
    shipped.strip_prefix("shipped/").unwrap_or(shipped)
}

impl RulesHash {
    /// The hash as bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for RulesHash {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RulesHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RulesHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RulesHash({self})")
    }
}

impl FromStr for RulesHash {
    type Err = NotAHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut hash = [0; 32];
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NotAHash);
        }
        for (byte, at) in hash.iter_mut().zip((0..64).step_by(2)) {
            *byte = u8::from_str_radix(&text[at..at + 2], 16).map_err(|_| NotAHash)?;
        }
        Ok(Self(hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_that_of_the_texts_wherever_the_files_lie() {
        let shipped = RuleFiles::shipped();
        let mut elsewhere = shipped.clone();
        let text = shipped.of(FileKind::Verdicts).1.to_owned();
        elsewhere.replace(FileKind::Verdicts, "/etc/other/name.toml", text.clone());
        assert_eq!(elsewhere.hash(), shipped.hash());
        elsewhere.replace(FileKind::Verdicts, "verdicts.toml", format!("{text}\n"));
        assert_ne!(elsewhere.hash(), shipped.hash());
        let hash = shipped.hash();
        assert_eq!(hash.to_string().parse(), Ok(hash));
        assert_eq!("00".parse::<RulesHash>(), Err(NotAHash));
        assert_eq!("+f".repeat(32).parse::<RulesHash>(), Err(NotAHash));
    }

    #[test]
    fn what_was_kept_makes_the_same_rules() {
        let shipped = RuleFiles::shipped();
        let kept = shipped.sources().map(|(name, text)| (name.to_owned(), text.to_owned()));
        let again = RuleFiles::kept(kept);
        assert_eq!(again.hash(), shipped.hash());
        assert!(again.verdicts().is_ok() && again.calendars().is_ok());
    }

    #[test]
    fn a_calendar_stands_in_for_the_one_of_its_name() {
        let mut files = RuleFiles::shipped();
        let scotland = files.files["calendars/scotland.toml"].text.clone();
        files.calendar("mine.toml", format!("{scotland}\n")).unwrap();
        assert_eq!(files.files["calendars/scotland.toml"].name, "mine.toml");
        assert!(files.calendar("mine.toml", "no calendar").is_err());
    }
}
