//! Metrics in CloudWatch's embedded format: lines on standard output that CloudWatch turns into metrics, without a call in the hot path.
//!
//! (Source: "Specification: Embedded metric format", Amazon CloudWatch.)

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use verification::Observation;
use verification::ports::{Clock, Observer};

const NAMESPACE: &str = "DualVerification";

/// Why a callback was turned away before it was believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RejectionReason {
    SignatureMissing,
    SignatureMalformed,
    SignatureMismatch,
    SourceNotAllowed,
    MethodNotAllowed,
    TooLarge,
}

impl RejectionReason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignatureMissing => "SignatureMissing",
            Self::SignatureMalformed => "SignatureMalformed",
            Self::SignatureMismatch => "SignatureMismatch",
            Self::SourceNotAllowed => "SourceNotAllowed",
            Self::MethodNotAllowed => "MethodNotAllowed",
            Self::TooLarge => "TooLarge",
        }
    }
}

/// Writes one line for each observation.
pub struct Metrics {
    stage: String,
    clock: Arc<dyn Clock>,
    out: fn(&[u8]),
}

#[derive(Clone, Copy)]
enum Unit {
    Count,
    Bytes,
    Milliseconds,
    Seconds,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Bytes => "Bytes",
            Self::Milliseconds => "Milliseconds",
            Self::Seconds => "Seconds",
        }
    }
}

type Metric = (&'static str, Unit, Value);
type Dimension<'a> = (&'static str, &'a str);

impl Metrics {
    pub fn new(stage: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            stage: stage.into(),
            clock,
            out: write_line,
        }
    }

    pub fn callback_rejected(&self, reason: RejectionReason) {
        self.emit(&[one("CallbacksRejected")], &[("Reason", reason.as_str())]);
    }

    pub fn callback_handled(&self, took: Duration) {
        self.emit(&[("CallbackDuration", Unit::Milliseconds, milliseconds(took))], &[]);
    }

    /// Each metric counts under `Stage` alone and, if there are more dimensions, under `Stage` with each set of the first few of them.
    fn emit(&self, metrics: &[Metric], dimensions: &[Dimension<'_>]) {
        let mut sets = vec![vec!["Stage"]];
        let mut line = Map::from_iter([("Stage".to_owned(), json!(self.stage))]);
        for (name, value) in dimensions {
            let mut set = sets.last().cloned().unwrap_or_default();
            set.push(name);
            sets.push(set);
            line.insert((*name).to_owned(), json!(value));
        }
        for (name, _, value) in metrics {
            line.insert((*name).to_owned(), value.clone());
        }
        let definitions: Vec<Value> = metrics
            .iter()
            .map(|(name, unit, _)| json!({"Name": name, "Unit": unit.as_str()}))
            .collect();
        let directive = json!({"Namespace": NAMESPACE, "Dimensions": sets, "Metrics": definitions});
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": self.clock.now().milliseconds(), "CloudWatchMetrics": [directive]}),
        );
        (self.out)(format!("{}\n", Value::Object(line)).as_bytes());
    }
}

fn one(name: &'static str) -> Metric {
    (name, Unit::Count, json!(1))
}

fn milliseconds(duration: Duration) -> Value {
    json!(duration.as_millis())
}

/// A metric that cannot be written is lost; the work that it is about is not.
fn write_line(line: &[u8]) {
    drop(std::io::stdout().lock().write_all(line));
}

