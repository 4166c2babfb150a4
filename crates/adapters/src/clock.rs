//! The one place that reads the system's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use verification::Timestamp;
use verification::ports::Clock;

/// The machine's clock. In Lambda, AWS keeps it right.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "this is the clock")]
    fn now(&self) -> Timestamp {
        // A clock before 1970 is broken. Zero makes everything overdue, which shows.
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Timestamp::from_milliseconds(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}
