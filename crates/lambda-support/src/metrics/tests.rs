//! What the lines look like, and that the catalogue is whole.

use super::*;
use std::cell::RefCell;
use std::collections::BTreeMap;
use verification::circuit::Cause;
use verification::comparison::Comparison;
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

fn metrics() -> Metrics {
    let out = |line: &[u8]| {
        LINES.with_borrow_mut(|lines| lines.push(serde_json::from_slice(line).unwrap()))
    };
    Metrics {
        out,
        ..Metrics::new("dev", Arc::new(Fixed))
    }
}

fn lines_of(observation: Observation) -> Vec<Value> {
    metrics().observe(observation);
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
                    "Dimensions": [["StackName"], ["StackName", "Verdict"]],
                    "Metrics": [{"Name": "PairingsSettled", "Unit": "Count"}, {"Name": "TimeToSettle", "Unit": "Milliseconds"}]
                }]
            },
            "StackName": "dev", "Verdict": "Approved", "PairingsSettled": 1, "TimeToSettle": 90_000
        })]
    );
}

#[test]
fn an_opened_circuit_counts_under_its_cause() {
    let lines = lines_of(Observation::CircuitOpened {
        cause: Cause::Account,
        pause: Duration::from_secs(15),
    });
    assert_eq!(
        (&lines[0]["CircuitOpened"], &lines[0]["Cause"]),
        (&json!(1), &json!("Account"))
    );
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
        json!([
            ["StackName"],
            ["StackName", "Operation"],
            ["StackName", "Operation", "Kind"],
            ["StackName", "Kind"]
        ])
    );
}

/// One of each kind, so that whoever adds a kind is led here.
fn every_observation() -> Vec<Observation> {
    let reason = verification::reason::DeclineReason::FirstDenied;
    let kinds = vec![
        Observation::SessionOpened,
        Observation::CallbackReceived,
        Observation::CallbackUnreadable,
        Observation::CallbackIgnored,
        Observation::Qualified,
        Observation::FileCaptured {
            bytes: 1,
            took: Duration::ZERO,
            link_time_left: Some(Duration::ZERO),
        },
        Observation::CaptureDeferred,
        Observation::ProviderCall {
            operation: "Process",
            took: Duration::ZERO,
            error: Some("timed_out"),
        },
        Observation::SecondTokenCreated,
        Observation::SuppressionFailed,
        Observation::DocumentsSubmitted,
        Observation::Settled {
            verdict: Verdict::Denied,
            took: Duration::ZERO,
        },
        Observation::Declined { reason },
        Observation::Expired,
        Observation::Parked {
            reason: verification::reason::ParkReason::FileEmpty {
                step: "STEP".parse().unwrap(),
            },
        },
        Observation::Reconciled {
            overdue: 0,
            oldest: Duration::ZERO,
        },
        Observation::Revoked { reason },
        Observation::Reinstated,
        Observation::Compared(Comparison::UNKNOWN),
        Observation::CircuitOpened {
            cause: Cause::Account,
            pause: Duration::ZERO,
        },
        Observation::CircuitClosed {
            was_open: Duration::ZERO,
        },
    ];
    for kind in &kinds {
        match kind {
            Observation::SessionOpened
            | Observation::CallbackReceived
            | Observation::CallbackUnreadable
            | Observation::CallbackIgnored
            | Observation::Qualified
            | Observation::FileCaptured { .. }
            | Observation::CaptureDeferred
            | Observation::ProviderCall { .. }
            | Observation::SecondTokenCreated
            | Observation::SuppressionFailed
            | Observation::DocumentsSubmitted
            | Observation::Settled { .. }
            | Observation::Declined { .. }
            | Observation::Expired
            | Observation::Parked { .. }
            | Observation::Reconciled { .. }
            | Observation::Revoked { .. }
            | Observation::Reinstated
            | Observation::Compared(_)
            | Observation::CircuitOpened { .. }
            | Observation::CircuitClosed { .. } => {}
        }
    }
    kinds
}

#[test]
fn what_is_written_is_what_the_catalogue_says_and_nothing_else() {
    let metrics = metrics();
    metrics.callback_rejected(RejectionReason::SignatureMismatch);
    metrics.callback_answered(Duration::ZERO);
    metrics.callback_handled(Duration::ZERO);
    metrics.outcome_pushed(Duration::ZERO);
    metrics.outcome_not_pushed("timed_out", Duration::ZERO, Duration::ZERO);
    for observation in every_observation() {
        metrics.observe(observation);
    }
    let mut written = BTreeMap::new();
    for line in LINES.take() {
        for directive in line["_aws"]["CloudWatchMetrics"].as_array().unwrap() {
            assert_eq!(directive["Namespace"], NAMESPACE);
            let dimensions = directive["Dimensions"].to_string();
            for set in directive["Dimensions"].as_array().unwrap() {
                for dimension in set.as_array().unwrap() {
                    assert!(
                        line[dimension.as_str().unwrap()].is_string(),
                        "{line} lacks {dimension}"
                    );
                }
            }
            for metric in directive["Metrics"].as_array().unwrap() {
                let name = metric["Name"].as_str().unwrap().to_owned();
                assert!(line[&name].is_number(), "{line} lacks {name}");
                written.insert(
                    name,
                    (
                        metric["Unit"].as_str().unwrap().to_owned(),
                        dimensions.clone(),
                    ),
                );
            }
        }
    }
    let promised = METRICS.iter().map(|metric| {
        let dimensions = json!(metric.dimensions).to_string();
        (
            metric.name.to_owned(),
            (metric.unit.as_str().to_owned(), dimensions),
        )
    });
    assert_eq!(written, promised.collect());
}
