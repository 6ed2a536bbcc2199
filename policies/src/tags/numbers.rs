//! Meter point numbers: runs of digits, joined over separators where people group them, tested against checksum and
//! surroundings. A number inside a longer run of digits is none. Each run is looked at a bounded number of times.

use std::ops::RangeInclusive;

use mail::Tag;

use super::{Found, TagRules, words::Words};

const MPAN_CORE: usize = 13;
const MPAN_LONG: usize = 21;
const MPRN: usize = 10;
const MPRN_SHORTEST: usize = 6;
/// The highest profile class, the first two of the eight digits before an MPAN core.
const PROFILE_CLASS_MAX: &str = "08";
/// Distributor ids: 10 to 23 regional, from 24 independent ones, of which some fifteen are given out. Above 39 begin
/// the bar codes of goods, 13 digits long as well.
const DISTRIBUTORS: RangeInclusive<&str> = "10"..="39";
/// How people group the core when they do: distributor, two or one groups of the number, check with its last digits.
const CORE_GROUPS: [&[usize]; 4] = [&[13], &[2, 4, 4, 3], &[2, 8, 3], &[2, 10, 1]];
const MOST_GROUPS: usize = 8;
/// Longest separator with the first digit after it: a line break, a quotation mark, the `S` and spaces.
const SEPARATOR: usize = 9;
/// Octets before and after a number in which a word speaks for it.
const BEFORE: usize = 80;
const JUST_BEFORE: usize = 24;
const AFTER: usize = 24;
/// A token of a URL or address longer than this is not walked to its end.
const TOKEN: usize = 200;

/// Adds the numbers of one field. An MPAN is tested first: its parts could pass for an MPRN.
pub(super) fn find(text: &str, rules: &TagRules, gas_mentioned: &dyn Fn() -> bool, found: &mut Found) {
    let mut at = 0;
    while let Some(run) = Run::next(text, at) {
        if found.is_full() {
            return;
        }
        let chain = Chain::from(text, run);
        let taken =
            mpan(text, &chain, &rules.mpan).or_else(|| mprn(text, &chain, &rules.mprn, gas_mentioned));
        at = match taken {
            Some((tag, end)) => {
                found.add(tag);
                end
            }
            None => run.end,
        };
    }
}

fn mpan(text: &str, chain: &Chain, words: &Words) -> Option<(Tag, usize)> {
    [MPAN_LONG, MPAN_CORE].into_iter().find_map(|length| {
        let number = chain.number(text, length)?;
        let (front, core) = number.digits.split_at(length - MPAN_CORE);
        if !front.is_empty() && &front[..2] > PROFILE_CLASS_MAX {
            return None;
        }
        let tag = Tag::mpan(core)?;
        let usual = number.is_core_grouping() && DISTRIBUTORS.contains(&&core[..2]);
        let counts = (usual && number.stands_alone(text)) || number.is_near(text, words);
        counts.then_some((tag, number.end))
    })
}

fn mprn(text: &str, chain: &Chain, words: &Words, gas_mentioned: &dyn Fn() -> bool) -> Option<(Tag, usize)> {
    if let Some(number) = chain.number(text, MPRN)
        && let Some(tag) = Tag::mprn(&number.digits)
    {
        let whole = number.groups.len() == 1 && number.stands_alone(text);
        if (whole && (number.has_m(text) || gas_mentioned())) || number.is_near(text, words) {
            return Some((tag, number.end));
        }
    }
    let first = chain.groups[0].length;
    if !(MPRN_SHORTEST..MPRN).contains(&first) {
        return None;
    }
    let number = chain.number(text, first)?;
    let tag = Tag::mprn(&number.digits)?;
    number.is_labelled(text, words).then_some((tag, number.end))
}

/// A run of ASCII digits: octets `start..end`.
#[derive(Clone, Copy)]
struct Run {
    start: usize,
    end: usize,
}

impl Run {
    fn next(text: &str, from: usize) -> Option<Self> {
        let bytes = text.as_bytes().get(from..)?;
        let start = from + bytes.iter().position(u8::is_ascii_digit)?;
        Some(Self::at(text, start))
    }

    /// The run that begins at `start`; empty where no digit is.
    fn at(text: &str, start: usize) -> Self {
        let bytes = text.as_bytes().get(start..).unwrap_or_default();
        let length = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        Self { start, end: start + length }
    }

    fn length(self) -> usize {
        self.end - self.start
    }
}

/// A run of digits and those that follow it with nothing but separators of one kind between.
struct Chain {
    start: usize,
    groups: [Group; MOST_GROUPS],
    count: usize,
}

#[derive(Clone, Copy)]
struct Group {
    length: usize,
    end: usize,
    /// The kind of separators up to here.
    separator: Option<Separator>,
}

/// The groups of a chain that together have the wanted length.
struct Number<'a> {
    start: usize,
    end: usize,
    digits: String,
    groups: &'a [Group],
}

/// What stands between the groups of a number; one number keeps to one kind.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Hyphen,
    Space,
    /// A line break, or the `S` of the box on an electricity bill.
    Break,
}

impl Chain {
    fn from(text: &str, first: Run) -> Self {
        let mut last = Group { length: first.length(), end: first.end, separator: None };
        let mut chain = Self { start: first.start, groups: [last; MOST_GROUPS], count: 1 };
        let mut total = last.length;
        while total < MPAN_LONG && chain.count < MOST_GROUPS {
            let Some((separator, octets)) = separator(&text[last.end..]) else { break };
            let Some(separator) = together(last.separator, separator) else { break };
            let run = Run::at(text, last.end + octets);
            last = Group { length: run.length(), end: run.end, separator: Some(separator) };
            total += last.length;
            chain.groups[chain.count] = last;
            chain.count += 1;
        }
        chain
    }

