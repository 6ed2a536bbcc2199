//! The words of the detectors, and what each says about what stands near it. Looked up by a code that is worked out while
//! a word is read, without regard to case, plural and genitive; phrases may be parted by spaces, hyphens and line breaks.

use toml::Spanned;

use crate::{PolicyError, source::Source};

use super::{Category, file::RawDetectors, fold};

const WORD_MAX: usize = 60;
/// Octets between two words of a phrase: a line break of a quoted reply has four.
const GAP: usize = 4;
const SLOT_BITS: u32 = 12;
/// A bit for each code, in so few octets that they stay near the processor: nearly every word of a text is none of ours, and
/// is passed over by it.
const FILTER_BITS: u32 = 15;
/// First words of phrases.
const MOST_WORDS: usize = 10_000;

/// What a word says: a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Roles(u32);

/// A word or phrase of the lexicon in a text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hit {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) roles: Roles,
}

/// The words of all lists.
#[derive(Debug)]
pub(super) struct Lexicon {
    /// Places in `entries`, counted from 1, by the code of the first word.
    slots: Vec<u16>,
    filter: Box<[u64; 1 << (FILTER_BITS - 6)]>,
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    code: u64,
    word: Vec<u8>,
    roles: Roles,
    /// Longest first.
    phrases: Vec<Phrase>,
}

#[derive(Debug)]
struct Phrase {
    rest: Vec<Vec<u8>>,
    roles: Roles,
}

impl Roles {
    pub(super) const NONE: Self = Self(0);
    pub(super) const CONSUMER: Self = Self(1 << 17);
    pub(super) const COMPANY: Self = Self(1 << 18);
    pub(super) const CLOSING: Self = Self(1 << 19);
    pub(super) const DISCLAIMER: Self = Self(1 << 20);
    pub(super) const TITLE: Self = Self(1 << 21);
    pub(super) const STREET: Self = Self(1 << 22);
    pub(super) const ILLNESS: Self = Self(1 << 23);
    pub(super) const GREETING: Self = Self(1 << 24);
    pub(super) const SERIAL_LABEL: Self = Self(1 << 25);
    /// An address of staff in the text.
    pub(super) const STAFF: Self = Self(1 << 26);
    pub(super) const GAS: Self = Self(1 << 27);
    /// Any category.
    pub(super) const LABEL: Self = Self((1 << 17) - 1);

    pub(super) const fn of(category: Category) -> Self {
        Self(1 << category as u32)
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether they have one in common.
    pub(super) const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// How many labels of categories there are among them.
    pub(super) const fn labels(self) -> u32 {
        (self.0 & Self::LABEL.0).count_ones()
    }
}

/// The code of a word, letter by letter. Words of up to twelve letters have codes of their own.
pub(super) const fn code(so_far: u64, letter: u8) -> u64 {
    so_far.rotate_left(5) ^ (letter & 0x1f) as u64
}

/// The code before its last letter.
const fn shorter(code: u64, last: u8) -> u64 {
    (code ^ (last & 0x1f) as u64).rotate_right(5)
}

impl Lexicon {
    pub(super) fn new(source: Source<'_>, raw: &RawDetectors) -> Result<Self, PolicyError> {
        let mut lexicon = Self {
            slots: vec![0; 1 << SLOT_BITS],
            filter: Box::new([0; 1 << (FILTER_BITS - 6)]),
            entries: Vec::new(),
        };
        for category in Category::all() {
            let raw = raw.of(category);
            lexicon.add(source, "words", &raw.words, Roles::of(category))?;
        }
        let lists = [
            ("words", &raw.mprn_anywhere.words, Roles::GAS),
            ("labels", &raw.meter_serial_labels.labels, Roles::SERIAL_LABEL),
            ("words", &raw.vulnerability_near_consumers.words, Roles::ILLNESS),
            ("words", &raw.consumers.words, Roles::CONSUMER),
            ("words", &raw.companies.words, Roles::COMPANY),
            ("closings", &raw.signatures.closings, Roles::CLOSING),
            ("disclaimers", &raw.signatures.disclaimers, Roles::DISCLAIMER),
            ("titles", &raw.names.titles, Roles::TITLE),
            ("greetings", &raw.names.greetings, Roles::GREETING),
            ("streets", &raw.addresses.streets, Roles::STREET),
        ];
        for (key, words, roles) in lists {
            lexicon.add(source, key, words, roles)?;
        }
        lexicon.lay_out();
        Ok(lexicon)
    }

