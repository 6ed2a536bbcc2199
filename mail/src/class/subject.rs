//! A mail's subject, made ready to be compared with the subjects under which machines write. Knows nothing of the rest of
//! the mail.

use super::phrases::{self, List};

/// Lower case, without what filters and lists put in front: `[tag]`, `***SPAM***`.
#[derive(Debug)]
pub(super) struct Subject {
    text: String,
    /// The phrases with which it begins, and where each ends.
    begun: Vec<(List, usize)>,
}

impl Subject {
    pub(super) fn of(subject: &str) -> Self {
        let text = untagged(&subject.to_lowercase());
        Self { begun: phrases::begun(&text), text }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn begins(&self, list: List) -> bool {
        self.begun.iter().any(|(found, _)| *found == list)
    }

    /// Whether it is that of an automatic answer.
    pub(super) fn is_automatic(&self) -> bool {
        self.behind(List::AutoSubjects).any(ends_phrase)
    }

    /// Whether it is that of an answer or of a mail passed on.
    pub(super) fn answers(&self) -> bool {
        self.begins(List::Answers)
    }

    pub(super) fn asks(&self) -> bool {
        self.text.contains('?')
    }

    /// How much it is that of an absence: 2 for one that says nothing else, 1 for one that goes on.
    pub(super) fn absence(&self) -> i32 {
        if self.text.contains("is out of the office") {
            return 2;
        }
        let points = |rest| if ends_phrase(rest) { 2 } else { i32::from(rest.starts_with(' ')) };
        self.behind(List::AwaySubjects).map(points).max().unwrap_or_default()
    }

    /// What follows each phrase of a list.
    fn behind(&self, list: List) -> impl Iterator<Item = &str> {
        let ends = self.begun.iter().filter(move |(found, _)| *found == list);
        ends.filter_map(|(_, end)| self.text.get(*end..))
    }
}

fn untagged(subject: &str) -> String {
    let mut rest = subject;
    loop {
        let plain = rest.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '[');
        rest = match plain.strip_prefix('[').and_then(|tag| tag.split_once(']')) {
            // A tag that names a responder is no list's.
            Some((tag, _)) if phrases::begun(tag).contains(&(List::AutoSubjects, tag.len())) => {
                return tag.to_owned();
            }
            Some((_, behind)) if behind.contains(char::is_alphanumeric) => behind,
            Some(_) | None => return plain.trim_start_matches(|c: char| !c.is_alphanumeric()).to_owned(),
        };
    }
}

/// Whether `rest` shows that a phrase of a subject has ended: no sentence of a person goes on like this.
fn ends_phrase(rest: &str) -> bool {
    let rest = rest.trim_start();
    rest.is_empty()
        || rest.starts_with([':', '：', '"', '“', '(', '[', '.', '!', '<'])
        || rest.starts_with("- re:")
}
