//! Sessions, retries and erasure.

use verification::result::StepsVerdict;
use verification::session::{SessionStep, StepKind};

use super::*;

pub fn request() -> SessionRequest {
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
    pub fn sessions(&self) -> OpenSession {
        Ports::in_memory(&self.world).open_session()
    }

    pub fn retrying(&self, policy: Policy) -> RetryVerification {
        Ports::in_memory(&self.world).retry(policy)
    }

    pub async fn erase(&self, scan_ref: &str) -> Erased {
        Ports::in_memory(&self.world)
            .erase()
            .erase(&scan_ref.parse().unwrap())
            .await
            .expect("stores answer")
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
    let State::Captured { plan, .. } = flow.world.pairing(first).state else {
        panic!()
    };
    assert_eq!(
        (plan.country.as_str(), plan.document_type),
        ("LV", Some(DocumentType::Passport))
    );
}

#[tokio::test]
async fn a_pairing_parked_for_a_step_never_judged_says_so() {
    let flow = Flow::new();
    let step = |name: &str| SessionStep {
        name: name.parse().unwrap(),
        kind: StepKind::Upload,
    };
    flow.world
        .session_steps(vec![step("SECOND_DOC_BACK"), step("SECOND_DOC_FRONT")]);
    let opened = flow
        .sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    flow.callback(&CallbackContent {
        steps_verdict: StepsVerdict::NotJudged,
        ..approved(opened.session.scan_ref.as_str(), "client")
    })
    .await;
    let pairing = flow.world.pairing(opened.session.scan_ref.as_str());
    assert_eq!(pairing.state.reason(), Some("StepNotJudged"));
    let remedy = Policy::default().remedy(&pairing).unwrap();
    assert!(
        remedy.contains("SECOND_DOC_FRONT") && remedy.contains("AcceptUnjudged"),
        "{remedy}"
    );
}

#[tokio::test]
async fn a_callback_faster_than_the_sessions_record_is_kept() {
    let flow = Flow::new();
    flow.callback(&CallbackContent {
        overall: Some(Overall::Expired),
        ..approved("session-1", "client")
    })
    .await;
    let expected = ExpectedDocument {
        country: Some("LV".parse().unwrap()),
        document_type: None,
    };
    flow.sessions()
        .open(&request(), expected.clone())
        .await
        .unwrap();
    let pairing = flow.world.pairing("session-1");
    assert_eq!(
        (pairing.state, pairing.expected),
        (State::Expired, expected)
    );
}

#[tokio::test]
async fn a_pairing_parked_after_its_files_goes_on_with_a_new_token() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::Refused);
    flow.process().await;
    let retry = flow.retrying(Policy::default());
    assert!(matches!(
        retry.retry(&"first".parse().unwrap()).await.unwrap(),
        Retried::TakenUp(_)
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (2, 1)
    );
    assert_eq!(
        flow.world.pairing("first").scan_refs().len(),
        3,
        "the token before is still known"
    );
    assert_eq!(
        retry.retry(&"second-2".parse().unwrap()).await.unwrap(),
        Retried::NotParked("Submitted")
    );
    assert_eq!(
        retry.retry(&"nobody".parse().unwrap()).await.unwrap(),
        Retried::Unknown
    );
}

