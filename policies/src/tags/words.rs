//! Words that speak for a number near by. Compared without regard to case, plural, hyphens and line breaks; a word
//! inside a longer one ("company" holds "mpan") never counts.

use toml::Spanned;

use crate::{PolicyError, source::Source};

const WORD_MAX: usize = 60;

#[derive(Debug)]
pub(super) struct Words(Vec<String>);

impl Words {
    pub(super) fn parse(source: Source<'_>, raw: &[Spanned<String>]) -> Result<Self, PolicyError> {
        let word = |entry| source.words("words", entry, WORD_MAX).map(|word| plain(&word));
        raw.iter().map(word).collect::<Result<_, _>>().map(Self)
    }

    /// Whether any of the words is in the text.
    pub(super) fn within(&self, text: &str) -> bool {
        let text = plain(text);
        self.0.iter().any(|word| {
            text.match_indices(word.as_str()).any(|(at, _)| {
                let before = text[..at].chars().next_back();
                let after = &text[at + word.len()..];
                let after = after.strip_prefix('s').unwrap_or(after).chars().next();
                ![before, after].into_iter().flatten().any(is_of_a_word)
            })
        })
    }
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
