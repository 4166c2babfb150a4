//! The state machine's complete table, state × event, as a snapshot.
//! A change of any cell shows.

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
use verification::identifiers::{Digest256, ScanRef, Side, UploadId};
use verification::pairing::{ExpectedDocument, Preparing, Resume, Second, Standing};
use verification::policy::{ComparisonPolicy, Judgement, Policy};
use verification::prepared::{Preparation, PreparationChange, PreparedFile};
use verification::question::{FirstNews, Question, SecondNews};
use verification::reason::{DeclineReason, ParkReason, WaitingReason};
use verification::result::{CallbackContent, Overall, Status};
use verification::secret::AuthToken;
use verification::testing::fixtures::approved;
use verification::transition::{
    Confirmed, Effect, Event, FirstResult, SecondResult, Transition, apply,
};
use verification::upload::Upload;
use verification::{Pairing, State, Timestamp, Verdict};

const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);

fn plan() -> Plan {
    match Policy::default().judge(&approved("first", "client"), &ExpectedDocument::default()) {
        Judgement::Qualifies(plan) => plan,
        other => panic!("{other:?}"),
    }
}

/// The same upload under links that are signed anew.
fn signed_anew() -> Plan {
    Plan {
        callback: Digest256::of(b"the same result with fresh links"),
        ..plan()
    }
}

/// A second upload of the customer's.
fn newer() -> CallbackContent {
    CallbackContent {
        digest: Digest256::of(b"newer"),
        finished_at: Some(2),
        ..approved("first", "client")
    }
}

fn newer_upload() -> Upload {
    newer().upload()
}

fn newer_plan() -> Plan {
    match Policy::default().judge(&newer(), &ExpectedDocument::default()) {
        Judgement::Qualifies(plan) => plan,
        other => panic!("{other:?}"),
    }
}

fn denial() -> FirstNews {
    FirstNews::Declines {
        overall: Overall::Denied,
        tags: Vec::new(),
        reason: DeclineReason::FirstDenied,
    }
}

fn approval() -> FirstNews {
    FirstNews::Qualifies {
        overall: Overall::Approved,
        tags: Vec::new(),
        plan: plan(),
    }
}

/// The provider was asked long enough ago for its contradiction to be believed.
fn question<News>(news: News) -> Question<News> {
    Question {
        news,
        since: Timestamp::from_milliseconds(NOW.milliseconds() - 600_000),
        ask_at: NOW,
        asked: 5,
        is_disputed: false,
    }
}

/// The provider was asked for a day.
fn unanswered(mut pairing: Pairing) -> Pairing {
    if let Some(question) = &mut pairing.first_question {
        question.since = Timestamp::from_milliseconds(NOW.milliseconds() - 86_400_000);
    }
    pairing
}

fn asked(pairing: Pairing, news: FirstNews) -> Pairing {
    Pairing {
        first_question: Some(question(news)),
        ..pairing
    }
}

fn second_asked(mut pairing: Pairing, overall: Overall) -> Pairing {
    let news = SecondNews {
        overall,
        tags: Vec::new(),
        callback: Some(Digest256::of(b"heard")),
    };
    if let Some(second) = &mut pairing.second {
        second.question = Some(question(news));
    }
    pairing
}

fn standstill(cause: ParkReason, state: State) -> State {
    State::Parked {
        cause,
        resume: Resume::Standing(Box::new(Standing {
            state,
            first_question: None,
            second_question: None,
        })),
    }
}

fn standstill_of(pairing: Pairing) -> Pairing {
    Pairing {
        state: standstill(ParkReason::ProviderUnavailable, pairing.state),
        ..pairing
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
        upload: plan().upload,
        step: step.parse().unwrap(),
        file: FileNumber::FIRST,
        side: Some(side),
        file_type: FileType::Jpeg,
        bytes: 1,
        sha256: Digest256::of(step.as_bytes()),
        prepared: None,
    };
    vec![
        stored("SECOND_DOC_FRONT", Side::Front),
        stored("SECOND_DOC_BACK", Side::Back),
    ]
}

