//! Lists that are asked about a value once it was read: words that are no names, services where private people have their
//! mail, numbers and addresses of companies. Nothing here is looked for in a text.

use toml::Spanned;

use crate::{PolicyError, source::Source};

use super::{file::RawDetectors, fold};

const LONGEST: usize = 100;

#[derive(Debug)]
pub(super) struct Known {
    no_names: Vec<String>,
    services: Vec<String>,
    roles: Vec<String>,
    prefixes: Vec<String>,
    allowed: Vec<String>,
}

impl Known {
    pub(super) fn new(source: Source<'_>, raw: &RawDetectors) -> Result<Self, PolicyError> {
        let lower = |text: &str| fold::plain(text).to_lowercase();
        Ok(Self {
            no_names: list(source, "never", &raw.names.never, lower)?,
            services: list(source, "services", &raw.email_addresses.services, lower)?,
            roles: list(source, "roles", &raw.email_addresses.roles, lower)?,
            prefixes: list(source, "telephone_prefixes", &raw.companies.telephone_prefixes, bare)?,
            allowed: list(source, "allowed", &raw.companies.allowed, bare)?,
        })
    }

    /// Whether a word, in lower case, is no part of a name.
    pub(super) fn is_no_name(&self, word: &str) -> bool {
        has(&self.no_names, word)
    }

    /// Whether private people have their mail there.
    pub(super) fn is_service(&self, domain: &str) -> bool {
        has(&self.services, domain)
    }

    /// Whether no single person is behind a local part.
    pub(super) fn is_role(&self, local: &str) -> bool {
        has(&self.roles, local)
    }

    /// Whether a national telephone number begins as those of companies do.
    pub(super) fn is_company_number(&self, begin: &str) -> bool {
        self.prefixes.iter().any(|prefix| begin.starts_with(prefix.as_str()))
    }

    /// Whether the file allows this very value.
    pub(super) fn is_allowed(&self, value: &str) -> bool {
        !self.allowed.is_empty() && has(&self.allowed, &bare(value))
    }
}

fn has(list: &[String], value: &str) -> bool {
    list.binary_search_by(|known| known.as_str().cmp(value)).is_ok()
}

fn list(
    source: Source<'_>,
    key: &str,
    raw: &[Spanned<String>],
    form: impl Fn(&str) -> String,
) -> Result<Vec<String>, PolicyError> {
    let value = |entry| source.words(key, entry, LONGEST).map(|text| form(&text));
    let mut list = raw.iter().map(value).collect::<Result<Vec<_>, _>>()?;
    list.sort_unstable();
    Ok(list)
}

/// Without what people put between the characters of a number.
fn bare(text: &str) -> String {
    let plain = fold::plain(text).to_lowercase();
    plain.chars().filter(|c| !(c.is_whitespace() || matches!(c, '-' | '(' | ')'))).collect()
}
