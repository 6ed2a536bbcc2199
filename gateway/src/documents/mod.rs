//! The text of a mail's files: text, CSV and HTML here; spreadsheets, text documents, slides and PDF in a process of their
//! own (`confined.rs`), within budgets of bytes and time. Whatever is wrong with a file is a fact about that file: it
//! refuses no mail, and stops nobody.

mod candidates;
mod confined;
mod crew;
mod inside;
mod plain;
mod rows;
mod source;
mod wire;

use mail::{Defect, Headline, Message, PartRole};
use policies::detect::Document;
use store::StoreError;
use tokio::time::Instant;

use self::{
    candidates::{Candidate, Kind, candidates, is_closed},
    crew::{Crew, Trouble},
    inside::Found,
    source::PartSource,
};

pub use confined::serve;
pub use crew::DocumentSettings;
pub use inside::{Extent, Why};
pub use source::Original;

/// Files of one mail that are looked into.
const FILES: usize = 200;
/// Bytes of the original that are gone through for them, each as often as a file in a container needs it.
const EFFORT: u64 = 256 * 1024 * 1024;
/// Bytes of text that the files of one mail give together.
const TEXT: usize = 4 * 1024 * 1024;

/// Looks into the files of mails.
#[derive(Debug)]
pub struct Reader {
    crew: Crew,
}

/// Why the files of a mail cannot be looked into now. Whatever is wrong with a file itself is no error.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The original cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Memory or file descriptors ran out; another time they may not.
    #[error(
        "the program that opens documents does not start: {0}; see that memory, processes and open files suffice"
    )]
    NoProcess(std::io::Error),
}

/// A file of a mail and what it says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadDocument {
    /// Its index in [`mail::Headline::parts`].
    pub part: u32,
    /// Its name, as the mail gives it; mostly there.
    pub name: String,
    /// Rows as lines, cells between tabs; paragraphs as lines.
    pub text: String,
    /// How much of the file that is.
    pub extent: Extent,
}

impl ReadDocument {
    /// Whether the text is all there was.
    pub fn is_whole(&self) -> bool {
        self.extent == Extent::Whole
    }

    /// Whether time ran out or the process ended, which another time it may not.
    pub(crate) fn may_be_read_later(&self) -> bool {
        matches!(self.extent, Extent::NotRead(Why::TooLong | Why::Died))
    }

    /// Nobody could look inside. A picture of a text is no secret of its sender's, and pictures are not read anywhere.
    fn is_opaque(&self) -> bool {
        matches!(self.extent, Extent::NotRead(why) if why != Why::NoText)
    }
}

/// The files of a mail for the rules: what was read, and of the others the names.
pub fn listed<'a>(headline: &'a Headline, read: &'a [ReadDocument]) -> Vec<Document<'a>> {
    let files = headline.parts.iter().enumerate().filter(|(_, part)| part.role != PartRole::Body);
    let document = |(place, part): (usize, &'a mail::Part)| {
        let found = read.iter().find(|document| document.part as usize == place);
        let name = part.name.as_deref().unwrap_or_default();
        let (text, whole) = found.map_or(("", true), |found| (found.text.as_str(), found.is_whole()));
        (found.is_some() || !name.is_empty()).then_some(Document { part: place as u32, name, text, whole })
    };
    files.filter_map(document).collect()
}

impl Reader {
    pub fn new(settings: DocumentSettings) -> Self {
        Self { crew: Crew::new(settings) }
    }

    /// Reads the files of a mail, in the order of its parts. Costs nothing where there is none, and never takes longer than
    /// the settings say. A file that nobody could look into is a defect of the mail from then on.
    ///
    /// # Errors
    /// The ledger's, when the original cannot be read, and that no process can be started now.
    pub async fn read(
        &self,
        message: &mut Message,
        original: Original<'_>,
    ) -> Result<Vec<ReadDocument>, ReadError> {
        let documents = self.documents(message, original).await?;
        let defects = &mut message.headline.defects;
        if documents.iter().any(ReadDocument::is_opaque) && !defects.contains(&Defect::ContainerUnreadable) {
            defects.push(Defect::ContainerUnreadable);
        }
        Ok(documents)
    }

    async fn documents(
        &self,
        message: &Message,
        original: Original<'_>,
    ) -> Result<Vec<ReadDocument>, ReadError> {
        let mut budget = Budget {
            until: Instant::now() + self.crew.settings().patience_for_mail,
            effort: EFFORT,
            text: TEXT,
        };
        let mut documents = Vec::new();
        for (place, candidate) in candidates(message).enumerate() {
            let found = match place < FILES {
                true => self.look(&candidate, original, &mut budget).await?,
                false => Some(Found::not_read(Why::TooLarge)),
            };
            let Some(found) = found else { continue };
            // The scanner has read text that is shown as part of the mail; nobody counts it twice.
            if candidate.kind == Kind::Text && plain::contains(&message.text, &found.text) {
                continue;
            }
            documents.push(candidate.document(budget.cut(found)));
        }
        Ok(documents)
    }

    /// What the file says; none where it is nothing that has words.
    async fn look(
        &self,
        candidate: &Candidate<'_>,
        original: Original<'_>,
        budget: &mut Budget,
    ) -> Result<Option<Found>, ReadError> {
        if budget.effort < candidate.part.length {
            return Ok(Some(Found::not_read(Why::TooLarge)));
        }
        budget.effort -= candidate.part.length;
        let mut source = PartSource::open(candidate.part, original);
        let beginning = source.beginning().await?;
        if inside::Format::of(beginning).is_some() {
            return Ok(Some(self.open(candidate, original, source, budget.until).await?));
        }
        if is_closed(beginning) {
            return Ok(Some(Found::not_read(Why::Closed)));
        }
        match candidate.kind {
            Kind::Document | Kind::Unknown if !plain::is_text(beginning) => Ok(match candidate.kind {
                Kind::Document => Some(Found::not_read(Why::Damaged)),
                Kind::Text | Kind::Unknown => None,
            }),
            _ => Ok(Some(plain::read(candidate.part, &mut source).await?)),
        }
    }

    /// What a document says. If the process that opened it is gone, it may have been stopped by somebody else: a fresh one
    /// tries once more.
    async fn open<'a>(
        &self,
        candidate: &Candidate<'_>,
        original: Original<'a>,
        mut source: PartSource<'a>,
        until: Instant,
    ) -> Result<Found, ReadError> {
        let found = self.crew.open(&mut source, until).await?;
        if found.extent != Extent::NotRead(Why::Died) {
            return Ok(found);
        }
        let mut source = PartSource::open(candidate.part, original);
        Ok(self.crew.open_afresh(&mut source, until).await?)
    }
}

impl From<Trouble<StoreError>> for ReadError {
    fn from(trouble: Trouble<StoreError>) -> Self {
        match trouble {
            Trouble::Source(error) => Self::Store(error),
            Trouble::NoHand(error) => Self::NoProcess(error),
        }
    }
}

/// What is left for the files of one mail.
struct Budget {
    until: Instant,
    effort: u64,
    text: usize,
}

impl Budget {
    /// The text, as far as there is room for it.
    fn cut(&mut self, mut found: Found) -> Found {
        if found.text.len() > self.text {
            let end = (0..=self.text).rev().find(|end| found.text.is_char_boundary(*end)).unwrap_or(0);
            found.text.truncate(end);
            if found.extent == Extent::Whole {
                found.extent = Extent::Cut;
            }
        }
        self.text -= found.text.len();
        found
    }
}
