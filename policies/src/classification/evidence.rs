//! What a mail shows, gone through once for all rules, and what a rule asks of it. Nothing here weighs anything.

use mail::{GroupId, Message, PartRole, ProcessId, Tag, TagKind};
use regex::{Regex, RegexSet, SetMatches};

use super::{ClassificationRules, words::WordId};
use crate::{RuleId, detect::Document};

/// What a mail is about is said at its beginning; what follows is quoted, or is somebody's data.
const TEXT: usize = 16 * 1024;
/// Where words are still close together.
const BEGINNING: usize = 1_500;
const DOCUMENT: usize = 4 * 1024;
/// Documents that are looked at.
const DOCUMENTS: usize = 8;

/// The mail as the rules see it.
pub(crate) struct Mail<'a> {
    pub(crate) sender: &'a GroupId,
    pub(crate) message: &'a Message,
    pub(crate) documents: &'a [Document<'a>],
    pub(crate) fields: &'a [(&'a str, &'a str)],
    pub(crate) tags: &'a [Tag],
}

/// Where a word can stand: one bit each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fields(u8);

impl Fields {
    pub(super) const SUBJECT: Self = Self(1);
    pub(super) const TEXT: Self = Self(2);
    pub(super) const NAME: Self = Self(4);
    pub(super) const DOCUMENT: Self = Self(8);
    pub(super) const RECIPIENT: Self = Self(16);
    pub(super) const BEGINNING: Self = Self(32);
    pub(super) const ANYWHERE: Self = Self(1 | 2 | 4 | 8);
    /// Words that mean something only together are looked for close together: in a long text all of them come up some time.
    pub(super) const TOGETHER: Self = Self(1 | 4 | 32);
}

/// What a rule asks for: all of it must be so.
#[derive(Debug, Default)]
pub(super) struct Conditions {
    pub(super) groups: Option<Vec<GroupId>>,
    /// Lower case.
    pub(super) sender_domains: Option<Vec<String>>,
    pub(super) recipient_domains: Option<Vec<String>>,
    /// Of each list one word must be there.
    pub(super) words: Vec<Words>,
    /// None of these may be there.
    pub(super) not: Vec<WordId>,
    pub(super) patterns: Vec<Pattern>,
    /// Beginnings of media types, lower case.
    pub(super) types: Option<Vec<String>>,
    pub(super) tags: Option<Vec<TagKind>>,
}

#[derive(Debug)]
pub(super) struct Words {
    pub(super) key: &'static str,
    pub(super) fields: Fields,
    pub(super) any: Vec<WordId>,
}

/// Regular expressions that must fit: places in the sets of all rules, of which one is enough.
#[derive(Debug)]
pub(super) enum Pattern {
    Subject(Vec<usize>),
    Text(Vec<usize>),
    AttachmentName(Vec<usize>),
    /// A field of the header by its name.
    Header(String, Regex),
}

/// The regular expressions of all rules, so that a text is gone through once.
#[derive(Debug)]
pub(super) struct Patterns {
    pub(super) subject: RegexSet,
    pub(super) text: RegexSet,
    pub(super) names: RegexSet,
}

/// What came of one rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outcome<'a> {
    /// The rule.
    pub rule: &'a RuleId,
    /// What it speaks for.
    pub process: &'a ProcessId,
    /// How much it weighs.
    pub weight: u32,
    /// Whether it decides.
    pub decides: bool,
    /// The first key of it that did not fit; none where all of it did.
    pub failed: Option<&'static str>,
}

/// One mail, gone through.
pub(super) struct Evidence<'a> {
    mail: &'a Mail<'a>,
    /// For each word the fields that it stands in.
    seen: Vec<u8>,
    subject: SetMatches,
    text: SetMatches,
    names: Vec<SetMatches>,
    sender_domains: Vec<String>,
    recipient_domains: Vec<String>,
}

