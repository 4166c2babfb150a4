//! Delay of claim checks while the circuit is open.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use adapters::LONGEST_DELAY;
use lambda_support::milliseconds;
use verification::Timestamp;
use verification::identifiers::ScanRef;

/// Messages return over at least this long.
const SHORTEST_SPREAD: Duration = Duration::from_secs(4);

/// The rest of the pause and up to half of it more, at most [`LONGEST_DELAY`].
///
/// So messages do not all return while one of them probes.
///
/// The spread follows from the pairing's name and the time.
pub fn delay(scan_ref: &ScanRef, now: Timestamp, until: Timestamp) -> Duration {
    let rest = until.since(now).min(LONGEST_DELAY);
    let spread = (rest / 2).max(SHORTEST_SPREAD);
    let mut hasher = DefaultHasher::new();
    (scan_ref.as_str(), now.milliseconds()).hash(&mut hasher);
    let more = hasher.finish() % milliseconds(spread).saturating_add(1);
    (rest + Duration::from_millis(more)).min(LONGEST_DELAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);

    fn delays(pause: Duration) -> Vec<Duration> {
        (0..1_000)
            .map(|number| {
                delay(
                    &format!("pairing-{number}").parse().unwrap(),
                    NOW,
                    NOW.plus(pause),
                )
            })
            .collect()
    }

    #[test]
    fn nobody_comes_before_the_pause_is_over_or_long_after_it() {
        for seconds in [0, 1, 15, 300, 600, 890] {
            let pause = Duration::from_secs(seconds);
            let latest = (pause + (pause / 2).max(SHORTEST_SPREAD)).min(LONGEST_DELAY);
            for delay in delays(pause) {
                assert!((pause..=latest).contains(&delay), "{delay:?} for {pause:?}");
            }
        }
    }

    #[test]
    fn a_pause_longer_than_a_delay_can_be_is_waited_for_in_parts() {
        assert!(
            delays(Duration::from_secs(3_600))
                .into_iter()
                .all(|delay| delay == LONGEST_DELAY)
        );
    }

    #[test]
    fn they_come_back_evenly() {
        let pause = Duration::from_secs(60);
        let mut tenths = [0_u32; 10];
        for delay in delays(pause) {
            let tenth = (delay - pause).as_secs() / 3;
            tenths[usize::try_from(tenth.min(9)).unwrap()] += 1;
        }
        assert!(
            tenths.iter().all(|count| (60..=140).contains(count)),
            "{tenths:?}"
        );
    }

    #[test]
    fn the_same_pairing_comes_at_another_moment_each_time() {
        let scan_ref: ScanRef = "first".parse().unwrap();
        let offsets: std::collections::BTreeSet<Duration> = (0..100)
            .map(|second| {
                let now = NOW.plus(Duration::from_secs(second));
                delay(&scan_ref, now, now.plus(Duration::from_secs(60)))
            })
            .collect();
        assert!(offsets.len() > 90, "{}", offsets.len());
    }
}
