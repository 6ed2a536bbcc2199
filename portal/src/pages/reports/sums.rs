//! Counters added up. Median and percentile are exact: answers are counted for each number of working days.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::Date;
use store::{Measure, ReportLine};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Sums {
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) assigned: u64,
    pub(super) in_time: u64,
    pub(super) late: u64,
    /// Deadlines that passed before there was an answer, whatever came of it.
    pub(super) unanswered: u64,
    pub(super) escalated: u64,
    /// Cases that were open at the end.
    pub(super) open: i64,
    /// Working days → answers.
    pub(super) days: BTreeMap<u16, u64>,
}

impl Sums {
    /// `today` tells clocks that still run from deadlines that have passed.
    pub(super) fn add(&mut self, line: &ReportLine, today: Date) {
        let count = u64::try_from(line.count).unwrap_or_default();
        match line.of.measure {
            Measure::Sent => self.sent += count,
            Measure::Received => self.received += count,
            Measure::Assigned => self.assigned += count,
            Measure::Answered { late, days } => {
                *if late { &mut self.late } else { &mut self.in_time } += count;
                if let Some(days) = days {
                    *self.days.entry(days).or_default() += count;
                }
            }
            Measure::Passed => self.unanswered += count,
            Measure::Running { day } => {
                let due = line.month.first_day().saturating_add((i64::from(day) - 1).days());
                if due < today {
                    self.unanswered += count;
                }
            }
            Measure::Escalated => self.escalated += count,
            Measure::Open => self.open += line.count,
        }
    }

    /// The number of working days within which so many of a hundred answers came (nearest rank); none without answers.
    pub(super) fn percentile(&self, of_hundred: u64) -> Option<u64> {
        let all: u64 = self.days.values().sum();
        let rank = (all * of_hundred).div_ceil(100).max(1);
        let mut seen = 0;
        self.days.iter().find_map(|(days, count)| {
            seen += count;
            (seen >= rank).then_some(u64::from(*days))
        })
    }

    /// Late answers of a hundred, rounded; none without answers.
    pub(super) fn late_share(&self) -> Option<u64> {
        let all = self.in_time + self.late;
        (all > 0).then(|| (self.late * 200 + all) / (2 * all))
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_list_written_out() {
        let mut state = 7_u64;
        for length in 1..200_u64 {
            let mut sums = Sums::default();
            let mut list = Vec::new();
            for _ in 0..length {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let days = u16::try_from(state >> 60).unwrap();
                *sums.days.entry(days).or_default() += 1;
                list.push(u64::from(days));
            }
            list.sort_unstable();
            for of_hundred in [50, 90] {
                let rank = (length * of_hundred).div_ceil(100) as usize;
                assert_eq!(sums.percentile(of_hundred), Some(list[rank - 1]), "{of_hundred} of {length}");
            }
        }
        assert_eq!(Sums::default().percentile(50), None);
    }

    #[test]
    fn a_share_is_rounded() {
        let share = |in_time, late| Sums { in_time, late, ..Sums::default() }.late_share();
        assert_eq!(share(0, 0), None);
        assert_eq!(
            (share(2, 1), share(1, 2), share(0, 3), share(3, 0)),
            (Some(33), Some(67), Some(100), Some(0))
        );
    }
}
