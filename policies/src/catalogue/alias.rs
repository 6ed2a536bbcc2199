//! Names out of other systems' exports: `[branch]process - contact type`, spelt in many ways. It never guesses: two
//! things of one name are a mistake of the catalogue, and a name that is not known means nothing.

use std::collections::HashMap;

use mail::{ContactType, ProcessId};

use super::Branch;

/// A longer name is no name of a message type.
const LONGEST: usize = 200;
/// What stands between process and contact type.
const DASHES: [char; 4] = ['-', '\u{2013}', '\u{2014}', ':'];

/// Plain name → what it means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Aliases {
    pub(super) processes: HashMap<String, ProcessId>,
    pub(super) contact_types: HashMap<String, ContactType>,
    pub(super) branches: HashMap<String, Branch>,
}

impl Aliases {
    pub(super) fn find(&self, name: &str) -> Option<(&ProcessId, &ContactType, Option<&Branch>)> {
        if name.len() > LONGEST {
            return None;
        }
        let name = name.trim();
        let (branch, rest) = match name.strip_prefix('[').and_then(|inside| inside.split_once(']')) {
            Some((branch, rest)) => (Some(self.branches.get(&plain(branch))?), rest),
            None => (None, name),
        };
        // Names have hyphens of their own, so each dash is tried; the last one first, since rungs have short names.
        rest.rmatch_indices(DASHES).find_map(|(at, dash)| {
            let process = self.processes.get(&plain(&rest[..at]))?;
            let contact_type = self.contact_types.get(&plain(&rest[at + dash.len()..]))?;
            Some((process, contact_type, branch))
        })
    }
}

/// The name without capitals, spaces, punctuation and the plural of its words.
pub(super) fn plain(name: &str) -> String {
    let words = name.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(|word| singular(&word.to_lowercase())).collect()
}

/// The same for one word of English; what it makes of a word is compared and never shown.
fn singular(word: &str) -> String {
    let stem = |end: &str| word.strip_suffix(end).filter(|stem| stem.chars().count() > 2);
    if let Some(stem) = stem("ies") {
        return format!("{stem}y");
    }
    if ["sses", "shes", "ches", "xes"].iter().any(|end| word.ends_with(end)) {
        return stem("es").unwrap_or(word).to_owned();
    }
    match stem("s") {
        Some(stem) if !stem.ends_with(['s', 'u', 'i']) => stem.to_owned(),
        _ => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_name_has_no_case_space_or_plural() {
        for (one, other) in [
            ("Erroneous Transfers", "erroneous-transfer"),
            ("Erroneous  switches", "Erroneous Switch"),
            ("Contract Manager Queries", "contract manager query"),
            ("Mis-directed Payments", "Misdirected payment"),
            ("Crossed  Meters", "CrossedMeter"),
            ("Metering Point Addresses", "metering point address"),
        ] {
            assert_eq!(plain(one), plain(other));
        }
        assert_eq!(plain("Status"), "status");
        assert_eq!(plain("gas"), "gas", "three letters are no plural");
        assert_ne!(plain("Escalation 1"), plain("Escalation 2"));
        assert_eq!(plain(" -– "), "");
    }
}
