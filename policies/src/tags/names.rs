//! What a market calls its search tags: words for people, out of the file that says how the tags are found. A file that is
//! silent about them has the plain name of the kind; a kind that the market does not have has no name.

use mail::{Tag, TagKind};
use serde::Deserialize;

/// What one kind of search tag is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagName {
    /// Which kind.
    pub kind: TagKind,
    /// Above a list: `Electricity meter point (MPAN)`.
    pub label: String,
    /// Each thing that is asked for, short: `MPAN`.
    pub asked: Vec<String>,
    /// What to say to whoever types something else.
    pub wrong: String,
}

/// The kinds of search tags that a market has, in the order in which they are shown; never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagNames(Vec<TagName>);

/// What a file may say of one kind.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawName {
    label: Option<String>,
    asked: Option<Vec<String>>,
    wrong: Option<String>,
}

impl TagNames {
    pub(super) fn new(kinds: impl IntoIterator<Item = (TagKind, RawName)>) -> Self {
        Self(kinds.into_iter().map(|(kind, raw)| TagName::new(kind, raw)).collect())
    }

    /// Every kind.
    pub fn iter(&self) -> impl Iterator<Item = &TagName> {
        self.0.iter()
    }

    /// Of a kind that the market has.
    pub fn of(&self, kind: TagKind) -> Option<&TagName> {
        self.0.iter().find(|name| name.kind == kind)
    }

    /// What a text can be a tag of in this market, check digits included: a number before a reference.
    pub fn read(&self, typed: &str) -> Vec<Tag> {
        self.0.iter().filter_map(|name| read(name.kind, typed)).collect()
    }

    /// The text as a tag of this kind, if the market has it and the text is one.
    pub fn read_as(&self, kind: TagKind, typed: &str) -> Option<Tag> {
        self.of(kind).and_then(|name| read(name.kind, typed))
    }
}

impl Default for TagNames {
    /// Of a market of which nothing is known: its own references.
    fn default() -> Self {
        Self::new([(TagKind::Reference, RawName::default())])
    }
}

impl TagName {
    fn new(kind: TagKind, raw: RawName) -> Self {
        let plain = match kind {
            TagKind::Mpan | TagKind::Mprn => kind.as_str().to_uppercase(),
            TagKind::Reference => "reference".to_owned(),
        };
        Self {
            kind,
            wrong: raw.wrong.unwrap_or_else(|| format!("That is no {plain}.")),
            asked: raw.asked.filter(|asked| !asked.is_empty()).unwrap_or_else(|| vec![plain.clone()]),
            label: raw.label.unwrap_or(plain),
        }
    }
}

fn read(kind: TagKind, typed: &str) -> Option<Tag> {
    match kind {
        TagKind::Mpan => Tag::mpan(typed),
        TagKind::Mprn => Tag::mprn(typed),
        TagKind::Reference => Tag::reference(typed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RuleFiles, Ruleset, TagRules};

    const METER: &str = "1200023305967";

    #[test]
    fn a_market_asks_for_what_it_has() {
        let energy = TagRules::shipped().unwrap();
        let asked: Vec<_> = energy.names().iter().flat_map(|name| &name.asked).collect();
        assert_eq!(asked, ["MPAN", "MPRN", "your reference"]);
        assert_eq!(energy.names().of(TagKind::Mpan).unwrap().label, "Electricity meter point (MPAN)");
        assert_eq!(energy.names().read(METER)[0].kind(), TagKind::Mpan);
        let casework = Ruleset::read(RuleFiles::casework()).unwrap();
        let names = casework.tags().names();
        assert_eq!(names.iter().count(), 1);
        assert!(names.iter().all(|name| name.kind == TagKind::Reference && name.asked.len() == 2));
        assert!(names.read(METER).iter().all(|tag| tag.kind() == TagKind::Reference));
        assert_eq!(names.read_as(TagKind::Mpan, METER), None);
    }

    #[test]
    fn a_file_of_an_earlier_release_has_plain_names() {
        let rules =
            TagRules::parse("t.toml", "[mpan]\nwords = [\"m\"]\n[reference]\npattern = '([a-z]+-[0-9]+)'\n");
        let labels: Vec<_> = rules.unwrap().names().iter().map(|name| name.label.clone()).collect();
        assert_eq!(labels, ["MPAN", "reference"]);
    }
}
