//! The file of the classification rules: its raw form, and the way from it to the rules, with each mistake named at its
//! line. Nothing here looks at a mail.

use std::collections::BTreeSet;

use mail::{GroupId, ProcessId, TagKind};
use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;
use toml::Spanned;

use super::{
    ClassificationRules, Rule,
    evidence::{Conditions, Fields, Pattern, Patterns, Words},
    ignored::Ignored,
    words::{Glossary, WordId},
};
use crate::{PolicyError, RuleId, source::Source};

const ID_MAX: usize = 60;
const WORDS_MAX: usize = 80;
const MOST_RULES: usize = 2_000;
const MOST_WORDS: usize = 20_000;
const MOST_PATTERNS: usize = 200;
const WEIGHT_MAX: u32 = 1_000;
/// Of one compiled pattern, and of all of a field together.
const PATTERN_SIZE: usize = 1 << 18;
const PATTERNS_SIZE: usize = 1 << 24;

/// A process that a rule names, and what is wrong if the catalogue does not have it.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) process: ProcessId,
    pub(super) absent: PolicyError,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRules {
    enough: Spanned<u32>,
    ignore: List,
    #[serde(default, rename = "rule")]
    rules: Vec<RawRule>,
}

type Entries = Spanned<Vec<Spanned<String>>>;
type List = Option<Entries>;
type Lists = Option<Spanned<Vec<Entries>>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawRule {
    id: Spanned<String>,
    process: Spanned<String>,
    weight: Option<Spanned<u32>>,
    #[serde(default)]
    decides: bool,
    sender_group: List,
    sender_domain: List,
    recipient_domain: List,
    recipient: List,
    subject: List,
    text: List,
    attachment_name: List,
    attachment_text: List,
    anywhere: List,
    all: Lists,
    not: List,
    subject_pattern: List,
    text_pattern: List,
    attachment_name_pattern: List,
    header: Option<Vec<RawHeader>>,
    attachment_type: List,
    tag: Option<Spanned<Vec<Spanned<String>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawHeader {
    name: Spanned<String>,
    pattern: Spanned<String>,
}

pub(super) fn parse(source: Source<'_>) -> Result<ClassificationRules, PolicyError> {
    let raw: RawRules = source.read()?;
    if let Some(beyond) = raw.rules.get(MOST_RULES) {
        let problem = format!("more than {MOST_RULES} rules");
        return Err(source.error(beyond.id.span(), "rule", problem, "let one rule have more words"));
    }
    let mut reader = Reader { source, glossary: Glossary::default(), patterns: Drafts::default() };
    let (mut rules, mut named) = (Vec::new(), Vec::new());
    let (mut ids, mut processes) = (BTreeSet::new(), BTreeSet::new());
    for entry in &raw.rules {
        let rule = reader.rule(entry)?;
        if !ids.insert(rule.id.clone()) {
            let problem = format!("the rule {} is there twice", rule.id);
            return Err(source.error(entry.id.span(), "id", problem, "keep one of the two"));
        }
        // Once for each process: the first rule is the one to correct.
        if processes.insert(rule.process.clone()) {
            let absent = format!("the catalogue has no process {}", rule.process);
            let remedy = "use an id of the process catalogue";
            let absent = source.error(entry.process.span(), "process", absent, remedy);
            named.push(Named { process: rule.process.clone(), absent });
        }
        rules.push(rule);
    }
    let ignored =
        reader.listed("ignore", &raw.ignore, |source, key, entry| source.words(key, entry, WORDS_MAX))?;
    let Reader { glossary, patterns, .. } = reader;
    let whole =
        |problem: &str| source.error(0..0, "rule", problem, "use fewer or shorter words and patterns");
    Ok(ClassificationRules {
        rules,
        enough: within(source, "enough", &raw.enough)?,
        named,
        vocabulary: glossary.done().ok_or_else(|| whole("the words together are too many"))?,
        ignored: Ignored::new(&ignored.unwrap_or_default())
            .ok_or_else(|| whole("the phrases to ignore are too many"))?,
        patterns: patterns.done().ok_or_else(|| whole("the patterns together are too large"))?,
    })
}

fn within(source: Source<'_>, key: &str, raw: &Spanned<u32>) -> Result<u32, PolicyError> {
    if (1..=WEIGHT_MAX).contains(raw.as_ref()) {
        return Ok(*raw.as_ref());
    }
    let problem = format!("{} is no weight", raw.as_ref());
    Err(source.error(raw.span(), key, problem, format!("write a whole number from 1 to {WEIGHT_MAX}")))
}

/// What all rules share while they are read.
struct Reader<'a> {
    source: Source<'a>,
    glossary: Glossary,
    patterns: Drafts,
}