impl<'a> Evidence<'a> {
    pub(super) fn of(mail: &'a Mail<'a>, rules: &ClassificationRules) -> Self {
        let ClassificationRules { vocabulary, patterns, ignored, .. } = rules;
        let headline = &mail.message.headline;
        let mut seen = vec![0_u8; vocabulary.len()];
        let mut look = |text: &str, Fields(field): Fields| vocabulary.find(text, |word| seen[word] |= field);
        let (subject, text) = (beginning(&headline.subject, TEXT), beginning(&mail.message.text, TEXT));
        look(subject, Fields::SUBJECT);
        let mut before = 0;
        for text in ignored.without(text) {
            let near = beginning(text, BEGINNING.saturating_sub(before));
            look(near, Fields(Fields::TEXT.0 | Fields::BEGINNING.0));
            look(text, Fields::TEXT);
            before += text.len();
        }
        let names = files(mail.message).take(MOST_FILES).filter_map(|(name, _)| name);
        let names: Vec<&str> = names.map(|name| beginning(name, DOCUMENT)).collect();
        names.iter().for_each(|name| look(name, Fields::NAME));
        for document in mail.documents.iter().filter(|document| !document.text.is_empty()).take(DOCUMENTS) {
            look(beginning(document.text, DOCUMENT), Fields::DOCUMENT);
        }
        let mut recipient_domains = Vec::new();
        for address in addresses(headline.to.iter().chain(&headline.cc)) {
            let (local, domain) = address.rsplit_once('@').unwrap_or((address, ""));
            look(beginning(local, DOCUMENT), Fields::RECIPIENT);
            recipient_domains.push(domain.to_lowercase());
        }
        let domain = |address: &str| address.rsplit('@').next().unwrap_or_default().to_lowercase();
        let sender_domains = addresses(headline.from.iter()).map(domain).collect();
        Self {
            mail,
            seen,
            subject: patterns.subject.matches(subject),
            text: patterns.text.matches(text),
            names: names.iter().map(|name| patterns.names.matches(name)).collect(),
            sender_domains,
            recipient_domains,
        }
    }

    fn has(&self, word: WordId, Fields(fields): Fields) -> bool {
        self.seen.get(word.place()).is_some_and(|seen| seen & fields != 0)
    }
}

/// More of them are somebody's joke.
const MOST_FILES: usize = 100;
const MOST_ADDRESSES: usize = 100;
const MOST_FIELDS: usize = 1_000;

fn addresses<'a>(people: impl Iterator<Item = &'a mail::Person>) -> impl Iterator<Item = &'a str> {
    people.filter_map(|person| person.address.as_deref()).take(MOST_ADDRESSES)
}

/// Name and type of each file of the mail.
fn files(message: &Message) -> impl Iterator<Item = (Option<&str>, &str)> {
    let files = message.headline.parts.iter().filter(|part| part.role != PartRole::Body);
    files.map(|part| (part.name.as_deref(), part.media_type.as_str()))
}

impl Conditions {
    pub(super) fn asks_for_header(&self) -> bool {
        self.patterns.iter().any(|pattern| matches!(pattern, Pattern::Header(..)))
    }

    /// The key of the file whose condition is the first that is not so.
    pub(super) fn fit(&self, evidence: &Evidence<'_>) -> Result<(), &'static str> {
        let mail = evidence.mail;
        let so = |key, is: bool| if is { Ok(()) } else { Err(key) };
        let among = |wanted: &Option<Vec<String>>, is: &[String]| {
            wanted.as_ref().is_none_or(|wanted| is.iter().any(|is| wanted.contains(is)))
        };
        so("sender_group", self.groups.as_ref().is_none_or(|groups| groups.contains(mail.sender)))?;
        so("sender_domain", among(&self.sender_domains, &evidence.sender_domains))?;
        so("recipient_domain", among(&self.recipient_domains, &evidence.recipient_domains))?;
        so(
            "tag",
            self.tags.as_ref().is_none_or(|kinds| mail.tags.iter().any(|tag| kinds.contains(&tag.kind()))),
        )?;
        for words in &self.words {
            so(words.key, words.any.iter().any(|word| evidence.has(*word, words.fields)))?;
        }
        so("not", !self.not.iter().any(|word| evidence.has(*word, Fields::ANYWHERE)))?;
        so("attachment_type", self.types.as_ref().is_none_or(|types| has_type(mail.message, types)))?;
        for pattern in &self.patterns {
            so(pattern.key(), pattern.fits(evidence))?;
        }
        Ok(())
    }
}

fn has_type(message: &Message, types: &[String]) -> bool {
    files(message).take(MOST_FILES).any(|(_, is)| types.iter().any(|wanted| is.starts_with(wanted.as_str())))
}

impl Pattern {
    fn fits(&self, evidence: &Evidence<'_>) -> bool {
        let one = |wanted: &[usize], matches: &SetMatches| wanted.iter().any(|place| matches.matched(*place));
        match self {
            Self::Subject(wanted) => one(wanted, &evidence.subject),
            Self::Text(wanted) => one(wanted, &evidence.text),
            Self::AttachmentName(wanted) => evidence.names.iter().any(|matches| one(wanted, matches)),
            Self::Header(wanted, regex) => {
                let fields = evidence.mail.fields.iter().take(MOST_FIELDS);
                let mut fields = fields.filter(|(name, _)| name.eq_ignore_ascii_case(wanted));
                fields.any(|(_, value)| regex.is_match(beginning(value, DOCUMENT)))
            }
        }
    }

    fn key(&self) -> &'static str {
        match self {
            Self::Subject(_) => "subject_pattern",
            Self::Text(_) => "text_pattern",
            Self::AttachmentName(_) => "attachment_name_pattern",
            Self::Header(..) => "header",
        }
    }
}

fn beginning(text: &str, most: usize) -> &str {
    &text[..text.floor_char_boundary(most)]
}