fn preparing(lease_until: Timestamp, tries: u32) -> State {
    State::Captured {
        plan: plan(),
        preparing: Some(Preparing { lease_until, tries }),
    }
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
        uploads: vec![approved("first", "client").upload()],
        heard: vec![UploadId::of(&Digest256::of(b"heard"))],
        state,
        ..opened.clone()
    };
    let with_files = |state: State| Pairing {
        documents: documents(),
        attempts: 1,
        ..at(state)
    };
    let with_token = |state: State| Pairing {
        second: Some(Second::new(scan_ref("second"), plan().upload)),
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
                displaced: None,
                waiting: None,
            }),
        ),
        (
            "Capturing (lapsed)",
            at(State::Capturing {
                plan: plan(),
                lease_until: NOW,
                displaced: None,
                waiting: None,
            }),
        ),
        (
            "Capturing (denied, unconfirmed)",
            asked(
                at(State::Capturing {
                    plan: plan(),
                    lease_until: held(),
                    displaced: None,
                    waiting: None,
                }),
                denial(),
            ),
        ),
        ("Capturing (same files as Settled)", {
            let settled = with_token(State::Settled {
                verdict: Verdict::Denied,
                reason: None,
            });
            let mut pairing = at(State::Capturing {
                plan: newer_plan(),
                lease_until: held(),
                displaced: Some(Box::new(settled.state.clone())),
                waiting: None,
            });
            pairing.second = settled.second;
            // The newer upload's files are here already, and are the same.
            pairing.documents = documents();
            pairing
                .documents
                .extend(documents().into_iter().map(|document| StoredDocument {
                    upload: newer_plan().upload,
                    ..document
                }));
            pairing.uploads.push(newer_upload());
            pairing
        }),
        ("Captured", with_files(State::captured(plan()))),
        (
            "Captured (denied, unconfirmed)",
            asked(with_files(State::captured(plan())), denial()),
        ),
        (
            "Captured (unconfirmed)",
            asked(with_files(State::captured(plan())), FirstNews::Approval),
        ),
        (
            "Captured (preparing, held)",
            with_files(preparing(held(), 1)),
        ),
        (
            "Captured (preparing, lapsed)",
            with_files(preparing(NOW, 1)),
        ),
        (
            "Captured (preparing, twice lapsed)",
            with_files(preparing(NOW, 2)),
        ),
        ("Captured (replaced)", {
            let mut pairing = with_files(State::captured(plan()));
            pairing.uploads.push(newer_upload());
            pairing
        }),
        (
            "Captured (attempts used)",
            Pairing {
                attempts: 3,
                ..with_files(State::captured(plan()))
            },
        ),
        (
            "Captured (with a Token 2)",
            with_token(State::captured(plan())),
        ),
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
            "Submitted (approved, unconfirmed)",
            second_asked(
                with_token(State::Submitted {
                    plan: plan(),
                    since: NOW,
                    check_at: held(),
                }),
                Overall::Approved,
            ),
        ),
        (
            "Submitted (expired, unconfirmed)",
            second_asked(
                with_token(State::Submitted {
                    plan: plan(),
                    since: NOW,
                    check_at: held(),
                }),
                Overall::Expired,
            ),
        ),
        (
            "Submitted (a newer upload waits)",
            Pairing {
                next_upload: Some(newer_plan()),
                ..with_token(State::Submitted {
                    plan: plan(),
                    since: NOW,
                    check_at: held(),
                })
            },
        ),
        ("Submitting (lapsed, a newer upload is known)", {
            let mut pairing = with_token(State::Submitting {
                plan: plan(),
                auth_token: AuthToken::new("secret"),
                lease_until: NOW,
            });
            pairing.uploads.push(newer_upload());
            pairing
        }),
        (
            "Submitting (lapsed, a newer upload waits)",
            Pairing {
                next_upload: Some(newer_plan()),
                ..with_token(State::Submitting {
                    plan: plan(),
                    auth_token: AuthToken::new("secret"),
                    lease_until: NOW,
                })
            },
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
                reason: None,
            }),
        ),
        (
            "Settled (Suspected)",
            with_token(State::Settled {
                verdict: Verdict::Suspected,
                reason: None,
            }),
        ),
        (
            "Settled (Approved, revoked)",
            Pairing {
                revoked: Some(DeclineReason::FirstDenied),
                ..with_token(State::Settled {
                    verdict: Verdict::Approved,
                    reason: None,
                })
            },
        ),
        (
            "Settled (Approved, denied, unconfirmed)",
            asked(
                with_token(State::Settled {
                    verdict: Verdict::Approved,
                    reason: None,
                }),
                denial(),
            ),
        ),
        (
            "Settled (Approved, denied, unconfirmed for a day)",
            unanswered(asked(
                with_token(State::Settled {
                    verdict: Verdict::Approved,
                    reason: None,
                }),
                denial(),
            )),
        ),
        ("Settled (Approved, asked once more)", {
            let mut pairing = second_asked(
                with_token(State::Settled {
                    verdict: Verdict::Approved,
                    reason: None,
                }),
                Overall::Approved,
            );
            if let Some(second) = &mut pairing.second {
                second.overall = Some(Overall::Approved);
            }
            pairing
        }),
        (
            "Settled (Approved, revoked, approved, unconfirmed)",
            asked(
                Pairing {
                    revoked: Some(DeclineReason::FirstDenied),
                    ..with_token(State::Settled {
                        verdict: Verdict::Approved,
                        reason: None,
                    })
                },
                approval(),
            ),
        ),
        (
            "Settled (Denied, a newer upload waits)",
            Pairing {
                next_upload: Some(newer_plan()),
                ..with_token(State::Settled {
                    verdict: Verdict::Denied,
                    reason: None,
                })
            },
        ),
        (
            "Declined (approved, unconfirmed)",
            asked(
                at(State::Declined {
                    reason: DeclineReason::FirstDenied,
                }),
                approval(),
            ),
        ),
        (
            "Declined (asked once more)",
            asked(
                at(State::Declined {
                    reason: DeclineReason::FirstDenied,
                }),
                FirstNews::Decline { plan: Some(plan()) },
            ),
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
            "Parked (Captured, unconfirmed)",
            with_files(standstill(
                ParkReason::ResultUnconfirmed,
                State::captured(plan()),
            )),
        ),
        (
            "Parked (AwaitingCallback, no answer)",
            standstill_of(opened.clone()),
        ),
        (
            "Parked (Authorizing, no answer)",
            standstill_of(with_files(State::Authorizing {
                plan: plan(),
                lease_until: NOW,
            })),
        ),
        (
            "Parked (Authorized, no answer)",
            standstill_of(with_token(State::Authorized {
                plan: plan(),
                auth_token: AuthToken::new("secret"),
            })),
        ),
        (
            "Parked (Settled, unconfirmed)",
            standstill_of(with_token(State::Settled {
                verdict: Verdict::Approved,
                reason: None,
            })),
        ),
        (
            "Parked (Submitting, no answer)",
            with_token(standstill(
                ParkReason::ProviderUnavailable,
                State::Submitting {
                    plan: plan(),
                    auth_token: AuthToken::new("secret"),
                    lease_until: NOW,
                },
            )),
        ),
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
    let result = |overall, judgement| FirstResult {
        overall,
        tags: Vec::new(),
        judgement,
        upload: approved("first", "client").upload(),
        callback: Some(Digest256::of(b"callback")),
        lease_until: lease(),
        confirm: true,
        is_retry: false,
    };
    let first = |overall, judgement| Event::FirstResult(result(overall, judgement));
    let second = |scan: &str, overall, provisional, confirm| {
        Event::SecondResult(SecondResult {
            scan_ref: scan_ref(scan),
            news: SecondNews {
                overall,
                tags: Vec::new(),
                callback: Some(Digest256::of(b"second callback")),
            },
            provisional,
            confirm,
            comparison: None,
            comparison_policy: ComparisonPolicy::Report,
        })
    };
    let second_said = |overall| Event::SecondStatus {
        scan_ref: scan_ref("second"),
        said: Some(Status::of(overall)),
        comparison: None,
        comparison_policy: ComparisonPolicy::Report,
    };
    let refused = ParkReason::SubmissionRefused {
        kind: "Rejected".to_owned(),
        identifier: None,
    };
    vec![
        (
            "first: qualifies",
            first(Overall::Approved, Judgement::Qualifies(plan())),
        ),
        (
            "first: qualifies, believed",
            Event::FirstResult(FirstResult {
                confirm: false,
                ..result(Overall::Approved, Judgement::Qualifies(plan()))
            }),
        ),
        (
            "first: qualifies, fresh links",
            first(Overall::Approved, Judgement::Qualifies(signed_anew())),
        ),
        (
            "first: qualifies, newer upload",
            Event::FirstResult(FirstResult {
                upload: newer_upload(),
                ..result(Overall::Approved, Judgement::Qualifies(newer_plan()))
            }),
        ),
        (
            "first: qualifies, older upload",
            Event::FirstResult(FirstResult {
                upload: Upload {
                    fingerprint: Digest256::of(b"older"),
                    finished_at: Some(0),
                    callback: Digest256::of(b"older"),
                },
                ..result(Overall::Approved, Judgement::Qualifies(plan()))
            }),
        ),
        (
            "first: qualifies, heard before",
            Event::FirstResult(FirstResult {
                callback: Some(Digest256::of(b"heard")),
                ..result(Overall::Approved, Judgement::Qualifies(plan()))
            }),
        ),
        (
            "first: another client",
            first(
                Overall::Approved,
                Judgement::Qualifies(Plan {
                    client_id: "another".parse().unwrap(),
                    ..plan()
                }),
            ),
        ),
        (
            "first: not final",
            first(
                Overall::Reviewing,
                Judgement::NotYet(WaitingReason::ResultNotFinal),
            ),
        ),
        (
            "first: denied",
            first(
                Overall::Denied,
                Judgement::Declines(DeclineReason::FirstDenied),
            ),
        ),
        (
            "first: denied, believed",
            Event::FirstResult(FirstResult {
                confirm: false,
                ..result(
                    Overall::Denied,
                    Judgement::Declines(DeclineReason::FirstDenied),
                )
            }),
        ),
        (
            "first: unclear, newer upload",
            Event::FirstResult(FirstResult {
                upload: newer_upload(),
                ..result(
                    Overall::Approved,
                    Judgement::Unclear(ParkReason::StepNotJudged),
                )
            }),
        ),
        (
            "first: status approved",
            Event::FirstStatus(Some(Status::of(Overall::Approved))),
        ),
        (
            "first: status denied",
            Event::FirstStatus(Some(Status::of(Overall::Denied))),
        ),
        (
            "first: status not final",
            Event::FirstStatus(Some(Status {
                is_final: Some(false),
                ..Status::of(Overall::Approved)
            })),
        ),
        ("first: no status", Event::FirstStatus(None)),
        (
            "first: step invalid",
            first(
                Overall::Approved,
                Judgement::Declines(DeclineReason::StepInvalid),
            ),
        ),
        (
            "first: unclear",
            first(
                Overall::Approved,
                Judgement::Unclear(ParkReason::StepNotJudged),
            ),
        ),
        ("first: expired", first(Overall::Expired, Judgement::Lapsed)),
        (
            "first: removed",
            first(Overall::Deleted, Judgement::Removed),
        ),
        (
            "second: approved",
            second("second", Overall::Approved, false, true),
        ),
        (
            "second: approved, believed",
            second("second", Overall::Approved, false, false),
        ),
        (
            "second: expired, believed",
            second("second", Overall::Expired, false, false),
        ),
        ("second: status approved", second_said(Overall::Approved)),
        ("second: status denied", second_said(Overall::Denied)),
        ("second: status expired", second_said(Overall::Expired)),
        ("second: status reviewing", second_said(Overall::Reviewing)),
        (
            "second: denied",
            second("second", Overall::Denied, false, true),
        ),
        (
            "second: approved, not final",
            second("second", Overall::Approved, true, true),
        ),
        (
            "second: reviewing",
            second("second", Overall::Reviewing, true, true),
        ),
        (
            "second: active",
            second("second", Overall::Active, true, true),
        ),
        (
            "second: expired",
            second("second", Overall::Expired, false, true),
        ),
        (
            "second: deleted",
            second("second", Overall::Deleted, false, true),
        ),
        (
            "second: unknown word",
            second("second", Overall::Unknown, false, true),
        ),
        (
            "second: of another token",
            second("superseded", Overall::Approved, false, true),
        ),
        (
            "capture taken",
            Event::CaptureTaken {
                lease_until: lease(),
            },
        ),
        (
            "capture ended, all",
            Event::CaptureEnded {
                upload: plan().upload,
                documents: documents(),
                waiting: None,
            },
        ),
        (
            "capture ended, one",
            Event::CaptureEnded {
                upload: plan().upload,
                documents: documents().into_iter().take(1).collect(),
                waiting: Some(WaitingReason::FileUnavailable),
            },
        ),
        (
            "capture ended, of the newer upload",
            Event::CaptureEnded {
                upload: newer_plan().upload,
                documents: Vec::new(),
                waiting: None,
            },
        ),
        (
            "files replaced",
            Event::FilesReplaced {
                upload: plan().upload,
                files: UploadId::of(&Digest256::of(b"files")),
            },
        ),
        (
            "capture refused",
            Event::CaptureRefused {
                upload: plan().upload,
                documents: Vec::new(),
                reason: ParkReason::DocumentsTooLarge,
            },
        ),
        (
            "preparation started",
            Event::PreparationStarted {
                upload: plan().upload,
                lease_until: lease(),
            },
        ),
        (
            "preparation started, of others",
            Event::PreparationStarted {
                upload: newer_plan().upload,
                lease_until: lease(),
            },
        ),
        (
            "preparation failed",
            Event::PreparationFailed { held: held() },
        ),
        (
            "documents prepared",
            Event::DocumentsPrepared {
                upload: plan().upload,
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
                upload: plan().upload,
                preparations: vec![Preparation {
                    step: "SECOND_DOC_FRONT".parse().unwrap(),
                    original: Digest256::of(b"another file"),
                    file: prepared_file(),
                }],
            },
        ),
        (
            "authorization started",
            Event::AuthorizationStarted {
                lease_until: lease(),
                confirmed: Confirmed::not_required(),
            },
        ),
        (
            "token created",
            Event::SecondTokenCreated {
                held: held(),
                scan_ref: scan_ref("third"),
                auth_token: AuthToken::new("newer"),
            },
        ),
        (
            "authorization failed",
            Event::AuthorizationFailed { held: held() },
        ),
        (
            "authorization refused",
            Event::AuthorizationRefused {
                held: held(),
                reason: refused.clone(),
            },
        ),
        (
            "submission started",
            Event::SubmissionStarted {
                lease_until: lease(),
            },
        ),
        (
            "submission accepted",
            Event::SubmissionAccepted {
                second: Some(scan_ref("second")),
            },
        ),
        (
            "submission accepted with an earlier token",
            Event::SubmissionAccepted {
                second: Some(scan_ref("earlier")),
            },
        ),
        (
            "submission failed",
            Event::SubmissionFailed { held: held() },
        ),
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
        (
            "token died",
            Event::SecondTokenDied {
                second: Some(scan_ref("second")),
            },
        ),
        (
            "an earlier token died",
            Event::SecondTokenDied {
                second: Some(scan_ref("earlier")),
            },
        ),
        ("next attempt started", Event::NextAttemptStarted),
        (
            "session opened",
            Event::SessionOpened {
                client_id: "client".parse().unwrap(),
                expected: ExpectedDocument {
                    country: Some("LV".parse().unwrap()),
                    document_type: None,
                },
                until: lease(),
                key: None,
                steps: None,
            },
        ),
        (
            "check postponed",
            Event::CheckPostponed { check_at: lease() },
        ),
        ("given up", Event::GivenUp),
        (
            "set aside",
            Event::SetAside {
                note: "note".to_owned(),
            },
        ),
        (
            "retry requested",
            Event::RetryRequested { plan: Some(plan()) },
        ),
        (
            "erasure started",
            Event::ErasureStarted { again_at: lease() },
        ),
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
            let reason = change.next.state.reason().or(change
                .next
                .state
                .verdict()
                .map(Verdict::as_str));
            let effects: String = change
                .effects
                .iter()
                .map(|effect| match effect {
                    Effect::CaptureDocuments => " +capture",
                    Effect::Enqueue => " +enqueue",
                    Effect::EnqueueOnceStored => " +enqueue after",
                })
                .collect();
            let revoked = if change.next.revoked.is_some() {
                " !revoked"
            } else {
                ""
            };
            let next = &change.next;
            let is_asked = next.first_question.is_some()
                || next
                    .second
                    .as_ref()
                    .is_some_and(|second| second.question.is_some());
            let asked = if is_asked { " ?" } else { "" };
            let waits = if next.next_upload.is_some() {
                " (newer upload waits)"
            } else {
                ""
            };
            format!(
                "{}{} [{}]{effects}{revoked}{asked}{waits}",
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
            table.push_str(&format!(
                "    {event_name:32}{}\n",
                describe(&apply(&pairing, event, NOW))
            ));
        }
    }
    insta::assert_snapshot!(table);
}

