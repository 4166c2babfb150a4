//! The use cases against the in-memory ports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

use std::sync::Arc;
use std::time::Duration;

use verification::document::DocumentType;
use verification::identifiers::{Digest256, ScanRef};
use verification::pairing::ExpectedDocument;
use verification::ports::{Clock, Pairings, SessionRequest};
use verification::reason::ParkReason;
use verification::result::{CallbackFacts, Overall};
use verification::secret::FileLink;
use verification::testing::fixtures::{approved, second};
use verification::testing::memory::{Fault, FileBehaviour, World};
use verification::{
    AcceptCallback, Accepted, Advance, Advanced, EraseVerification, Erased, Observation, OpenSession, Policy, Reconcile, Reconciled,
    RemainingKind, Retried, RetryVerification, State, Verdict,
};

struct Flow {
    world: Arc<World>,
    accept: AcceptCallback,
    advance: Advance,
}

const FRONT_LINK: &str = "https://files.example/first/SECOND_DOC_FRONT";

impl Flow {
    fn new() -> Self {
        let world = Arc::new(World::new());
        let accept = AcceptCallback {
            pairings: world.clone(),
            archive: world.clone(),
            documents: world.clone(),
            queue: world.clone(),
            clock: world.clone(),
            observer: world.clone(),
            policy: Policy::default(),
        };
        let advance = Advance {
            pairings: world.clone(),
            archive: world.clone(),
            documents: world.clone(),
            queue: world.clone(),
            provider: world.clone(),
            clock: world.clone(),
            observer: world.clone(),
        };
        Self { world, accept, advance }
    }

    async fn callback(&self, facts: &CallbackFacts) -> Accepted {
        self.world.serve(facts);
        self.try_callback(facts).await.expect("durable")
    }

    async fn try_callback(&self, facts: &CallbackFacts) -> Result<Accepted, verification::ports::Unavailable> {
        let until = self.world.now().plus(Duration::from_secs(8));
        self.accept.accept(facts.clone(), b"{}", until).await
    }

    async fn process(&self) -> Advanced {
        let first: ScanRef = "first".parse().unwrap();
        self.advance
            .advance(&first, self.world.now().plus(Duration::from_secs(60)))
            .await
            .expect("stores answer")
    }

    fn state(&self) -> State {
        self.world.pairing("first").state
    }

    fn parked(&self) -> ParkReason {
        match self.state() {
            State::Parked { cause, .. } => cause,
            other => panic!("should be parked, is {}", other.name()),
        }
    }

    async fn submitted() -> Self {
        let flow = Self::new();
        flow.callback(&approved("first", "client")).await;
        assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
        flow
    }
}

#[tokio::test]
async fn approved_callback_leads_to_a_settled_pairing() {
    let flow = Flow::new();
    assert_eq!(
        flow.callback(&approved("first", "client")).await,
        Accepted::Changed("FirstResultQualified")
    );
    assert_eq!(flow.state().name(), "Captured");
    assert_eq!(
        flow.world.object_keys(),
        ["documents/first/SECOND_DOC_BACK.jpg", "documents/first/SECOND_DOC_FRONT.jpg"]
    );
    assert_eq!(flow.world.take_messages().len(), 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.callback(&second("second-1", "first", Overall::Approved)).await,
        Accepted::Changed("SecondResult")
    );
    assert_eq!(
        flow.state(),
        State::Settled {
            verdict: Verdict::Approved
        }
    );
    let history = flow.world.history(&"first".parse().unwrap(), 100).await.unwrap();
    let what: Vec<&str> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(
        what,
        [
            "FirstResultQualified",
            "DocumentsCaptured",
            "AuthorizationStarted",
            "SecondTokenCreated",
            "SubmissionStarted",
            "DocumentsSubmitted",
            "SecondResult"
        ]
    );
}

#[tokio::test]
async fn only_the_steps_files_are_submitted_front_first() {
    let flow = Flow::submitted().await;
    let submissions = flow.world.submissions();
    let steps: Vec<String> = submissions[0].1.iter().map(|document| document.step.to_string()).collect();
    assert_eq!(steps, ["SECOND_DOC_FRONT", "SECOND_DOC_BACK"]);
    assert_eq!(flow.world.object_keys().len(), 2);
}

