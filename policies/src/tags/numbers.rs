//! Meter point numbers: chains of digits, tested against checksum and surroundings. A number inside a longer run of digits
//! is none.

use std::ops::RangeInclusive;

use mail::Tag;

use super::{Found, TagRules, words::Words};
use crate::digits::{Chain, Number, Run};

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
/// Octets before and after a number in which a word speaks for it.
const BEFORE: usize = 80;
const JUST_BEFORE: usize = 24;
const AFTER: usize = 24;

/// A number with the right check digits. Whether it is one depends on what stands around it.
pub(crate) struct MeterPoint<'a> {
    pub(crate) tag: Tag,
    pub(crate) number: Number<'a>,
    /// What it says by itself.
    pub(crate) claim: Claim,
}

/// How much a number with the right check digits says by itself.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It is written as these numbers are, and stands alone: it needs no word.
    Usual,
    /// It stands alone, and one in a hundred does by chance: a word anywhere in the mail is enough.
    Whole,
    /// It needs a word near by.
    Bare,
    /// So short that its label must stand straight before it.
    Short,
}

/// Adds the numbers of one field. An MPAN is tested first: its parts could pass for an MPRN.
pub(super) fn find(text: &str, rules: &TagRules, gas_mentioned: &dyn Fn() -> bool, found: &mut Found) {
    let mut at = 0;
    while let Some(run) = Run::next(text, at) {
        if found.is_full() {
            return;
        }
        if run.length() < MPRN_SHORTEST && !run.goes_on(text) {
            at = run.end;
            continue;
        }
        let chain = Chain::from(text, run, MPAN_LONG);
        let electricity = rules.mpan.as_ref();
        let electricity = electricity
            .and_then(|words| mpans(text, &chain).find(|point| counts(point, text, words, &|| false)));
        let gas = || {
            let words = &rules.mprn.as_ref()?.near;
            mprns(text, &chain).find(|point| counts(point, text, words, gas_mentioned))
        };
        let taken = electricity.or_else(gas);
        at = match taken {
            Some(MeterPoint { tag, number, .. }) => {
                found.add(tag);
                number.end
            }
            None => run.end,
        };
    }
}

/// The electricity meter points that a chain may begin with.
pub(crate) fn mpans<'a>(text: &'a str, chain: &'a Chain) -> impl Iterator<Item = MeterPoint<'a>> {
    [MPAN_LONG, MPAN_CORE].into_iter().filter_map(|length| {
        let number = chain.number(length)?;
        let (front, core) = number.digits.split_at(length - MPAN_CORE);
        if !front.is_empty() && &front[..2] > PROFILE_CLASS_MAX {
            return None;
        }
        let tag = Tag::mpan(core)?;
        let usual = is_core_grouping(&number) && DISTRIBUTORS.contains(&&core[..2]);
        let claim = if usual && number.stands_alone(text) { Claim::Usual } else { Claim::Bare };
        Some(MeterPoint { tag, number, claim })
    })
}

/// The gas meter points that a chain may begin with.
pub(crate) fn mprns<'a>(text: &'a str, chain: &'a Chain) -> impl Iterator<Item = MeterPoint<'a>> {
    let first = chain.groups().first().map_or(0, |group| group.length);
    let short = Some(first).filter(|first| (MPRN_SHORTEST..MPRN).contains(first));
    [Some(MPRN), short].into_iter().flatten().filter_map(move |length| {
        let number = chain.number(length)?;
        // The check is a remainder of eleven: nine numbers in ten need no reckoning.
        if &number.digits[length - 2..] > "10" {
            return None;
        }
        // Nothing but zeros passes the check.
        let tag = Tag::mprn(number.digits).filter(|_| number.digits.bytes().any(|digit| digit != b'0'))?;
        let whole = || number.groups.len() == 1 && number.stands_alone(text);
        let claim = match length {
            MPRN if whole() && number.has_m(text) => Claim::Usual,
            MPRN if whole() => Claim::Whole,
            MPRN => Claim::Bare,
            _ => Claim::Short,
        };
        Some(MeterPoint { tag, number, claim })
    })
}

fn counts(point: &MeterPoint<'_>, text: &str, words: &Words, mentioned: &dyn Fn() -> bool) -> bool {
    let MeterPoint { number, claim, .. } = point;
    match claim {
        Claim::Usual => true,
        Claim::Whole => mentioned() || is_near(number, text, words),
        Claim::Bare => is_near(number, text, words),
        Claim::Short => is_labelled(number, text, words),
    }
}

fn is_core_grouping(number: &Number<'_>) -> bool {
    let core = |front: &[usize]| {
        CORE_GROUPS.iter().any(|core| {
            let lengths = number.groups.iter().map(|group| group.length);
            lengths.eq(front.iter().chain(*core).copied())
        })
    };
    let usual = number.is_grouped(&[MPAN_LONG]) || core(&[]) || core(&[8]) || core(&[2, 3, 3]);
    usual && !number.is_broken()
}

/// One of the words stands in the octets before, or right behind before the next number or clause, and the number
/// is no part of a word, unless it is glued to one of the words.
fn is_near(number: &Number<'_>, text: &str, words: &Words) -> bool {
    let to = text.floor_char_boundary((number.end + AFTER).min(text.len()));
    let after = &text[number.end..to];
    let clause = after.find(|c: char| c.is_ascii_digit() || "\n,;.:".contains(c));
    let before = window(&text[..number.start], BEFORE);
    let last = before.rfind(|c: char| !c.is_alphabetic()).map_or(before, |i| &before[i..]);
    let glued = last.trim_start_matches(|c: char| !c.is_alphabetic());
    let free = matches!(glued, "" | "S" | "M") || words.within(glued);
    free && !after.starts_with(char::is_alphabetic)
        && (words.within(before) || words.within(&after[..clause.unwrap_or(after.len())]))
}

/// One of the words stands just before, with no other number between. Short numbers need that much: a meter
/// reading or a date near by would do for one otherwise.
fn is_labelled(number: &Number<'_>, text: &str, words: &Words) -> bool {
    let before = window(&text[..number.start], JUST_BEFORE);
    let last = before.rfind(|c: char| c.is_ascii_digit() || c == '\n').map_or(0, |i| i + 1);
    words.within(&before[last..])
}

/// The last octets of `before`, without a word that the cut has damaged.
fn window(before: &str, octets: usize) -> &str {
    let Some(from) = before.len().checked_sub(octets) else { return before };
    let cut = &before[before.ceil_char_boundary(from)..];
    cut.find(|c: char| !c.is_alphanumeric()).map_or("", |whole| &cut[whole..])
}
