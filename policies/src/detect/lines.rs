//! What lines say about each other: which row of a table is its head, and where a letter ends and its writer's signature
//! begins. Fed token by token; it keeps one line in mind.

use super::{
    Category,
    lexicon::{Hit, Roles},
    scan::Sort,
};

const DELIMITERS: [u8; 4] = [b'\t', b',', b';', b'|'];
/// Columns beyond these have no head.
const MOST_CELLS: usize = 200;
/// A head is a line of short words.
const HEAD_LINE: usize = 4_000;
const HEAD_IN_PROSE: usize = 200;
const CELL: usize = 48;
/// Octets of a signature at most, empty lines counted.
const SIGNATURE: usize = 3_000;
/// What stands behind a closing on its line is a name, not a sentence.
const BEHIND_CLOSING: usize = 40;
/// How far letters are moved in at most: no line is looked through again and again.
const INDENT: usize = 1_000;
/// Marks of replies before a line.
const QUOTES: [char; 4] = ['>', ' ', '\t', '|'];

#[derive(Debug)]
pub(super) struct Lines {
    sort: Sort,
    /// Lines of a signature at most.
    most: u32,
    line: Line,
    table: Option<Table>,
    signature: Option<Signature>,
    /// Octets of signatures, in order.
    pub(super) signatures: Vec<(u32, u32)>,
}

#[derive(Debug, Default)]
struct Line {
    start: usize,
    /// Its first word of the lexicon.
    first_hit: usize,
    has_number: bool,
    has_words: bool,
    /// How many of each delimiter there were so far.
    delimiters: [u16; DELIMITERS.len()],
    cell_start: usize,
    /// In a cell with quotation marks around it, where delimiters are text (RFC 4180).
    is_quoted: bool,
}

#[derive(Debug)]
struct Table {
    /// Its place in [`DELIMITERS`]; none where only spaces part the cells, so that every word is for all of them.
    delimiter: Option<usize>,
    cells: Vec<Roles>,
}

#[derive(Debug)]
struct Signature {
    start: usize,
    left: u32,
}

/// A cell whose head wants it to be read as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cell {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) head: Roles,
}

impl Lines {
    pub(super) fn new(sort: Sort, most: u32) -> Self {
        Self { sort, most, line: Line::default(), table: None, signature: None, signatures: Vec::new() }
    }

    #[inline]
    pub(super) fn token(&mut self) {
        self.line.has_words = true;
    }

    pub(super) fn number(&mut self) {
        self.line.has_number = true;
    }

    /// Whether the text goes on in rows with columns.
    pub(super) fn is_table(&self) -> bool {
        self.table.as_ref().is_some_and(|table| table.delimiter.is_some())
    }

    /// What the head of the column says in which the text goes on.
    pub(super) fn head(&self) -> Roles {
        let Some(table) = &self.table else { return Roles::NONE };
        let cell = table.delimiter.map_or(0, |kind| usize::from(self.line.delimiters[kind]));
        table.cells.get(cell).copied().unwrap_or_default()
    }

    /// A delimiter at `at`; the cell it ends, if names are in that column.
    pub(super) fn cell_end(&mut self, delimiter: u8, at: usize) -> Option<Cell> {
        let kind = DELIMITERS.iter().position(|known| *known == delimiter)?;
        if self.line.is_quoted {
            return None;
        }
        let ends = self.table.as_ref().is_some_and(|table| table.delimiter == Some(kind));
        let cell = ends.then(|| self.last_cell(at)).flatten();
        if ends {
            self.line.cell_start = at + 1;
        }
        self.line.delimiters[kind] = self.line.delimiters[kind].saturating_add(1);
        cell
    }

    /// A quotation mark: in a file it opens or closes a cell.
    pub(super) fn quote(&mut self) {
        self.line.is_quoted = self.sort == Sort::File && self.table.is_some() && !self.line.is_quoted;
    }

    /// The cell that ends at `at`.
    pub(super) fn last_cell(&self, at: usize) -> Option<Cell> {
        self.table.as_ref()?.delimiter?;
        let head = self.head();
        let wanted = Roles::of(Category::Name).and(Roles::of(Category::PostalAddress));
        head.any(wanted).then_some(Cell { start: self.line.cell_start, end: at, head })
    }

    /// A word that closes letters: a signature begins behind it if it stands alone.
    pub(super) fn closing(&mut self, text: &str, hit: Hit) {
        let (start, end) = (hit.start as usize, hit.end as usize);
        let before = &text[self.line.start..start];
        let is_first =
            before.len() <= INDENT && before.trim_matches(QUOTES).trim_matches(['*', '_']).is_empty();
        if is_first && is_alone(&text[end..]) {
            // The same letter may stand there twice, as text and as HTML.
            if let Some(Signature { start, .. }) =
                self.signature.replace(Signature { start: end, left: self.most })
            {
                self.signatures.push((start as u32, self.line.start as u32));
            }
        }
    }

    /// The line ends at `at`; `hits` are the words so far.
    pub(super) fn line_end(&mut self, text: &str, at: usize, hits: &[Hit]) {
        let line = &text[self.line.start..at];
        let words = &hits[self.line.first_hit.min(hits.len())..];
        self.table_goes_on(line, words);
        self.signature_goes_on(line, at, words);
        if at == text.len()
            && let Some(Signature { start, .. }) = self.signature.take()
        {
            self.signatures.push((start as u32, at.min(start + SIGNATURE) as u32));
        }
        let next = at + 1;
        self.line = Line { start: next, first_hit: hits.len(), cell_start: next, ..Line::default() };
    }