#[tokio::test]
async fn a_repeated_callback_changes_nothing_at_any_point() {
    let flow = Flow::new();
    let first = approved("first", "client");
    flow.callback(&first).await;
    let before = flow.world.pairing("first");
    assert!(matches!(flow.callback(&first).await, Accepted::Ignored(_)));
    assert_eq!(flow.world.pairing("first"), before);
    assert_eq!(flow.world.take_messages().len(), 1);
    flow.process().await;
    flow.callback(&second("second-1", "first", Overall::Approved)).await;
    let settled = flow.world.pairing("first");
    for repeated in [&first, &second("second-1", "first", Overall::Approved)] {
        assert!(matches!(flow.callback(repeated).await, Accepted::Ignored(_)));
    }
    assert_eq!(flow.world.pairing("first"), settled);
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (1, 1));
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn the_second_callback_never_opens_a_pairing() {
    let flow = Flow::submitted().await;
    let unknown = second("never-stored", "first", Overall::Approved);
    assert_eq!(flow.callback(&unknown).await, Accepted::Ignored("SecondTokenUnknown"));
    assert_eq!(flow.world.pairing_count(), 1);
    assert_eq!(flow.state().name(), "Submitted");
}

#[tokio::test]
async fn a_callback_that_is_no_result_is_kept_and_ignored() {
    let flow = Flow::new();
    let notice = CallbackFacts {
        overall: None,
        ..approved("first", "client")
    };
    assert_eq!(flow.callback(&notice).await, Accepted::Ignored("NotAVerificationResult"));
    assert_eq!(flow.world.pairing_count(), 0);
    assert_eq!(flow.world.archived().len(), 1);
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_durable() {
    for operation in ["keep", "find", "save", "enqueue"] {
        let flow = Flow::new();
        let facts = approved("first", "client");
        flow.world.serve(&facts);
        flow.world.fault(operation, Fault::Unavailable);
        assert!(flow.try_callback(&facts).await.is_err(), "{operation}");
        assert!(
            flow.try_callback(&facts).await.is_ok(),
            "{operation}: the provider's next try works"
        );
        assert_eq!(flow.state().name(), "Captured", "{operation}");
        assert_eq!(flow.world.take_messages().len(), 1, "{operation}: the processor is told");
    }
}

#[tokio::test]
async fn a_second_copy_at_the_same_time_waits_for_the_first() {
    let flow = Flow::new();
    let facts = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&facts).await;
    // The first copy has deferred; somebody else takes the lease.
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    assert_eq!(flow.state().name(), "Capturing");
}

#[tokio::test]
async fn files_that_cannot_be_copied_in_time_are_left_to_the_processor() {
    let flow = Flow::new();
    let facts = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&facts).await;
    assert_eq!(flow.state().name(), "Capturing");
    assert_eq!(flow.world.pairing("first").documents.len(), 1);
    assert_eq!(flow.world.take_messages().len(), 1);
    assert!(flow.world.observations().contains(&Observation::CaptureDeferred));
    assert!(matches!(
        flow.process().await,
        Advanced::TryAgain {
            why: "FileUnavailable",
            ..
        }
    ));
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(1));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn dead_links_are_replaced_by_fresh_ones() {
    let flow = Flow::new();
    let facts = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    flow.callback(&facts).await;
    let fresh = "https://files.example/fresh";
    flow.world.file(fresh, FileBehaviour::Serves(5));
    flow.world.fresh_links(
        &facts.scan_ref,
        [("SECOND_DOC_FRONT".parse().unwrap(), vec![FileLink::new(fresh)])].into(),
    );
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_link_that_stays_dead_parks_with_the_reason() {
    let flow = Flow::new();
    let facts = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    flow.callback(&facts).await;
    flow.world.fresh_links(&facts.scan_ref, facts.links.clone());
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::LinkDead {
            step: "SECOND_DOC_FRONT".parse().unwrap()
        }
    );
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn a_file_that_the_provider_does_not_have_parks_with_the_reason() {
    let flow = Flow::new();
    let mut facts = approved("first", "client");
    facts.links.remove(&"SECOND_DOC_FRONT".parse().unwrap());
    flow.callback(&facts).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::FileMissing {
            step: "SECOND_DOC_FRONT".parse().unwrap()
        }
    );
}

