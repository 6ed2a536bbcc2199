//! A leaf's body while it passes: its place is noted, its text kept within a budget if it has any, all else dropped.

use crate::{Message, Part, Scanner, charset, decode::Decoder, html};

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
    Text(Reader<Kept>),
    Mail(Box<Reader<Scanner>>),
}

/// What a body said.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    Text { text: String, whole: bool, sound: bool },
    Mail(Box<Message>),
}

impl Body {
    /// A body that only passes by and is not even listed.
    pub(crate) fn ignored() -> Self {
        Self { part: None, ear: Ear::Deaf }
    }

    /// A body that only passes by.
    pub(crate) fn file(part: Part) -> Self {
        Self { part: Some(part), ear: Ear::Deaf }
    }

    /// A body whose decoded text is kept up to `most` bytes.
    pub(crate) fn text(part: Part, most: usize) -> Self {
        let kept = Kept { bytes: Vec::new(), most, whole: true };
        Self { ear: Ear::Text(Reader::new(&part, kept)), part: Some(part) }
    }

    /// An encoded mail, scanned as it is decoded.
    pub(crate) fn mail(part: Part, scanner: Scanner) -> Self {
        Self { ear: Ear::Mail(Box::new(Reader::new(&part, scanner))), part: Some(part) }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        match &mut self.ear {
            Ear::Deaf => {}
            Ear::Text(reader) => reader.push(bytes),
            Ear::Mail(reader) => reader.push(bytes),
        }
    }

    /// Ends the body at `end`, an offset in the original. `Bound` tells whose the last line end was.
    pub(crate) fn finish(self, end: u64, bound: Bound) -> Option<(Part, Heard)> {
        let mut part = self.part?;
        part.length = end.saturating_sub(part.offset);
        let heard = match self.ear {
            Ear::Deaf => Heard::Nothing,
            Ear::Text(reader) => {
                let kept = reader.finish(bound);
                let read = charset::read(&kept.bytes, part.charset.as_deref());
                let text = if part.media_type == "text/html" { html::text(&read.text) } else { read.text };
                Heard::Text { text, whole: kept.whole, sound: read.sound }
            }
            Ear::Mail(reader) => Heard::Mail(Box::new(reader.finish(bound).finish())),
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

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    most: usize,
    whole: bool,
}

impl Sink for Kept {
    fn take(&mut self, bytes: &[u8]) {
        let room = self.most - self.bytes.len();
        self.whole &= bytes.len() <= room;
        self.bytes.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl Sink for Scanner {
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
