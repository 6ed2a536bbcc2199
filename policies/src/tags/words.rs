//! Words that speak for a number near by. Compared without regard to case, plural, hyphens and line breaks; a word
//! inside a longer one ("company" holds "mpan") never counts.

use regex::Regex;
use toml::Spanned;

use crate::{PolicyError, source::Source};

const WORD_MAX: usize = 60;

#[derive(Debug)]
pub(super) struct Words {
    words: Vec<String>,
    /// The same, for a text of any length.
    anywhere: Regex,
}

impl Words {
    pub(super) fn parse(source: Source<'_>, raw: &[Spanned<String>]) -> Result<Self, PolicyError> {
        let word = |entry| source.words("words", entry, WORD_MAX).map(|word| plain(&word));
        let words = raw.iter().map(word).collect::<Result<Vec<_>, _>>()?;
        // Words are literals, at most so many as the file has: the pattern fails only where they are beyond all bounds.
        let anywhere = Regex::new(&pattern(&words)).map_err(|error| {
            let span = raw.first().map(Spanned::span).unwrap_or_default();
            source.error(span, "words", format_args!("too many words: {error}"), "keep the words that matter")
        })?;
        Ok(Self { words, anywhere })
    }

    /// Whether any of the words is anywhere in a long text.
    pub(super) fn anywhere(&self, text: &str) -> bool {
        !self.words.is_empty() && self.anywhere.is_match(text)
    }

    /// Whether any of the words is in the text.
    pub(super) fn within(&self, text: &str) -> bool {
        let text = plain(text);
        self.words.iter().any(|word| {
            text.match_indices(word.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = &text[at + word.len()..];
                let after = after.strip_prefix('s').unwrap_or(after).chars().next();
                ![before, after].into_iter().flatten().any(is_of_a_word)
            })
        })
    }
}

/// What [`Words::within`] finds, as one pattern.
fn pattern(words: &[String]) -> String {
    let word = |word: &String| regex::escape(word.trim()).replace(' ', r"[\s_>-]+");
    let words: Vec<_> = words.iter().map(word).collect();
    let edge = r"[^\p{Alphabetic}'\u{2019}]";
    format!("(?i)(?:^|{edge})(?:{})s?(?:$|{edge})", words.join("|"))
}

/// The apostrophe, too: the `s number` of "customer's number" is none.
fn is_of_a_word(character: char) -> bool {
    character.is_alphabetic() || matches!(character, '\'' | '\u{2019}')
}

/// Lower case, with one space for each run of white space, hyphens, underscores and quotation marks of replies.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_whitespace() || matches!(character, '-' | '_' | '>') {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
        } else {
            plain.push(character.to_ascii_lowercase());
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ways_to_look_agree() {
        let words: Vec<_> = ["mprn", "m number", "gas supply"].iter().map(|word| plain(word)).collect();
        let words = Words { anywhere: Regex::new(&pattern(&words)).unwrap(), words };
        for (text, found) in [
            ("the MPRN is", true),
            ("MPRNs", true),
            ("m-number", true),
            ("M\r\n> Number:", true),
            ("mprn1234", true),
            ("_mprn_", true),
            ("xmprn", false),
            ("mprnx", false),
            ("customer's", false),
            ("I'm number one", false),
            ("Gas_Supply", true),
            ("gas", false),
            ("", false),
        ] {
            assert_eq!((words.within(text), words.anywhere(text)), (found, found), "{text}");
        }
    }
}
