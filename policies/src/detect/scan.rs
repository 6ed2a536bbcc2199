//! The one pass over a text: it tells words, numbers and codes apart, looks words up, hands each token to who can read it,
//! and keeps what they say in the order of the text. It decides nothing.

use super::{
    Business, Category, codes, dates, email,
    known::Known,
    lexicon::{Hit, Lexicon, Roles, code},
    lines::Lines,
    names, numbers, phone, streets,
};

/// Something with the shape of personal data, before anybody has looked around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) category: Category,
    pub(super) shape: Shape,
    pub(super) start: u32,
    pub(super) end: u32,
    /// The head of its column, if it stands in a table.
    pub(super) head: Roles,
}

/// How much its shape says. What that means for each category is in the table of `surroundings.rs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Shape {
    /// Nothing, without a label straight before it.
    Bare,
    /// Something, with a word near by.
    Half,
    /// Little else looks like it.
    Full,
}

/// What sort of text it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sort {
    /// Written by people: a table in it is a table only if it is sure to be one.
    Prose,
    /// A file: commas and tabs may part columns.
    File,
}

/// What reads the tokens.
#[derive(Clone, Copy)]
pub(super) struct Readers<'a> {
    pub(super) lexicon: &'a Lexicon,
    pub(super) known: &'a Known,
    pub(super) business: &'a Business<'a>,
}

/// A text and what was found in it so far.
pub(super) struct Scan<'a> {
    pub(super) text: &'a str,
    pub(super) readers: Readers<'a>,
    pub(super) hits: Vec<Hit>,
    pub(super) candidates: Vec<Candidate>,
    pub(super) lines: Lines,
    /// Where the last code, name and address end that were read beyond their first token.
    read: usize,
    pub(super) named: usize,
    pub(super) addressed: usize,
    /// A sort code or an account number that waits for the other.
    pub(super) half_account: numbers::HalfAccount,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    Other,
    Letter,
    Digit,
    At,
    LineEnd,
    Delimiter,
    Quote,
}

const CLASSES: [Class; 256] = classes();

impl<'a> Scan<'a> {
    /// Goes through `text`, which is folded.
    pub(super) fn of(text: &'a str, sort: Sort, lines: u32, readers: Readers<'a>) -> Self {
        let mut scan = Self {
            text,
            readers,
            hits: Vec::new(),
            candidates: Vec::new(),
            lines: Lines::new(sort, lines),
            read: 0,
            named: 0,
            addressed: 0,
            half_account: numbers::HalfAccount::None,
        };
        scan.go();
        scan
    }

    pub(super) fn add(&mut self, category: Category, shape: Shape, start: usize, end: usize) {
        let head = self.lines.head();
        let (start, end) = (start as u32, end as u32);
        self.candidates.push(Candidate { category, shape, start, end, head });
    }

    /// Whether the octets from `start` were read as part of something before.
    pub(super) fn is_read(&self, start: usize) -> bool {
        start < self.read
    }

    /// What is before `end` needs no second look.
    pub(super) fn read_to(&mut self, end: usize) {
        self.read = self.read.max(end);
    }

