//! A leaf's body while it passes: its place is noted, its text kept within a budget if it has any, a container opened as
//! it streams, all else dropped.

use crate::{
    Defect, Part, Scanner, charset,
    closed::Watch,
    cms::{Cms, Reader as Signed},
    contents::{Contents, Room},
    decode::Decoder,
    html,
    tnef::{self, Tnef},
    uuencode,
};

/// Bytes decoded at a time, so that the decoded form of a large piece never stands whole in memory.
const STEP: usize = 16 * 1024;

/// A body of which the end has not come yet.
#[derive(Debug)]
pub(crate) struct Body {
    /// Absent when the part is beyond the budget and not listed.
    part: Option<Part>,
    ear: Ear,
}

/// Who listens to what passes.
#[derive(Debug)]
enum Ear {
    Deaf,
    Text(Box<Reader<Words>>),
    Mail(Box<Reader<Scanner>>),
    Signed(Box<Reader<Cms>>),
    File(Box<Reader<Opener>>),
}

/// What a body said.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    Text(Text),
    Contents(Contents),
}

/// The text of a body.
#[derive(Debug)]
pub(crate) struct Text {
    pub(crate) text: String,
    /// Whether that is all of it; false when the budget ended it.
    pub(crate) whole: bool,
    /// Whether its charset fitted.
    pub(crate) sound: bool,
    /// Files that stood in it.
    pub(crate) files: Vec<uuencode::File>,
}

impl Text {
    pub(crate) fn is_blank(&self) -> bool {
        self.text.trim_start().is_empty()
    }
}

impl Body {
    /// A body that only passes by and is not even listed.
    pub(crate) fn ignored() -> Self {
        Self { part: None, ear: Ear::Deaf }
    }

    /// A body that only passes by.
    pub(crate) fn passed(part: Part) -> Self {
        Self { part: Some(part), ear: Ear::Deaf }
    }

    /// A file, which may turn out to be a container or closed to all without a key.
    pub(crate) fn file(part: Part, room: Room) -> Self {
        match part.media_type.starts_with("application/") {
            true => Self::opened(part, Opener::Unknown { bytes: Vec::new(), room, declared: false }),
            false => Self::passed(part),
        }
    }

    /// A file that says it is a container of Outlook.
    pub(crate) fn tnef(part: Part, room: Room) -> Self {
        Self::opened(part, Opener::Unknown { bytes: Vec::new(), room, declared: true })
    }

    /// Signed or encrypted data; the scanner reads what is signed.
    pub(crate) fn signed(part: Part, scanner: Scanner) -> Self {
        let cms = Cms::new(Signed::of(part.name.as_deref(), scanner));
        Self { ear: Ear::Signed(Box::new(Reader::new(&part, cms))), part: Some(part) }
    }

    /// A body whose decoded text is kept up to the room's bytes.
    pub(crate) fn text(part: Part, room: Room) -> Self {
        let splitter = (part.media_type == "text/plain").then(|| uuencode::Splitter::new(room.parts + 1));
        let words = Words { kept: Vec::new(), most: room.text, whole: true, splitter };
        Self { ear: Ear::Text(Box::new(Reader::new(&part, words))), part: Some(part) }
    }

    /// An encoded mail, scanned as it is decoded.
    pub(crate) fn mail(part: Part, scanner: Scanner) -> Self {
        Self { ear: Ear::Mail(Box::new(Reader::new(&part, scanner))), part: Some(part) }
    }

    fn opened(part: Part, opener: Opener) -> Self {
        Self { ear: Ear::File(Box::new(Reader::new(&part, opener))), part: Some(part) }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match &mut self.ear {
            Ear::Deaf => {}
            Ear::Text(reader) if reader.sink.is_full() => {}
            Ear::Text(reader) => reader.push(bytes),
            Ear::Mail(reader) => reader.push(bytes),
            Ear::Signed(reader) => reader.push(bytes),
            Ear::File(reader) => {
                reader.push(bytes);
                // Most files are of no interest after a few bytes, and decoding them is most of the work.
                if reader.sink.decided() {
                    self.ear = Ear::Deaf;
                }
            }
        }
    }

    /// Ends the body at `end`, an offset in the original. `Bound` tells whose the last line end was.
    pub(crate) fn finish(self, end: u64, bound: Bound) -> Option<(Part, Heard)> {
        let mut part = self.part?;
        part.length = end.saturating_sub(part.offset);
        let heard = match self.ear {
            Ear::Deaf => Heard::Nothing,
            Ear::Text(reader) => Heard::Text(reader.finish(bound).read(&part)),
            Ear::Mail(reader) => Heard::Contents(Contents::of_mail(reader.finish(bound).finish()).enclosed()),
            Ear::Signed(reader) => Heard::Contents(reader.finish(bound).finish()),
            Ear::File(reader) => Heard::Contents(reader.finish(bound).finish()),
        };
        Some((part, heard))
    }
}

/// What ends a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Bound {
    /// A boundary delimiter, to which the line end before it belongs (RFC 2046 §5.1.1).
    Delimiter,
    /// The end of the mail.
    End,
}

/// Takes decoded bytes.
trait Sink {
    fn take(&mut self, bytes: &[u8]);
}

