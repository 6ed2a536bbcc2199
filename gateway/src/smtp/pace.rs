//! How long a peer may take for what it does now (RFC 5321 §4.5.3.2). It is told the time and never asks for it.
//! Progress counts, not octets: a line that drips in does not move its deadline, and a message must bring a whole
//! block in each block's time.

use tokio::time::Instant;

use super::options::Timeouts;
use super::session::Awaiting;

/// The deadlines of one connection.
pub(crate) struct Pace {
    timeouts: Timeouts,
    stage: Stage,
}

enum Stage {
    /// Until another line is whole; so many were before.
    Lines { before: u64, until: Instant },
    /// Until the message, which came after so many lines, is whole.
    Data { before: u64, total: Instant, block: Instant, missing: u64 },
}

impl Pace {
    /// At the greeting.
    pub(crate) fn start(timeouts: Timeouts, now: Instant) -> Self {
        let stage = Stage::Lines { before: 0, until: now + timeouts.greeting };
        Self { timeouts, stage }
    }

    /// When the peer is too slow.
    pub(crate) fn deadline(&self) -> Instant {
        match self.stage {
            Stage::Lines { until, .. } => until,
            Stage::Data { total, block, .. } => total.min(block),
        }
    }

    /// The peer sent `octets`, `lines` lines are whole by now, and `awaiting` is what comes next.
    pub(crate) fn advanced(&mut self, awaiting: Awaiting, lines: u64, octets: usize, now: Instant) {
        match (&mut self.stage, awaiting) {
            (Stage::Lines { before, .. }, Awaiting::Command | Awaiting::Continuation) if *before == lines => {
            }
            // Between two chunks it is the same message still.
            (Stage::Data { before, block, missing, .. }, Awaiting::Data | Awaiting::Chunk)
                if *before == lines =>
            {
                *missing = missing.saturating_sub(octets as u64);
                if *missing == 0 {
                    *missing = block_size(&self.timeouts);
                    *block = now + self.timeouts.data_block;
                }
            }
            (_, Awaiting::Data | Awaiting::Chunk) => {
                self.stage = Stage::Data {
                    before: lines,
                    total: now + self.timeouts.data_total,
                    block: now + self.timeouts.data_block,
                    missing: block_size(&self.timeouts),
                };
            }
            (_, Awaiting::Command | Awaiting::Continuation) => {
                self.stage = Stage::Lines { before: lines, until: now + self.timeouts.command };
            }
        }
    }
}

fn block_size(timeouts: &Timeouts) -> u64 {
    timeouts.data_block.as_secs().saturating_mul(u64::from(timeouts.data_rate)).max(1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn pace(now: Instant) -> Pace {
        let timeouts = Timeouts {
            greeting: Duration::from_secs(10),
            command: Duration::from_secs(20),
            data_block: Duration::from_secs(30),
            data_rate: 100,
            data_total: Duration::from_secs(1000),
            ..Timeouts::default()
        };
        Pace::start(timeouts, now)
    }

    #[test]
    fn a_line_that_drips_does_not_move_its_deadline() {
        let start = Instant::now();
        let mut pace = pace(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        pace.advanced(Awaiting::Command, 0, 1, after(5));
        assert_eq!(pace.deadline(), after(10));
        pace.advanced(Awaiting::Command, 1, 1, after(6));
        assert_eq!(pace.deadline(), after(26));
        pace.advanced(Awaiting::Continuation, 1, 5, after(20));
        assert_eq!(pace.deadline(), after(26));
    }

    #[test]
    fn a_message_must_bring_a_block_in_each_block_time() {
        let start = Instant::now();
        let mut pace = pace(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        pace.advanced(Awaiting::Data, 4, 10, after(0));
        assert_eq!(pace.deadline(), after(30));
        pace.advanced(Awaiting::Data, 4, 2_999, after(20));
        assert_eq!(pace.deadline(), after(30));
        pace.advanced(Awaiting::Data, 4, 1, after(29));
        assert_eq!(pace.deadline(), after(59));
        for second in 30..999 {
            pace.advanced(Awaiting::Data, 4, 3_000, after(second));
        }
        assert_eq!(pace.deadline(), after(1000), "the whole message has a deadline too");
        pace.advanced(Awaiting::Command, 4, 1, after(999));
        assert_eq!(pace.deadline(), after(1019));
    }

    #[test]
    fn the_next_message_starts_anew() {
        let start = Instant::now();
        let mut pace = pace(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        pace.advanced(Awaiting::Data, 4, 10, after(0));
        pace.advanced(Awaiting::Data, 7, 10, after(900));
        assert_eq!(pace.deadline(), after(930));
    }

    #[test]
    fn a_message_in_chunks_is_one_message() {
        let start = Instant::now();
        let mut pace = pace(start);
        let after = |seconds| start + Duration::from_secs(seconds);
        pace.advanced(Awaiting::Data, 4, 10, after(0));
        pace.advanced(Awaiting::Chunk, 4, 2_000, after(10));
        pace.advanced(Awaiting::Chunk, 4, 900, after(20));
        assert_eq!(pace.deadline(), after(30), "neither the end of a chunk nor its command moves the block");
        pace.advanced(Awaiting::Data, 4, 100, after(29));
        assert_eq!(pace.deadline(), after(59));
        for second in 30..999 {
            pace.advanced(Awaiting::Chunk, 4, 3_000, after(second));
        }
        assert_eq!(pace.deadline(), after(1000));
        pace.advanced(Awaiting::Data, 7, 10, after(999));
        assert_eq!(pace.deadline(), after(1029), "the next message starts anew");
    }
}
