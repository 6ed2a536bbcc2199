//! What a subject names: `[ET] 1200023305967 …`, also behind `Re:`, `Fwd:` and the marks that mail systems put in front.
//! It never says what follows from it: the subject alone decides nothing where a mailbox or a case decides.

use crate::{Catalogue, Process};

/// Longest word before a colon that counts as a mark of an answer (`Re:`, `Antwort:`), and longest mark in brackets.
const PREFIX_MAX: usize = 16;
const BRACKET_MAX: usize = 60;

/// The process that a subject names, and what stands right after the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Named<'a> {
    pub(crate) process: &'a Process,
    pub(crate) rest: &'a str,
}

/// The first code of the catalogue among the marks at the beginning of the subject.
pub(crate) fn named<'a>(catalogue: &'a Catalogue, subject: &'a str) -> Option<Named<'a>> {
    let mut rest = subject.trim_start();
    loop {
        if let Some((mark, after)) = bracket(rest) {
            if let Some(process) = catalogue.process_of_code(mark.trim()) {
                return Some(Named { process, rest: after });
            }
            // `[EXTERNAL]` and the like.
            rest = after.trim_start();
        } else {
            rest = behind_prefix(rest)?;
        }
    }
}

/// What follows a mark such as `Re:`, `AW:`, `Fwd:`, `Re[2]:` or `Recall:`. Every language has its own, so all short words
/// count: what stands in the brackets behind it decides.
pub(crate) fn behind_prefix(subject: &str) -> Option<&str> {
    let (before, after) = cut(subject, PREFIX_MAX, [':', '\u{ff1a}'])?;
    let word = before.trim_end_matches(|c: char| c.is_ascii_digit() || " ()[]^".contains(c));
    let is_word = !word.is_empty() && word.chars().all(char::is_alphabetic);
    is_word.then(|| after.trim_start())
}

fn bracket(text: &str) -> Option<(&str, &str)> {
    cut(text.strip_prefix('[')?, BRACKET_MAX, [']', ']'])
}

/// The text before and after the first of the two characters, if it comes within `most` characters.
fn cut(text: &str, most: usize, ends: [char; 2]) -> Option<(&str, &str)> {
    let (at, end) = text.char_indices().take(most + 1).find(|(_, c)| ends.contains(c))?;
    Some((&text[..at], &text[at + end.len_utf8()..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(subject: &str) -> Option<(String, String)> {
        let catalogue = Catalogue::shipped().unwrap();
        named(&catalogue, subject).map(|named| (named.process.id.to_string(), named.rest.to_owned()))
    }

    #[test]
    fn a_code_at_the_beginning_names_the_process_whatever_mail_systems_put_before_it() {
        for subject in [
            "[ET] 1200023305967 wrong supplier",
            "  [et] 1200023305967 wrong supplier",
            "[ ET ] 1200023305967 wrong supplier",
            "Re: [ET] 1200023305967 wrong supplier",
            "RE: FW: Fwd: [ET] 1200023305967 wrong supplier",
            "AW:[ET] 1200023305967 wrong supplier",
            "Antwort: WG: [ET] 1200023305967 wrong supplier",
            "Re[2]: [ET] 1200023305967 wrong supplier",
            "Re (3): [ET] 1200023305967 wrong supplier",
            "Re : [ET] 1200023305967 wrong supplier",
            "回复：[ET] 1200023305967 wrong supplier",
            "[EXTERNAL] Re: [ET] 1200023305967 wrong supplier",
            "RE: [EXT] [ET] 1200023305967 wrong supplier",
        ] {
            let (process, rest) = read(subject).unwrap_or_else(|| panic!("{subject}"));
            assert_eq!(
                (process.as_str(), rest.trim()),
                ("erroneous-transfers", "1200023305967 wrong supplier")
            );
        }
        assert_eq!(read("[DMP]").unwrap(), ("duplicate-meter-points".to_owned(), String::new()));
        assert_eq!(read("[ET][DR] x").unwrap().0, "erroneous-transfers", "the first one counts");
    }

    #[test]
    fn anything_else_names_nothing() {
        for subject in [
            "",
            "ET 1200023305967",
            "ET: 1200023305967",
            "(ET) 1200023305967",
            "[ET 1200023305967",
            "about [ET] 1200023305967",
            "[Erroneous Transfers] Case K7Q-4M2X: answer due 5 June",
            "Re: [Erroneous Transfers] Case K7Q-4M2X",
            "[XY] 1200023305967",
            "[] x",
            "Re: Re: Re:",
            "1: [ET] x",
            "a very long sentence that ends with a colon: [ET] x",
        ] {
            assert_eq!(read(subject), None, "{subject}");
        }
        for hostile in
            ["Re:".repeat(100_000), "[".repeat(100_000), "[x]".repeat(100_000), "é".repeat(100_000)]
        {
            assert_eq!(read(&hostile), None);
        }
    }
}