/// Two workers asked at once.
/// The slower one's answer is as old and decides nothing more.
#[test]
fn an_answer_that_another_worker_was_faster_with_is_ignored() {
    let soon = NOW.plus(Duration::from_secs(1));
    let decline = FirstNews::Decline { plan: Some(plan()) };
    let states = states();
    let state = |name: &str| {
        states
            .iter()
            .find(|(known, _)| *known == name)
            .unwrap()
            .1
            .clone()
    };
    let mut declined = asked(state("Declined (FirstDenied)"), decline);
    declined.first_question.as_mut().unwrap().ask_at = soon;
    let approved = Event::FirstStatus(Some(Status::of(Overall::Approved)));
    assert_eq!(
        describe(&apply(&declined, approved.clone(), NOW)),
        "· OutOfPlace"
    );
    assert!(describe(&apply(&declined, approved, soon)).contains("Reopened"));
    let mut captured = asked(state("Captured"), FirstNews::Approval);
    captured.first_question.as_mut().unwrap().ask_at = soon;
    let spent = Event::AuthorizationStarted {
        lease_until: lease(),
        confirmed: Confirmed::by(&Status::of(Overall::Approved)).unwrap(),
    };
    assert_eq!(describe(&apply(&captured, spent, NOW)), "· Unconfirmed");
}

