//! When an outcome that the application did not take is pushed again.

use std::str::FromStr;
use std::time::Duration;

/// Pauses between attempts, as the template lists them. One attempt more than pauses is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pauses(Vec<Duration>);

/// With jitter 11 hours, for which the queue hides a message at most.
const LONGEST: u32 = 36_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("seconds from 0 to 36000, separated by spaces")]
pub struct InvalidPauses;

impl FromStr for Pauses {
    type Err = InvalidPauses;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let pause = |word: &str| match word.parse() {
            Ok(seconds @ 0..=LONGEST) => Ok(Duration::from_secs(seconds.into())),
            _ => Err(InvalidPauses),
        };
        let pauses: Vec<Duration> = text
            .split_whitespace()
            .map(pause)
            .collect::<Result<_, _>>()?;
        if pauses.is_empty() {
            return Err(InvalidPauses);
        }
        Ok(Self(pauses))
    }
}

impl Pauses {
    /// The pause after the attempt with this number, counted from 1.
    ///
    /// `told` is the application's `Retry-After`. It lengthens a pause, up to the longest of the
    /// list, and shortens none. Up to a tenth is added as jitter: outcomes that failed together do
    /// not come back together.
    ///
    /// After the last attempt none: SQS then makes the message a dead letter.
    pub fn after(&self, attempt: u32, told: Option<Duration>) -> Duration {
        let position = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let Some(own) = self.0.get(position).copied() else {
            return Duration::ZERO;
        };
        let longest = self.0.iter().max().copied().unwrap_or(own);
        let pause = own.max(told.unwrap_or_default().min(longest));
        pause.mul_f64(1.0 + fastrand::f64() / 10.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pauses(text: &str) -> Pauses {
        text.parse().unwrap()
    }

    fn seconds(pause: Duration) -> u64 {
        // Without the jitter.
        pause.as_secs() * 10 / 11
    }

    #[test]
    fn pauses_grow_as_listed_and_end() {
        let pauses = pauses("100 1000 10000");
        for (attempt, least, most) in [
            (1, 100, 110),
            (2, 1_000, 1_100),
            (3, 10_000, 11_000),
            (4, 0, 0),
            (u32::MAX, 0, 0),
            (0, 100, 110),
        ] {
            let pause = pauses.after(attempt, None).as_secs();
            assert!((least..=most).contains(&pause), "{attempt}: {pause}");
        }
    }

    #[test]
    fn the_application_may_ask_for_a_longer_pause_within_bounds() {
        let pauses = pauses("100 1000");
        let told = |seconds| Some(Duration::from_secs(seconds));
        assert!((100..=110).contains(&pauses.after(1, told(1)).as_secs()));
        assert!((500..=550).contains(&pauses.after(1, told(500)).as_secs()));
        assert!((1_000..=1_100).contains(&pauses.after(1, told(86_400)).as_secs()));
        assert!(seconds(pauses.after(2, told(86_400))) <= 1_000);
        assert_eq!(pauses.after(3, told(500)), Duration::ZERO);
    }

    #[test]
    fn other_lists_are_refused() {
        for text in ["", "  ", "5,30", "5 soon", "-1", "36001"] {
            assert_eq!(text.parse::<Pauses>(), Err(InvalidPauses), "{text:?}");
        }
        assert_eq!(pauses(" 0  36000 ").0.len(), 2);
    }
}
