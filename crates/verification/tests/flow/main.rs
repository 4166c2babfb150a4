//! The use cases against the in-memory ports.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod after_answer;
mod applications;
mod circuit_open;
mod comparing;
mod confirmation;
mod copies;
mod leases;
mod names;
mod observations;
mod outcomes;
mod overdue;
mod overtaken;
mod preparation;
mod records;
mod repeated_sessions;
mod reviews;
mod revocation;
mod scaling;
mod several_files;
mod uploads;

use std::sync::Arc;
use std::time::Duration;

use verification::document::DocumentType;
use verification::identifiers::{Digest256, ScanRef};
use verification::pairing::ExpectedDocument;
use verification::policy::ComparisonPolicy;
use verification::ports::{Clock, Pairings, SessionRequest};
use verification::reason::ParkReason;
use verification::result::{CallbackContent, Overall};
use verification::secret::FileLink;
use verification::testing::fixtures::{approved, folder, second};
use verification::testing::memory::{Fault, FileBehaviour, World};
use verification::testing::ports::Ports;
use verification::{
    AcceptCallback, Accepted, Advance, Advanced, Erased, Observation, OpenSession, Parked, Policy,
    Reconciled, RemainingKind, Retried, RetryVerification, State, Verdict,
};

struct Flow {
    world: Arc<World>,
    accept: AcceptCallback,
    advance: Advance,
}

const FRONT_LINK: &str = "https://files.example/first/SECOND_DOC_FRONT";

impl Flow {
    /// Results are believed as signed.
    /// The modules about confirmation test the other policy.
    fn new() -> Self {
        Self::with(Policy {
            confirm_results: false,
            comparison: ComparisonPolicy::Off,
            ..Policy::default()
        })
    }

    fn with(policy: Policy) -> Self {
        let world = Arc::new(World::new());
        let ports = Ports::in_memory(&world);
        let accept = ports.accept_callback(policy.clone());
        let advance = ports.advance(policy);
        Self {
            world,
            accept,
            advance,
        }
    }

    async fn callback(&self, content: &CallbackContent) -> Accepted {
        self.world.serve(content);
        self.try_callback(content).await.expect("durable")
    }

    async fn try_callback(
        &self,
        content: &CallbackContent,
    ) -> Result<Accepted, verification::ports::StoreUnavailable> {
        let until = self.world.now().plus(Duration::from_secs(60));
        let (accepted, task) = self.accept.accept(content.clone(), b"{}", until).await?;
        if let Some(task) = task {
            self.accept.capture(task).await?;
        }
        Ok(accepted)
    }

    fn until(&self) -> verification::Timestamp {
        self.world.now().plus(Duration::from_secs(60))
    }

    async fn process(&self) -> Advanced {
        let first: ScanRef = "first".parse().unwrap();
        self.advance
            .advance(&first, self.until())
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
        [
            format!("{}/SECOND_DOC_BACK.jpg", folder("first")),
            format!("{}/SECOND_DOC_FRONT.jpg", folder("first"))
        ]
    );
    assert_eq!(flow.world.take_messages().len(), 1);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.callback(&second("second-1", "first", Overall::Approved))
            .await,
        Accepted::Changed("SecondResult")
    );
    assert_eq!(flow.state().verdict(), Some(Verdict::Approved));
    let history = flow
        .world
        .history(&"first".parse().unwrap(), 100)
        .await
        .unwrap();
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
    let steps: Vec<String> = submissions[0]
        .1
        .iter()
        .map(|document| document.step.to_string())
        .collect();
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
    flow.callback(&second("second-1", "first", Overall::Approved))
        .await;
    let settled = flow.world.pairing("first");
    for repeated in [&first, &second("second-1", "first", Overall::Approved)] {
        assert!(matches!(
            flow.callback(repeated).await,
            Accepted::Ignored(_)
        ));
    }
    assert_eq!(flow.world.pairing("first"), settled);
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn the_second_callback_never_opens_a_pairing() {
    let flow = Flow::submitted().await;
    let unknown = second("never-stored", "first", Overall::Approved);
    assert_eq!(
        flow.callback(&unknown).await,
        Accepted::Ignored("SecondTokenUnknown")
    );
    assert_eq!(flow.world.pairing_count(), 1);
    assert_eq!(flow.state().name(), "Submitted");
}

