//! The story of a decision: the same steps that the judge takes, each with what it saw, for people who want to know why.
//! It decides nothing itself, and it never repeats what was found: places are masked.

use crate::{
    Facts, Judged, Outcome, Recipient, RuleId, Ruleset, Verdict,
    classification::Mail,
    detect::{Category, Confidence, Document, Source},
    examples::word,
};

/// Everything that led to a judgement.
#[derive(Debug)]
pub struct Story<'a> {
    /// The judgement.
    pub judged: Judged,
    /// Each classification rule and what came of it.
    pub classification: Vec<Outcome<'a>>,
    /// What the detectors found, text by text.
    pub findings: Vec<Seen>,
    /// One for each recipient, in the order of the facts.
    pub recipients: Vec<Asked<'a>>,
}

/// Something that looks like personal data, without what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// What it looks like.
    pub category: Category,
    /// How sure that is.
    pub confidence: Confidence,
    /// Whether that is sure enough.
    pub counts: bool,
    /// Which text it stands in.
    pub source: Source,
    /// The line of that text, from 1.
    pub line: usize,
    /// Its shape: every digit as `#`, every letter as `x`.
    pub masked: String,
}

/// How the verdict rules were asked about one recipient.
#[derive(Debug)]
pub struct Asked<'a> {
    /// What is the case, in the words of the rule file; none for what comes back.
    pub circumstances: Option<String>,
    /// The rules that were tried, each with its first key that did not fit; the last one decided.
    pub tried: Vec<(&'a RuleId, Option<&'static str>)>,
}

impl Ruleset {
    /// Judges a mail and says how.
    pub fn story(&self, facts: &Facts<'_>) -> Story<'_> {
        let judged = self.judge(facts);
        let Facts { sender, message, documents, fields, .. } = *facts;
        let mail = Mail { sender, message, documents, fields, tags: &judged.tags };
        Story {
            classification: self.classification().outcomes(&mail),
            findings: self.seen(facts),
            recipients: facts
                .recipients
                .iter()
                .map(|recipient| self.asked_about(facts, &judged, recipient))
                .collect(),
            judged,
        }
    }

    fn seen(&self, facts: &Facts<'_>) -> Vec<Seen> {
        let found = self.found(facts);
        let seen = |finding: &crate::detect::Finding| {
            let text = text(facts, finding.source)?;
            Some(Seen {
                category: finding.category,
                confidence: finding.confidence,
                counts: self.detectors().counts(finding),
                source: finding.source,
                line: text.get(..finding.span.start)?.matches('\n').count() + 1,
                masked: masked(text.get(finding.span.clone())?),
            })
        };
        found.iter().filter_map(seen).collect()
    }

    fn asked_about(&self, facts: &Facts<'_>, judged: &Judged, recipient: &Recipient) -> Asked<'_> {
        let asked = self.tried(facts, judged, recipient);
        asked.unwrap_or(Asked { circumstances: None, tried: Vec::new() })
    }
}

impl Verdict {
    /// The verdict in the word of the rule files: `secure`, `relay`, `hold`, `refuse`; `return` for what came back.
    pub fn as_str(&self) -> &'static str {
        word(self)
    }
}

fn text<'a>(facts: &Facts<'a>, source: Source) -> Option<&'a str> {
    let document = |part: u32| -> Option<&'a Document<'a>> {
        facts.documents.iter().find(|document| document.part == part)
    };
    match source {
        Source::Subject => Some(&facts.message.headline.subject),
        Source::Text => Some(&facts.message.text),
        Source::AttachmentName(part) => document(part).map(|document| document.name),
        Source::Attachment(part) => document(part).map(|document| document.text),
    }
}

/// The shape of a text, at most 40 characters of it.
fn masked(text: &str) -> String {
    const LONGEST: usize = 40;
    let shape = |character: char| match character {
        c if c.is_numeric() => '#',
        c if c.is_alphabetic() => 'x',
        c if c.is_ascii_graphic() => c,
        _ => ' ',
    };
    text.chars().take(LONGEST).map(shape).collect()
}

#[cfg(test)]
mod tests {
    use mail::{Budget, ReversePath, Scan, Scanner};

    use super::*;
    use crate::{Passing, Protection, detect::Business};

    #[test]
    fn a_story_says_what_was_asked_and_never_what_was_found() {
        let rules = Ruleset::shipped().unwrap();
        let mut scanner = Scanner::new(Budget::default());
        scanner.feed(b"From: jo@alpha.example\r\nSubject: erroneous transfer\r\n\r\nDear all,\r\nMPAN 1200023305967\r\n");
        let message = scanner.finish();
        let story = rules.story(&Facts {
            sender: &"alpha".parse().unwrap(),
            passing: Passing::On,
            reverse_path: &ReversePath::Null,
            message: &message,
            recipients: &[Recipient::Outside, Recipient::Return],
            referenced: &[],
            scan: Scan::Off,
            protection: Protection::Tls,
            documents: &[],
            business: &Business::new(&|_: &str| false, &message.headline),
            fields: &[],
        });
        let seen: Vec<_> = story.findings.iter().filter(|seen| seen.category == Category::Mpan).collect();
        assert_eq!(seen.len(), 1, "{:?}", story.findings);
        assert_eq!((seen[0].line, seen[0].masked.as_str(), seen[0].counts), (2, "#############", true));
        let fits: Vec<_> = story.classification.iter().filter(|outcome| outcome.failed.is_none()).collect();
        assert_eq!(fits[0].rule.as_str(), "et-subject");
        let [outside, back] = &story.recipients[..] else { panic!() };
        assert!(
            outside
                .circumstances
                .as_ref()
                .unwrap()
                .starts_with("outside, sender_group alpha, personal_data found")
        );
        let (last, misfit) = outside.tried.last().unwrap();
        assert_eq!((last.as_str(), *misfit), ("refuse-personal-data-outside", None));
        assert_eq!(outside.tried[0].1, Some("recipient"));
        assert!(back.tried.is_empty() && back.circumstances.is_none());
        assert!(!format!("{:?}{:?}", story.findings, story.recipients).contains("1200023305967"));
    }

    #[test]
    fn any_text_has_a_shape() {
        assert_eq!(masked("Tel. 020 7946\n0000"), "xxx. ### #### ####");
        assert_eq!(masked(&"é".repeat(50)), "x".repeat(40));
    }
}
