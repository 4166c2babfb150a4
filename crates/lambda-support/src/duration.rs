//! Durations as log lines and deadlines have them.

use std::time::Duration;

use verification::Timestamp;

/// Whole milliseconds; at most `u64::MAX`.
pub fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// `reserve` before an invocation's deadline, which Lambda gives in milliseconds since 1970.
pub fn deadline_less(deadline: u64, reserve: Duration) -> Timestamp {
    let until = deadline.saturating_sub(milliseconds(reserve));
    Timestamp::from_milliseconds(i64::try_from(until).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reserve_is_kept_and_nothing_overflows() {
        let until = |deadline, seconds| {
            deadline_less(deadline, Duration::from_secs(seconds)).milliseconds()
        };
        assert_eq!(until(10_000, 4), 6_000);
        assert_eq!(until(1_000, 4), 0);
        assert_eq!(until(u64::MAX, 0), i64::MAX);
        assert_eq!(milliseconds(Duration::MAX), u64::MAX);
    }
}
