//! decode

use crate::{Encoding, Part};

/// Streaming.
#[derive(Debug)]
pub struct Decoder {}

impl Decoder {
    /// new
    pub fn new(_encoding: Encoding) -> Self {
        todo!()
    }
    /// feed
    pub fn feed(&mut self, _bytes: &[u8], _out: &mut Vec<u8>) {
        todo!()
    }
    /// finish
    pub fn finish(self, _out: &mut Vec<u8>) {
        todo!()
    }
}

impl Part {
    /// text
    pub fn text(&self, _encoded_body: &[u8]) -> String {
        todo!()
    }
}
