//! Where a text speaks of its writer and the writer's company: signatures and disclaimers. Names, telephone numbers and
//! addresses there are no consumer's; numbers of meters and people count everywhere.

use super::lexicon::{Hit, Roles};

/// A paragraph of a disclaimer ends by then.
const PARAGRAPH: usize = 1_500;
/// The line of a disclaimer begins by then.
const LINE: usize = 300;

pub(super) struct Quiet(Vec<(u32, u32)>);

impl Quiet {
    /// `signatures` and `hits` are in order.
    pub(super) fn new(text: &str, signatures: &[(u32, u32)], hits: &[Hit]) -> Self {
        let mut quiet = signatures.to_vec();
        let mut last = 0;
        for hit in hits.iter().filter(|hit| hit.roles.any(Roles::DISCLAIMER)) {
            if (hit.start as usize) < last {
                continue;
            }
            let (start, end) = paragraph(text.as_bytes(), hit.start as usize);
            last = end;
            quiet.push((start as u32, end as u32));
        }
        quiet.sort_unstable();
        let mut joined: Vec<(u32, u32)> = Vec::with_capacity(quiet.len());
        for (start, end) in quiet {
            match joined.last_mut() {
                Some((_, before)) if start <= *before => *before = end.max(*before),
                _ => joined.push((start, end)),
            }
        }
        Self(joined)
    }

    pub(super) fn has(&self, at: u32) -> bool {
        let after = self.0.partition_point(|(start, _)| *start <= at);
        after.checked_sub(1).is_some_and(|before| at < self.0[before].1)
    }
}

/// The line in which `at` stands and what follows up to an empty one.
fn paragraph(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = &bytes[at.saturating_sub(LINE)..at];
    let start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(at - before.len(), |line| at - before.len() + line);
    let behind = &bytes[at..(at + PARAGRAPH).min(bytes.len())];
    let blank = behind.windows(2).position(|pair| pair == b"\n\n" || pair == b"\n\r");
    (start, at + blank.unwrap_or(behind.len()))
}
