//! The section about counts that reports are made of: `[reports]`.

use super::document::Document;
use super::key::{Form, Key, Section};
use super::value;

/// How long counts are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Reports {
    pub(crate) keep_months: u32,
}

const KEEP_MONTHS: Key<u32> = Key {
    name: "keep_months",
    doc: "Months of which reports keep their counts. How many cases are open stays right beyond that.",
    default: Some("25"),
    example: "",
    read: |value| value::whole(value, 2, 240),
};

pub(crate) const REPORTS: Section = Section {
    name: "reports",
    doc: "What is counted for reports; counts hold no content and no address.",
    form: Form::One,
    keys: &[&KEEP_MONTHS],
};

impl Reports {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        Some(Self { keep_months: document.table(&REPORTS).read(&KEEP_MONTHS)? })
    }
}