#[tokio::test]
async fn a_file_that_is_always_too_short_parks_with_the_reason() {
    let flow = Flow::new();
    flow.world.file(FRONT_LINK, FileBehaviour::Truncated);
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::FileTruncated {
            step: "SECOND_DOC_FRONT".parse().unwrap()
        }
    );
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn a_refused_file_parks_at_once_and_the_other_file_is_kept() {
    let flow = Flow::new();
    let reason = ParkReason::FileTypeNotAccepted {
        step: "SECOND_DOC_FRONT".parse().unwrap(),
    };
    flow.world.file(FRONT_LINK, FileBehaviour::Refused(reason.clone()));
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.parked(), reason);
    assert_eq!(flow.world.object_keys(), ["documents/first/SECOND_DOC_BACK.jpg"]);
    assert!(flow.world.take_messages().is_empty());
    assert!(flow.world.observations().contains(&Observation::Parked { reason }));
}

#[tokio::test]
async fn parked_for_its_files_a_pairing_is_reopened_by_fresh_links_and_not_by_the_same_body() {
    let flow = Flow::new();
    let facts = approved("first", "client");
    let reason = ParkReason::FileTooLarge {
        step: "SECOND_DOC_FRONT".parse().unwrap(),
    };
    flow.world.file(FRONT_LINK, FileBehaviour::Refused(reason));
    flow.callback(&facts).await;
    assert_eq!(flow.callback(&facts).await, Accepted::Ignored("AlreadyKnown"));
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(5));
    let fresh = CallbackFacts {
        digest: Digest256::of(b"fresh links"),
        ..facts
    };
    assert_eq!(flow.callback(&fresh).await, Accepted::Changed("Reopened"));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_lost_race_is_decided_anew() {
    let flow = Flow::new();
    flow.world.lose_next_saves(2);
    assert_eq!(
        flow.callback(&approved("first", "client")).await,
        Accepted::Changed("FirstResultQualified")
    );
    assert_eq!(flow.state().name(), "Captured");
}

#[tokio::test]
async fn unavailable_provider_is_tried_again_without_spending_an_attempt() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    for operation in ["token", "process"] {
        for _ in 0..5 {
            flow.world.fault(operation, Fault::Unavailable);
            assert_eq!(
                flow.process().await,
                Advanced::TryAgain {
                    why: "RateLimited",
                    after: Some(Duration::from_secs(7))
                }
            );
        }
    }
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (1, 1));
}

#[tokio::test]
async fn refused_token_parks() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("token", Fault::Refused);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked().as_str(), "SecondTokenRefused");
}

#[tokio::test]
async fn refused_documents_park_and_are_not_sent_again() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::Refused);
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::SubmissionRefused {
            kind: "Rejected".to_owned(),
            identifier: Some("BAD_VALUE".to_owned())
        }
    );
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.world.submissions().len(), 0);
}

#[tokio::test]
async fn accepted_with_a_lost_answer_is_found_out_and_not_repeated() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::DoneThenLost);
    assert!(matches!(flow.process().await, Advanced::TryAgain { why: "ConnectionLost", .. }));
    assert_eq!(flow.state().name(), "Submitting");
    assert!(
        matches!(flow.process().await, Advanced::HeldUntil(_)),
        "the provider gets time to finish"
    );
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (1, 1));
}

#[tokio::test]
async fn lost_before_acceptance_the_same_token_is_used_again() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::LostBeforeDone);
    flow.process().await;
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (1, 1));
}

