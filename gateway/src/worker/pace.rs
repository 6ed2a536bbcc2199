//! How fast, how often and how long mail is tried. Arithmetic only.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use store::Job;

/// How fast, how often, how long.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// Mails on their way at once.
    pub lanes: usize,
    /// Of these, to one domain.
    pub per_domain: usize,
    /// How long a mail may be under way before its lane counts as free for others.
    pub patience: Duration,
    /// How long a worker may hold a job before another may take it; also the longest that one try may take.
    pub lease: Duration,
    /// The pause after the first failure; it doubles with each further one, up to `longest_pause`.
    pub first_pause: Duration,
    pub longest_pause: Duration,
    /// How long after its making a mail is given up.
    pub give_up: Duration,
    /// After how long the sender of a relayed mail is told that it waits, once.
    pub delay_warning: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            lanes: 8,
            per_domain: 4,
            patience: Duration::from_secs(20),
            lease: Duration::from_mins(30),
            first_pause: Duration::from_secs(30),
            longest_pause: Duration::from_mins(30),
            give_up: Duration::from_hours(5 * 24),
            delay_warning: Duration::from_hours(4),
        }
    }
}

impl Pace {
    /// When a job is tried again, the last time when its time is over; `None` when it is.
    pub(super) fn next_try(&self, job: &Job, now: Timestamp) -> Option<Timestamp> {
        let left =
            self.give_up.checked_sub(until(job.patience_from(), now)).filter(|left| !left.is_zero())?;
        Some(now.saturating_add(self.pause(job).min(left)).unwrap_or(Timestamp::MAX))
    }

    /// Whether a mail waits for so long that its sender should know.
    pub(super) fn is_late(&self, job: &Job, now: Timestamp) -> bool {
        until(job.created_at, now) >= self.delay_warning
    }

    /// Doubles with each try, and differs from job to job, so that a route that comes back is not hit by all at once.
    fn pause(&self, job: &Job) -> Duration {
        let doubled = self.first_pause.saturating_mul(1 << job.attempts.saturating_sub(1).min(16));
        let pause = doubled.min(self.longest_pause);
        let spread = u32::from(job.id.as_bytes()[19]);
        pause + pause * spread / 1024
    }
}

/// Zero if `to` is past.
pub(super) fn until(from: Timestamp, to: Timestamp) -> Duration {
    Duration::try_from(to.duration_since(from).max(SignedDuration::ZERO)).unwrap_or_default()
}
