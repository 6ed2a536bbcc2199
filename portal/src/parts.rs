//! The bytes of one part of a mail, wherever they stand: in the original, or in a container that is
//! decoded from its start. Holds no more than is asked for, and goes through no more than the effort
//! that its page allows.

use mail::{Encoding, Part};
use store::{OpenContent, StoreError};

/// How many bytes of an original may be gone through for one page: what stands behind the files of a
/// container is found only by passing them.
#[derive(Debug)]
pub(crate) struct Effort(u64);

impl Effort {
    pub(crate) fn of(bytes: u64) -> Self {
        Self(bytes)
    }
}

/// The beginning of a part, decoded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Beginning {
    pub(crate) bytes: Vec<u8>,
    /// There is more of it.
    pub(crate) cut: bool,
}

impl Beginning {
    /// The bytes as text of this part: charset undone, always UTF-8.
    pub(crate) fn text(&self, part: &Part) -> String {
        Part { encoding: Encoding::Identity, inside: None, ..part.clone() }.text(&self.bytes)
    }
}

/// Reads at most `most` decoded bytes of a part.
pub(crate) async fn beginning(
    content: &OpenContent,
    part: &Part,
    most: usize,
    effort: &mut Effort,
) -> Result<Beginning, StoreError> {
    let mut reader = content.read(part.offset, part.length.min(effort.0));
    let (mut decoder, mut bytes, mut read) = (part.decoder(), Vec::new(), 0);
    while !decoder.done() && bytes.len() <= most {
        let Some(piece) = reader.next().await? else { break };
        read += piece.len() as u64;
        decoder.feed(&piece, &mut bytes);
    }
    effort.0 = effort.0.saturating_sub(read);
    let whole = decoder.done() || read >= part.length.min(content.size().saturating_sub(part.offset));
    if whole && bytes.len() <= most {
        decoder.finish(&mut bytes);
    }
    let cut = !whole || bytes.len() > most;
    bytes.truncate(most);
    Ok(Beginning { bytes, cut })
}
