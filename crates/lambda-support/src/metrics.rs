//! Metrics in CloudWatch's embedded format: lines on standard output that CloudWatch turns into
//! metrics, without a call in the hot path.
//!
//! What there is to write stands in [`METRICS`]; nothing else can be written. (Source:
//! "Specification: Embedded metric format", Amazon CloudWatch.)

mod catalogue;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Map, Value, json};
use verification::Observation;
use verification::ports::{Clock, Observer};

pub use catalogue::{METRICS, Metric, Unit};

/// Where CloudWatch keeps them.
pub const NAMESPACE: &str = "DualVerification";

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
    stack_name: String,
    clock: Arc<dyn Clock>,
    out: fn(&[u8]),
}

/// A metric and its value.
type Measured = (Metric, Value);
type Dimension<'a> = (&'static str, &'a str);

impl Metrics {
    pub fn new(stack_name: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            stack_name: stack_name.into(),
            clock,
            out: write_line,
        }
    }

    pub fn callback_rejected(&self, reason: RejectionReason) {
        self.emit(
            &[one(catalogue::CALLBACKS_REJECTED)],
            &[("Reason", reason.as_str())],
        );
    }

    /// Until the answer is handed to the runtime.
    pub fn callback_answered(&self, took: Duration) {
        self.emit(&[(catalogue::ANSWER_DURATION, milliseconds(took))], &[]);
    }

    /// Until nothing is left to do for the callback, which can be after its answer.
    pub fn callback_handled(&self, took: Duration) {
        self.emit(&[(catalogue::CALLBACK_DURATION, milliseconds(took))], &[]);
    }

    /// The application has taken an outcome, after an attempt of this duration.
    pub fn outcome_pushed(&self, took: Duration) {
        self.emit(
            &[
                one(catalogue::OUTCOMES_PUSHED),
                (catalogue::OUTCOME_PUSH_DURATION, milliseconds(took)),
            ],
            &[],
        );
    }

    /// An attempt failed. `age` is the time since the outcome.
    pub fn outcome_not_pushed(&self, kind: &'static str, took: Duration, age: Duration) {
        self.emit(
            &[
                (catalogue::OUTCOME_PUSH_DURATION, milliseconds(took)),
                (catalogue::OUTCOME_PUSH_AGE, json!(age.as_secs())),
                one(catalogue::OUTCOME_PUSH_ERRORS),
            ],
            &[("Kind", kind)],
        );
    }

    /// One line. Each metric counts under every set of dimensions that the catalogue gives it.
    fn emit(&self, measured: &[Measured], dimensions: &[Dimension<'_>]) {
        let mut line = Map::from_iter([("StackName".to_owned(), json!(self.stack_name))]);
        line.extend(
            dimensions
                .iter()
                .map(|(name, value)| ((*name).to_owned(), json!(value))),
        );
        let mut directives = Vec::new();
        for group in measured.chunk_by(|one, next| one.0.dimensions == next.0.dimensions) {
            let Some((first, _)) = group.first() else {
                continue;
            };
            let definitions: Vec<Value> = group
                .iter()
                .map(|(metric, _)| json!({"Name": metric.name, "Unit": metric.unit.as_str()}))
                .collect();
            directives.push(json!({
                "Namespace": NAMESPACE, "Dimensions": first.dimensions, "Metrics": definitions
            }));
        }
        line.extend(
            measured
                .iter()
                .map(|(metric, value)| (metric.name.to_owned(), value.clone())),
        );
        line.insert(
            "_aws".to_owned(),
            json!({"Timestamp": self.clock.now().milliseconds(), "CloudWatchMetrics": directives}),
        );
        (self.out)(format!("{}\n", Value::Object(line)).as_bytes());
    }
}

