//! Search tags out of the files of a mail: the meter points that the detectors found there, since a column's title far above
//! speaks for a number as a word beside it does; and references as everywhere.

use mail::Tag;

use crate::detect::{Category, Document, Finding, Source};

use super::{Found, TagRules};

impl TagRules {
    /// The tags so far, and those of the files behind them. `found` are the findings that count.
    pub(crate) fn with_files<'a>(
        &self,
        tags: Vec<Tag>,
        documents: &[Document<'_>],
        found: impl Iterator<Item = &'a Finding>,
    ) -> Vec<Tag> {
        let mut all = Found(tags);
        for document in documents {
            self.references(document.text, &mut all);
        }
        for finding in found {
            let Source::Attachment(part) = finding.source else { continue };
            let document = documents.iter().find(|document| document.part == part);
            let Some(value) = document.and_then(|document| document.text.get(finding.span.clone())) else {
                continue;
            };
            let tag = match finding.category {
                Category::Mpan => Tag::mpan(value),
                Category::Mprn => Tag::mprn(value),
                _ => None,
            };
            tag.into_iter().for_each(|tag| all.add(tag));
        }
        all.0
    }
}
