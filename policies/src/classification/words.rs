//! The words of all rules in one automaton, so that a text is gone through once however many rules there are. Case,
//! punctuation, hyphens, line breaks and a plural s do not matter. Nothing here knows a rule.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

use std::collections::HashMap;

/// A word or phrase of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct WordId(u32);

/// The words of a rule file while it is read.
#[derive(Debug, Default)]
pub(super) struct Glossary {
    known: HashMap<String, WordId>,
}

/// All words, ready to be looked for.
#[derive(Debug)]
pub(super) struct Vocabulary {
    automaton: Option<AhoCorasick>,
    /// The word of each pattern of the automaton: a word has two, with and without the plural s.
    words: Vec<WordId>,
    count: usize,
}

impl Glossary {
    /// None where nothing is left of the words: there is no letter and no digit. A star at the end stands for any ending.
    pub(super) fn add(&mut self, words: &str) -> Option<WordId> {
        let (words, is_stem) = match words.trim_end().strip_suffix('*') {
            Some(stem) => (stem, stem.ends_with(char::is_alphanumeric)),
            None => (words, false),
        };
        let mut plain = String::from(" ");
        fold(words, &mut plain);
        if plain.trim().is_empty() {
            return None;
        }
        if is_stem {
            plain.truncate(plain.trim_end().len());
        }
        let next = WordId(u32::try_from(self.known.len()).ok()?);
        Some(*self.known.entry(plain).or_insert(next))
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }

    pub(super) fn done(self) -> Option<Vocabulary> {
        let count = self.known.len();
        let mut patterns = Vec::with_capacity(count * 2);
        let mut words = Vec::with_capacity(count * 2);
        for (plain, id) in self.known {
            // A stem has its endings already.
            if plain.ends_with(' ') {
                patterns.push(format!("{}s ", plain.trim_end()));
                words.push(id);
            }
            patterns.push(plain);
            words.push(id);
        }
        let automaton = match patterns.is_empty() {
            true => None,
            false => Some(AhoCorasickBuilder::new().build(&patterns).ok()?),
        };
        Some(Vocabulary { automaton, words, count })
    }
}

impl Vocabulary {
    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Marks every word of the text.
    pub(super) fn find(&self, text: &str, mut mark: impl FnMut(usize)) {
        let Some(automaton) = &self.automaton else { return };
        let mut plain = String::with_capacity(text.len() + 2);
        plain.push(' ');
        fold(text, &mut plain);
        for found in automaton.find_overlapping_iter(&plain) {
            let WordId(word) = self.words[found.pattern().as_usize()];
            mark(word as usize);
        }
    }
}

impl WordId {
    pub(super) fn place(self) -> usize {
        self.0 as usize
    }
}

/// Adds the text in small letters, with one space where anything else stood, and one at the end.
fn fold(text: &str, plain: &mut String) {
    let mut open = false;
    for character in text.chars() {
        if character.is_ascii_alphanumeric() {
            plain.push(character.to_ascii_lowercase());
            open = true;
        } else if !character.is_ascii() && character.is_alphanumeric() {
            plain.extend(character.to_lowercase());
            open = true;
        } else if matches!(character, '\'' | '\u{2019}' | '\u{ad}') {
            // Within a word: "customer's", a soft hyphen.
        } else if open {
            plain.push(' ');
            open = false;
        }
    }
    if open {
        plain.push(' ');
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(words: &[&str], text: &str) -> Vec<usize> {
        let mut glossary = Glossary::default();
        for word in words {
            glossary.add(word).unwrap();
        }
        let mut found = Vec::new();
        glossary.done().unwrap().find(text, |word| found.push(word));
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn words_are_whole_and_their_writing_does_not_matter() {
        let words = ["erroneous transfer", "transfer", "ET"];
        for text in ["Erroneous Transfer", "an ERRONEOUS-\r\ntransfers.", "erroneous\u{a0}transfer's"] {
            assert_eq!(found(&words, text), [0, 1], "{text}");
        }
        assert_eq!(found(&words, "[ET] x"), [2]);
        assert_eq!(found(&words, "et"), [2]);
        for text in ["erroneous", "transferred", "budget", "BET", "e t", ""] {
            assert_eq!(found(&words, text), [] as [usize; 0], "{text}");
        }
        assert_eq!(found(&["ET", "et "], "et"), [0], "one word");
        assert_eq!(Glossary::default().add(" - "), None);
    }

    #[test]
    fn a_star_stands_for_any_ending() {
        let words = ["disconnect*", "gas disconnect*"];
        for text in ["disconnect", "Disconnecting", "the disconnections!"] {
            assert_eq!(found(&words, text), [0], "{text}");
        }
        assert_eq!(found(&words, "gas-disconnected"), [0, 1]);
        for text in ["reconnect", "xdisconnect", "dis connect"] {
            assert_eq!(found(&words, text), [] as [usize; 0], "{text}");
        }
        assert_eq!(found(&["gas *"], "gases"), [] as [usize; 0], "a star alone is no word");
    }

    #[test]
    fn neighbours_share_the_space_between_them() {
        assert_eq!(found(&["wrong", "supplier", "wrong supplier"], "the wrong supplier"), [0, 1, 2]);
    }
}