#[tokio::test]
async fn an_in_doubt_submission_waits_for_evidence() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::DoneThenLost);
    flow.process().await;
    flow.world.wait(Duration::from_secs(11));
    flow.world.fault("status", Fault::Unavailable);
    assert!(matches!(flow.process().await, Advanced::TryAgain { why: "ServerError", .. }));
    assert_eq!(flow.state().name(), "Submitting");
    assert_eq!(
        flow.callback(&second("second-1", "first", Overall::Denied)).await,
        Accepted::Changed("SecondResult")
    );
    assert_eq!(flow.state(), State::Settled { verdict: Verdict::Denied });
}

#[tokio::test]
async fn a_token_that_died_unused_is_replaced_and_the_attempts_are_capped() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    for _ in 0..3 {
        flow.world.fault("process", Fault::LostBeforeDone);
        flow.process().await;
        flow.world.expire_tokens();
        flow.world.wait(Duration::from_secs(11));
    }
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::AttemptsExhausted);
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (3, 0));
}

#[tokio::test]
async fn a_token_whose_secret_was_lost_is_replaced_after_a_pause() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("token", Fault::DoneThenLost);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    assert!(matches!(flow.process().await, Advanced::HeldUntil(_)));
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (2, 1));
}

#[tokio::test]
async fn a_late_denial_stops_what_was_not_sent_and_marks_what_was() {
    let denied = CallbackFacts {
        overall: Some(Overall::Denied),
        ..approved("first", "client")
    };
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.callback(&denied).await;
    assert_eq!(flow.process().await, Advanced::Resting("Declined"));
    assert_eq!(flow.world.token_count(), 0);

    let flow = Flow::submitted().await;
    assert_eq!(flow.callback(&denied).await, Accepted::Changed("FirstResultRevoked"));
    flow.callback(&second("second-1", "first", Overall::Approved)).await;
    let pairing = flow.world.pairing("first");
    assert_eq!(
        pairing.state,
        State::Settled {
            verdict: Verdict::Approved
        }
    );
    assert!(pairing.revoked.is_some());
}

#[tokio::test]
async fn nobody_has_heard_of_an_unknown_pairing() {
    let flow = Flow::new();
    assert_eq!(flow.process().await, Advanced::Unknown);
}

#[tokio::test]
async fn the_in_memory_ports_pass_the_conformance_suite() {
    let world = Arc::new(World::new());
    verification::testing::conformance::pairings(world.as_ref(), "memory").await;
    verification::testing::conformance::pairings_of_client(world.as_ref(), "memory").await;
    verification::testing::conformance::forgetting(world.as_ref(), "memory").await;
    let stores: Vec<Arc<dyn Pairings>> = vec![world.clone(), world.clone(), world];
    verification::testing::conformance::pairings_race(&stores, "memory").await;
}

fn announced(flow: &Flow) -> Vec<&'static str> {
    flow.world
        .announcements()
        .iter()
        .map(|announcement| announcement.outcome.as_str())
        .collect()
}

#[tokio::test]
async fn every_outcome_is_announced_once() {
    let flow = Flow::submitted().await;
    assert!(announced(&flow).is_empty());
    let settling = second("second-1", "first", Overall::Approved);
    flow.callback(&settling).await;
    flow.callback(&settling).await;
    let denied = CallbackFacts {
        overall: Some(Overall::Denied),
        ..approved("first", "client")
    };
    flow.callback(&denied).await;
    flow.callback(&denied).await;
    assert_eq!(announced(&flow), ["DualVerificationSettled", "DualVerificationRevoked"]);
    let settled = &flow.world.announcements()[0].detail;
    assert_eq!(
        (settled.verdict.as_deref(), settled.second_overall),
        (Some("Approved"), Some(Overall::Approved))
    );
    assert_eq!(settled.second_scan_ref.as_ref().map(ScanRef::as_str), Some("second-1"));
}

#[tokio::test]
async fn declined_expired_and_parked_are_announced_with_their_reason() {
    for (facts, outcome, reason) in [
        (
            CallbackFacts {
                overall: Some(Overall::Denied),
                ..approved("first", "client")
            },
            "DualVerificationDeclined",
            Some("FirstDenied"),
        ),
        (
            CallbackFacts {
                overall: Some(Overall::Expired),
                ..approved("first", "client")
            },
            "DualVerificationExpired",
            None,
        ),
        (
            CallbackFacts {
                country: None,
                ..approved("first", "client")
            },
            "DualVerificationParked",
            Some("CountryUnknown"),
        ),
    ] {
        let flow = Flow::new();
        flow.callback(&facts).await;
        assert_eq!(announced(&flow), [outcome]);
        assert_eq!(flow.world.announcements()[0].detail.reason.as_deref(), reason);
    }
}

