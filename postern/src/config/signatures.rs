//! The section about signatures that people put on their mail: `[signatures]`.

use std::path::PathBuf;

use super::document::Document;
use super::key::{Form, OptionalKey, Section};
use super::value;

/// Whom Postern believes about S/MIME certificates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Signatures {
    pub(crate) authorities: Option<PathBuf>,
}

const AUTHORITIES: OptionalKey<PathBuf> = OptionalKey {
    name: "authorities",
    doc: "Certificates, in PEM, of the authorities that are trusted to say whose an S/MIME certificate is. Without them a signature \
          is shown as intact at best, by somebody whom nobody vouches for.",
    example: "\"certs/mail-authorities.pem\"",
    read: value::path,
};

pub(crate) const SIGNATURES: Section = Section {
    name: "signatures",
    doc: "Signatures on the mail of people. The result is stored and shown with the mail; none refuses it.",
    form: Form::One,
    keys: &[&AUTHORITIES],
};

impl Signatures {
    pub(crate) fn read(document: &Document<'_>) -> Option<Self> {
        let table = document.table(&SIGNATURES);
        let authorities = table.read_optional(&AUTHORITIES)?;
        Some(Self { authorities: authorities.map(|file| table.place(file)) })
    }
}
