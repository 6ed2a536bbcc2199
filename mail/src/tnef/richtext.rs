//! Packed rich text to what it says: unpacking and reading in one pass. Holds no more than the window of the one and the
//! groups of the other.

use super::{
    lzfu::Unpacker,
    rtf::{Form, Rtf},
};

/// Takes packed rich text in pieces of any size and gives its text or its HTML, in UTF-8.
#[derive(Debug, Default)]
pub(crate) struct Richtext {
    unpacker: Unpacker,
    rtf: Rtf,
    unpacked: Vec<u8>,
}

impl Richtext {
    pub(crate) fn feed(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        self.unpacker.feed(bytes, &mut self.unpacked);
        self.rtf.feed(&self.unpacked, out);
        self.unpacked.clear();
    }

    pub(crate) fn finish(self, out: &mut Vec<u8>) {
        self.rtf.finish(out);
    }

    /// Whether what comes out is HTML.
    pub(super) fn is_html(&self) -> bool {
        self.rtf.form() == Form::Html
    }

    /// Whether this is packed rich text at all.
    pub(super) fn sound(&self) -> bool {
        self.unpacker.sound()
    }
}
