//! Detectors of personal data: numbers with their check digits, shapes with their surroundings, names, addresses and words
//! of illness, in the texts of one mail and its attachments. They say what is where and how sure that is; what follows
//! is the verdict rules' business. Linear in the size of the text; values never leave it.

mod category;
mod codes;
mod dates;
mod email;
mod file;
mod finding;
mod fold;
mod iban;
mod inspected;
mod known;
mod lexicon;
mod lines;
mod names;
mod numbers;
mod phone;
mod postcode;
mod quiet;
mod scan;
mod settings;
mod streets;
mod surroundings;

pub use category::{Category, Confidence, UnknownName};
pub use finding::{Finding, Findings, Source};
pub use inspected::{Business, Document, Inspected};

use crate::{PolicyError, source};

use file::RawDetectors;
use fold::Way;
use known::Known;
use lexicon::{Lexicon, Roles};
use scan::{Readers, Scan, Sort};
use settings::Settings;
use surroundings::{Decided, Surroundings};

const SHIPPED_NAME: &str = "shipped/detectors.toml";
const SHIPPED: &str = include_str!("../shipped/detectors.toml");
/// Name and text of the shipped file.
pub(crate) const FILE: (&str, &str) = (SHIPPED_NAME, SHIPPED);
/// Places in a text are kept in 32 bits; what is beyond is not looked at. No budget lets so much through.
const MOST_OCTETS: usize = u32::MAX as usize / 2;

/// How personal data are found, and what counts.
#[derive(Debug)]
pub struct Detectors {
    settings: Settings,
    lexicon: Lexicon,
    known: Known,
}

/// The findings of one mail so far.
#[derive(Default)]
struct Found {
    findings: Vec<Finding>,
    /// Those that count if the mail mentions gas anywhere.
    if_gas: Vec<usize>,
    gas: bool,
}

impl Detectors {
    /// The detectors that are part of the binary.
    pub fn shipped() -> Result<Self, PolicyError> {
        Self::parse(SHIPPED_NAME, SHIPPED)
    }

    /// Reads a file of detectors; `file` names it in errors.
    pub fn parse(file: &str, text: &str) -> Result<Self, PolicyError> {
        let source = source::Source::new(file, text);
        let raw: RawDetectors = source.read()?;
        Ok(Self {
            settings: Settings::new(source, &raw)?,
            lexicon: Lexicon::new(source, &raw)?,
            known: Known::new(source, &raw)?,
        })
    }

    /// All findings, also those too uncertain to count, text by text in their order.
    pub fn find(&self, inspected: &Inspected<'_>) -> Vec<Finding> {
        let Inspected { subject, text, attachments, business } = *inspected;
        let mut found = Found::default();
        self.look(subject, Source::Subject, business, &mut found);
        self.look(text, Source::Text, business, &mut found);
        for document in attachments {
            self.look(document.name, Source::AttachmentName(document.part), business, &mut found);
            self.look(document.text, Source::Attachment(document.part), business, &mut found);
        }
        let Found { mut findings, if_gas, gas } = found;
        for place in if_gas.into_iter().filter(|_| gas) {
            findings[place].confidence = Confidence::Likely;
        }
        findings
    }

    /// How many there are, and how many of them count.
    pub fn findings(&self, found: &[Finding]) -> Findings {
        let mut findings = Findings::default();
        for finding in found {
            findings.add(finding.category, self.counts(finding));
        }
        findings
    }

    /// Whether a finding is sure enough to count as personal data.
    pub fn counts(&self, finding: &Finding) -> bool {
        finding.confidence >= self.settings.of(finding.category).counts_from
    }

    /// Whether this is special category data (UK GDPR article 9).
    pub fn is_special(&self, category: Category) -> bool {
        self.settings.of(category).special
    }

    fn look(&self, text: &str, source: Source, business: &Business<'_>, found: &mut Found) {
        let text = &text[..text.floor_char_boundary(MOST_OCTETS.min(text.len()))];
        let folded = fold::plain(text);
        let sort = if matches!(source, Source::Attachment(_)) { Sort::File } else { Sort::Prose };
        let readers = Readers { lexicon: &self.lexicon, known: &self.known, business };
        let mut scan = Scan::of(&folded, sort, self.settings.signature_lines, readers);
        scan.candidates.sort_by_key(|candidate| candidate.start);
        found.gas |= scan.hits.iter().any(|hit| hit.roles.any(Roles::GAS));
        let mut decided = Surroundings::new(&scan, &self.settings).decide();
        decided.retain(|decided| !self.is_allowed(&folded, decided));
        let spans = spans(text, &folded, &decided);
        for (Decided { candidate, confidence, if_gas }, span) in decided.into_iter().zip(spans) {
            if if_gas {
                found.if_gas.push(found.findings.len());
            }
            found.findings.push(Finding { category: candidate.category, confidence, span, source });
        }
    }

    fn is_allowed(&self, text: &str, decided: &Decided) -> bool {
        let span = decided.candidate.start as usize..decided.candidate.end as usize;
        text.get(span).is_some_and(|value| self.known.is_allowed(value))
    }
}

/// Where the candidates of the folded text stand in the text itself.
fn spans(text: &str, folded: &str, decided: &[Decided]) -> Vec<std::ops::Range<usize>> {
    let places = |decided: &Decided| decided.candidate.start as usize..decided.candidate.end as usize;
    let mut spans: Vec<_> = decided.iter().map(places).collect();
    if folded.len() == text.len() && folded.is_ascii() {
        return spans;
    }
    let ends =
        spans.iter().enumerate().flat_map(|(at, span)| [(span.start, at, false), (span.end, at, true)]);
    let mut ends: Vec<_> = ends.collect();
    ends.sort_unstable();
    let mut way = Way::new(text);
    for (place, at, is_end) in ends {
        let place = way.back(place);
        if is_end { spans[at].end = place } else { spans[at].start = place }
    }
    spans
}

#[cfg(test)]
mod tests;
