//! The state machine's complete table, state × event, kept as a snapshot: a change of any cell shows in the diff.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::time::Duration;

use verification::document::{FileType, Plan, StoredDocument};
use verification::file_number::FileNumber;
use verification::identifiers::{Digest256, ScanRef, Side};
use verification::pairing::{ExpectedDocument, Resume, Second};
use verification::policy::{Judgement, Policy};
use verification::prepared::{Preparation, PreparationChange, PreparedFile};
use verification::reason::{DeclineReason, ParkReason, WaitingReason};
use verification::result::Overall;
use verification::secret::AuthToken;
use verification::testing::fixtures::approved;
use verification::transition::{Effect, Event, Transition, apply};
use verification::{Pairing, State, Timestamp, Verdict};

const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);

fn plan() -> Plan {
    match Policy::default().judge(&approved("first", "client"), &ExpectedDocument::default()) {
        Judgement::Qualifies(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn newer_plan() -> Plan {
    Plan {
        callback: Digest256::of(b"the same result with fresh links"),
        ..plan()
    }
}

fn scan_ref(text: &str) -> ScanRef {
    text.parse().unwrap()
}

fn held() -> Timestamp {
    NOW.plus(Duration::from_secs(30))
}

fn lease() -> Timestamp {
    NOW.plus(Duration::from_secs(60))
}

fn documents() -> Vec<StoredDocument> {
    let stored = |step: &str, side| StoredDocument {
        step: step.parse().unwrap(),
        file: FileNumber::FIRST,
        side: Some(side),
        file_type: FileType::Jpeg,
        bytes: 1,
        sha256: Digest256::of(step.as_bytes()),
        prepared: None,
    };
    vec![stored("SECOND_DOC_FRONT", Side::Front), stored("SECOND_DOC_BACK", Side::Back)]
}

fn prepared_file() -> PreparedFile {
    PreparedFile {
        bytes: 1,
        sha256: Digest256::of(b"prepared"),
        width: 1,
        height: 1,
        quality: 90,
        changes: vec![PreparationChange::Converted],
    }
}

fn states() -> Vec<(&'static str, Pairing)> {
    let opened = Pairing::opened(
        scan_ref("first"),
        Some("client".parse().unwrap()),
        NOW,
        NOW.plus(Duration::from_secs(900)),
    );
    let at = |state: State| Pairing {
        version: 7,
        first_overall: Some(Overall::Approved),
        state,
        ..opened.clone()
    };
    let with_files = |state: State| Pairing {
        documents: documents(),
        attempts: 1,
        ..at(state)
    };
    let with_token = |state: State| Pairing {
        second: Some(Second {
            scan_ref: scan_ref("second"),
            overall: None,
        }),
        ..with_files(state)
    };
    let auth_token = AuthToken::new("secret");
    let accepted = with_token(State::Parked {
        cause: ParkReason::ResultOverdue,
        resume: Resume::Plan(plan()),
    });
    vec![
        ("AwaitingCallback", opened.clone()),
        (
            "AwaitingCallback (not final)",
            at(State::AwaitingCallback {
                until: held(),
                waiting: Some(WaitingReason::ResultNotFinal),
            }),
        ),
        (
            "Capturing (held)",
            at(State::Capturing {
                plan: plan(),
                lease_until: held(),
            }),
        ),
        (
            "Capturing (lapsed)",
            at(State::Capturing {
                plan: plan(),
                lease_until: NOW,
            }),
        ),
        ("Captured", with_files(State::Captured { plan: plan() })),
        (
            "Captured (attempts used)",
            Pairing {
                attempts: 3,
                ..with_files(State::Captured { plan: plan() })
            },
        ),
        ("Captured (with a Token 2)", with_token(State::Captured { plan: plan() })),
        (
            "Authorizing (with an earlier Token 2)",
            with_token(State::Authorizing {
                plan: plan(),
                lease_until: held(),
            }),
        ),
        (
            "Authorizing (held)",
            with_files(State::Authorizing {
                plan: plan(),
                lease_until: held(),
            }),
        ),
        (
            "Authorizing (lapsed)",
            with_files(State::Authorizing {
                plan: plan(),
                lease_until: NOW,
            }),
        ),
        (
            "Authorized",
            with_token(State::Authorized {
                plan: plan(),
                auth_token: auth_token.clone(),
            }),
        ),
        (
            "Submitting (held)",
            with_token(State::Submitting {
                plan: plan(),
                auth_token: auth_token.clone(),
                lease_until: held(),
            }),
        ),
        (
            "Submitting (lapsed)",
            with_token(State::Submitting {
                plan: plan(),
                auth_token,
                lease_until: NOW,
            }),
        ),
        (
            "Submitting (revoked)",
            Pairing {
                revoked: Some(DeclineReason::FirstDenied),
                ..with_token(State::Submitting {
                    plan: plan(),
                    auth_token: AuthToken::new("secret"),
                    lease_until: held(),
                })
            },
        ),
        (
            "Submitting (revoked, lapsed)",
            Pairing {
                revoked: Some(DeclineReason::FirstDenied),
                ..with_token(State::Submitting {
                    plan: plan(),
                    auth_token: AuthToken::new("secret"),
                    lease_until: NOW,
                })
            },
        ),
        (
            "Submitted",
            with_token(State::Submitted {
                plan: plan(),
                since: NOW,
                check_at: held(),
            }),
        ),
        (
            "Submitted (revoked)",
            Pairing {
                revoked: Some(DeclineReason::FirstDenied),
                ..with_token(State::Submitted {
                    plan: plan(),
                    since: NOW,
                    check_at: held(),
                })
            },
        ),
        (
            "Settled (Approved)",
            with_token(State::Settled {
                verdict: Verdict::Approved,
            }),
        ),
        (
            "Settled (Suspected)",
            with_token(State::Settled {
                verdict: Verdict::Suspected,
            }),
        ),
        (
            "Declined (FirstDenied)",
            at(State::Declined {
                reason: DeclineReason::FirstDenied,
            }),
        ),
        ("Expired", at(State::Expired)),
        (
            "Parked (judging)",
            at(State::Parked {
                cause: ParkReason::StepNotJudged,
                resume: Resume::Callback(Digest256::of(b"unclear")),
            }),
        ),
        (
            "Parked (capturing)",
            at(State::Parked {
                cause: ParkReason::LinkDead {
                    step: "SECOND_DOC_FRONT".parse().unwrap(),
                },
                resume: Resume::Plan(plan()),
            }),
        ),
        (
            "Parked (submitting)",
            with_token(State::Parked {
                cause: ParkReason::AttemptsExhausted,
                resume: Resume::Plan(plan()),
            }),
        ),
        ("Parked (accepted)", accepted.clone()),
        (
            "Parked (accepted, revoked)",
            Pairing {
                revoked: Some(DeclineReason::FirstDenied),
                ..accepted
            },
        ),
        (
            "Erasing",
            with_token(State::Erasing {
                again_at: held(),
                deleted: Vec::new(),
            }),
        ),
    ]
}

fn events() -> Vec<(&'static str, Event)> {
    let first = |overall, judgement| Event::FirstResult {
        overall,
        judgement,
        callback: Digest256::of(b"callback"),
        lease_until: lease(),
    };
    let second = |scan: &str, overall, provisional| Event::SecondResult {
        scan_ref: scan_ref(scan),
        overall,
        provisional,
    };
    let refused = ParkReason::SubmissionRefused {
        kind: "Rejected".to_owned(),
        identifier: None,
    };
    vec![
        ("first: qualifies", first(Overall::Approved, Judgement::Qualifies(plan()))),
        (
            "first: qualifies, fresh links",
            first(Overall::Approved, Judgement::Qualifies(newer_plan())),
        ),
        (
            "first: not final",
            first(Overall::Reviewing, Judgement::NotYet(WaitingReason::ResultNotFinal)),
        ),
        (
            "first: denied",
            first(Overall::Denied, Judgement::Declines(DeclineReason::FirstDenied)),
        ),
        (
            "first: step invalid",
            first(Overall::Approved, Judgement::Declines(DeclineReason::StepInvalid)),
        ),
        (
            "first: unclear",
            first(Overall::Approved, Judgement::Unclear(ParkReason::StepNotJudged)),
        ),
        ("first: expired", first(Overall::Expired, Judgement::Lapsed)),
        ("first: removed", first(Overall::Deleted, Judgement::Removed)),
        ("second: approved", second("second", Overall::Approved, false)),
        ("second: denied", second("second", Overall::Denied, false)),
        ("second: approved, not final", second("second", Overall::Approved, true)),
        ("second: reviewing", second("second", Overall::Reviewing, true)),
        ("second: active", second("second", Overall::Active, true)),
        ("second: expired", second("second", Overall::Expired, false)),
        ("second: deleted", second("second", Overall::Deleted, false)),
        ("second: unknown word", second("second", Overall::Unknown, false)),
        ("second: of another token", second("superseded", Overall::Approved, false)),
        ("capture taken", Event::CaptureTaken { lease_until: lease() }),
        ("capture ended, all", Event::CaptureEnded { documents: documents() }),
        (
            "capture ended, one",
            Event::CaptureEnded {
                documents: documents().into_iter().take(1).collect(),
            },
        ),
        (
            "capture refused",
            Event::CaptureRefused {
                documents: Vec::new(),
                reason: ParkReason::DocumentsTooLarge,
            },
        ),
        (
            "documents prepared",
            Event::DocumentsPrepared {
                preparations: vec![Preparation {
                    step: "SECOND_DOC_FRONT".parse().unwrap(),
                    original: Digest256::of(b"SECOND_DOC_FRONT"),
                    file: prepared_file(),
                }],
            },
        ),
        (
            "documents prepared, of others",
            Event::DocumentsPrepared {
                preparations: vec![Preparation {
                    step: "SECOND_DOC_FRONT".parse().unwrap(),
                    original: Digest256::of(b"another file"),
                    file: prepared_file(),
                }],
            },
        ),
        ("authorization started", Event::AuthorizationStarted { lease_until: lease() }),
        (
            "token created",
            Event::SecondTokenCreated {
                held: held(),
                scan_ref: scan_ref("third"),
                auth_token: AuthToken::new("newer"),
            },
        ),
        ("authorization failed", Event::AuthorizationFailed { held: held() }),
        (
            "authorization refused",
            Event::AuthorizationRefused {
                held: held(),
                reason: refused.clone(),
            },
        ),
        ("submission started", Event::SubmissionStarted { lease_until: lease() }),
        ("submission accepted", Event::SubmissionAccepted),
        ("submission failed", Event::SubmissionFailed { held: held() }),
        (
            "submission refused",
            Event::SubmissionRefused {
                held: held(),
                reason: refused,
            },
        ),
        (
            "answer lost",
            Event::AnswerLost {
                held: held(),
                again_at: lease(),
            },
        ),
        ("token died", Event::SecondTokenDied),
        (
            "session opened",
            Event::SessionOpened {
                client_id: "client".parse().unwrap(),
                expected: ExpectedDocument {
                    country: Some("LV".parse().unwrap()),
                    document_type: None,
                },
                until: lease(),
            },
        ),
        ("check postponed", Event::CheckPostponed { check_at: lease() }),
        ("given up", Event::GivenUp),
        ("retry requested", Event::RetryRequested),
        ("erasure started", Event::ErasureStarted { again_at: lease() }),
        (
            "erasure deferred",
            Event::ErasureDeferred {
                deleted: vec![scan_ref("first")],
                again_at: lease(),
            },
        ),
    ]
}

fn describe(transition: &Transition) -> String {
    match transition {
        Transition::Nothing(why) => format!("· {why}"),
        Transition::HeldUntil(_) => "· held".to_owned(),
        Transition::Change(change) => {
            let reason = change.next.state.reason().or(change.next.state.verdict().map(Verdict::as_str));
            let effects: String = change
                .effects
                .iter()
                .map(|effect| match effect {
                    Effect::CaptureDocuments => " +capture",
                    Effect::Enqueue => " +enqueue",
                })
                .collect();
            let revoked = if change.next.revoked.is_some() { " !revoked" } else { "" };
            format!(
                "{}{} [{}]{effects}{revoked}",
                change.next.state.name(),
                reason.map(|word| format!("({word})")).unwrap_or_default(),
                change.what
            )
        }
    }
}

#[test]
fn every_state_answers_every_event_as_the_table_says() {
    let mut table = String::new();
    for (state_name, pairing) in states() {
        table.push_str(&format!("{state_name}\n"));
        for (event_name, event) in events() {
            table.push_str(&format!("    {event_name:32}{}\n", describe(&apply(&pairing, event, NOW))));
        }
    }
    insta::assert_snapshot!(table);
}

#[test]
fn every_state_can_be_erased_and_nothing_leads_out_of_erasure() {
    for (state_name, pairing) in states() {
        let Transition::Change(change) = apply(&pairing, Event::ErasureStarted { again_at: lease() }, NOW) else {
            panic!("{state_name} cannot be erased");
        };
        assert_eq!(change.next.state.name(), "Erasing");
        let stored = serde_json::to_string(&change.next).unwrap();
        for personal in ["client", "SECOND_DOC", "secret", "LT"] {
            assert!(
                !stored.contains(&format!(":\"{personal}")),
                "{state_name} keeps {personal}: {stored}"
            );
        }
        for (event_name, event) in events() {
            if let Transition::Change(later) = apply(&change.next, event, NOW) {
                assert_eq!(later.next.state.name(), "Erasing", "{event_name}");
            }
        }
    }
}

#[test]
fn every_change_counts_the_version_and_moves_the_time() {
    let later = NOW.plus(Duration::from_secs(1));
    for (state_name, pairing) in states() {
        for (event_name, event) in events() {
            if let Transition::Change(change) = apply(&pairing, event, later) {
                assert_eq!(change.next.version, pairing.version + 1, "{state_name} × {event_name}");
                assert_eq!(change.next.updated_at, later, "{state_name} × {event_name}");
                assert_eq!(change.next.first, pairing.first);
            }
        }
    }
}

#[test]
fn every_state_that_is_not_terminal_says_when_somebody_must_look() {
    for (state_name, pairing) in states() {
        let mut reachable = vec![pairing.clone()];
        for (_, event) in events() {
            if let Transition::Change(change) = apply(&pairing, event, NOW) {
                reachable.push(change.next);
            }
        }
        for pairing in reachable {
            assert_eq!(
                pairing.attention_at().is_none(),
                pairing.state.is_terminal(),
                "from {state_name}: {}",
                pairing.state.name()
            );
        }
    }
}

#[test]
fn the_secret_of_token_2_is_kept_only_while_it_can_be_used() {
    for (_, pairing) in states() {
        for (event_name, event) in events() {
            if let Transition::Change(change) = apply(&pairing, event, NOW) {
                let stored = serde_json::to_string(&change.next).unwrap();
                let has_secret = stored.contains("auth_token");
                let needs_secret = matches!(change.next.state, State::Authorized { .. } | State::Submitting { .. });
                assert_eq!(has_secret, needs_secret, "{event_name} led to {}", change.next.state.name());
            }
        }
    }
}

#[test]
fn no_state_prints_a_secret() {
    for (_, pairing) in states() {
        assert!(!format!("{pairing:?}").contains("\"secret\""));
    }
    for (_, event) in events() {
        assert!(!format!("{event:?}").contains("\"newer\""), "{event:?}");
    }
}

/// The diagram in `docs/ARCHITECTURE.md` shows exactly the changes of state that the machine can make.
#[test]
fn the_architecture_document_shows_the_real_state_diagram() {
    let mut edges = std::collections::BTreeSet::new();
    for (_, pairing) in states() {
        for (_, event) in events() {
            if let Transition::Change(change) = apply(&pairing, event, NOW)
                && change.next.state.name() != pairing.state.name()
                // Every state leads there; the diagram says so once.
                && change.next.state.name() != "Erasing"
            {
                edges.insert(format!("{} --> {}", pairing.state.name(), change.next.state.name()));
            }
        }
    }
    let document = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/ARCHITECTURE.md")).unwrap();
    let diagram = document
        .split("```mermaid\nstateDiagram-v2\n")
        .nth(1)
        .and_then(|rest| rest.split("```").next())
        .expect("the diagram");
    let shown: std::collections::BTreeSet<String> = diagram
        .lines()
        .map(str::trim)
        .filter(|line| line.contains(" --> ") && !line.contains("[*]"))
        .map(|line| line.split(" : ").next().unwrap_or(line).trim().to_owned())
        .collect();
    let expected = edges.iter().cloned().collect::<Vec<_>>().join("\n");
    assert_eq!(
        shown.into_iter().collect::<Vec<_>>().join("\n"),
        expected,
        "the diagram's edges (left) and the machine's (right)"
    );
}
