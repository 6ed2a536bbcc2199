//! One spelling for what looks the same: full-width and foreign digits, spaces and hyphens of every kind, characters
//! that nobody sees. Detectors read the folded text; places in it are translated back. It never guesses at letters.

use std::borrow::Cow;

/// Where the ten digits of other scripts begin.
const DIGITS: [u32; 12] = [
    0x0660, 0x06f0, 0x0966, 0x09e6, 0x0a66, 0xff10, 0x1_d7ce, 0x1_d7d8, 0x1_d7e2, 0x1_d7ec, 0x1_d7f6,
    0x1_fbf0,
];

/// The text in its one spelling.
pub(crate) fn plain(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return Cow::Borrowed(text);
    }
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !byte.is_ascii()) {
        let (ascii, odd) = rest.split_at(at);
        plain.push_str(ascii);
        let mut characters = odd.chars();
        if let Some(seen) = characters.next().and_then(seen) {
            plain.push(seen);
        }
        rest = characters.as_str();
    }
    plain.push_str(rest);
    Cow::Owned(plain)
}

/// Translates ascending places of the folded text into places of the text it came from, in one walk.
pub(crate) struct Way<'a> {
    rest: std::str::CharIndices<'a>,
    folded: usize,
    end: usize,
}

impl<'a> Way<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text.char_indices(), folded: 0, end: text.len() }
    }

    /// The place of the character at `folded`, or the end. Places must not go down from call to call.
    pub(crate) fn back(&mut self, folded: usize) -> usize {
        loop {
            let mut ahead = self.rest.clone();
            let Some((at, character)) = ahead.next() else { return self.end };
            let length = if character.is_ascii() { 1 } else { seen(character).map_or(0, char::len_utf8) };
            if self.folded >= folded && length > 0 {
                return at;
            }
            self.folded += length;
            self.rest = ahead;
        }
    }
}

/// What a character looks like; none for one that nobody sees.
fn seen(character: char) -> Option<char> {
    Some(match character {
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' => {
            return None;
        }
        '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' => return None,
        '\u{85}' | '\u{2028}' | '\u{2029}' => '\n',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe58}' | '\u{fe63}' => '-',
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '\u{b4}' => '\'',
        '\u{201c}' | '\u{201d}' | '\u{ab}' | '\u{bb}' | '\u{201e}' => '"',
        '\u{2024}' | '\u{b7}' => '.',
        '\u{2044}' | '\u{2215}' => '/',
        '\u{a3}' | '\u{20ac}' => '$',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character),
        other if other.is_whitespace() => ' ',
        other => return Some(digit(other).unwrap_or(if other.is_alphanumeric() { other } else { '*' })),
    })
}

fn digit(character: char) -> Option<char> {
    let code = u32::from(character);
    let value = DIGITS.iter().filter_map(|zero| code.checked_sub(*zero)).find(|value| *value < 10)?;
    char::from_digit(value, 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_looks_the_same_is_the_same() {
        assert_eq!(plain("１２\u{a0}0002\u{2011}33\u{200b}05 ٩"), "12 0002-3305 9");
        assert_eq!(plain("O\u{2019}Neill \u{ff2d}\u{ff30}\u{ff21}\u{ff2e}"), "O'Neill MPAN");
        assert_eq!(plain("é \u{2022} £5"), "é * $5");
        assert!(matches!(plain("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn places_are_found_again() {
        let text = "\u{200b}\u{a0}１２x\u{200b}é９";
        let folded = plain(text);
        assert_eq!(folded, " 12xé9");
        let mut way = Way::new(text);
        for (at, character) in folded.char_indices() {
            assert_eq!(text[way.back(at)..].chars().next().and_then(seen_or_ascii), Some(character));
        }
        assert_eq!(way.back(folded.len()), text.len());
    }

    fn seen_or_ascii(character: char) -> Option<char> {
        if character.is_ascii() { Some(character) } else { seen(character) }
    }
}