/// Patterns on the way to their sets.
#[derive(Default)]
struct Drafts {
    subject: Vec<String>,
    text: Vec<String>,
    names: Vec<String>,
}

impl Reader<'_> {
    fn rule(&mut self, raw: &RawRule) -> Result<Rule, PolicyError> {
        let conditions = self.conditions(raw)?;
        let weight = raw.weight.as_ref().map(|weight| within(self.source, "weight", weight)).transpose()?;
        let weight = match (weight, raw.decides) {
            (Some(weight), _) => weight,
            (None, true) => WEIGHT_MAX,
            (None, false) => {
                let remedy = "add weight = 10, or decides = true";
                return Err(self.source.error(raw.id.span(), "weight", "the rule has no weight", remedy));
            }
        };
        Ok(Rule {
            id: RuleId::parse(self.source, &raw.id, ID_MAX)?,
            process: self.source.name("process", &raw.process)?,
            weight,
            decides: raw.decides,
            conditions,
        })
    }

    fn conditions(&mut self, raw: &RawRule) -> Result<Conditions, PolicyError> {
        let mut words = Vec::new();
        for (key, fields, list) in [
            ("subject", Fields::SUBJECT, &raw.subject),
            ("text", Fields::TEXT, &raw.text),
            ("attachment_name", Fields::NAME, &raw.attachment_name),
            ("attachment_text", Fields::DOCUMENT, &raw.attachment_text),
            ("anywhere", Fields::ANYWHERE, &raw.anywhere),
            ("recipient", Fields::RECIPIENT, &raw.recipient),
        ] {
            if let Some(any) = self.words(key, list)? {
                words.push(Words { key, fields, any });
            }
        }
        for any in self.lists("all", &raw.all)? {
            words.push(Words { key: "all", fields: Fields::TOGETHER, any });
        }
        Ok(Conditions {
            groups: self.listed("sender_group", &raw.sender_group, |source, key, entry| {
                source.name::<GroupId>(key, entry)
            })?,
            sender_domains: self.listed("sender_domain", &raw.sender_domain, lower)?,
            recipient_domains: self.listed("recipient_domain", &raw.recipient_domain, lower)?,
            not: self.words("not", &raw.not)?.unwrap_or_default(),
            types: self.listed("attachment_type", &raw.attachment_type, lower)?,
            tags: self.listed("tag", &raw.tag, kind)?,
            patterns: self.patterns(raw)?,
            words,
        })
    }

    fn listed<T>(
        &self,
        key: &str,
        list: &List,
        read: impl Fn(Source<'_>, &str, &Spanned<String>) -> Result<T, PolicyError>,
    ) -> Result<Option<Vec<T>>, PolicyError> {
        let Some(list) = list else { return Ok(None) };
        if list.as_ref().is_empty() {
            let remedy = "name at least one value, or remove the key";
            return Err(self.source.error(list.span(), key, "an empty list fits nothing", remedy));
        }
        list.as_ref().iter().map(|entry| read(self.source, key, entry)).collect::<Result<_, _>>().map(Some)
    }

    /// Lists of words, of each of which one must be there.
    fn lists(&mut self, key: &str, lists: &Lists) -> Result<Vec<Vec<WordId>>, PolicyError> {
        let Some(lists) = lists else { return Ok(Vec::new()) };
        if lists.as_ref().is_empty() {
            let remedy = "name at least one list of words, or remove the key";
            return Err(self.source.error(lists.span(), key, "an empty list asks for nothing", remedy));
        }
        let list = |list: &Entries| self.words(key, &Some(list.clone())).map(Option::unwrap_or_default);
        lists.as_ref().iter().map(list).collect()
    }

    fn words(&mut self, key: &str, list: &List) -> Result<Option<Vec<WordId>>, PolicyError> {
        let plain = |source: Source<'_>, key: &str, entry: &Spanned<String>| {
            source.words(key, entry, WORDS_MAX).map(|words| (words, entry.span()))
        };
        let Some(list) = self.listed(key, list, plain)? else { return Ok(None) };
        let mut ids = Vec::with_capacity(list.len());
        for (words, span) in list {
            let error = |problem, remedy| self.source.error(span, key, problem, remedy);
            if self.glossary.len() >= MOST_WORDS {
                return Err(error("the words together are too many", "use fewer words"));
            }
            let Some(id) = self.glossary.add(&words) else {
                return Err(error(
                    "there is no letter and no digit in it",
                    "write words as they stand in mails",
                ));
            };
            ids.push(id);
        }
        Ok(Some(ids))
    }

    fn patterns(&mut self, raw: &RawRule) -> Result<Vec<Pattern>, PolicyError> {
        let checked = |source: Source<'_>, key: &str, entry: &Spanned<String>| {
            regex(source, key, entry).map(|_| entry.as_ref().clone())
        };
        let subject = self.listed("subject_pattern", &raw.subject_pattern, checked)?;
        let text = self.listed("text_pattern", &raw.text_pattern, checked)?;
        let names = self.listed("attachment_name_pattern", &raw.attachment_name_pattern, checked)?;
        let mut patterns = Vec::new();
        let Drafts { subject: subjects, text: texts, names: all_names } = &mut self.patterns;
        patterns.extend(subject.map(|list| Pattern::Subject(drafted(subjects, list))));
        patterns.extend(text.map(|list| Pattern::Text(drafted(texts, list))));
        patterns.extend(names.map(|list| Pattern::AttachmentName(drafted(all_names, list))));
        if subjects.len() + texts.len() + all_names.len() > MOST_PATTERNS {
            let problem = format!("more than {MOST_PATTERNS} patterns");
            return Err(self.source.error(raw.id.span(), "rule", problem, "use words instead of patterns"));
        }
        for field in raw.header.iter().flatten() {
            let name = self.source.words("name", &field.name, WORDS_MAX)?;
            patterns.push(Pattern::Header(name, regex(self.source, "pattern", &field.pattern)?));
        }
        Ok(patterns)
    }
}

