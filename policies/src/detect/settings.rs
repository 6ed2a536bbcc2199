//! What the file of the detectors says, checked: for each category whether it is looked for, how far words reach and
//! from which confidence it counts. It holds no words; those are the lexicon's.

use std::ops::RangeInclusive;

use toml::Spanned;

use crate::{PolicyError, source::Source};

use super::{Category, Confidence, file::RawDetectors};

/// A word farther away says nothing; and a window is looked through for each number.
const WINDOW: RangeInclusive<u32> = 1..=1_000;
const SIGNATURE_LINES: RangeInclusive<u32> = 1..=100;

#[derive(Debug)]
pub(super) struct Settings {
    each: [Setting; Category::COUNT],
    pub(super) signature_lines: u32,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) on: bool,
    pub(super) counts_from: Confidence,
    pub(super) window: usize,
    pub(super) special: bool,
}

impl Settings {
    pub(super) fn new(source: Source<'_>, raw: &RawDetectors) -> Result<Self, PolicyError> {
        let off = Setting { on: false, counts_from: Confidence::Certain, window: 0, special: false };
        let mut each = [off; Category::COUNT];
        for (category, setting) in Category::all().zip(&mut each) {
            let raw = raw.of(category);
            *setting = Setting {
                on: raw.on,
                counts_from: source.name("counts_from", &raw.counts_from)?,
                window: within(source, "window", &raw.window, WINDOW)? as usize,
                special: raw.special,
            };
        }
        let lines = within(source, "lines", &raw.signatures.lines, SIGNATURE_LINES)?;
        Ok(Self { each, signature_lines: lines })
    }

    pub(super) fn of(&self, category: Category) -> Setting {
        self.each[category.index()]
    }
}

fn within(
    source: Source<'_>,
    key: &str,
    value: &Spanned<u32>,
    range: RangeInclusive<u32>,
) -> Result<u32, PolicyError> {
    let (number, (least, most)) = (*value.as_ref(), (range.start(), range.end()));
    if range.contains(&number) {
        return Ok(number);
    }
    let problem = format!("{number} is out of range");
    Err(source.error(value.span(), key, problem, format_args!("write a number from {least} to {most}")))
}
