//! What is told of repeated measurements.

use std::time::Duration;

/// Measurements of one thing, in ascending order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample(Vec<f64>);

impl Sample {
    /// Takes measurements in any order.
    pub fn of(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_by(f64::total_cmp);
        Self(values)
    }

    /// Durations, in milliseconds.
    pub fn of_durations(durations: impl IntoIterator<Item = Duration>) -> Self {
        Self::of(durations.into_iter().map(milliseconds))
    }

    /// The value that half of the measurements do not exceed; not a number if there are none.
    pub fn median(&self) -> f64 {
        self.percentile(50)
    }

    /// The smallest value that at least `percent` percent of the measurements do not exceed
    /// (nearest rank); the smallest of all for 0.
    pub fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100);
        self.0
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or(f64::NAN)
    }
}

/// A duration as a number of milliseconds.
pub fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_were_measured() {
        let sample = Sample::of([5.0, 1.0, 4.0, 2.0, 3.0]);
        assert_eq!(sample.percentile(0), 1.0);
        assert_eq!(sample.median(), 3.0);
        assert_eq!(sample.percentile(80), 4.0);
        assert_eq!(sample.percentile(81), 5.0);
        assert_eq!(sample.percentile(100), 5.0);
        assert!(Sample::default().median().is_nan());
    }
}