fn one(metric: Metric) -> Measured {
    (metric, json!(1))
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
            Observation::SessionOpened => self.emit(&[one(catalogue::SESSIONS_OPENED)], &[]),
            Observation::Qualified => self.emit(&[one(catalogue::PAIRINGS_QUALIFIED)], &[]),
            Observation::Expired => self.emit(&[one(catalogue::PAIRINGS_EXPIRED)], &[]),
            Observation::CallbackReceived => self.emit(&[one(catalogue::CALLBACKS_RECEIVED)], &[]),
            Observation::CallbackUnreadable => {
                self.emit(&[one(catalogue::CALLBACKS_UNREADABLE)], &[])
            }
            Observation::CallbackIgnored => self.emit(&[one(catalogue::CALLBACKS_IGNORED)], &[]),
            Observation::FileCaptured {
                bytes,
                took,
                link_time_left,
            } => {
                let mut metrics = vec![
                    one(catalogue::FILES_CAPTURED),
                    (catalogue::CAPTURE_BYTES, json!(bytes)),
                    (catalogue::CAPTURE_DURATION, milliseconds(took)),
                ];
                if let Some(left) = link_time_left {
                    metrics.push((catalogue::LINK_TIME_LEFT, json!(left.as_secs())));
                }
                self.emit(&metrics, &[]);
            }
            Observation::CaptureDeferred => self.emit(&[one(catalogue::CAPTURE_DEFERRED)], &[]),
            Observation::ProviderCall {
                operation,
                took,
                error,
            } => {
                self.emit(
                    &[(catalogue::PROVIDER_DURATION, milliseconds(took))],
                    &[("Operation", operation)],
                );
                if let Some(kind) = error {
                    self.emit(
                        &[one(catalogue::PROVIDER_ERRORS)],
                        &[("Operation", operation), ("Kind", kind)],
                    );
                }
            }
            Observation::SecondTokenCreated => {
                self.emit(&[one(catalogue::SECOND_TOKENS_CREATED)], &[])
            }
            Observation::SuppressionFailed => {
                tracing::warn!(
                    event = "suppression_failed",
                    "Token 2 still has additional steps although they were suppressed"
                );
            }
            Observation::DocumentsSubmitted => {
                self.emit(&[one(catalogue::DOCUMENTS_SUBMITTED)], &[])
            }
            Observation::Settled { verdict, took } => {
                let metrics = [
                    one(catalogue::PAIRINGS_SETTLED),
                    (catalogue::TIME_TO_SETTLE, milliseconds(took)),
                ];
                self.emit(&metrics, &[("Verdict", verdict.as_str())]);
            }
            Observation::Declined { reason } => {
                tracing::info!(
                    event = "pairing_declined",
                    reason = reason.as_str(),
                    "the first verification does not qualify"
                );
                self.emit(
                    &[one(catalogue::PAIRINGS_DECLINED)],
                    &[("Reason", reason.as_str())],
                );
            }
            Observation::Parked { reason } => {
                tracing::warn!(
                    event = "pairing_parked",
                    reason = reason.as_str(),
                    "a pairing needs a person"
                );
                self.emit(
                    &[one(catalogue::PAIRINGS_PARKED)],
                    &[("Reason", reason.as_str())],
                );
            }
            Observation::Reconciled { overdue, oldest } => {
                let oldest = (catalogue::OLDEST_OVERDUE, json!(oldest.as_secs()));
                self.emit(
                    &[(catalogue::PAIRINGS_OVERDUE, json!(overdue)), oldest],
                    &[],
                );
            }
            Observation::CircuitOpened { cause, pause } => {
                tracing::error!(
                    event = "circuit_opened",
                    cause = cause.as_str(),
                    pause_s = pause.as_secs(),
                    "calls to iDenfy fail for every customer: the circuit is open"
                );
                self.emit(
                    &[one(catalogue::CIRCUIT_OPENED)],
                    &[("Cause", cause.as_str())],
                );
            }
            Observation::CircuitClosed { was_open } => {
                tracing::info!(
                    event = "circuit_closed",
                    was_open_s = was_open.as_secs(),
                    "iDenfy works again"
                );
            }
            Observation::Reinstated => {
                tracing::info!(event = "pairing_reinstated", "a revocation was withdrawn");
            }
            Observation::Compared(comparison) => self.emit(
                &[one(catalogue::COMPARISONS_MADE)],
                &[
                    ("Person", comparison.person.as_str()),
                    ("Document", comparison.document.as_str()),
                ],
            ),
            Observation::Revoked { reason } => {
                tracing::warn!(
                    event = "pairing_revoked",
                    reason = reason.as_str(),
                    "the first result turned after the documents were submitted"
                );
                self.emit(
                    &[one(catalogue::PAIRINGS_REVOKED)],
                    &[("Reason", reason.as_str())],
                );
            }
        }
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics")
            .field("stack_name", &self.stack_name)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
