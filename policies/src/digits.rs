//! Digits as people group them: runs of digits, and chains of runs with nothing but separators of one kind between. Shared
//! by the search tags and the detectors. It says what stands together, never what it means; each run is looked at a
//! bounded number of times.

/// More groups than a number of 21 digits is written in.
const MOST_GROUPS: usize = 8;
/// Digits that are kept: the longest number has 21, and what is longer than this is none.
const MOST_DIGITS: usize = 24;
/// Longest separator with the first digit after it: a line break, a quotation mark, the `S` and spaces.
const SEPARATOR: usize = 9;
/// A token of a URL or address longer than this is not walked to its end.
const TOKEN: usize = 200;
/// Octets that are looked at together while no digit is in sight.
const BLOCK: usize = 32;

/// A run of ASCII digits: octets `start..end`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Run {
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// A run of digits and those that follow it.
#[derive(Debug)]
pub(crate) struct Chain {
    start: usize,
    digits: [u8; MOST_DIGITS],
    groups: [Group; MOST_GROUPS],
    count: usize,
}

/// One run of a chain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    pub(crate) length: usize,
    pub(crate) end: usize,
    /// The kind of separators up to here.
    pub(crate) separator: Option<Separator>,
}

/// The groups of a chain that together have the wanted length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Number<'a> {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) digits: &'a str,
    pub(crate) groups: &'a [Group],
}

/// What stands between the groups of a number; one number keeps to one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Separator {
    Hyphen,
    Space,
    /// A line break, or the `S` of the box on an electricity bill.
    Break,
}

impl Run {
    pub(crate) fn next(text: &str, from: usize) -> Option<Self> {
        let bytes = text.as_bytes();
        // Block by block, which the compiler turns into a few instructions for each; texts are mostly letters.
        let has_digit = |block: &[u8]| block.iter().fold(false, |has, byte| has | byte.is_ascii_digit());
        let mut at = from;
        while bytes.get(at..at + BLOCK).is_some_and(|block| !has_digit(block)) {
            at += BLOCK;
        }
        let start = at + bytes.get(at..)?.iter().position(u8::is_ascii_digit)?;
        Some(Self::at(text, start))
    }

    /// Whether a further run may belong to the same number: what follows may part two groups of one.
    pub(crate) fn goes_on(self, text: &str) -> bool {
        let bytes = text.as_bytes();
        let next = bytes.get(self.end + 1);
        match bytes.get(self.end) {
            Some(b' ' | b'-' | b'\t') => {
                next.is_some_and(|byte| !byte.is_ascii_alphabetic() || *byte == b'S')
            }
            Some(b'\r' | b'\n' | b'S' | b'>' | 0x80..) => true,
            _ => false,
        }
    }

    /// The run that begins at `start`; empty where no digit is.
    pub(crate) fn at(text: &str, start: usize) -> Self {
        let bytes = text.as_bytes().get(start..).unwrap_or_default();
        let length = bytes.iter().take_while(|b| b.is_ascii_digit()).count();
        Self { start, end: start + length }
    }

    pub(crate) fn length(self) -> usize {
        self.end - self.start
    }
}

impl Chain {
    /// The chain that begins with `first`; it ends once it has `enough` digits.
    pub(crate) fn from(text: &str, first: Run, enough: usize) -> Self {
        let last = Group { length: 0, end: first.start, separator: None };
        let mut chain =
            Self { start: first.start, digits: [b'0'; MOST_DIGITS], groups: [last; MOST_GROUPS], count: 0 };
        let mut total = chain.push(text, first, None, 0);
        while total < enough && chain.count < MOST_GROUPS {
            let last = chain.groups[chain.count - 1];
            let Some((separator, octets)) = separator(text, last.end) else { break };
            let Some(separator) = together(last.separator, separator) else { break };
            let run = Run::at(text, last.end + octets);
            total = chain.push(text, run, Some(separator), total);
        }
        chain
    }

