//! What stands under every mail of a company and says nothing about any of them: disclaimers, where it is registered. A
//! passage that begins with the line of such a phrase is left out, up to the next empty line.

use aho_corasick::{AhoCorasick, AhoCorasickBuilder};

/// A disclaimer ends by then.
const PASSAGE: usize = 1_500;
/// The line of such a phrase begins by then.
const LINE: usize = 300;

/// The phrases that begin such passages; none where the file names none.
#[derive(Debug, Default)]
pub(super) struct Ignored(Option<AhoCorasick>);

impl Ignored {
    /// `None` where the phrases together are too many.
    pub(super) fn new(phrases: &[String]) -> Option<Self> {
        if phrases.is_empty() {
            return Some(Self::default());
        }
        let automaton = AhoCorasickBuilder::new().ascii_case_insensitive(true).build(phrases).ok()?;
        Some(Self(Some(automaton)))
    }

    /// What is left of the text, piece by piece.
    pub(super) fn without<'a>(&self, text: &'a str) -> Vec<&'a str> {
        let Some(automaton) = &self.0 else { return vec![text] };
        let (mut kept, mut from) = (Vec::new(), 0);
        for found in automaton.find_iter(text) {
            if found.start() < from {
                continue;
            }
            let before = text.ceil_char_boundary(found.start().saturating_sub(LINE).max(from));
            let line = text[before..found.start()].rfind('\n').map_or(before, |at| before + at);
            kept.push(&text[from..line]);
            from = passage_end(text, found.end());
        }
        kept.push(&text[from..]);
        kept
    }
}

fn passage_end(text: &str, at: usize) -> usize {
    let most = text.floor_char_boundary((at + PASSAGE).min(text.len()));
    let behind = &text[at..most];
    let blank = ["\n\n", "\n\r\n"].iter().filter_map(|blank| behind.find(blank)).min();
    at + blank.unwrap_or(behind.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_left_out_from_its_line_to_the_next_empty_one() {
        let ignored = Ignored::new(&["intended solely".to_owned(), "Registered Office".to_owned()]).unwrap();
        let kept = |text| ignored.without(text).concat();
        assert_eq!(kept("Hi\r\nThis is INTENDED solely for\r\nyou\r\n\r\nBye"), "Hi\r\n\r\nBye");
        assert_eq!(kept("Alpha. Registered office: here\nmore\n\nX registered office Y"), "\n");
        assert_eq!(kept("é intended solely"), "");
        assert_eq!(kept("nothing of the kind"), "nothing of the kind");
        assert_eq!(Ignored::default().without("x intended solely"), ["x intended solely"]);
        let long = format!("intended solely {} end", "é".repeat(PASSAGE));
        assert!(ignored.without(&long).concat().ends_with(" end"), "it ends somewhere");
    }
}
