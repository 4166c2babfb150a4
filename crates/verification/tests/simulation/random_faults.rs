//! The faults of one run.
//! Each seed has some and not others: rare combinations would be hidden by a world in which
//! everything fails.

use super::timeline::{DAY, HOUR, Timeline};
use super::trouble::Trouble;

/// Probabilities, each of one occasion.
#[derive(Clone, Debug)]
pub struct RandomFaults {
    /// A store or the provider does nothing and says so.
    pub fails: f64,
    /// A call takes effect or not, and its answer is lost.
    pub answer_lost: f64,
    /// A process ends at a suspension point.
    pub crash: f64,
    /// A call takes seconds.
    pub slow: f64,
    /// A call takes so long that leases end under it.
    pub stall: f64,
    /// A callback is sent again although it was answered.
    pub callback_repeated: f64,
    /// A callback is sent again byte for byte, hours or days later.
    pub news_again: f64,
    /// A callback is under way for longer than the next one.
    pub news_late: f64,
    /// A callback is given up after its first try.
    pub callback_given_up: f64,
    /// A message is delivered twice at once.
    pub message_repeated: f64,
    /// A message disappears.
    /// SQS does not do that, but a purge or a mistake may.
    pub message_lost: f64,
    /// The provider's status is minutes old.
    pub status_lags: f64,
    /// A provisional result is reported as such, rather than as work in progress.
    pub status_not_final: f64,
    /// When the provider stops answering status calls, and for how long, in milliseconds.
    pub status_out: Option<(i64, i64)>,
    /// The index does not show a pairing yet, or still shows it.
    pub index_lags: f64,
    /// A link does not lead to its file, this time or ever.
    pub link_trouble: f64,
    /// The links of an answer have other paths than the callback's.
    pub other_paths: f64,
    /// The customer uploads files again.
    pub several_uploads: f64,
    /// A body lacks what it should have, or names another client.
    pub odd_bodies: f64,
    /// A signing key is stolen.
    pub forgery: f64,
    /// The provider refuses what is asked.
    pub refusal: f64,
    /// The provider never has a result.
    pub no_result: f64,
    /// A result is not the last one.
    pub second_thoughts: f64,
    pub erasure: f64,
    /// A process whose clock is wrong.
    pub clock_skew: f64,
    /// Faults stop here, in milliseconds since the start.
    pub calm_after: i64,
    /// What never heals.
    pub trouble: Option<Trouble>,
}

impl RandomFaults {
    pub fn of(timeline: &Timeline) -> Self {
        Self::up_to(timeline, 1.0)
    }

    /// Nothing else goes wrong.
    pub fn in_trouble(timeline: &Timeline, trouble: Trouble) -> Self {
        Self {
            status_out: None,
            calm_after: 0,
            trouble: Some(trouble),
            ..Self::up_to(timeline, 0.0)
        }
    }

    fn up_to(timeline: &Timeline, worst: f64) -> Self {
        let some = |most: f64| {
            let most = most * worst;
            if timeline.chance(0.4) {
                most * timeline.between(1, 100) as f64 / 100.0
            } else {
                0.0
            }
        };
        let status_out = timeline.chance(0.06).then(|| {
            (
                timeline.between(0, DAY),
                timeline.weighted(&[(1, HOUR), (1, 2 * DAY)]),
            )
        });
        let calm_after = timeline.weighted(&[(3, DAY / 12), (3, DAY), (1, 10 * DAY)]);
        Self {
            fails: some(0.12),
            answer_lost: some(0.12),
            crash: some(0.04),
            slow: some(0.2),
            stall: some(0.04),
            callback_repeated: some(0.8),
            news_again: some(0.6),
            news_late: some(0.5),
            callback_given_up: some(0.5),
            message_repeated: some(0.4),
            message_lost: some(0.3),
            status_lags: some(0.7),
            status_not_final: some(1.0),
            status_out,
            index_lags: some(0.6),
            link_trouble: some(0.5),
            other_paths: some(0.6),
            several_uploads: some(0.9),
            odd_bodies: some(0.6),
            forgery: some(0.7),
            refusal: some(0.15),
            no_result: some(0.4),
            second_thoughts: some(0.8),
            erasure: some(0.5),
            clock_skew: some(1.0),
            calm_after: status_out
                .map_or(calm_after, |(from, length)| calm_after.max(from + length)),
            trouble: None,
        }
    }
}
