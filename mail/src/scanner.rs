//! The one parser of mail: a push parser for small and large mail alike. It follows header blocks and boundaries line by
//! line, in linear time and bounded memory, and notes where each part's body stands in the original. It never holds an
//! attachment, never fails and never depends on how the bytes were cut into pieces.

use std::mem;

use memchr::{memchr, memmem};

use crate::{
    Defect, Message,
    block::{Block, Owner, Taken},
    body::{Body, Bound},
    contents::Room,
    entity::{Around, Entity, Kind},
    findings::Findings,
};

/// Bytes of a line that decide what it is: longer than any boundary or field name followed. What a longer line holds
/// beyond them is never looked at for structure, so no line is ever buffered whole.
const BEGINNING: usize = 1024;
/// Mails behind a transfer encoding inside one another; each has a scanner of its own.
const ENCODED_DEPTH: usize = 3;

/// What one mail may cost. Beyond it the mail is still passed by whole, and a [`Defect`] says what was not looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Multiparts and mails inside one another.
    pub depth: usize,
    /// Header blocks read, thus parts listed.
    pub parts: usize,
    /// Bytes of one header block.
    pub header_bytes: usize,
    /// Bytes of text kept in all.
    pub text_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { depth: 100, parts: 10_000, header_bytes: 100 * 1024, text_bytes: 1024 * 1024 }
    }
}

/// Takes a mail in pieces of any size and says at its end what it was.
#[derive(Debug)]
pub struct Scanner {
    budget: Budget,
    encoded_depth: usize,
    lines: Lines,
    /// Open multiparts and mails, outermost first.
    levels: Vec<Level>,
    state: State,
    findings: Findings,
}

/// Where in the line structure the next byte stands.
#[derive(Debug)]
struct Lines {
    /// Offset of the next byte that has not been judged.
    offset: u64,
    /// Beginning of a line whose kind is not decided yet.
    beginning: Vec<u8>,
    within: Within,
    /// Bytes of the line end before the current line: 0 at the start, 1 or 2 after.
    end_before: u64,
    last: u8,
    finder: memmem::Finder<'static>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Within {
    LineStart,
    Line,
}

#[derive(Debug)]
enum Level {
    Multipart { boundary: Vec<u8>, around: Around },
    Mail { part: usize },
}

#[derive(Debug)]
enum State {
    Head(Block),
    Leaf(Body),
    /// Before a multipart's first boundary. If none comes, this is all the text there is, so it is kept like one.
    Preamble(Body),
    /// Behind a closing boundary.
    Epilogue,
}

/// A delimiter line that matched the multipart at `level`.
#[derive(Debug, Clone, Copy)]
struct Delimiter {
    level: usize,
    closing: bool,
}

impl Scanner {
    /// A scanner at the first byte of a mail.
    pub fn new(budget: Budget) -> Self {
        Self {
            budget,
            encoded_depth: 0,
            lines: Lines::new(),
            levels: Vec::new(),
            state: State::Head(Block::default()),
            findings: Findings::new(budget),
        }
    }

