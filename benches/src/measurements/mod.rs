//! What is measured: one file for each.

mod answer;
mod burst;
mod callback;
mod copying;
mod first;
mod growth;
mod preparation;
mod sessions;
mod size;
mod stack;
mod start;
mod submission;

use std::str::FromStr;

use anyhow::Result;

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
    Answer,
    Submission,
    Preparation,
    Sessions,
    Stack,
    Burst,
    Growth,
}

impl Measurement {
    /// All, the quick ones first.
    pub const ALL: [Self; 12] = [
        Self::Size,
        Self::Start,
        Self::First,
        Self::Callback,
        Self::Copying,
        Self::Answer,
        Self::Submission,
        Self::Preparation,
        Self::Sessions,
        Self::Stack,
        Self::Burst,
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
            Self::Answer => answer::NAME,
            Self::Submission => submission::NAME,
            Self::Preparation => preparation::NAME,
            Self::Sessions => sessions::NAME,
            Self::Stack => stack::NAME,
            Self::Burst => burst::NAME,
            Self::Growth => growth::NAME,
        }
    }

    /// Its heading in `docs/BENCHMARKS.md`.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Size => "Size of the programs",
            Self::Start => "Start",
            Self::First => "First callback of a process",
            Self::Callback => "A warm callback",
            Self::Copying => "Copying files",
            Self::Answer => "Time to the answer",
            Self::Submission => "Submitting documents",
            Self::Preparation => "Preparing a large photo",
            Self::Sessions => "Opening a session",
            Self::Stack => "Through the whole stack",
            Self::Burst => "A burst of callbacks",
            Self::Growth => "Growth",
        }
    }

    /// What its figures are, for `docs/BENCHMARKS.md`.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Size => {
                "Bytes of each stripped program. Lambda loads a program before it runs it."
            }
            Self::Start => {
                "From the start of the process to its first poll. For the webhook this \
             includes the registration as an extension. AWS is an endpoint that answers \
             at once."
            }
            Self::First => {
                "Processor time of the whole invocation. With TLS, each request has a \
             connection of its own, and no session is resumed: at least as many handshakes \
             as AWS has services here. The certificate has a P-256 key."
            }
            Self::Callback => {
                "Processor time of one callback without files: verify, archive, claim, \
             record."
            }
            Self::Copying => {
                "One callback with two files of 10 MB, in a process of its own. Memory, time \
             and processor time are those of the whole invocation, with the copying after \
             the answer. Throughput is that of 20 MB: the time beyond two small files. \
             The floor is a plain streaming copy."
            }
            Self::Answer => {
                "From handing over the event to the answer, by a warm process. The functions \
             answer before they copy. The peers copy before they answer. iDenfy waits 10 \
             s for an answer."
            }
            Self::Submission => {
                "The processor submits two JPEG files of 7 MB. Processor time includes that \
             of its child processes, memory does not."
            }
            Self::Preparation => {
                "The child process of the processor that decodes a picture and makes a \
             smaller one."
            }
            Self::Sessions => "`POST /sessions` without the time that the provider took.",
            Self::Stack => {
                "All functions deployed from `template.yaml` in the emulator. The time to the \
             answer is that which the provider waits. The emulator's own time is in all \
             figures."
            }
            Self::Burst => {
                "All customers finish at the same moment, on the emulator and with the same \
             two cores."
            }
            Self::Growth => {
                "The same process at the first pairings (column \"Floor\") and after 10,000."
            }
        }
    }

    pub(crate) async fn run(self, bench: &Bench) -> Result<Vec<Line>> {
        match self {
            Self::Size => size::measure(bench),
            Self::Start => start::measure(bench).await,
            Self::First => first::measure(bench).await,
            Self::Callback => callback::measure(bench).await,
            Self::Copying => copying::measure(bench).await,
            Self::Answer => answer::measure(bench).await,
            Self::Submission => submission::measure(bench).await,
            Self::Preparation => preparation::measure(bench).await,
            Self::Sessions => sessions::measure(bench).await,
            Self::Stack => stack::measure(bench).await,
            Self::Burst => burst::measure(bench).await,
            Self::Growth => growth::measure(bench).await,
        }
    }
}

impl Bench {
    /// Measures, in the order given. A measurement that fails does not keep the others from being
    /// made: the report has the reason.
    pub async fn measure(&self, measurements: &[Measurement]) -> Report {
        let mut report = Report {
            left_out: self.left_out.clone(),
            ..Report::default()
        };
        for measurement in measurements {
            (self.progress)(&format!("measuring: {}", measurement.name()));
            match measurement.run(self).await {
                Ok(lines) => report.lines.extend(lines),
                Err(error) => report
                    .failed
                    .push(format!("{}: {error:#}", measurement.name())),
            }
        }
        report
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