    /// The first groups, if they have together exactly `length` digits.
    pub(crate) fn number(&self, length: usize) -> Option<Number<'_>> {
        let mut total = 0;
        let reached = self.groups[..self.count].iter().position(|group| {
            total += group.length;
            total >= length
        })?;
        let digits = self.digits.get(..length).filter(|_| total == length)?;
        Some(Number {
            start: self.start,
            end: self.groups[reached].end,
            digits: std::str::from_utf8(digits).ok()?,
            groups: &self.groups[..=reached],
        })
    }

    /// The runs of which it is made.
    pub(crate) fn groups(&self) -> &[Group] {
        &self.groups[..self.count]
    }

    fn push(&mut self, text: &str, run: Run, separator: Option<Separator>, total: usize) -> usize {
        let room = self.digits.get_mut(total..).unwrap_or_default();
        for (to, from) in room.iter_mut().zip(text[run.start..run.end].bytes()) {
            *to = from;
        }
        self.groups[self.count] = Group { length: run.length(), end: run.end, separator };
        self.count += 1;
        total + run.length()
    }
}

impl Number<'_> {
    /// The lengths of its groups are these.
    pub(crate) fn is_grouped(&self, lengths: &[usize]) -> bool {
        self.groups.iter().map(|group| group.length).eq(lengths.iter().copied())
    }

    /// It goes over a line break, or has the `S` of a bill in it.
    pub(crate) fn is_broken(&self) -> bool {
        self.groups.iter().any(|group| group.separator == Some(Separator::Break))
    }

    pub(crate) fn has_m(&self, text: &str) -> bool {
        let mut before = text[..self.start].chars().rev();
        before.next() == Some('M') && before.next().is_none_or(|c| !c.is_alphanumeric())
    }

    /// Not part of a longer word, a decimal number, a URL, a message id or an address.
    pub(crate) fn stands_alone(&self, text: &str) -> bool {
        let start = if self.has_m(text) { self.start - 1 } else { self.start };
        stands_alone(text, start, self.end)
    }
}

/// Whether octets `start..end` are not part of a longer word, a decimal number, a URL, a message id or an address.
pub(crate) fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let (before, after) = (&text[..start], &text[end..]);
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
    free_before && free_after && !is_in_link(text, start, end)
}

/// Whether octets `start..end` are part of a URL or an address: what stands around them up to white space says so.
pub(crate) fn is_in_link(text: &str, start: usize, end: usize) -> bool {
    let bytes = text.as_bytes();
    let goes_on = |byte: &&u8| !byte.is_ascii_whitespace();
    let is_mark = |byte: &u8| matches!(byte, b',' | b';' | b'|' | b'"');
    let before = bytes[..start].iter().rev().take(TOKEN).take_while(goes_on).count();
    let mut before = &bytes[start - before..start];
    // Most numbers have white space or a mark before them. What a mark parts from an address, as in the rows of a
    // sheet, is no part of it; a URL has marks of its own.
    while let Some(at) = before.iter().position(|byte| matches!(byte, b':' | b'w' | b'@')) {
        let rest = &before[at..];
        let is_address = rest[0] == b'@' && !rest.iter().any(is_mark);
        if rest.starts_with(b"://") || rest.starts_with(b"www.") || is_address {
            return true;
        }
        before = &rest[1..];
    }
    let behind = bytes[end..].iter().take(TOKEN);
    behind.take_while(|byte| goes_on(byte) && !is_mark(byte)).any(|byte| *byte == b'@')
}

/// The separator at `at` and its octets.
fn separator(text: &str, at: usize) -> Option<(Separator, usize)> {
    let bytes = text.as_bytes();
    // Nearly every number is followed by one octet and no further digit, or by one octet and a digit.
    match (bytes.get(at)?, bytes.get(at + 1)) {
        (b' ' | b'\t', Some(b'0'..=b'9')) => return Some((Separator::Space, 1)),
        (b'-', Some(b'0'..=b'9')) => return Some((Separator::Hyphen, 1)),
        (b' ' | b'\t' | b'\r' | b'\n' | b'S' | b'>' | 0x80.., Some(_)) => {}
        _ => return None,
    }
    let text = &text[at..];
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
