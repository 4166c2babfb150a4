//! Permanent faults.
//! Such a pairing cannot settle, but it must not wait for ever.
//! It ends, or it is parked with the true reason.

use std::collections::BTreeSet;

use verification::testing::interception::{CallOutcome, Operation};

use super::run::run_in_trouble;
use super::timeline::DAY;

/// After this long, in milliseconds, nothing waits any more: a week for a result, and a day for the
/// work after it.
pub const BOUND: i64 = 8 * DAY + DAY / 2;

/// What goes wrong, from the beginning to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// The call never does anything.
    Fails(Operation, CallOutcome),
    /// It is done each time, and its answer is always lost.
    AnswerLost(Operation),
    /// One in so many processes that come to the call, by chance, ends there.
    Ends { at: Operation, every: u32 },
    /// Only callbacks of first verifications arrive, or none at all.
    CallbacksLost { of_first: bool },
    /// Neither a callback's link nor one of `/files` leads to a file.
    LinksDead,
    /// The provider's program is never to be called.
    CircuitOpen,
}

/// Where the pairings of some runs have come to.
fn ends(trouble: Trouble) -> BTreeSet<String> {
    let mut ends = BTreeSet::new();
    for seed in 0..4 {
        let (report, states) = run_in_trouble(seed, trouble, false);
        if let Some(violation) = report.violation {
            let trace = run_in_trouble(seed, trouble, true).0.trace;
            let steps = trace[trace.len().saturating_sub(60)..].join("\n");
            panic!(
                "{steps}\n{trouble:?}, seed {seed}: {:?}: {}",
                violation.invariant, violation.detail
            );
        }
        ends.extend(states);
    }
    ends
}

fn assert_ends(trouble: Trouble, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|&name| name.to_owned()).collect();
    assert_eq!(ends(trouble), expected, "{trouble:?}");
}

const FAILS: CallOutcome = CallOutcome::Fails;

#[test]
fn without_trouble_everything_settles() {
    assert_ends(
        Trouble::Ends {
            at: Operation::History,
            every: 1,
        },
        &["Settled"],
    );
}

#[test]
fn a_status_that_never_comes_parks_as_unconfirmed() {
    assert_ends(
        Trouble::Fails(Operation::Status, FAILS),
        &["Parked(ResultUnconfirmed)"],
    );
    assert_ends(
        Trouble::AnswerLost(Operation::Status),
        &["Parked(ResultUnconfirmed)"],
    );
}

#[test]
fn a_token_that_is_never_created_parks() {
    assert_ends(
        Trouble::Fails(Operation::CreateSecondToken, FAILS),
        &["Parked(ProviderUnavailable)"],
    );
    assert_ends(
        Trouble::AnswerLost(Operation::CreateSecondToken),
        &["Parked(AttemptsExhausted)"],
    );
}

#[test]
fn documents_that_are_never_taken_park() {
    assert_ends(
        Trouble::Fails(Operation::Submit, FAILS),
        &["Parked(AttemptsExhausted)"],
    );
    assert_ends(
        Trouble::Fails(Operation::Submit, CallOutcome::AnswerLost),
        &["Parked(AttemptsExhausted)"],
    );
    assert_ends(Trouble::AnswerLost(Operation::Submit), &["Settled"]);
}

#[test]
fn files_that_never_come_park() {
    assert_ends(
        Trouble::Fails(Operation::Capture, FAILS),
        &["Parked(ProviderUnavailable)"],
    );
    assert_ends(Trouble::LinksDead, &["Parked(LinkDead)"]);
}

#[test]
fn callbacks_that_never_come_are_asked_for() {
    assert_ends(
        Trouble::CallbacksLost { of_first: true },
        &["Parked(CallbackLost)"],
    );
    assert_ends(Trouble::CallbacksLost { of_first: false }, &["Settled"]);
}

#[test]
fn a_provider_that_is_left_alone_for_ever_parks() {
    assert_ends(Trouble::CircuitOpen, &["Parked(ProviderUnavailable)"]);
}

const EFFECTS: [Operation; 8] = [
    Operation::Find,
    Operation::Save,
    Operation::ReadCallback,
    Operation::Capture,
    Operation::Prepare,
    Operation::CreateSecondToken,
    Operation::Submit,
    Operation::Status,
];

#[test]
fn one_of_two_workers_that_always_dies_stops_nothing() {
    for at in EFFECTS {
        let ends = ends(Trouble::Ends { at, every: 2 });
        // If the application never gets its session, the session stays unfinished.
        let is_true = |end: &String| {
            [
                "Settled",
                "Expired",
                "Parked(AttemptsExhausted)",
                "Parked(CallbackLost)",
                "Parked(PreparationUnfinished)",
            ]
            .contains(&end.as_str())
        };
        assert!(
            ends.iter().all(is_true) && ends.contains("Settled"),
            "{at:?}: {ends:?}"
        );
    }
}

#[test]
fn work_that_every_worker_dies_of_is_parked() {
    for at in [
        Operation::Capture,
        Operation::Prepare,
        Operation::Submit,
        Operation::Status,
    ] {
        for end in ends(Trouble::Ends { at, every: 1 }) {
            assert!(end.starts_with("Parked("), "{at:?}: {end}");
        }
    }
    let at = Operation::Prepare;
    assert_ends(
        Trouble::Ends { at, every: 1 },
        &["Parked(PreparationUnfinished)"],
    );
}
