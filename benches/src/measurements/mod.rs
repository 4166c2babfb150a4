//! What is measured: one file for each.

mod callback;
mod copying;
mod first;
mod growth;
mod sessions;
mod size;
mod start;
mod submission;

use std::str::FromStr;

use anyhow::{Context, Result};

use crate::bench::Bench;
use crate::report::{Line, Report};

/// One measurement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measurement {
    Size,
    Start,
    First,
    Callback,
    Copying,
    Submission,
    Sessions,
    Growth,
}

impl Measurement {
    /// All, the quick ones first.
    pub const ALL: [Self; 8] = [
        Self::Size,
        Self::Start,
        Self::First,
        Self::Callback,
        Self::Copying,
        Self::Submission,
        Self::Sessions,
        Self::Growth,
    ];

    /// What `--only` takes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Size => size::NAME,
            Self::Start => start::NAME,
            Self::First => first::NAME,
            Self::Callback => callback::NAME,
            Self::Copying => copying::NAME,
            Self::Submission => submission::NAME,
            Self::Sessions => sessions::NAME,
            Self::Growth => growth::NAME,
        }
    }

    pub(crate) async fn run(self, bench: &Bench) -> Result<Vec<Line>> {
        match self {
            Self::Size => size::measure(bench),
            Self::Start => start::measure(bench).await,
            Self::First => first::measure(bench).await,
            Self::Callback => callback::measure(bench).await,
            Self::Copying => copying::measure(bench).await,
            Self::Submission => submission::measure(bench).await,
            Self::Sessions => sessions::measure(bench).await,
            Self::Growth => growth::measure(bench).await,
        }
    }
}

impl Bench {
    /// Measures, in the order given.
    ///
    /// # Errors
    /// A measured program does not do the job.
    pub async fn measure(&self, measurements: &[Measurement]) -> Result<Report> {
        let mut report = Report {
            left_out: self.left_out.clone(),
            ..Report::default()
        };
        for measurement in measurements {
            (self.progress)(&format!("measuring: {}", measurement.name()));
            let lines = measurement.run(self).await;
            let lines = lines.with_context(|| format!("measurement '{}'", measurement.name()))?;
            report.lines.extend(lines);
        }
        Ok(report)
    }
}

/// There is no measurement of that name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownMeasurement;

impl std::fmt::Display for UnknownMeasurement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let names: Vec<&str> = Measurement::ALL
            .into_iter()
            .map(Measurement::name)
            .collect();
        write!(formatter, "a measurement is one of {}", names.join(", "))
    }
}

impl std::error::Error for UnknownMeasurement {}

impl FromStr for Measurement {
    type Err = UnknownMeasurement;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|one| one.name() == text)
            .ok_or(UnknownMeasurement)
    }
}
