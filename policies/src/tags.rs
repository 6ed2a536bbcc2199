//! Search tags: finds meter point numbers and internal references in subject, attachment names and text. A number of
//! the right length is mostly something else, so a checksum alone never makes a tag: its surroundings must speak for it.
//! Linear in the size of the text; it never looks outside the text it is given.

mod code;
mod files;
mod names;
pub(crate) mod numbers;
mod words;

use std::cell::OnceCell;

use mail::{Tag, TagKind};
use regex::Regex;
use serde::Deserialize;
use toml::Spanned;

use crate::{PolicyError, source::Source};

pub use names::{TagName, TagNames};

use names::RawName;
use words::Words;

const SHIPPED_NAME: &str = "shipped/tags.toml";
const SHIPPED: &str = include_str!("../shipped/tags.toml");
/// Name and text of the shipped file.
pub(crate) const FILE: (&str, &str) = (SHIPPED_NAME, SHIPPED);

/// How tags are found.
#[derive(Debug)]
pub struct TagRules {
    /// None where the market has no such numbers; the same of gas.
    mpan: Option<Words>,
    mprn: Option<GasWords>,
    reference: Regex,
    reference_behind_code: Option<Regex>,
    names: TagNames,
}

/// What speaks for a gas meter point near by, and what does anywhere in the mail.
#[derive(Debug)]
struct GasWords {
    near: Words,
    anywhere: Words,
}

impl TagRules {
    /// So many tags of one mail are taken; a mail with more is a list, and findable by its first ones.
    pub const MOST: usize = 50;

    /// The rules that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// Reads a rule file; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let source = Source::new(file, text);
        let mut raw: RawTagRules = source.read()?;
        let names = raw.names();
        let behind_code = raw.reference.behind_code.as_ref();
        let behind_code = behind_code.map(|pattern| reference(source, "behind_code", pattern));
        Ok(Self {
            mpan: raw.mpan.map(|raw| Words::parse(source, &raw.words)).transpose()?,
            mprn: raw.mprn.map(|raw| GasWords::parse(source, &raw)).transpose()?,
            reference: reference(source, "pattern", &raw.reference.pattern)?,
            reference_behind_code: behind_code.transpose()?,
            names,
        })
    }

    /// What the market calls them.
    pub fn names(&self) -> &TagNames {
        &self.names
    }

    /// The tags of a mail, each once, at most [`Self::MOST`]: those of the subject first, then of the attachments'
    /// names, then of the text.
    pub fn find(&self, subject: &str, text: &str, attachment_names: &[&str]) -> Vec<Tag> {
        let fields = || [subject].into_iter().chain(attachment_names.iter().copied()).chain([text]);
        // Looked for at most once, and only when a number depends on it.
        let answer = OnceCell::new();
        let gas_mentioned = || {
            *answer.get_or_init(|| {
                self.mprn.as_ref().is_some_and(|gas| fields().any(|field| gas.anywhere.anywhere(field)))
            })
        };
        let mut found = Found(Vec::new());
        for field in fields() {
            self.references(field, &mut found);
            numbers::find(field, self, &gas_mentioned, &mut found);
        }
        found.0
    }

    /// The tag that begins what stands behind a subject code.
    pub(crate) fn behind_code(&self, rest: &str) -> Option<Tag> {
        code::tag(rest, self.reference_behind_code.as_ref()).filter(|tag| match tag.kind() {
            TagKind::Mpan => self.mpan.is_some(),
            TagKind::Mprn => self.mprn.is_some(),
            TagKind::Reference => true,
        })
    }

    /// Whether there is a meter point number, also behind more references than [`Self::find`] takes.
    pub(crate) fn any_meter_point(&self, subject: &str, text: &str, attachment_names: &[&str]) -> bool {
        let mut fields = [subject].into_iter().chain(attachment_names.iter().copied()).chain([text]);
        // Taken for granted: whoever asks wants to be rather too careful.
        let gas_mentioned = || true;
        fields.any(|field| {
            let mut found = Found(Vec::new());
            numbers::find(field, self, &gas_mentioned, &mut found);
            !found.0.is_empty()
        })
    }

    fn references(&self, field: &str, found: &mut Found) {
        for captures in self.reference.captures_iter(field) {
            if found.is_full() {
                return;
            }
            if let Some(tag) = captures.get(1).and_then(|group| Tag::reference(group.as_str())) {
                found.add(tag);
            }
        }
    }
}

impl GasWords {
    fn parse(source: Source<'_>, raw: &RawGasNumber) -> Result<Self, PolicyError> {
        let near = Words::parse(source, &raw.words)?;
        let anywhere = Words::parse(source, raw.anywhere.as_deref().unwrap_or(&raw.words))?;
        Ok(Self { near, anywhere })
    }
}

/// The tags so far, in the order found.
struct Found(Vec<Tag>);

impl Found {
    fn add(&mut self, tag: Tag) {
        if !self.is_full() && !self.0.contains(&tag) {
            self.0.push(tag);
        }
    }

    fn is_full(&self) -> bool {
        self.0.len() >= TagRules::MOST
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTagRules {
    mpan: Option<RawNumber>,
    mprn: Option<RawGasNumber>,
    reference: RawReference,
}

impl RawTagRules {
    fn names(&mut self) -> TagNames {
        let mpan = self.mpan.as_mut().map(|raw| (TagKind::Mpan, std::mem::take(&mut raw.called)));
        let mprn = self.mprn.as_mut().map(|raw| (TagKind::Mprn, std::mem::take(&mut raw.called)));
        let reference = (TagKind::Reference, std::mem::take(&mut self.reference.called));
        TagNames::new(mpan.into_iter().chain(mprn).chain([reference]))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawNumber {
    words: Vec<Spanned<String>>,
    #[serde(default)]
    called: RawName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawGasNumber {
    words: Vec<Spanned<String>>,
    anywhere: Option<Vec<Spanned<String>>>,
    #[serde(default)]
    called: RawName,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawReference {
    pattern: Spanned<String>,
    behind_code: Option<Spanned<String>>,
    #[serde(default)]
    called: RawName,
}

fn reference(source: Source<'_>, key: &str, raw: &Spanned<String>) -> Result<Regex, PolicyError> {
    let error = |problem: String, remedy| source.error(raw.span(), key, problem, remedy);
    let regex = Regex::new(raw.as_ref()).map_err(|e| {
        // The crate draws the pattern over several lines; its last line says what is wrong.
        let text = e.to_string();
        let problem = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
        error(format!("no regular expression: {problem}"), "correct the pattern")
    })?;
    if regex.captures_len() != 2 {
        let problem = format!("{} capture groups", regex.captures_len() - 1);
        return Err(error(problem, "put ( ) around the reference itself and (?: ) around the rest"));
    }
    Ok(regex)
}

#[cfg(test)]
mod tests;