#[test]
fn every_state_can_be_erased_and_nothing_leads_out_of_erasure() {
    for (state_name, pairing) in states() {
        let Transition::Change(change) =
            apply(&pairing, Event::ErasureStarted { again_at: lease() }, NOW)
        else {
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
                assert_eq!(
                    change.next.version,
                    pairing.version + 1,
                    "{state_name} × {event_name}"
                );
                assert_eq!(change.next.updated_at, later, "{state_name} × {event_name}");
                assert_eq!(change.next.first, pairing.first);
            }
        }
    }
}

#[test]
fn every_open_state_says_when_somebody_must_look() {
    for (state_name, pairing) in states() {
        let mut reachable = vec![pairing.clone()];
        for (_, event) in events() {
            if let Transition::Change(change) = apply(&pairing, event, NOW) {
                reachable.push(change.next);
            }
        }
        for pairing in reachable {
            let is_asked = pairing.first_question.is_some()
                || pairing
                    .second
                    .as_ref()
                    .is_some_and(|second| second.question.is_some())
                || pairing.is_next_attempt_due();
            assert_eq!(
                pairing.attention_at().is_none(),
                pairing.state.is_terminal() && !is_asked,
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
                let state = match &change.next.state {
                    State::Parked {
                        resume: Resume::Standing(standing),
                        ..
                    } => &standing.state,
                    state => state,
                };
                let needs_secret =
                    matches!(state, State::Authorized { .. } | State::Submitting { .. });
                assert_eq!(
                    has_secret,
                    needs_secret,
                    "{event_name} led to {}",
                    change.next.state.name()
                );
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

/// The diagram in `docs/ARCHITECTURE.md` shows exactly the possible changes of state.
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
                edges.insert(format!(
                    "{} --> {}",
                    pairing.state.name(),
                    change.next.state.name()
                ));
            }
        }
    }
    let document = std::fs::read_to_string(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/ARCHITECTURE.md"
    ))
    .unwrap();
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
