//! Examples as they are written, and the way from them to mails, with each mistake named at its line.

use std::collections::BTreeMap;

use mail::{Address, Class, Defect, Headline, Message, Part, PartRole, Person, Scan};
use serde::Deserialize;
use toml::Spanned;

use super::{Example, Expected, Mail, NONE, SampleMarket, market};
use crate::{Passing, PolicyError, Protection, detect::Category, source::Source};

const NAME_MAX: usize = 120;
const AUTHOR: &str = "ann@alpha.example";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawExample {
    name: Spanned<String>,
    from: Option<Spanned<String>>,
    to: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    subject: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    attachments: Vec<RawAttachment>,
    #[serde(default)]
    header: BTreeMap<String, String>,
    class: Option<Spanned<String>>,
    #[serde(default)]
    opaque: bool,
    #[serde(default)]
    unread: bool,
    scan: Option<Spanned<String>>,
    tls: Option<Protection>,
    #[serde(default = "yes")]
    relay: bool,
    verdict: Option<Spanned<String>>,
    rule: Option<String>,
    signal: Option<Spanned<String>>,
    process: Option<String>,
    classified: Option<String>,
    findings: Option<BTreeMap<Spanned<String>, u32>>,
    tags: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawAttachment {
    name: String,
    #[serde(default = "octets", rename = "type")]
    media_type: String,
    #[serde(default)]
    text: String,
}

fn yes() -> bool {
    true
}

fn octets() -> String {
    "application/octet-stream".to_owned()
}

pub(super) fn parse(source: Source<'_>, file: &str) -> Result<Vec<Example>, PolicyError> {
    let all: Vec<RawExample> = source.examples()?;
    all.iter().map(|raw| example(source, file, raw)).collect()
}

fn example(source: Source<'_>, file: &str, raw: &RawExample) -> Result<Example, PolicyError> {
    Ok(Example {
        file: file.to_owned(),
        line: source.line(raw.name.span().start),
        name: source.words("name", &raw.name, NAME_MAX)?,
        mail: mail(source, raw)?,
        expected: expected(source, raw)?,
    })
}

fn mail(source: Source<'_>, raw: &RawExample) -> Result<Mail, PolicyError> {
    let to = raw.to.as_ref().iter().map(|to| address(source, "to", to)).collect::<Result<Vec<_>, _>>()?;
    if to.is_empty() {
        return Err(source.error(raw.to.span(), "to", "the mail goes to nobody", "write an address"));
    }
    let written = Spanned::new(raw.name.span(), AUTHOR.to_owned());
    let author = raw.from.as_ref().unwrap_or(&written);
    let from = address(source, "from", author)?;
    let Some(sender) = SampleMarket::company(from.domain()) else {
        let remedy = format!("write an address at one of {}", market::COMPANIES.join(", "));
        return Err(source.error(author.span(), "from", "nobody knows the author's company", remedy));
    };
    Ok(Mail {
        message: message(source, raw, &from, &to)?,
        sender,
        from,
        to,
        attachments: raw.attachments.iter().map(|file| (file.name.clone(), file.text.clone())).collect(),
        fields: raw.header.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        passing: if raw.relay { Passing::On } else { Passing::Off },
        scan: one_of(source, "scan", raw.scan.as_ref(), &SCANS)?.unwrap_or(Scan::Off),
        protection: raw.tls.unwrap_or(Protection::Tls),
    })
}

const SCANS: [(&str, Scan); 4] =
    [("off", Scan::Off), ("clean", Scan::Clean), ("found", Scan::Found), ("not-checked", Scan::NotChecked)];
const CLASSES: [(&str, Class); 8] = [
    ("human", Class::Human),
    ("auto-reply", Class::AutoReply),
    ("bounce", Class::Bounce),
    ("receipt", Class::Receipt),
    ("calendar", Class::Calendar),
    ("recall", Class::Recall),
    ("list", Class::List),
    ("empty", Class::Empty),
];
const VERDICTS: [(&str, &str); 4] =
    [("secure", "secure"), ("relay", "relay"), ("hold", "hold"), ("refuse", "refuse")];
const SIGNALS: [(&str, &str); 7] = [
    ("reply-address", "reply-address"),
    ("references", "references"),
    ("mailbox", "mailbox"),
    ("plus-address", "plus-address"),
    ("subject-code", "subject-code"),
    ("rules", "rules"),
    (NONE, NONE),
];

fn one_of<T: Copy>(
    source: Source<'_>,
    key: &str,
    raw: Option<&Spanned<String>>,
    words: &[(&str, T)],
) -> Result<Option<T>, PolicyError> {
    let Some(raw) = raw else { return Ok(None) };
    if let Some((_, value)) = words.iter().find(|(word, _)| word == raw.as_ref()) {
        return Ok(Some(*value));
    }
    let all: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
    let problem = format!("\"{}\" is unknown", raw.as_ref());
    Err(source.error(raw.span(), key, problem, format!("use one of {}", all.join(", "))))
}

fn address(source: Source<'_>, key: &str, raw: &Spanned<String>) -> Result<Address, PolicyError> {
    Address::parse(raw.as_ref())
        .map_err(|error| source.error(raw.span(), key, error, "write an address such as \"jo@beta.example\""))
}

fn message(
    source: Source<'_>,
    raw: &RawExample,
    from: &Address,
    to: &[Address],
) -> Result<Message, PolicyError> {
    let person = |address: &Address| Person { name: None, address: Some(address.key()) };
    let headline = Headline {
        subject: raw.subject.clone(),
        from: vec![person(from)],
        to: to.iter().map(person).collect(),
        parts: raw.attachments.iter().map(part).collect(),
        defects: raw.opaque.then_some(Defect::Opaque).into_iter().collect(),
        ..Headline::default()
    };
    Ok(Message {
        headline,
        class: one_of(source, "class", raw.class.as_ref(), &CLASSES)?.unwrap_or(Class::Human),
        in_reply_to: Vec::new(),
        references: Vec::new(),
        text: raw.text.clone(),
        text_complete: !raw.unread && !raw.opaque,
        hops: 0,
        report: None,
        away: None,
    })
}

fn part(raw: &RawAttachment) -> Part {
    Part {
        offset: 0,
        length: raw.text.len() as u64,
        encoding: mail::Encoding::Identity,
        media_type: raw.media_type.to_lowercase(),
        charset: None,
        name: Some(raw.name.clone()),
        content_id: None,
        role: PartRole::Attachment,
        inside: None,
    }
}

fn expected(source: Source<'_>, raw: &RawExample) -> Result<Expected, PolicyError> {
    let RawExample { rule, process, classified, tags, .. } = raw;
    let expected = Expected {
        verdict: one_of(source, "verdict", raw.verdict.as_ref(), &VERDICTS)?.map(str::to_owned),
        rule: rule.clone(),
        signal: one_of(source, "signal", raw.signal.as_ref(), &SIGNALS)?.map(str::to_owned),
        process: process.clone(),
        classified: classified.clone(),
        findings: raw.findings.as_ref().map(|findings| counts(source, findings)).transpose()?,
        tags: tags.clone().map(|mut tags| {
            tags.sort_unstable();
            tags
        }),
    };
    if matches!(
        expected,
        Expected {
            verdict: None,
            rule: None,
            signal: None,
            process: None,
            classified: None,
            findings: None,
            tags: None
        }
    ) {
        let remedy = "add what must come of it: verdict, rule, signal, process, classified, findings or tags";
        return Err(source.error(raw.name.span(), "example", "the example says nothing", remedy));
    }
    Ok(expected)
}

fn counts(
    source: Source<'_>,
    raw: &BTreeMap<Spanned<String>, u32>,
) -> Result<Vec<(Category, u32)>, PolicyError> {
    let mut counts = Vec::new();
    for (name, count) in raw {
        let category: Category = name.as_ref().parse().map_err(|unknown| {
            let all: Vec<&str> = Category::all().map(Category::as_str).collect();
            source.error(name.span(), "findings", unknown, format!("use one of {}", all.join(", ")))
        })?;
        counts.extend((*count > 0).then_some((category, *count)));
    }
    counts.sort_unstable();
    Ok(counts)
}