fn request() -> SessionRequest {
    SessionRequest {
        client_id: "client".parse().unwrap(),
        country: None,
        locale: None,
        documents: Vec::new(),
        success_url: None,
        error_url: None,
        unverified_url: None,
        external_ref: None,
        expiry: Duration::from_secs(3_600),
        session_length: None,
        additional_steps: None,
    }
}

impl Flow {
    fn sessions(&self) -> OpenSession {
        OpenSession {
            sessions: self.world.clone(),
            pairings: self.world.clone(),
            clock: self.world.clone(),
            observer: self.world.clone(),
        }
    }

    fn retrying(&self, policy: Policy) -> RetryVerification {
        RetryVerification {
            pairings: self.world.clone(),
            archive: self.world.clone(),
            queue: self.world.clone(),
            clock: self.world.clone(),
            observer: self.world.clone(),
            policy,
        }
    }

    async fn erase(&self, scan_ref: &str) -> Erased {
        let erase = EraseVerification {
            pairings: self.world.clone(),
            files: self.world.clone(),
            sessions: self.world.clone(),
            clock: self.world.clone(),
            observer: self.world.clone(),
        };
        erase.erase(&scan_ref.parse().unwrap()).await.expect("stores answer")
    }
}

#[tokio::test]
async fn a_session_says_what_its_second_document_will_be() {
    let flow = Flow::new();
    let expected = ExpectedDocument {
        country: Some("LV".parse().unwrap()),
        document_type: Some(DocumentType::Passport),
    };
    let opened = flow.sessions().open(&request(), expected).await.unwrap();
    let first = opened.session.scan_ref.as_str();
    assert_eq!(flow.world.pairing(first).state.name(), "AwaitingCallback");
    flow.callback(&approved(first, "client")).await;
    let State::Captured { plan } = flow.world.pairing(first).state else {
        panic!()
    };
    assert_eq!((plan.country.as_str(), plan.document_type), ("LV", Some(DocumentType::Passport)));
}

#[tokio::test]
async fn a_callback_faster_than_the_sessions_record_is_kept() {
    let flow = Flow::new();
    flow.callback(&CallbackFacts {
        overall: Some(Overall::Expired),
        ..approved("session-1", "client")
    })
    .await;
    let expected = ExpectedDocument {
        country: Some("LV".parse().unwrap()),
        document_type: None,
    };
    flow.sessions().open(&request(), expected.clone()).await.unwrap();
    let pairing = flow.world.pairing("session-1");
    assert_eq!((pairing.state, pairing.expected), (State::Expired, expected));
}

#[tokio::test]
async fn a_pairing_parked_after_its_files_goes_on_with_a_new_token() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::Refused);
    flow.process().await;
    let retry = flow.retrying(Policy::default());
    assert!(matches!(retry.retry(&"first".parse().unwrap()).await.unwrap(), Retried::TakenUp(_)));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!((flow.world.token_count(), flow.world.submissions().len()), (2, 1));
    assert_eq!(flow.world.pairing("first").scan_refs().len(), 3, "the token before is still known");
    assert_eq!(
        retry.retry(&"second-2".parse().unwrap()).await.unwrap(),
        Retried::NotParked("Submitted")
    );
    assert_eq!(retry.retry(&"nobody".parse().unwrap()).await.unwrap(), Retried::Unknown);
}

