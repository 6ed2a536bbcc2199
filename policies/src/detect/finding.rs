//! What was found: places for as long as the mail is in memory, and counts that may be kept. Never the values themselves.

use std::{fmt, ops::Range};

use super::{Category, Confidence};

/// Something that looks like personal data, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub category: Category,
    /// How sure that is.
    pub confidence: Confidence,
    /// Octets of the text it stands in, for a masked explanation. Not to be stored.
    pub span: Range<usize>,
    /// Which text that is.
    pub source: Source,
}

/// A text of a mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// The subject.
    Subject,
    /// The text of all bodies.
    Text,
    /// The file name of the part with this index.
    AttachmentName(u32),
    /// The text of the part with this index.
    Attachment(u32),
}

/// How often each category was found. What is kept of findings.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Findings {
    counting: [u32; Category::COUNT],
    below: [u32; Category::COUNT],
}

impl Findings {
    /// Whether nothing was found that counts as personal data.
    pub fn is_empty(&self) -> bool {
        self.counting.iter().all(|count| *count == 0)
    }

    /// How many of this category count.
    pub fn of(&self, category: Category) -> u32 {
        self.counting[category.index()]
    }

    /// How many of this category were too uncertain to count.
    pub fn below(&self, category: Category) -> u32 {
        self.below[category.index()]
    }

    /// The categories that count, with how many there are: none of them zero.
    pub fn counts(&self) -> impl Iterator<Item = (Category, u32)> + '_ {
        Category::all().map(|category| (category, self.of(category))).filter(|(_, count)| *count > 0)
    }

    /// How many count, of all categories together.
    pub fn total(&self) -> u32 {
        self.counting.iter().fold(0, |total, count| total.saturating_add(*count))
    }

    /// Adds those of another text.
    pub fn merge(&mut self, other: &Self) {
        let sum = |to: &mut [u32], from: &[u32]| {
            for (to, from) in to.iter_mut().zip(from) {
                *to = to.saturating_add(*from);
            }
        };
        sum(&mut self.counting, &other.counting);
        sum(&mut self.below, &other.below);
    }

    pub(super) fn add(&mut self, category: Category, counts: bool) {
        let counters = if counts { &mut self.counting } else { &mut self.below };
        let count = &mut counters[category.index()];
        *count = count.saturating_add(1);
    }
}

/// What an explanation says: `mpan 2, name 1`, or `none`.
impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("none");
        }
        for (at, (category, count)) in self.counts().enumerate() {
            let comma = if at == 0 { "" } else { ", " };
            write!(f, "{comma}{category} {count}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Findings({self})")
    }
}
