//! The section about copies of mail that companies' own mail systems send: `[journal]`.

use mail::Address;
use toml::de::DeValue;

use super::document::Document;
use super::key::{Form, Key, Section, Wrong};
use super::{outward, value};

/// Where copies are taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Journal {
    pub(crate) addresses: Vec<Address>,
}

const ADDRESSES: Key<Vec<Address>> = Key {
    name: "addresses",
    doc: "The addresses that take journal reports, at the reply_domain of [notices], such as [\"journal@post.example.org\"]. They take \
          them from registered networks and client certificates alone.",
    default: Some("[]"),
    example: "",
    read: addresses,
};

pub(crate) const JOURNAL: Section = Section {
    name: "journal",
    doc: "Copies of mail that goes another way, as Exchange journals it (envelope journaling): what would become of it is counted for \
          shadow mode, and nothing of it is kept.",
    form: Form::One,
    keys: &[&ADDRESSES],
};

impl Journal {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        Some(Self { addresses: document.table(&JOURNAL).read(&ADDRESSES)? })
    }
}

fn addresses(value: &DeValue<'_>) -> Result<Vec<Address>, Wrong> {
    value::list(value, outward::address)
}