#[tokio::test]
async fn a_pairing_parked_by_the_policy_is_judged_again_by_the_present_one() {
    let flow = Flow::new();
    flow.callback(&CallbackFacts {
        country: None,
        ..approved("first", "client")
    })
    .await;
    let first = "first".parse().unwrap();
    assert_eq!(
        flow.retrying(Policy::default()).retry(&first).await.unwrap(),
        Retried::StillParked("CountryUnknown")
    );
    let policy = Policy {
        default_country: Some("LT".parse().unwrap()),
        ..Policy::default()
    };
    assert!(matches!(flow.retrying(policy).retry(&first).await.unwrap(), Retried::TakenUp(_)));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn an_erased_customer_leaves_nothing_and_late_callbacks_store_nothing() {
    let flow = Flow::submitted().await;
    let Erased::Now(receipt) = flow.erase("second-1").await else {
        panic!()
    };
    assert_eq!((receipt.files.documents, receipt.files.callbacks, receipt.records), (2, 1, 9));
    assert!(receipt.remaining.is_empty());
    assert_eq!(receipt.deleted_at_provider.len(), 2);
    for late in [approved("first", "client"), second("second-1", "first", Overall::Approved)] {
        assert_eq!(flow.callback(&late).await, Accepted::Ignored("Erased"));
    }
    assert_eq!(
        (
            flow.world.record_count(),
            flow.world.object_keys().len(),
            flow.world.archived().len()
        ),
        (0, 0, 0)
    );
    assert_eq!(flow.erase("first").await, Erased::Before);
    assert_eq!(flow.erase("nobody").await, Erased::Unknown);
}

#[tokio::test]
async fn a_live_session_is_erased_here_at_once_and_at_the_provider_later() {
    let flow = Flow::new();
    let opened = flow.sessions().open(&request(), ExpectedDocument::default()).await.unwrap();
    let first = opened.session.scan_ref;
    let Erased::Now(receipt) = flow.erase(first.as_str()).await else {
        panic!()
    };
    assert!(matches!(receipt.remaining[0].kind, RemainingKind::SessionStillLive(_)));
    assert_eq!(
        flow.callback(&approved(first.as_str(), "client")).await,
        Accepted::Ignored("Erased")
    );
    let waiting = flow.world.pairing(first.as_str());
    assert_eq!((waiting.client_id.clone(), waiting.attention_at().is_some()), (None, true));
    flow.world.end_session(&first);
    let Erased::Now(receipt) = flow.erase(first.as_str()).await else {
        panic!()
    };
    assert!(receipt.remaining.is_empty());
    assert_eq!(flow.world.deleted_at_provider(), std::slice::from_ref(&first));
    assert_eq!(flow.world.record_count(), 0);
}

#[tokio::test]
async fn erasure_that_ends_in_the_middle_is_taken_up_again() {
    let flow = Flow::submitted().await;
    flow.world.fault("delete", Fault::Unavailable);
    let Erased::Now(receipt) = flow.erase("first").await else {
        panic!()
    };
    assert_eq!(
        (receipt.remaining.len(), receipt.deleted_at_provider.len(), receipt.records),
        (1, 1, 0)
    );
    assert_eq!(flow.process().await, Advanced::Resting("Erasing"));
    let Erased::Now(receipt) = flow.erase("first").await else {
        panic!()
    };
    assert_eq!((receipt.remaining.len(), receipt.deleted_at_provider.len()), (0, 2));
    assert_eq!(
        flow.world.deleted_at_provider().len(),
        2,
        "what the provider has deleted is not asked for again"
    );
}

impl Flow {
    async fn reconcile(&self) -> Reconciled {
        let reconcile = Reconcile {
            pairings: self.world.clone(),
            queue: self.world.clone(),
            provider: self.world.clone(),
            erase: EraseVerification {
                pairings: self.world.clone(),
                files: self.world.clone(),
                sessions: self.world.clone(),
                clock: self.world.clone(),
                observer: self.world.clone(),
            },
            clock: self.world.clone(),
            observer: self.world.clone(),
        };
        reconcile
            .run(self.world.now().plus(Duration::from_secs(60)))
            .await
            .expect("the index answers")
    }
}

const HOUR: Duration = Duration::from_secs(60 * 60);

#[tokio::test]
async fn what_is_not_overdue_is_left_alone() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    assert_eq!(flow.reconcile().await, Reconciled::default());
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn a_lost_message_is_sent_again() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    flow.world.wait(Duration::from_secs(5 * 60));
    let run = flow.reconcile().await;
    assert_eq!((run.overdue, run.enqueued, run.oldest), (1, 1, Duration::from_secs(3 * 60)));
    assert_eq!(flow.world.take_messages().len(), 1);
    assert!(flow.world.observations().contains(&Observation::Reconciled {
        overdue: 1,
        oldest: run.oldest
    }));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.reconcile().await, Reconciled::default());
}