    /// The next bytes of the mail, any number.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let taken = match self.lines.within {
                Within::LineStart if self.undecided(bytes[0]) => self.beginning(bytes),
                _ => self.run(bytes),
            };
            bytes = &bytes[taken..];
        }
    }

    /// The end of the mail.
    pub fn finish(mut self) -> Message {
        let beginning = mem::take(&mut self.lines.beginning);
        if !beginning.is_empty() {
            self.line(&beginning);
        }
        self.settle();
        let end = self.lines.offset;
        self.end_entity(end, None);
        self.end_levels(0, end);
        self.findings.message()
    }

    /// Whether the line that starts with `first` may be a delimiter or a header line.
    fn undecided(&self, first: u8) -> bool {
        match self.state {
            State::Head(_) => true,
            _ => !self.lines.beginning.is_empty() || (first == b'-' && !self.levels.is_empty()),
        }
    }

    /// Collects the beginning of a line until it decides; gives back how many bytes it took.
    fn beginning(&mut self, bytes: &[u8]) -> usize {
        let room = BEGINNING - self.lines.beginning.len();
        let window = &bytes[..bytes.len().min(room)];
        let (taken, decided) = match memchr(b'\n', window) {
            Some(at) => (at + 1, true),
            None => (window.len(), window.len() == room),
        };
        if !decided {
            self.lines.beginning.extend_from_slice(window);
        } else if self.lines.beginning.is_empty() {
            self.line(&bytes[..taken]);
        } else {
            let mut line = mem::take(&mut self.lines.beginning);
            line.extend_from_slice(&bytes[..taken]);
            self.line(&line);
            line.clear();
            self.lines.beginning = line;
        }
        taken
    }

    /// Takes bytes that decide nothing: the rest of a line, and in a body all lines up to one that may be a delimiter.
    fn run(&mut self, bytes: &[u8]) -> usize {
        let taken = match &mut self.state {
            State::Head(block) => {
                let taken = memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1);
                block.push(&bytes[..taken], self.budget.header_bytes);
                taken
            }
            State::Leaf(body) | State::Preamble(body) => {
                let taken = self.lines.before_dash(bytes, !self.levels.is_empty());
                body.push(&bytes[..taken]);
                taken
            }
            State::Epilogue => self.lines.before_dash(bytes, !self.levels.is_empty()),
        };
        self.lines.passed(&bytes[..taken]);
        taken
    }

    /// Judges a line: a whole one, or the first [`BEGINNING`] bytes of a longer one, or the last one without line end.
    fn line(&mut self, line: &[u8]) {
        if let Some(delimiter) = self.delimiter(line) {
            self.settle();
            self.cross(delimiter);
            self.lines.passed(line);
            return;
        }
        match &mut self.state {
            State::Head(_) => self.head_line(line),
            State::Leaf(body) | State::Preamble(body) => {
                body.push(line);
                self.lines.passed(line);
            }
            State::Epilogue => self.lines.passed(line),
        }
    }

    fn head_line(&mut self, line: &[u8]) {
        let owner = self.owner();
        let State::Head(block) = &mut self.state else {
            return;
        };
        let line = match self.lines.offset {
            0 => self.lines.skip_mark(line),
            _ => line,
        };
        let taken = block.line(line, self.budget.header_bytes, owner);
        if matches!(taken, Taken::Held | Taken::Body) {
            self.findings.defect(Defect::BadHeader);
        }
        match taken {
            Taken::Line | Taken::Held => self.lines.passed(line),
            Taken::End => {
                self.lines.passed(line);
                self.open(self.lines.offset);
            }
            Taken::Body => {
                if !self.settle() {
                    self.open(self.lines.offset);
                }
                self.line(line);
            }
        }
    }

    /// The lines that a header block holds are the body's: opens it with them, if there are any.
    fn settle(&mut self) -> bool {
        let State::Head(block) = &mut self.state else {
            return false;
        };
        let held = block.held();
        if held.is_empty() {
            return false;
        }
        self.lines.back(held.len());
        self.open(self.lines.offset);
        held.split_inclusive(|&byte| byte == b'\n').for_each(|line| self.line(line));
        true
    }

    fn owner(&self) -> Owner {
        match self.levels.last() {
            Some(Level::Mail { .. }) => Owner::Attached,
            Some(Level::Multipart { .. }) | None => Owner::Mail,
        }
    }

    /// RFC 2046 §5.1.1: two hyphens, the boundary, perhaps two hyphens, perhaps white space. The innermost multipart
    /// that matches wins; an outer one ends all inside it.
    fn delimiter(&self, line: &[u8]) -> Option<Delimiter> {
        if self.levels.is_empty() || (line.len() == BEGINNING && !line.ends_with(b"\n")) {
            return None;
        }
        let text = line.strip_prefix(b"--")?.trim_ascii_end();
        self.levels.iter().enumerate().rev().find_map(|(level, open)| {
            let Level::Multipart { boundary, .. } = open else {
                return None;
            };
            match text.strip_prefix(&boundary[..])? {
                b"" => Some(Delimiter { level, closing: false }),
                b"--" => Some(Delimiter { level, closing: true }),
                _ => None,
            }
        })
    }

    fn cross(&mut self, delimiter: Delimiter) {
        let end = self.lines.offset - self.lines.end_before;
        self.end_entity(end, Some(delimiter));
        self.end_levels(delimiter.level + 1, end);
        if delimiter.closing {
            self.levels.truncate(delimiter.level);
            self.state = State::Epilogue;
        } else {
            self.state = State::Head(Block::default());
        }
    }

    /// Ends what is being read at `end`; without a delimiter the mail itself ended.
    fn end_entity(&mut self, end: u64, delimiter: Option<Delimiter>) {
        let bound = if delimiter.is_some() { Bound::Delimiter } else { Bound::End };
        while let State::Head(block) = &self.state {
            // A block without the empty line that ends it: an entity without body, or a delimiter that stands there twice.
            let in_multipart = matches!(self.levels.last(), Some(Level::Multipart { .. }));
            if block.is_empty() && in_multipart && delimiter.is_some_and(|found| !found.closing) {
                self.state = State::Epilogue;
            } else {
                self.open(self.lines.offset);
            }
        }
        let own = delimiter.is_some_and(|found| !found.closing && found.level + 1 == self.levels.len());
        match mem::replace(&mut self.state, State::Epilogue) {
            State::Leaf(body) => self.findings.leaf(body, end, bound),
            State::Preamble(body) if !own => self.findings.preamble(body, end, bound),
            State::Preamble(_) | State::Head(_) | State::Epilogue => {}
        }
    }

    /// Closes the levels from `keep` on, which no closing boundary did.
    fn end_levels(&mut self, keep: usize, end: u64) {
        for level in self.levels.drain(keep..).rev() {
            match level {
                Level::Multipart { .. } => self.findings.defect(Defect::Unterminated),
                Level::Mail { part } => self.findings.end_mail(part, end),
            }
        }
    }

    /// Reads the header block, which is complete. The body begins at `offset`.
    fn open(&mut self, offset: u64) {
        let State::Head(block) = &mut self.state else {
            return;
        };
        let block = mem::take(block);
        self.begin(block, offset);
    }

    fn begin(&mut self, mut block: Block, offset: u64) {
        let (around, enclosed) = self.surroundings();
        let Some(entity) = self.findings.entity(&mut block, around, enclosed) else {
            self.state = State::Leaf(Body::ignored());
            return;
        };
        let Entity { kind, mut part, .. } = entity;
        part.offset = offset;
        let room = self.levels.len() < self.budget.depth;
        self.state = match kind {
            Kind::Multipart { boundary, around } if room => {
                self.levels.push(Level::Multipart { boundary, around });
                State::Preamble(Body::text(part, self.room()))
            }
            Kind::Mail if room => {
                let part = self.findings.begin_mail(part);
                self.levels.push(Level::Mail { part });
                State::Head(Block::default())
            }
            Kind::EncodedMail if room && self.encoded_depth < ENCODED_DEPTH => {
                State::Leaf(Body::mail(part, self.inner()))
            }
            Kind::Cms if room && self.encoded_depth < ENCODED_DEPTH => {
                State::Leaf(Body::signed(part, self.inner()))
            }
            Kind::Multipart { .. } | Kind::Mail | Kind::EncodedMail | Kind::Cms => {
                self.findings.defect(Defect::TooDeep);
                part.role = part.role.closed();
                State::Leaf(Body::passed(part))
            }
            Kind::Text => State::Leaf(Body::text(part, self.room())),
            Kind::Tnef => State::Leaf(Body::tnef(part, self.room())),
            Kind::Calendar | Kind::File => State::Leaf(Body::file(part, self.room())),
        };
    }

    fn surroundings(&self) -> (Around, bool) {
        let around = match self.levels.last() {
            Some(Level::Multipart { around, .. }) => *around,
            Some(Level::Mail { .. }) | None => Around::Mail,
        };
        (around, self.levels.iter().any(|level| matches!(level, Level::Mail { .. })))
    }

    /// What is left of the budget for what is inside the entity that begins here.
    fn room(&self) -> Room {
        Room {
            depth: self.budget.depth - self.levels.len(),
            parts: self.findings.parts_room(),
            text: self.findings.text_room(),
        }
    }

    /// A scanner for a mail inside this one that stands behind an encoding.
    fn inner(&self) -> Self {
        let Room { depth, parts, text } = self.room();
        let budget = Budget { depth, parts, text_bytes: text, ..self.budget };
        Self { encoded_depth: self.encoded_depth + 1, ..Self::new(budget) }
    }
}