impl Observer for Metrics {
    fn observe(&self, observation: Observation) {
        match observation {
            Observation::CallbackReceived => self.emit(&[one("CallbacksReceived")], &[]),
            Observation::CallbackUnreadable => self.emit(&[one("CallbacksUnreadable")], &[]),
            Observation::CallbackIgnored => self.emit(&[one("CallbacksIgnored")], &[]),
            Observation::FileCaptured {
                bytes,
                took,
                link_time_left,
            } => {
                let mut metrics = vec![
                    one("FilesCaptured"),
                    ("CaptureBytes", Unit::Bytes, json!(bytes)),
                    ("CaptureDuration", Unit::Milliseconds, milliseconds(took)),
                ];
                if let Some(left) = link_time_left {
                    metrics.push(("LinkTimeLeft", Unit::Seconds, json!(left.as_secs())));
                }
                self.emit(&metrics, &[]);
            }
            Observation::CaptureDeferred => self.emit(&[one("CaptureDeferred")], &[]),
            Observation::ProviderCall { operation, took, error } => {
                self.emit(
                    &[("ProviderDuration", Unit::Milliseconds, milliseconds(took))],
                    &[("Operation", operation)],
                );
                if let Some(kind) = error {
                    self.emit(&[one("ProviderErrors")], &[("Operation", operation), ("Kind", kind)]);
                }
            }
            Observation::SecondTokenCreated => self.emit(&[one("SecondTokensCreated")], &[]),
            Observation::SuppressionFailed => {
                tracing::warn!(
                    event = "suppression_failed",
                    "Token 2 still has additional steps although they were suppressed"
                );
            }
            Observation::DocumentsSubmitted => self.emit(&[one("DocumentsSubmitted")], &[]),
            Observation::Settled { verdict, took } => {
                let metrics = [one("PairingsSettled"), ("TimeToSettle", Unit::Milliseconds, milliseconds(took))];
                self.emit(&metrics, &[("Verdict", verdict.as_str())]);
            }
            Observation::Declined { reason } => {
                tracing::info!(
                    event = "pairing_declined",
                    reason = reason.as_str(),
                    "the first verification does not qualify"
                );
            }
            Observation::Parked { reason } => {
                tracing::warn!(event = "pairing_parked", reason = reason.as_str(), "a pairing needs a person");
                self.emit(&[one("PairingsParked")], &[("Reason", reason.as_str())]);
            }
            Observation::Reconciled { overdue, oldest } => {
                let oldest = ("OldestOverdue", Unit::Seconds, json!(oldest.as_secs()));
                self.emit(&[("PairingsOverdue", Unit::Count, json!(overdue)), oldest], &[]);
            }
            Observation::CircuitOpened { cause, pause } => {
                tracing::error!(
                    event = "circuit_opened",
                    cause = cause.as_str(),
                    pause_s = pause.as_secs(),
                    "iDenfy is in trouble for everybody and is left alone for a while"
                );
                self.emit(&[one("CircuitOpened")], &[("Cause", cause.as_str())]);
            }
            Observation::CircuitClosed { was_open } => {
                tracing::info!(event = "circuit_closed", was_open_s = was_open.as_secs(), "iDenfy works again");
            }
            Observation::Revoked { reason } => {
                tracing::warn!(
                    event = "pairing_revoked",
                    reason = reason.as_str(),
                    "the first result turned after the documents were submitted"
                );
            }
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").field("stage", &self.stage).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use verification::circuit::Cause;
    use verification::{Timestamp, Verdict};

    struct Fixed;

    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            Timestamp::from_milliseconds(1_795_422_063_000)
        }
    }

    thread_local! {
        static LINES: RefCell<Vec<Value>> = const { RefCell::new(Vec::new()) };
    }

    fn lines_of(observation: Observation) -> Vec<Value> {
        let out = |line: &[u8]| LINES.with_borrow_mut(|lines| lines.push(serde_json::from_slice(line).unwrap()));
        Metrics {
            out,
            ..Metrics::new("dev", Arc::new(Fixed))
        }
        .observe(observation);
        LINES.take()
    }

    #[test]
    fn a_settled_pairing_counts_under_its_stage_and_its_verdict() {
        let lines = lines_of(Observation::Settled {
            verdict: Verdict::Approved,
            took: Duration::from_secs(90),
        });
        assert_eq!(
            lines,
            [json!({
                "_aws": {
                    "Timestamp": 1_795_422_063_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "DualVerification",
                        "Dimensions": [["Stage"], ["Stage", "Verdict"]],
                        "Metrics": [{"Name": "PairingsSettled", "Unit": "Count"}, {"Name": "TimeToSettle", "Unit": "Milliseconds"}]
                    }]
                },
                "Stage": "dev", "Verdict": "Approved", "PairingsSettled": 1, "TimeToSettle": 90_000
            })]
        );
    }

    #[test]
    fn an_opened_circuit_counts_under_its_cause_and_a_closed_one_is_only_logged() {
        let lines = lines_of(Observation::CircuitOpened {
            cause: Cause::Account,
            pause: Duration::from_secs(15),
        });
        assert_eq!((&lines[0]["CircuitOpened"], &lines[0]["Cause"]), (&json!(1), &json!("Account")));
        let was_open = Duration::from_secs(15);
        assert!(lines_of(Observation::CircuitClosed { was_open }).is_empty());
    }

    #[test]
    fn a_failed_call_counts_its_duration_and_its_error() {
        let lines = lines_of(Observation::ProviderCall {
            operation: "Process",
            took: Duration::from_millis(12),
            error: Some("timed_out"),
        });
        assert_eq!(lines[0]["ProviderDuration"], 12);
        assert_eq!(lines[1]["ProviderErrors"], 1);
        assert_eq!(
            lines[1]["_aws"]["CloudWatchMetrics"][0]["Dimensions"],
            json!([["Stage"], ["Stage", "Operation"], ["Stage", "Operation", "Kind"]])
        );
    }
}