    fn go(&mut self) {
        let bytes = self.text.as_bytes();
        let mut at = 0;
        loop {
            // A text is words with something between them: these two come in turns, and the processor foresees it.
            while bytes.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] == Class::Other) {
                at += 1;
            }
            let Some(byte) = bytes.get(at) else { break };
            let class = CLASSES[usize::from(*byte)];
            if class == Class::Letter {
                at = self.letters(at);
                continue;
            }
            match class {
                Class::Other | Class::Letter => at += 1,
                Class::Digit => at = self.digits(at),
                Class::At => {
                    email::read(self, at);
                    at += 1;
                }
                Class::LineEnd => {
                    self.line_end(at);
                    at += 1;
                }
                Class::Delimiter => {
                    self.cell_end(*byte, at);
                    at += 1;
                }
                Class::Quote => {
                    self.lines.quote();
                    at += 1;
                }
            }
        }
        self.line_end(bytes.len());
    }

    /// A token that begins with a letter; returns its end.
    #[inline]
    fn letters(&mut self, start: usize) -> usize {
        let bytes = self.text.as_bytes();
        let (mut end, mut code_of_word) = (start, 0);
        loop {
            while let Some(byte) = bytes.get(end).filter(|byte| CLASSES[usize::from(**byte)] == Class::Letter)
            {
                code_of_word = code(code_of_word, *byte);
                end += 1;
            }
            match bytes.get(end) {
                Some(b'\'') if is_letter(bytes, end + 1) => {
                    code_of_word = code(code_of_word, b'\'');
                    end += 1;
                }
                Some(b'0'..=b'9') => return self.mixed(start, end, code_of_word),
                _ => break,
            }
        }
        self.lines.token();
        self.word(start, end, code_of_word);
        if end - start <= codes::SHORT_WORD {
            codes::short_word(self, start, end);
        }
        end
    }

    /// A token of letters `start..digits` that goes on in digits.
    fn mixed(&mut self, start: usize, digits: usize, code_of_word: u64) -> usize {
        self.lines.number();
        let before = self.hits.len();
        self.word(start, digits, code_of_word);
        let letters = &self.text[start..digits];
        let end = token_end(self.text.as_bytes(), digits);
        let labelled = self.hits.len() > before || matches!(letters, "S" | "M");
        if labelled && self.text[digits..end].bytes().all(|byte| byte.is_ascii_digit()) {
            numbers::read(self, digits, end, false);
        }
        codes::read(self, start, end);
        end
    }

    /// A token that begins with a digit.
    fn digits(&mut self, start: usize) -> usize {
        self.lines.number();
        let bytes = self.text.as_bytes();
        let digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let end = start + digits;
        dates::read(self, start, end);
        if is_letter(bytes, end) {
            let token_end = token_end(bytes, end);
            codes::read(self, start, token_end);
            return token_end;
        }
        if digits == 2 && matches!(bytes.get(end), Some(b'-' | b':')) {
            codes::guid(self, start, end);
        }
        let is_inside = self.is_read(start);
        phone::read(self, start, end);
        numbers::read(self, start, end, is_inside);
        end
    }

    #[inline]
    fn word(&mut self, start: usize, end: usize, code: u64) {
        let Self { readers, text, hits, .. } = self;
        let first = hits.len();
        readers.lexicon.look(text.as_bytes(), start, end, code, |hit| hits.push(hit));
        if self.hits.len() > first {
            self.heard(first);
        }
    }

    /// What the words from `first` on lead to.
    #[inline(never)]
    fn heard(&mut self, first: usize) {
        let mut at = first;
        while let Some(hit) = self.hits.get(at).copied() {
            let roles = hit.roles;
            if roles.any(Roles::STREET) {
                streets::read(self, hit);
            }
            if roles
                .any(Roles::TITLE.and(Roles::GREETING).and(Roles::CONSUMER).and(Roles::of(Category::Name)))
            {
                names::read(self, hit);
            }
            if roles.any(Roles::CLOSING) {
                self.lines.closing(self.text, hit);
            }
            if roles.any(Roles::of(Category::Postcode)) {
                codes::spelt_postcode(self, hit);
            }
            if roles.any(Roles::of(Category::Vulnerability)) {
                self.add(Category::Vulnerability, Shape::Full, hit.start as usize, hit.end as usize);
            } else if roles.any(Roles::ILLNESS) {
                self.add(Category::Vulnerability, Shape::Half, hit.start as usize, hit.end as usize);
            }
            let says =
                roles.without(Roles::STREET.and(Roles::TITLE).and(Roles::GREETING).and(Roles::CLOSING));
            if says == Roles::NONE {
                self.hits.remove(at);
            } else {
                self.hits[at].roles = says;
                at += 1;
            }
        }
    }

    fn cell_end(&mut self, delimiter: u8, at: usize) {
        if let Some(cell) = self.lines.cell_end(delimiter, at) {
            names::cell(self, cell);
        }
    }

    fn line_end(&mut self, at: usize) {
        if let Some(cell) = self.lines.last_cell(at) {
            names::cell(self, cell);
        }
        self.lines.line_end(self.text, at, &self.hits);
    }
}

/// Whether a letter stands there; every octet beyond ASCII is one of a letter, since the text is folded.
pub(super) fn is_letter(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| CLASSES[usize::from(*byte)] == Class::Letter)
}

/// Whether a letter or digit stands there.
pub(super) fn is_alphanumeric(bytes: &[u8], at: usize) -> bool {
    bytes.get(at).is_some_and(|byte| matches!(CLASSES[usize::from(*byte)], Class::Letter | Class::Digit))
}

fn token_end(bytes: &[u8], at: usize) -> usize {
    (at..bytes.len()).find(|at| !is_alphanumeric(bytes, *at)).unwrap_or(bytes.len())
}

const fn classes() -> [Class; 256] {
    let mut classes = [Class::Other; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => Class::Letter,
            b'0'..=b'9' => Class::Digit,
            b'@' => Class::At,
            b'\n' => Class::LineEnd,
            b',' | b';' | b'\t' | b'|' => Class::Delimiter,
            b'"' => Class::Quote,
            _ => Class::Other,
        };
        byte += 1;
    }
    classes
}