#[tokio::test]
async fn a_callback_that_is_no_result_is_kept_and_ignored() {
    let flow = Flow::new();
    let notice = CallbackContent {
        overall: None,
        ..approved("first", "client")
    };
    assert_eq!(
        flow.callback(&notice).await,
        Accepted::Ignored("NotAVerificationResult")
    );
    assert_eq!(flow.world.pairing_count(), 0);
    assert_eq!(flow.world.archived().len(), 1);
}

#[tokio::test]
async fn nothing_is_acknowledged_that_is_not_durable() {
    for operation in ["keep", "find", "save", "enqueue_later"] {
        let flow = Flow::new();
        let content = approved("first", "client");
        flow.world.serve(&content);
        flow.world.fault(operation, Fault::Unavailable);
        assert!(flow.try_callback(&content).await.is_err(), "{operation}");
        assert!(
            flow.try_callback(&content).await.is_ok(),
            "{operation}: the provider's next try works"
        );
        assert_eq!(flow.state().name(), "Captured", "{operation}");
        assert_eq!(
            flow.world.take_messages().len(),
            1,
            "{operation}: the processor is told"
        );
    }
}

#[tokio::test]
async fn what_cannot_be_copied_in_time_is_left_to_the_processor() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&content).await;
    assert_eq!(flow.state().name(), "Capturing");
    assert_eq!(flow.world.pairing("first").documents.len(), 1);
    assert_eq!(flow.world.take_messages().len(), 1);
    assert!(
        flow.world
            .observations()
            .contains(&Observation::CaptureDeferred)
    );
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
    let content = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    flow.callback(&content).await;
    let fresh = format!("{FRONT_LINK}?Signature=anew");
    flow.world.file(&fresh, FileBehaviour::Serves(5));
    let mut links = content.links;
    links.insert(
        "SECOND_DOC_FRONT".parse().unwrap(),
        vec![FileLink::new(fresh)],
    );
    flow.world.fresh_links(&content.scan_ref, links);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        flow.world.object_keys().len(),
        2,
        "what was captured is kept"
    );
}

#[tokio::test]
async fn a_link_that_stays_dead_parks_with_the_reason() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    flow.callback(&content).await;
    flow.world
        .fresh_links(&content.scan_ref, content.links.clone());
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
    let mut content = approved("first", "client");
    content.links.remove(&"SECOND_DOC_FRONT".parse().unwrap());
    flow.callback(&content).await;
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
async fn an_answer_that_is_neither_file_nor_end_parks() {
    let flow = Flow::new();
    flow.world.file(FRONT_LINK, FileBehaviour::NotAFile);
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked().as_str(), "LinkUnusable");
}

#[tokio::test]
async fn what_capturing_waits_for_is_told() {
    let flow = Flow::new();
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.state().reason(), None, "time may merely have run out");
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    assert_eq!(
        (flow.state().name(), flow.state().reason()),
        ("Capturing", Some("FileUnavailable"))
    );

    flow.world.file(FRONT_LINK, FileBehaviour::Dead);
    flow.world.fault("files", Fault::Unavailable);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    assert_eq!(flow.state().reason(), Some("FreshLinksUnavailable"));
}