    /// What the word of `bytes[start..end]` and the phrases that begin with it say, the longest first; `code` is its code.
    #[inline]
    pub(super) fn look(&self, bytes: &[u8], start: usize, end: usize, code: u64, hit: impl FnMut(Hit)) {
        let last = bytes[end - 1];
        let plural = last | 0x20 == b's';
        if self.may_be(code) || plural && self.may_be_plural(bytes, end, code) {
            self.look_closely(bytes, start, end, code, hit);
        }
    }

    /// What a single word says, in whatever case.
    pub(super) fn roles(&self, word: &[u8]) -> Roles {
        let mut roles = Roles::NONE;
        let whole = word.iter().fold(0, |so_far, letter| code(so_far, *letter));
        if !word.is_empty() {
            self.look(word, 0, word.len(), whole, |hit| {
                if hit.end as usize == word.len() {
                    roles = roles.and(hit.roles);
                }
            });
        }
        roles
    }

    #[inline]
    fn may_be(&self, code: u64) -> bool {
        let bit = spread(code, FILTER_BITS);
        self.filter[bit >> 6] & 1 << (bit & 63) != 0
    }

    #[inline]
    fn may_be_plural(&self, bytes: &[u8], end: usize, code: u64) -> bool {
        let one = shorter(code, bytes[end - 1]);
        self.may_be(one) || end > 1 && bytes[end - 2] == b'\'' && self.may_be(shorter(one, b'\''))
    }

    fn look_closely(&self, bytes: &[u8], start: usize, end: usize, code: u64, mut hit: impl FnMut(Hit)) {
        let word = &bytes[start..end];
        let singular = word.strip_suffix(b"s").or_else(|| word.strip_suffix(b"S")).unwrap_or_default();
        let genitive = singular.strip_suffix(b"'").unwrap_or_default();
        let entry = self
            .entry(word, code)
            .or_else(|| self.entry(singular, shorter(code, word[word.len() - 1])))
            .or_else(|| self.entry(genitive, shorter(shorter(code, b's'), b'\'')));
        let Some(entry) = entry else { return };
        for phrase in &entry.phrases {
            if let Some(end) = phrase.end(bytes, end) {
                hit(Hit { start: start as u32, end: end as u32, roles: phrase.roles });
            }
        }
        if entry.roles != Roles::NONE {
            hit(Hit { start: start as u32, end: end as u32, roles: entry.roles });
        }
    }

    fn entry(&self, word: &[u8], code: u64) -> Option<&Entry> {
        if word.is_empty() {
            return None;
        }
        let mut at = slot(code);
        loop {
            let place = usize::from(self.slots[at]).checked_sub(1)?;
            let entry = &self.entries[place];
            if entry.code == code && entry.word.eq_ignore_ascii_case(word) {
                return Some(entry);
            }
            at = (at + 1) % self.slots.len();
        }
    }

    fn add(
        &mut self,
        source: Source<'_>,
        key: &str,
        list: &[Spanned<String>],
        roles: Roles,
    ) -> Result<(), PolicyError> {
        for entry in list {
            if self.entries.len() >= MOST_WORDS {
                let problem = format!("more than {MOST_WORDS} words in the file");
                return Err(source.error(entry.span(), key, problem, "keep the words that matter"));
            }
            let text = source.words(key, entry, WORD_MAX)?;
            let mut words = words(&text).into_iter();
            let first = words.next().filter(|word| word[0].is_ascii_alphabetic() || !word[0].is_ascii());
            let Some(first) = first else {
                let problem = format!("\"{text}\" does not begin with a letter");
                return Err(source.error(entry.span(), key, problem, "write words"));
            };
            self.insert(first, words.collect(), roles);
        }
        Ok(())
    }