#[tokio::test]
async fn what_the_policy_parked_is_judged_by_the_present_one() {
    let flow = Flow::new();
    flow.callback(&CallbackContent {
        country: None,
        ..approved("first", "client")
    })
    .await;
    let first = "first".parse().unwrap();
    assert_eq!(
        flow.retrying(Policy::default())
            .retry(&first)
            .await
            .unwrap(),
        Retried::StillParked("CountryUnknown")
    );
    let policy = Policy {
        default_country: Some("LT".parse().unwrap()),
        ..Policy::default()
    };
    assert!(matches!(
        flow.retrying(policy).retry(&first).await.unwrap(),
        Retried::TakenUp(_)
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_pairing_that_the_present_policy_declines_is_not_taken_up() {
    let flow = Flow::new();
    flow.callback(&CallbackContent {
        steps_verdict: StepsVerdict::NotJudged,
        ..approved("first", "client")
    })
    .await;
    assert_eq!(flow.parked(), ParkReason::StepNotJudged);
    let policy = Policy {
        step_images: "ANOTHER_STEP=FRONT".parse().unwrap(),
        ..Policy::default()
    };
    let retried = flow
        .retrying(policy)
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(retried, Retried::StillParked("NoAdditionalStep"));
    assert_eq!(flow.process().await, Advanced::Resting("Declined"));
}

#[tokio::test]
async fn an_erased_customer_leaves_nothing() {
    let flow = Flow::submitted().await;
    let Erased::Now(receipt) = flow.erase("second-1").await else {
        panic!()
    };
    assert_eq!(
        (
            receipt.files.documents,
            receipt.files.callbacks,
            receipt.records
        ),
        (2, 1, 9)
    );
    assert!(receipt.remaining.is_empty());
    assert_eq!(receipt.deleted_at_provider.len(), 2);
    for late in [
        approved("first", "client"),
        second("second-1", "first", Overall::Approved),
    ] {
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
async fn a_live_session_is_erased_at_the_provider_later() {
    let flow = Flow::new();
    let opened = flow
        .sessions()
        .open(&request(), ExpectedDocument::default())
        .await
        .unwrap();
    let first = opened.session.scan_ref;
    let Erased::Now(receipt) = flow.erase(first.as_str()).await else {
        panic!()
    };
    assert!(matches!(
        receipt.remaining[0].kind,
        RemainingKind::SessionStillLive(_)
    ));
    assert_eq!(
        flow.callback(&approved(first.as_str(), "client")).await,
        Accepted::Ignored("Erased")
    );
    let waiting = flow.world.pairing(first.as_str());
    assert_eq!(
        (waiting.client_id.clone(), waiting.attention_at().is_some()),
        (None, true)
    );
    flow.world.end_session(&first);
    let Erased::Now(receipt) = flow.erase(first.as_str()).await else {
        panic!()
    };
    assert!(receipt.remaining.is_empty());
    assert_eq!(
        flow.world.deleted_at_provider(),
        std::slice::from_ref(&first)
    );
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
        (
            receipt.remaining.len(),
            receipt.deleted_at_provider.len(),
            receipt.records
        ),
        (1, 1, 0)
    );
    assert_eq!(flow.process().await, Advanced::Resting("Erasing"));
    let Erased::Now(receipt) = flow.erase("first").await else {
        panic!()
    };
    assert_eq!(
        (receipt.remaining.len(), receipt.deleted_at_provider.len()),
        (0, 2)
    );
    assert_eq!(
        flow.world.deleted_at_provider().len(),
        2,
        "what the provider has deleted is not asked for again"
    );
}

#[tokio::test]
async fn bodies_without_a_pairing_can_be_erased() {
    let flow = Flow::new();
    let monitoring = CallbackContent {
        overall: None,
        ..approved("monitored", "client")
    };
    flow.callback(&monitoring).await;
    assert_eq!(flow.world.archived().len(), 1);
    let Erased::Now(receipt) = flow.erase("monitored").await else {
        panic!("something was archived")
    };
    assert_eq!((receipt.files.callbacks, receipt.remaining.len()), (1, 0));
    assert_eq!(flow.world.archived().len(), 0);
    assert_eq!(flow.erase("monitored").await, Erased::Before);
    assert_eq!(flow.erase("nobody").await, Erased::Unknown);
    // What comes later is kept no more.
    assert_eq!(
        flow.callback(&monitoring).await,
        Accepted::Ignored("Erased")
    );
    assert_eq!(flow.world.archived().len(), 0);
}

#[tokio::test]
async fn an_unrecorded_token_of_an_erased_customer_is_not_archived() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    assert!(matches!(flow.erase("first").await, Erased::Now(_)));
    let orphan = second("orphan", "first", Overall::Approved);
    assert_eq!(flow.callback(&orphan).await, Accepted::Ignored("Erased"));
    assert_eq!(flow.world.archived().len(), 0);
}