    fn number(&self, text: &str, length: usize) -> Option<Number<'_>> {
        let mut total = 0;
        let reached = self.groups[..self.count].iter().position(|group| {
            total += group.length;
            total >= length
        })?;
        let (start, end) = (self.start, self.groups[reached].end);
        let written = text.get(start..end).filter(|_| total == length)?;
        let digits = written.chars().filter(char::is_ascii_digit).collect();
        Some(Number { start, end, digits, groups: &self.groups[..=reached] })
    }
}

impl Number<'_> {
    fn is_core_grouping(&self) -> bool {
        let lengths: Vec<usize> = self.groups.iter().map(|group| group.length).collect();
        let core = match lengths.as_slice() {
            [MPAN_LONG] => &[MPAN_CORE],
            [2, 3, 3, core @ ..] | [8, core @ ..] => core,
            core => core,
        };
        let broken = self.groups.iter().any(|group| group.separator == Some(Separator::Break));
        !broken && CORE_GROUPS.contains(&core)
    }

    /// Not part of a longer word, a decimal number, a URL, a message id or an address.
    fn stands_alone(&self, text: &str) -> bool {
        let before = &text[..self.start];
        let before = if self.has_m(text) { &before[..before.len() - 1] } else { before };
        let after = &text[self.end..];
        let free_before = before
            .chars()
            .next_back()
            .is_none_or(|c| c.is_whitespace() || "([{<>\"'`:;,#*|-_–—\u{2018}\u{201c}".contains(c));
        let mut following = after.chars();
        let free_after = following.next().is_none_or(|c| {
            c.is_whitespace()
                || ")]}<>\"'`:;,.!?*|-_–—\u{2019}\u{201d}".contains(c)
                    && !(c == '.' && following.next().is_some_and(|d| d.is_ascii_digit()))
        });
        free_before && free_after && !is_link(token(before, after))
    }

    /// An `M` in front, as gas suppliers write it.
    fn has_m(&self, text: &str) -> bool {
        let mut before = text[..self.start].chars().rev();
        before.next() == Some('M') && before.next().is_none_or(|c| !c.is_alphanumeric())
    }

    /// One of the words stands in the octets before, or right behind before the next number or clause, and the number
    /// is no part of a word, unless it is glued to one of the words.
    fn is_near(&self, text: &str, words: &Words) -> bool {
        let to = text.floor_char_boundary((self.end + AFTER).min(text.len()));
        let after = &text[self.end..to];
        let clause = after.find(|c: char| c.is_ascii_digit() || "\n,;.:".contains(c));
        let before = window(&text[..self.start], BEFORE);
        let last = before.rfind(|c: char| !c.is_alphabetic()).map_or(before, |i| &before[i..]);
        let glued = last.trim_start_matches(|c: char| !c.is_alphabetic());
        let free = matches!(glued, "" | "S" | "M") || words.within(glued);
        free && !after.starts_with(char::is_alphabetic)
            && (words.within(before) || words.within(&after[..clause.unwrap_or(after.len())]))
    }

    /// One of the words stands just before, with no other number between. Short numbers need that much: a meter
    /// reading or a date near by would do for one otherwise.
    fn is_labelled(&self, text: &str, words: &Words) -> bool {
        let before = window(&text[..self.start], JUST_BEFORE);
        let last = before.rfind(|c: char| c.is_ascii_digit() || c == '\n').map_or(0, |i| i + 1);
        words.within(&before[last..])
    }
}

/// The last octets of `before`, without a word that the cut has damaged.
fn window(before: &str, octets: usize) -> &str {
    let Some(from) = before.len().checked_sub(octets) else { return before };
    let cut = &before[before.ceil_char_boundary(from)..];
    cut.find(|c: char| !c.is_alphanumeric()).map_or("", |whole| &cut[whole..])
}

/// The separator at the start of `text` and its octets.
fn separator(text: &str) -> Option<(Separator, usize)> {
    let near = &text[..text.floor_char_boundary(SEPARATOR.min(text.len()))];
    let octets = near.find(|c: char| c.is_ascii_digit()).filter(|octets| *octets > 0)?;
    let kind = match &text[..octets] {
        "-" | "\u{2010}" | "\u{2011}" | "\u{2013}" => Separator::Hyphen,
        " " | "\t" | "\u{a0}" | "  " => Separator::Space,
        other if other.chars().all(|c| c.is_whitespace() || c == 'S' || c == '>') => Separator::Break,
        _ => return None,
    };
    Some((kind, octets))
}

fn together(so_far: Option<Separator>, next: Separator) -> Option<Separator> {
    match (so_far, next) {
        (None, next) => Some(next),
        (Some(same), next) if same == next => Some(same),
        (Some(Separator::Space), Separator::Break) | (Some(Separator::Break), Separator::Space) => {
            Some(Separator::Break)
        }
        _ => None,
    }
}

/// The text around a number up to white space, on either side of it.
fn token<'a>(before: &'a str, after: &'a str) -> (&'a str, &'a str) {
    let from = before.ceil_char_boundary(before.len().saturating_sub(TOKEN));
    let to = after.floor_char_boundary(TOKEN.min(after.len()));
    let (before, after) = (&before[from..], &after[..to]);
    let start = before.rfind(char::is_whitespace).unwrap_or(0);
    let end = after.find(char::is_whitespace).unwrap_or(after.len());
    (&before[start..], &after[..end])
}

fn is_link((before, after): (&str, &str)) -> bool {
    let marks = |text: &str| text.contains("://") || text.contains("www.") || text.contains('@');
    marks(before) || after.contains('@')
}