    fn insert(&mut self, word: Vec<u8>, rest: Vec<Vec<u8>>, roles: Roles) {
        let place = self.entries.iter().position(|entry| entry.word == word).unwrap_or_else(|| {
            let code = word.iter().fold(0, |so_far, letter| code(so_far, *letter));
            self.entries.push(Entry { code, word, roles: Roles::NONE, phrases: Vec::new() });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place];
        if rest.is_empty() {
            entry.roles = entry.roles.and(roles);
        } else if let Some(phrase) = entry.phrases.iter_mut().find(|phrase| phrase.rest == rest) {
            phrase.roles = phrase.roles.and(roles);
        } else {
            entry.phrases.push(Phrase { rest, roles });
        }
    }

    /// Twice as many slots as it takes to keep most of them empty: nearly every word of a text is none of ours.
    fn lay_out(&mut self) {
        let wanted = (self.entries.len() * 2).next_power_of_two();
        self.slots.resize(self.slots.len().max(wanted), 0);
        for (place, entry) in self.entries.iter_mut().enumerate() {
            entry.phrases.sort_by_key(|phrase| std::cmp::Reverse(phrase.rest.len()));
            let bit = spread(entry.code, FILTER_BITS);
            self.filter[bit >> 6] |= 1 << (bit & 63);
            let mut at = slot(entry.code);
            while self.slots[at] != 0 {
                at = (at + 1) % self.slots.len();
            }
            self.slots[at] = place as u16 + 1;
        }
    }
}

impl Phrase {
    /// Where the phrase ends, if its other words follow the first one, which ends at `at`.
    fn end(&self, bytes: &[u8], at: usize) -> Option<usize> {
        self.rest.iter().try_fold(at, |at, word| {
            let gap = bytes[at..].iter().take(GAP + 1).take_while(|byte| is_gap(**byte)).count();
            let from = at + gap;
            let to = from + word.len();
            let follows = (1..=GAP).contains(&gap)
                && bytes.get(from..to).is_some_and(|found| found.eq_ignore_ascii_case(word));
            follows.then(|| word_end(bytes, to)).flatten()
        })
    }
}

/// The end of a word that goes on at `at` with no more than a plural or genitive.
fn word_end(bytes: &[u8], at: usize) -> Option<usize> {
    let is_letter = |byte: Option<&u8>| byte.is_some_and(|b| b.is_ascii_alphabetic() || !b.is_ascii());
    let endings: [&[u8]; 3] = [b"", b"s", b"'s"];
    endings.into_iter().find_map(|ending| {
        let end = at + ending.len();
        let is_ending = bytes.get(at..end).is_some_and(|found| found.eq_ignore_ascii_case(ending));
        (is_ending && !is_letter(bytes.get(end))).then_some(end)
    })
}

/// The dot of "D.O.B.", too.
fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b'-' | b'_' | b'>' | b'.' | b'/')
}

/// Lower case, without what may stand between words.
fn words(text: &str) -> Vec<Vec<u8>> {
    let plain = fold::plain(text).to_lowercase();
    let words = plain.split(|c: char| !(c.is_alphanumeric() || c == '\'')).filter(|word| !word.is_empty());
    words.map(|word| word.as_bytes().to_vec()).collect()
}

const fn slot(code: u64) -> usize {
    spread(code, SLOT_BITS)
}

/// Fibonacci hashing: the highest bits of the product.
const fn spread(code: u64, bits: u32) -> usize {
    (code.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (64 - bits)) as usize
}