    fn table_goes_on(&mut self, line: &str, words: &[Hit]) {
        if !self.line.has_words && !self.line.has_number {
            return;
        }
        if !self.line.has_number
            && !words.is_empty()
            && let Some(table) = self.head_of(line, words)
        {
            self.table = Some(table);
        } else if self.sort == Sort::Prose && !self.line.has_number {
            self.table = None;
        }
    }

    /// The table of which this line without numbers is the head.
    fn head_of(&self, line: &str, words: &[Hit]) -> Option<Table> {
        let delimiter = self.delimiter();
        let most = if self.sort == Sort::Prose { HEAD_IN_PROSE } else { HEAD_LINE };
        if line.len() > most || line.trim_end().ends_with('.') {
            return None;
        }
        let cells = match delimiter {
            Some(kind) => self.cells(line, words, DELIMITERS[kind])?,
            None => vec![words.iter().fold(Roles::NONE, |all, hit| all.and(hit.roles))],
        };
        let labelled = cells.iter().filter(|roles| roles.any(Roles::LABEL)).count();
        let is_head = match delimiter {
            None => cells[0].labels() >= 2 && words.len() * 24 >= line.len() && !line.contains([',', ':']),
            // What is in a table already is a row of it, unless it is a head beyond doubt.
            Some(_) if self.table.is_some() => labelled >= 2 && labelled * 2 > cells.len(),
            Some(_) => labelled >= if self.sort == Sort::Prose { 2 } else { 1 },
        };
        is_head.then_some(Table { delimiter, cells })
    }

    fn delimiter(&self) -> Option<usize> {
        let kinds = DELIMITERS.iter().enumerate();
        let allowed = kinds.filter(|(_, byte)| self.sort == Sort::File || matches!(**byte, b'\t' | b'|'));
        let counted = allowed.map(|(kind, _)| (self.line.delimiters[kind], kind));
        counted.filter(|(count, _)| *count > 0).max().map(|(_, kind)| kind)
    }

    fn cells(&self, line: &str, words: &[Hit], delimiter: u8) -> Option<Vec<Roles>> {
        let mut cells = Vec::new();
        let (mut start, mut words) = (self.line.start, words.iter().peekable());
        for cell in line.as_bytes().split(|byte| *byte == delimiter).take(MOST_CELLS) {
            let end = start + cell.len();
            if cell.len() > CELL {
                return None;
            }
            let mut roles = Roles::NONE;
            while let Some(hit) = words.next_if(|hit| (hit.start as usize) < end) {
                roles = roles.and(hit.roles);
            }
            cells.push(roles);
            start = end + 1;
        }
        Some(cells)
    }

    fn signature_goes_on(&mut self, line: &str, at: usize, words: &[Hit]) {
        let plain = line.trim_matches(QUOTES).trim_end();
        if let Some(signature) = &mut self.signature {
            let is_first = signature.start >= self.line.start;
            if !is_first && (ends_signature(plain) || self.line.names_data(line, words))
                || signature.left == 0
                || at > signature.start + SIGNATURE
            {
                let end = if is_first { at } else { self.line.start };
                self.signatures.push((signature.start as u32, end as u32));
                self.signature = None;
            } else if self.line.has_words || self.line.has_number {
                signature.left -= 1;
            }
        }
        if self.signature.is_none() && plain == "--" {
            self.signature = Some(Signature { start: at, left: self.most });
        }
    }
}

impl Line {
    /// A label of a consumer's data with a colon: what comes is no signature any more.
    fn names_data(&self, line: &str, words: &[Hit]) -> bool {
        let contact = [Category::Telephone, Category::Email, Category::PostalAddress, Category::Postcode];
        let own = contact.iter().fold(Roles::COMPANY, |all, category| all.and(Roles::of(*category)));
        let speaks = Roles::LABEL.and(Roles::CONSUMER).without(own);
        words.iter().filter(|hit| hit.roles.any(speaks)).any(|hit| {
            let behind = line.get((hit.end as usize).saturating_sub(self.start)..).unwrap_or_default();
            behind.trim_start_matches([' ', '*']).starts_with([':', '='])
        })
    }
}

fn is_alone(behind: &str) -> bool {
    // A closing begins its line, so each line is read only once.
    let line = behind.split('\n').next().unwrap_or_default().trim_end();
    if line.len() >= BEHIND_CLOSING {
        return false;
    }
    let words = line.split_whitespace().filter(|word| word.starts_with(char::is_alphanumeric));
    words.clone().count() <= 3 && words.clone().all(|word| word.starts_with(char::is_uppercase))
}

/// The next letter, the head of the mail that a reply quotes, or a second thought.
fn ends_signature(line: &str) -> bool {
    let plain = line.trim_start_matches(['*', ' ']);
    [
        "Dear ",
        "Hi ",
        "Hi,",
        "Hello",
        "Good morning",
        "Good afternoon",
        "From:",
        "Sent:",
        "-----",
        "_____",
        "=====",
        "PS",
        "P.S",
        "p.s",
        "Begin forwarded",
    ]
    .iter()
    .any(|mark| plain.starts_with(mark))
        || plain.ends_with("wrote:")
}
