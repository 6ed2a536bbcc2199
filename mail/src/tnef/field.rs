//! A field of a few bytes that may arrive in pieces.

/// Longest field: a set's GUID with the kind of the name behind it.
const LONGEST: usize = 24;

/// Collects the bytes of one field, then of the next.
#[derive(Debug, Default)]
pub(super) struct Field {
    held: [u8; LONGEST],
    filled: usize,
}

impl Field {
    /// The field's `N` bytes, at most 24, once they are there; takes them from `bytes`.
    pub(super) fn take<const N: usize>(&mut self, bytes: &mut &[u8]) -> Option<[u8; N]> {
        let taken = (N - self.filled).min(bytes.len());
        let (head, rest) = bytes.split_at(taken);
        self.held[self.filled..self.filled + taken].copy_from_slice(head);
        self.filled += taken;
        *bytes = rest;
        if self.filled < N {
            return None;
        }
        self.filled = 0;
        self.held.first_chunk().copied()
    }

    /// The field's four bytes as a number.
    pub(super) fn number(&mut self, bytes: &mut &[u8]) -> Option<u32> {
        self.take(bytes).map(u32::from_le_bytes)
    }
}