#[tokio::test]
async fn what_a_person_sets_aside_stays_there_until_taken_up() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.callback(&content).await;
    let park = Ports::in_memory(&flow.world).park();
    let first: ScanRef = "first".parse().unwrap();
    let parked = park
        .park(&first, "looks odd".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(parked, Parked::SetAside);
    flow.callback(&content).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        flow.parked(),
        ParkReason::SetAside {
            note: "looks odd".to_owned()
        }
    );
    assert_eq!(
        park.park(&first, "again".parse().unwrap()).await.unwrap(),
        Parked::AtRest("Parked")
    );

    let retry = flow.retrying(Policy::default());
    assert!(matches!(
        retry.retry(&first).await.unwrap(),
        Retried::TakenUp(_)
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_refused_file_parks_at_once_and_the_other_file_is_kept() {
    let flow = Flow::new();
    let reason = ParkReason::FileTypeNotAccepted {
        step: "SECOND_DOC_FRONT".parse().unwrap(),
    };
    flow.world
        .file(FRONT_LINK, FileBehaviour::Refused(reason.clone()));
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.parked(), reason);
    assert_eq!(
        flow.world.object_keys(),
        [format!("{}/SECOND_DOC_BACK.jpg", folder("first"))]
    );
    assert!(flow.world.take_messages().is_empty());
    assert!(
        flow.world
            .observations()
            .contains(&Observation::Parked { reason })
    );
}

#[tokio::test]
async fn fresh_links_reopen_what_is_parked_for_its_files() {
    let flow = Flow::new();
    let content = approved("first", "client");
    let reason = ParkReason::FileTooLarge {
        step: "SECOND_DOC_FRONT".parse().unwrap(),
    };
    flow.world.file(FRONT_LINK, FileBehaviour::Refused(reason));
    flow.callback(&content).await;
    assert_eq!(
        flow.callback(&content).await,
        Accepted::Ignored("AlreadyHeard")
    );
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(5));
    let fresh = CallbackContent {
        digest: Digest256::of(b"fresh links"),
        ..content
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
async fn an_unavailable_provider_costs_no_attempt() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    for operation in ["token", "process"] {
        for _ in 0..5 {
            flow.world.fault(operation, Fault::Unavailable);
            assert_eq!(
                flow.process().await,
                Advanced::TryAgain {
                    why: "rate_limited",
                    after: Some(Duration::from_secs(7))
                }
            );
        }
    }
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
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
            kind: "rejected".to_owned(),
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
    assert!(matches!(
        flow.process().await,
        Advanced::TryAgain {
            why: "connection_lost",
            ..
        }
    ));
    assert_eq!(flow.state().name(), "Submitting");
    assert!(
        matches!(flow.process().await, Advanced::HeldUntil(_)),
        "the provider gets time to finish"
    );
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn lost_before_acceptance_the_same_token_is_used_again() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::LostBeforeDone);
    flow.process().await;
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn an_in_doubt_submission_waits_for_evidence() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::DoneThenLost);
    flow.process().await;
    flow.world.wait(Duration::from_secs(11));
    flow.world.fault("status", Fault::Unavailable);
    assert!(matches!(
        flow.process().await,
        Advanced::TryAgain {
            why: "server_error",
            ..
        }
    ));
    assert_eq!(flow.state().name(), "Submitting");
    assert_eq!(
        flow.callback(&second("second-1", "first", Overall::Denied))
            .await,
        Accepted::Changed("SecondResult")
    );
    assert_eq!(flow.state().verdict(), Some(Verdict::Denied));
}

#[tokio::test]
async fn a_token_that_died_unused_is_replaced_three_times() {
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
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (3, 0)
    );
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
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (2, 1)
    );
}

#[tokio::test]
async fn a_late_denial_stops_what_was_not_sent_and_marks_what_was() {
    let denied = CallbackContent {
        overall: Some(Overall::Denied),
        digest: Digest256::of(b"denied"),
        ..approved("first", "client")
    };
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.callback(&denied).await;
    assert_eq!(flow.process().await, Advanced::Resting("Declined"));
    assert_eq!(flow.world.token_count(), 0);

    let flow = Flow::submitted().await;
    assert_eq!(
        flow.callback(&denied).await,
        Accepted::Changed("FirstResultRevoked")
    );
    flow.callback(&second("second-1", "first", Overall::Approved))
        .await;
    let pairing = flow.world.pairing("first");
    assert_eq!(pairing.state.verdict(), Some(Verdict::Approved));
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