#[tokio::test]
async fn a_process_that_ended_while_submitting_is_followed_up() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    flow.world.fault("process", Fault::DoneThenLost);
    flow.process().await;
    flow.world.wait(HOUR);
    assert_eq!(flow.reconcile().await.enqueued, 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(flow.world.submissions().len(), 1);
}

#[tokio::test]
async fn an_overdue_result_is_asked_for_in_growing_pauses_and_settles() {
    let flow = Flow::submitted().await;
    let mut asked = 0;
    for _ in 0..24 {
        flow.world.wait(Duration::from_secs(30 * 60));
        asked += flow.reconcile().await.postponed;
    }
    assert!((3..=6).contains(&asked), "asked {asked} times in twelve hours");
    flow.world.status_of("second-1", Overall::Approved);
    flow.world.wait(12 * HOUR);
    assert_eq!(flow.reconcile().await.moved, 1);
    assert_eq!(
        flow.state(),
        State::Settled {
            verdict: Verdict::Approved
        }
    );
}

#[tokio::test]
async fn a_result_that_never_comes_is_given_to_a_person() {
    let flow = Flow::submitted().await;
    for _ in 0..20 {
        flow.world.wait(12 * HOUR);
        flow.reconcile().await;
    }
    assert_eq!(flow.parked(), ParkReason::ResultOverdue);
    flow.callback(&second("second-1", "first", Overall::Denied)).await;
    assert_eq!(
        flow.state(),
        State::Settled { verdict: Verdict::Denied },
        "and settles when it comes all the same"
    );
}

#[tokio::test]
async fn a_session_that_nobody_finished_expires() {
    let flow = Flow::new();
    flow.sessions().open(&request(), ExpectedDocument::default()).await.unwrap();
    flow.world.status_of("session-1", Overall::Expired);
    assert_eq!(flow.reconcile().await, Reconciled::default());
    flow.world.wait(2 * HOUR);
    assert_eq!(flow.reconcile().await.moved, 1);
    assert_eq!(flow.world.pairing("session-1").state, State::Expired);
}

#[tokio::test]
async fn an_approval_whose_callback_was_lost_is_given_to_a_person() {
    let flow = Flow::new();
    flow.sessions().open(&request(), ExpectedDocument::default()).await.unwrap();
    flow.world.status_of("session-1", Overall::Approved);
    flow.world.wait(2 * HOUR);
    flow.reconcile().await;
    assert_eq!(flow.world.pairing("session-1").state.reason(), Some("CallbackLost"));
    flow.callback(&approved("session-1", "client")).await;
    assert_eq!(
        flow.world.pairing("session-1").state.name(),
        "Captured",
        "and goes on when it is sent again"
    );
}

#[tokio::test]
async fn an_erasure_is_finished_when_the_session_has_ended() {
    let flow = Flow::new();
    let opened = flow.sessions().open(&request(), ExpectedDocument::default()).await.unwrap();
    flow.erase(opened.session.scan_ref.as_str()).await;
    flow.world.end_session(&opened.session.scan_ref);
    flow.world.wait(2 * HOUR);
    assert_eq!(flow.reconcile().await.erased, 1);
    assert_eq!(flow.world.record_count(), 0);
}

#[tokio::test]
async fn one_pairing_that_cannot_be_helped_keeps_no_other_waiting() {
    let flow = Flow::new();
    for client in ["a", "b"] {
        flow.callback(&approved(&format!("first-{client}"), client)).await;
    }
    flow.world.take_messages();
    flow.world.wait(HOUR);
    flow.world.fault("enqueue", Fault::Unavailable);
    let run = flow.reconcile().await;
    assert_eq!((run.overdue, run.enqueued, run.failed), (2, 1, 1));
}
