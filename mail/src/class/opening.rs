//! The beginning of a mail's own text, made ready to be compared with the phrases of machines. What is quoted or forwarded
//! is another's text and does not count, so a person may quote any machine.

use super::phrases::{self, List};

/// Bytes of text looked at: machines say at once what they are.
const TEXT_MAX: usize = 4000;
/// Beginnings of lines and sentences looked at.
const STARTS_MAX: usize = 60;
/// Bytes in which a machine has said what its mail is.
const EARLY: usize = 400;

/// Begins the quoted part of a mail, as a line in lower case.
const QUOTES: [&str; 22] = [
    "begin forwarded message",
    "anfang der weitergeleiteten",
    "début du message",
    "inicio del mensaje reenviado",
    "inizio messaggio inoltrato",
    "begin doorgestuurd bericht",
    "vidarebefordrat brev",
    "from: ",
    "von: ",
    "de : ",
    "de: ",
    "da: ",
    "van: ",
    "från: ",
    "fra: ",
    "od: ",
    "lähettäjä: ",
    "-----ursprüngliche",
    "-----original",
    "---------- forwarded",
    "-------- original",
    "-------- weitergeleitete",
];

/// Lower case, runs of white space made one space.
#[derive(Debug, Default)]
pub(crate) struct Opening {
    text: String,
    /// Where lines end in it.
    ends: Vec<usize>,
    /// Where lines and sentences begin in it.
    starts: Vec<usize>,
}

impl Opening {
    pub(crate) fn of(text: &str) -> Self {
        let mut opening = Self::default();
        for line in text[..text.floor_char_boundary(TEXT_MAX)].lines() {
            let line = line.trim().to_lowercase();
            if begins_quote(&line) {
                break;
            }
            opening.line(&line);
            opening.ends.push(opening.text.len());
        }
        opening
    }

    fn line(&mut self, line: &str) {
        let mut begins = true;
        for word in line.split_whitespace() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            if begins && self.starts.len() < STARTS_MAX {
                let marks = word.len() - word.trim_start_matches(|c: char| !c.is_alphanumeric()).len();
                // A quotation mark begins what somebody else said.
                if !word.starts_with(['"', '\'', '“', '„', '«', '‘']) {
                    self.starts.push(self.text.len() + marks);
                }
            }
            self.text.push_str(word);
            begins = word.ends_with(['.', '!', ':', '?', '。', '-', '*'])
                || (begins && word.chars().all(|c| !c.is_alphanumeric()));
        }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    pub(super) fn lines(&self) -> impl Iterator<Item = &str> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins.zip(&self.ends).filter_map(|(begin, &end)| self.text.get(begin..end))
    }

    /// Which lists have a phrase in it.
    pub(super) fn said(&self) -> Said {
        let mut said = Said::default();
        for (list, at) in phrases::said(&self.text) {
            let list = 1 << list as u32;
            said.anywhere |= list;
            if at.end <= EARLY {
                said.early |= list;
            }
            if self.starts.binary_search(&at.start).is_ok() {
                said.begun |= list;
            }
        }
        said
    }
}

/// What was found in an opening; each list is a bit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said {
    anywhere: u32,
    early: u32,
    begun: u32,
}

impl Said {
    /// Whether a line or sentence begins with a phrase of the list.
    pub(super) fn begins(self, list: List) -> bool {
        self.begun & 1 << list as u32 != 0
    }

    /// Whether a phrase of the list stands anywhere.
    pub(super) fn has(self, list: List) -> bool {
        self.anywhere & 1 << list as u32 != 0
    }

    /// The same for the first bytes only.
    pub(super) fn has_early(self, list: List) -> bool {
        self.early & 1 << list as u32 != 0
    }
}

fn begins_quote(line: &str) -> bool {
    line.starts_with('>') || QUOTES.iter().any(|start| line.starts_with(start)) || is_attribution(line)
}

/// "On 5 May Jo wrote:" and its like.
fn is_attribution(line: &str) -> bool {
    let ends = [
        "wrote:",
        "schrieb:",
        "a écrit :",
        "a écrit:",
        "escribió:",
        "ha scritto:",
        "schreef:",
        "skrev:",
        "pisze:",
        "napisał:",
        "escreveu:",
        "написал:",
        "kirjoitti:",
    ];
    line.len() < 300 && ends.iter().any(|end| line.ends_with(end))
}
