//! How bad the world is in one run. Each seed has some troubles and not others, because rare combinations hide behind a world in which
//! everything goes wrong at once.

use super::timeline::{DAY, Timeline};

/// Probabilities, each of one occasion.
#[derive(Clone, Debug)]
pub struct Weather {
    /// A store or the provider does nothing and says so.
    pub fails: f64,
    /// A call takes effect, or does not, and the answer is lost.
    pub answer_lost: f64,
    /// A process ends at a suspension point.
    pub crash: f64,
    /// A call takes seconds.
    pub slow: f64,
    /// A call takes so long that leases end under it.
    pub stall: f64,
    /// A callback is sent again although it was answered.
    pub callback_repeated: f64,
    /// A callback is given up after its first try.
    pub callback_given_up: f64,
    /// A message is delivered twice at once.
    pub message_repeated: f64,
    /// A message disappears: nothing that SQS does, but whatever purges or mistakes may.
    pub message_lost: f64,
    /// The provider's status is minutes old.
    pub status_lags: f64,
    /// The index does not show a pairing yet, or still shows it.
    pub index_lags: f64,
    /// A link to a file does not lead to it, this time or ever.
    pub link_trouble: f64,
    /// The provider refuses what is asked.
    pub refusal: f64,
    /// The provider never has a result.
    pub no_result: f64,
    /// A result is not the last one.
    pub second_thoughts: f64,
    pub erasure: f64,
    /// A process whose clock is wrong.
    pub clock_skew: f64,
    /// From here on nothing goes wrong any more, in milliseconds since the beginning.
    pub calm_after: i64,
}

impl Weather {
    pub fn of(timeline: &Timeline) -> Self {
        let some = |most: f64| {
            if timeline.chance(0.4) {
                most * timeline.between(1, 100) as f64 / 100.0
            } else {
                0.0
            }
        };
        Self {
            fails: some(0.12),
            answer_lost: some(0.12),
            crash: some(0.04),
            slow: some(0.2),
            stall: some(0.04),
            callback_repeated: some(0.8),
            callback_given_up: some(0.5),
            message_repeated: some(0.4),
            message_lost: some(0.3),
            status_lags: some(0.7),
            index_lags: some(0.6),
            link_trouble: some(0.5),
            refusal: some(0.15),
            no_result: some(0.4),
            second_thoughts: some(0.8),
            erasure: some(0.5),
            clock_skew: some(1.0),
            calm_after: timeline.weighted(&[(3, DAY / 12), (3, DAY), (1, 10 * DAY)]),
        }
    }
}
