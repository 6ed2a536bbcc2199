//! The bytes of one part, decoded as they come out of the original. Holds one piece at a time.

use bytes::Bytes;
use mail::{Decoder, Part};
use store::{ContentReader, OpenContent, StoreError};

use super::{crew::Source, inside::Format, wire::PIECE};

/// A mail whose files are to be read.
#[derive(Debug, Clone, Copy)]
pub enum Original<'a> {
    /// Sealed in the ledger.
    Sealed(&'a OpenContent),
    /// At hand, byte for byte.
    Plain(&'a [u8]),
}

/// A part on its way out.
pub(super) struct PartSource<'a> {
    encoded: Encoded<'a>,
    /// None when all of it has come.
    decoder: Option<Decoder>,
    /// Decoded and not yet taken.
    ready: Vec<u8>,
}

/// The part's bytes in the original.
enum Encoded<'a> {
    Sealed(Box<ContentReader>),
    Plain(&'a [u8]),
}

impl Encoded<'_> {
    async fn next(&mut self) -> Result<Option<Bytes>, StoreError> {
        match self {
            Self::Sealed(reader) => reader.next().await,
            Self::Plain(bytes) => {
                let (piece, rest) = bytes.split_at(bytes.len().min(PIECE));
                *bytes = rest;
                Ok((!piece.is_empty()).then(|| Bytes::copy_from_slice(piece)))
            }
        }
    }
}

impl<'a> Original<'a> {
    fn part(self, part: &Part) -> Encoded<'a> {
        match self {
            Self::Sealed(content) => Encoded::Sealed(Box::new(content.read(part.offset, part.length))),
            Self::Plain(bytes) => {
                let place = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
                let end = place(part.offset.saturating_add(part.length));
                Encoded::Plain(&bytes[place(part.offset).min(end)..end])
            }
        }
    }
}

impl<'a> PartSource<'a> {
    pub(super) fn open(part: &Part, original: Original<'a>) -> Self {
        Self { encoded: original.part(part), decoder: Some(part.decoder()), ready: Vec::new() }
    }

    /// Enough of the first bytes to know a format by, which come again with [`Source::next`].
    pub(super) async fn beginning(&mut self) -> Result<&[u8], StoreError> {
        while self.ready.len() < Format::BEGINNING && self.more().await? {}
        Ok(&self.ready)
    }

    /// Decodes the next piece; false at the end.
    async fn more(&mut self) -> Result<bool, StoreError> {
        let Some(mut decoder) = self.decoder.take() else { return Ok(false) };
        if !decoder.done()
            && let Some(piece) = self.encoded.next().await?
        {
            decoder.feed(&piece, &mut self.ready);
            self.decoder = Some(decoder);
        } else {
            decoder.finish(&mut self.ready);
        }
        Ok(true)
    }
}

impl Source for PartSource<'_> {
    type Error = StoreError;

    async fn next(&mut self) -> Result<Option<Vec<u8>>, StoreError> {
        while self.ready.is_empty() && self.more().await? {}
        let ready = std::mem::take(&mut self.ready);
        Ok((!ready.is_empty()).then_some(ready))
    }
}
