//! Cuts bytes into pieces as a network might. It never changes, drops or reorders one.

/// Pieces of 1 to `seed` bytes, in an order that only `seed` decides; 0 leaves the bytes whole.
pub(crate) fn pieces(mut bytes: &[u8], seed: u8) -> impl Iterator<Item = &[u8]> {
    let mut state = u32::from(seed);
    std::iter::from_fn(move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let length = match seed {
            0 => bytes.len(),
            seed => 1 + (state >> 16) as usize % usize::from(seed),
        };
        let (piece, rest) = bytes.split_at(length.min(bytes.len()));
        bytes = rest;
        (!piece.is_empty()).then_some(piece)
    })
}