impl Lines {
    fn new() -> Self {
        Self {
            offset: 0,
            beginning: Vec::new(),
            within: Within::LineStart,
            end_before: 0,
            last: 0,
            finder: memmem::Finder::new(b"\n-"),
        }
    }

    /// How many of `bytes` come before a line that starts with a hyphen; all of them when no boundary is open.
    fn before_dash(&self, bytes: &[u8], open: bool) -> usize {
        let found = if open { self.finder.find(bytes) } else { None };
        found.map_or(bytes.len(), |at| at + 1)
    }

    /// The line without a byte order mark, which some programs put before the first header field.
    fn skip_mark<'a>(&mut self, line: &'a [u8]) -> &'a [u8] {
        match line.strip_prefix(b"\xef\xbb\xbf") {
            Some(rest) => {
                self.passed(b"\xef\xbb\xbf");
                rest
            }
            None => line,
        }
    }

    /// Goes back to the start of a line.
    fn back(&mut self, bytes: usize) {
        self.offset -= bytes as u64;
        self.end_before = 0;
    }

    /// Moves on behind bytes that were judged.
    fn passed(&mut self, bytes: &[u8]) {
        let [before, last] = match bytes {
            [.., before, last] => [*before, *last],
            [last] => [self.last, *last],
            [] => return,
        };
        self.offset += bytes.len() as u64;
        self.last = last;
        if last == b'\n' {
            self.within = Within::LineStart;
            self.end_before = if before == b'\r' { 2 } else { 1 };
        } else {
            self.within = Within::Line;
        }
    }
}
