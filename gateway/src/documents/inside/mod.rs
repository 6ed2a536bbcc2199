//! What stands in a document: one function from its bytes to its text. It runs in the process made for it
//! (`documents/confined.rs`) and nowhere else, because the crates that read these formats are large and the files are
//! strangers'. It opens no file and decides nothing.

mod fonts;
mod office;
mod pdf;
mod pen;
mod sheets;
mod words;

/// What was found in a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    /// Rows as lines, cells between tabs; paragraphs as lines.
    pub(super) text: String,
    /// How much of the document that is.
    pub(super) extent: Extent,
}

/// How much of a document was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All of it.
    Whole,
    /// As much as the budget allows, or as has letters.
    Cut,
    /// Nothing.
    NotRead(Why),
}

/// Why a document was not read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Why {
    /// It is not what it says it is, or broken.
    Damaged,
    /// It is locked with a password or a certificate.
    Closed,
    /// It has pages and no letters: a picture of a text.
    NoText,
    /// A format that nothing here reads.
    Unknown,
    /// Larger than what is opened.
    TooLarge,
    /// It took longer than a mail may wait.
    TooLong,
    /// The process that opened it ended over it.
    Died,
}

impl Found {
    pub(super) fn not_read(why: Why) -> Self {
        Self { text: String::new(), extent: Extent::NotRead(why) }
    }
}

/// The text of a document, `most` bytes of it.
pub(super) fn read(document: &[u8], most: usize) -> Found {
    let mut page = Page::of(most);
    let read = match Format::of(document) {
        Some(Format::Pdf) => pdf::read(document, &mut page),
        Some(Format::Archive) => office::read(document, &mut page),
        Some(Format::Compound) => sheets::old(document, &mut page),
        None => Err(Why::Unknown),
    };
    match read {
        Ok(()) => page.found(),
        // What was read before it broke is worth having; that it broke is said all the same.
        Err(why) => Found { extent: Extent::NotRead(why), ..page.found() },
    }
}

/// What a document is by its first bytes. Names and declared types lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// ISO 32000-1 §7.5.2; real readers look for the mark within the first kilobyte.
    Pdf,
    /// A ZIP archive: all newer formats of Office and OpenDocument.
    Archive,
    /// A compound file (MS-CFB §2.2): the older formats of Office.
    Compound,
}

impl Format {
    /// Bytes that decide.
    pub(super) const BEGINNING: usize = 1024;

    pub(super) fn of(beginning: &[u8]) -> Option<Self> {
        let beginning = &beginning[..beginning.len().min(Self::BEGINNING)];
        match beginning {
            start if start.starts_with(b"PK\x03\x04") => Some(Self::Archive),
            start if start.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") => Some(Self::Compound),
            start if memchr::memmem::find(start, b"%PDF-").is_some() => Some(Self::Pdf),
            _ => None,
        }
    }
}

/// Text in the making, up to a budget.
#[derive(Debug)]
struct Page {
    text: String,
    most: usize,
    full: bool,
    /// Something was there that nobody could read.
    missed: bool,
}

impl Page {
    fn of(most: usize) -> Self {
        Self { text: String::new(), most, full: false, missed: false }
    }

    fn write(&mut self, text: &str) {
        let room = self.most - self.text.len();
        if text.len() <= room {
            return self.text.push_str(text);
        }
        self.full = true;
        let end = (0..=room).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
        self.text.push_str(&text[..end]);
    }

    /// Begins a line, unless one has just begun.
    fn line(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.write("\n");
        }
    }

    fn misses(&mut self) {
        self.missed = true;
    }

    fn is_full(&self) -> bool {
        self.full
    }

    fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    fn found(self) -> Found {
        let extent = if self.full || self.missed { Extent::Cut } else { Extent::Whole };
        Found { text: self.text, extent }
    }
}
