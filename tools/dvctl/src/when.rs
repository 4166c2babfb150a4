//! Points in time as people write them.

use std::time::Duration;

use verification::Timestamp;

/// A time before now (`90s`, `15m`, `2h`, `7d`) or an RFC 3339 time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    Ago(Duration),
    At(Timestamp),
}

impl When {
    pub fn before(self, now: Timestamp) -> Timestamp {
        match self {
            Self::Ago(duration) => {
                let milliseconds = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_milliseconds(now.milliseconds().saturating_sub(milliseconds))
            }
            Self::At(timestamp) => timestamp,
        }
    }
}

impl std::str::FromStr for When {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(timestamp) = text.parse() {
            return Ok(Self::At(timestamp));
        }
        duration(text).map(Self::Ago).ok_or_else(|| {
            "give a time before now such as 90s, 15m, 2h or 7d, or a time such \
                as 2026-11-23T08:00:00Z"
                .to_owned()
        })
    }
}

/// `90s`, `15m`, `2h` or `7d`, at most a hundred years.
pub fn duration(text: &str) -> Option<Duration> {
    let unit = text.chars().last()?;
    let seconds_each: u64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number: u64 = text.strip_suffix(unit)?.parse().ok()?;
    let seconds = number
        .checked_mul(seconds_each)
        .filter(|seconds| *seconds <= 100 * 366 * 24 * 60 * 60)?;
    Some(Duration::from_secs(seconds))
}

/// A duration in up to two units: `45 s`, `2 h 5 min`, `4 d 2 h`.
pub fn describe(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{seconds} s"),
        (0, 0, _) => format!("{minutes} min"),
        (0, _, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {} h", hours % 24),
    }
}

/// Distance from now: `in 3 min` or `2 h 5 min ago`.
pub fn relative(then: Timestamp, now: Timestamp) -> String {
    if then > now {
        format!("in {}", describe(then.since(now)))
    } else {
        format!("{} ago", describe(now.since(then)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_times_are_understood_and_all_else_is_refused() {
        assert_eq!("2h".parse(), Ok(When::Ago(Duration::from_secs(7_200))));
        assert_eq!("7d".parse(), Ok(When::Ago(Duration::from_secs(604_800))));
        let at: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        assert_eq!("2026-11-23T10:00:00+02:00".parse(), Ok(When::At(at)));
        for wrong in [
            "",
            "2",
            "h",
            "-2h",
            "2 h",
            "2w",
            "yesterday",
            "99999999999999999999d",
            "9é",
        ] {
            assert!(wrong.parse::<When>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn distances_read_as_people_say_them() {
        let now = Timestamp::from_milliseconds(1_800_000_000_000);
        assert_eq!(
            relative(now.plus(Duration::from_secs(200)), now),
            "in 3 min"
        );
        assert_eq!(
            relative(now, now.plus(Duration::from_secs(7_500))),
            "2 h 5 min ago"
        );
        assert_eq!(describe(Duration::from_secs(45)), "45 s");
        assert_eq!(describe(Duration::from_secs(4 * 86_400 + 7_300)), "4 d 2 h");
        assert_eq!(
            When::Ago(Duration::from_secs(60))
                .before(now)
                .milliseconds(),
            1_799_999_940_000
        );
    }
}