/// The text of a body, without the files that old clients write into it.
#[derive(Debug)]
struct Words {
    kept: Vec<u8>,
    most: usize,
    whole: bool,
    splitter: Option<uuencode::Splitter>,
}

impl Words {
    /// Whether what comes changes nothing any more: there is more than is kept, and no file to be found in it.
    fn is_full(&self) -> bool {
        !self.whole && self.splitter.is_none()
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = self.most - self.kept.len();
        self.whole &= bytes.len() <= room;
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn read(mut self, part: &Part) -> Text {
        let mut rest = Vec::new();
        let files = self.splitter.take().map(|splitter| splitter.finish(&mut rest)).unwrap_or_default();
        self.keep(&rest);
        let read = charset::read(&self.kept, part.charset.as_deref());
        let text = if part.media_type == "text/html" { html::text(&read.text) } else { read.text };
        Text { text, whole: self.whole, sound: read.sound, files }
    }
}

impl Sink for Words {
    fn take(&mut self, bytes: &[u8]) {
        match &mut self.splitter {
            None => self.keep(bytes),
            Some(splitter) => {
                let mut text = Vec::with_capacity(bytes.len());
                splitter.feed(bytes, &mut text);
                self.keep(&text);
            }
        }
    }
}

/// Looks at the first bytes of a file and then does with it what there is to do.
#[derive(Debug)]
enum Opener {
    /// `declared`: the mail says that it is TNEF.
    Unknown {
        bytes: Vec<u8>,
        room: Room,
        declared: bool,
    },
    Tnef(Box<Tnef>),
    Watch(Watch),
    Refused(Defect),
}

impl Opener {
    fn finish(self) -> Contents {
        match self {
            Self::Unknown { declared: false, .. } => Contents::default(),
            Self::Unknown { bytes, .. } if bytes.is_empty() => Contents::default(),
            Self::Unknown { .. } => Contents::closed(Defect::ContainerUnreadable),
            Self::Tnef(tnef) => tnef.finish(),
            Self::Watch(watch) if watch.closed() => Contents::closed(Defect::Opaque),
            Self::Watch(_) => Contents::default(),
            Self::Refused(defect) => Contents::closed(defect),
        }
    }

    /// Whether the file is open and holds nothing that anybody would look for.
    fn decided(&self) -> bool {
        matches!(self, Self::Watch(watch) if watch.decided() && !watch.closed())
    }

    fn at(start: &[u8], room: Room, declared: bool) -> Self {
        let is_tnef = start.starts_with(&tnef::SIGNATURE);
        match room.depth.checked_sub(1) {
            None if is_tnef => Self::Refused(Defect::TooDeep),
            Some(depth) if is_tnef => Self::Tnef(Box::new(Tnef::new(Room { depth, ..room }))),
            _ if declared => Self::Refused(Defect::ContainerUnreadable),
            _ => Self::Watch(Watch::default()),
        }
    }
}

impl Sink for Opener {
    fn take(&mut self, taken: &[u8]) {
        match self {
            Self::Unknown { bytes, room, declared } => {
                bytes.extend_from_slice(taken);
                if bytes.len() >= tnef::SIGNATURE.len() {
                    let bytes = std::mem::take(bytes);
                    *self = Self::at(&bytes, *room, *declared);
                    self.take(&bytes);
                }
            }
            Self::Tnef(tnef) => tnef.feed(taken),
            Self::Watch(watch) => watch.feed(taken),
            Self::Refused(_) => {}
        }
    }
}

impl Sink for Scanner {
    fn take(&mut self, bytes: &[u8]) {
        self.feed(bytes);
    }
}

impl Sink for Cms {
    fn take(&mut self, bytes: &[u8]) {
        self.feed(bytes);
    }
}

/// Decodes for a sink and holds back the last line end, which may turn out to belong to a delimiter.
#[derive(Debug)]
struct Reader<S> {
    decoder: Decoder,
    held: &'static [u8],
    step: Vec<u8>,
    sink: S,
}

impl<S: Sink> Reader<S> {
    fn new(part: &Part, sink: S) -> Self {
        Self { decoder: Decoder::new(part.encoding), held: b"", step: Vec::new(), sink }
    }

    fn push(&mut self, mut bytes: &[u8]) {
        if self.held == b"\r" && bytes.first() == Some(&b'\n') {
            self.held = b"\r\n";
            bytes = &bytes[1..];
        }
        if bytes.is_empty() {
            return;
        }
        let held = std::mem::take(&mut self.held);
        self.decode(held);
        self.held = match bytes {
            [.., b'\r', b'\n'] => b"\r\n",
            [.., b'\n'] => b"\n",
            [.., b'\r'] => b"\r",
            _ => b"",
        };
        self.decode(&bytes[..bytes.len() - self.held.len()]);
    }

    fn decode(&mut self, bytes: &[u8]) {
        for piece in bytes.chunks(STEP) {
            self.decoder.feed(piece, &mut self.step);
            self.sink.take(&self.step);
            self.step.clear();
        }
    }

    fn finish(mut self, bound: Bound) -> S {
        let held = std::mem::take(&mut self.held);
        if bound == Bound::End || held == b"\r" {
            self.decode(held);
        }
        self.decoder.finish(&mut self.step);
        self.sink.take(&self.step);
        self.sink
    }
}
