//! Percentiles of measured times.

use std::time::Duration;

use serde::Serialize;

/// Milliseconds below which this share of the times lies, by the nearest rank. All zero if there
/// are none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Percentiles {
    pub count: usize,
    pub p50: u64,
    pub p95: u64,
    pub p99: u64,
    pub maximum: u64,
}

impl Percentiles {
    /// Of times in milliseconds.
    pub fn of(mut milliseconds: Vec<u64>) -> Self {
        milliseconds.sort_unstable();
        let count = milliseconds.len();
        let rank = |percent: usize| {
            let rank = (count * percent).div_ceil(100).saturating_sub(1);
            milliseconds.get(rank).copied().unwrap_or_default()
        };
        Self {
            count,
            p50: rank(50),
            p95: rank(95),
            p99: rank(99),
            maximum: milliseconds.last().copied().unwrap_or_default(),
        }
    }

    /// Of durations.
    pub fn of_durations(durations: impl Iterator<Item = Duration>) -> Self {
        Self::of(
            durations
                .map(|duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
                .collect(),
        )
    }
}

impl std::fmt::Display for Percentiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            count,
            p50,
            p95,
            p99,
            maximum,
        } = self;
        write!(
            f,
            "p50 {p50}, p95 {p95}, p99 {p99}, most {maximum} ms ({count})"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_a_time_that_was_measured() {
        let percentiles = Percentiles::of((1..=200).rev().collect());
        let Percentiles {
            count,
            p50,
            p95,
            p99,
            maximum,
        } = percentiles;
        assert_eq!((count, p50, p95, p99, maximum), (200, 100, 190, 198, 200));
        assert_eq!(Percentiles::of(vec![7]).p99, 7);
        assert_eq!(Percentiles::of(Vec::new()), Percentiles::default());
    }
}
