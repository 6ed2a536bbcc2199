//! How long to wait after a failure, and how to wait for the end.

use std::time::Duration;

use tokio::sync::watch;

use super::settings::Pace;

/// The pause after so many failures in a row: twice as long each time up to the longest, and a random part of up to
/// half of it less, so that the pollers of one server do not all come back at once.
pub(super) fn pause(pace: &Pace, failures: u32) -> Duration {
    let doubled = pace.first_pause.saturating_mul(1 << failures.saturating_sub(1).min(16));
    let full = doubled.min(pace.longest_pause);
    // Without randomness the pause is just the full one.
    let dice = certs::random::<4>().map_or(0, u32::from_le_bytes);
    full - full.mul_f64(0.5 * f64::from(dice) / f64::from(u32::MAX))
}

/// Returns once `stop` is true, or its sender gone.
pub(super) async fn until_stopped(stop: &mut watch::Receiver<bool>) {
    let _gone = stop.wait_for(|stop| *stop).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let pace = Pace {
            first_pause: Duration::from_secs(2),
            longest_pause: Duration::from_secs(60),
            ..Pace::default()
        };
        for (failures, longest) in [(1, 2), (2, 4), (3, 8), (5, 32), (6, 60), (100, 60), (u32::MAX, 60)] {
            let pause = pause(&pace, failures);
            assert!(pause <= Duration::from_secs(longest), "{failures}: {pause:?}");
            assert!(pause >= Duration::from_secs(longest) / 2, "{failures}: {pause:?}");
        }
    }
}