fn drafted(drafts: &mut Vec<String>, list: Vec<String>) -> Vec<usize> {
    let first = drafts.len();
    drafts.extend(list);
    (first..drafts.len()).collect()
}

impl Drafts {
    fn done(self) -> Option<Patterns> {
        let set = |patterns: Vec<String>| -> Option<RegexSet> {
            let mut builder = RegexSetBuilder::new(patterns);
            builder.case_insensitive(true).size_limit(PATTERNS_SIZE).build().ok()
        };
        Some(Patterns { subject: set(self.subject)?, text: set(self.text)?, names: set(self.names)? })
    }
}

/// A pattern that runs in linear time, which this kind of expression always does.
fn regex(source: Source<'_>, key: &str, raw: &Spanned<String>) -> Result<Regex, PolicyError> {
    let built = RegexBuilder::new(raw.as_ref()).case_insensitive(true).size_limit(PATTERN_SIZE).build();
    built.map_err(|error| {
        // The crate draws the pattern over several lines; its last line says what is wrong.
        let text = error.to_string();
        let problem = text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        source.error(raw.span(), key, format!("no regular expression: {problem}"), "correct the pattern")
    })
}

fn lower(source: Source<'_>, key: &str, entry: &Spanned<String>) -> Result<String, PolicyError> {
    source.words(key, entry, WORDS_MAX).map(|text| text.to_lowercase())
}

fn kind(source: Source<'_>, key: &str, entry: &Spanned<String>) -> Result<TagKind, PolicyError> {
    match entry.as_ref().as_str() {
        "mpan" => Ok(TagKind::Mpan),
        "mprn" => Ok(TagKind::Mprn),
        "reference" => Ok(TagKind::Reference),
        other => {
            let problem = format!("\"{other}\" is no kind of tag");
            Err(source.error(entry.span(), key, problem, "write \"mpan\", \"mprn\" or \"reference\""))
        }
    }
}
