//! The one parser.

use crate::Message;

/// Limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// depth
    pub depth: usize,
    /// parts
    pub parts: usize,
    /// header bytes
    pub header_bytes: usize,
    /// text bytes
    pub text_bytes: usize,
}

impl Default for Budget {
    fn default() -> Self {
        Self { depth: 100, parts: 10_000, header_bytes: 100 * 1024, text_bytes: 1024 * 1024 }
    }
}

/// Scanner.
#[derive(Debug)]
pub struct Scanner {}

impl Scanner {
    /// new
    pub fn new(_budget: Budget) -> Self {
        todo!()
    }
    /// feed
    pub fn feed(&mut self, _bytes: &[u8]) {
        todo!()
    }
    /// finish
    pub fn finish(self) -> Message {
        todo!()
    }
}
