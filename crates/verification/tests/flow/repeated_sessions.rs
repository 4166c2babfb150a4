//! `POST /sessions` under an idempotency key.

use verification::session_key::IdempotentRequest;
use verification::{NotOpened, Opened, OpenedOnce};

use super::applications::request;
use super::*;

const LEASE: Duration = Duration::from_secs(35);

fn id(body: &str) -> IdempotentRequest {
    IdempotentRequest::new("application", "key-1", body.as_bytes())
}

impl Flow {
    async fn open_once(&self, id: &IdempotentRequest) -> Result<OpenedOnce, NotOpened> {
        self.sessions()
            .open_once(id, &request(), ExpectedDocument::default())
            .await
    }

    async fn created(&self, id: &IdempotentRequest) -> Opened {
        match self.open_once(id).await {
            Ok(OpenedOnce::Created(opened)) => opened,
            other => panic!("should be created, but {other:?}"),
        }
    }

    async fn replayed(&self, id: &IdempotentRequest) -> Opened {
        match self.open_once(id).await {
            Ok(OpenedOnce::Replayed(opened)) => opened,
            other => panic!("should be replayed, but {other:?}"),
        }
    }
}

/// A process that ended after creating Token 1.
/// The claim is not released, and the link is lost.
async fn died() -> Flow {
    let flow = Flow::new();
    flow.world.fault("release_key", Fault::Unavailable);
    flow.world.fault("save", Fault::Unavailable);
    assert!(matches!(
        flow.open_once(&id("{}")).await,
        Err(NotOpened::Unavailable(_))
    ));
    flow
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_session() {
    let flow = Flow::new();
    let opened = flow.created(&id("{}")).await;
    flow.world.wait(Duration::from_secs(3_599));
    assert_eq!(flow.replayed(&id("{}")).await, opened);
    assert_eq!(flow.world.pairing_count(), 1);
    let sessions = flow.world.observations();
    assert_eq!(
        sessions,
        [Observation::SessionOpened],
        "a replay is no other session"
    );
}

#[tokio::test]
async fn another_body_under_the_key_is_refused() {
    let flow = Flow::new();
    flow.created(&id("{}")).await;
    assert!(matches!(
        flow.open_once(&id("[]")).await,
        Err(NotOpened::KeyReused)
    ));
    assert_eq!(flow.world.pairing_count(), 1);
}

#[tokio::test]
async fn a_key_is_free_once_its_session_cannot_be_started() {
    let flow = Flow::new();
    let first = flow.created(&id("{}")).await;
    flow.world.wait(Duration::from_secs(3_600));
    let second = flow.created(&id("[]")).await;
    assert_ne!(first.session.scan_ref, second.session.scan_ref);
    assert_eq!(flow.replayed(&id("[]")).await, second);
}

#[tokio::test]
async fn a_session_finished_within_its_life_is_still_replayed() {
    let flow = Flow::new();
    let opened = flow.created(&id("{}")).await;
    flow.callback(&approved(opened.session.scan_ref.as_str(), "client"))
        .await;
    assert_eq!(flow.replayed(&id("{}")).await, opened);
}

#[tokio::test]
async fn a_failed_creation_gives_its_key_back_at_once() {
    for fault in [
        Fault::Unavailable,
        Fault::LostBeforeDone,
        Fault::DoneThenLost,
    ] {
        let flow = Flow::new();
        flow.world.fault("session", fault);
        assert!(matches!(
            flow.open_once(&id("{}")).await,
            Err(NotOpened::Provider(_))
        ));
        flow.created(&id("[]")).await;
    }
}

#[tokio::test]
async fn a_session_that_cannot_be_recorded_gives_its_key_back() {
    let flow = Flow::new();
    flow.world.fault("save", Fault::Unavailable);
    assert!(matches!(
        flow.open_once(&id("{}")).await,
        Err(NotOpened::Unavailable(_))
    ));
    flow.created(&id("{}")).await;
}

#[tokio::test]
async fn a_claim_is_taken_over_when_its_lease_is_over() {
    let flow = died().await;
    assert!(matches!(
        flow.open_once(&id("{}")).await,
        Err(NotOpened::InProgress)
    ));
    assert!(matches!(
        flow.open_once(&id("[]")).await,
        Err(NotOpened::KeyReused)
    ));
    flow.world.wait(LEASE - Duration::from_millis(1));
    assert!(matches!(
        flow.open_once(&id("{}")).await,
        Err(NotOpened::InProgress)
    ));
    flow.world.wait(Duration::from_millis(1));
    assert!(matches!(
        flow.open_once(&id("[]")).await,
        Err(NotOpened::KeyReused)
    ));
    let opened = flow.created(&id("{}")).await;
    assert_eq!(flow.replayed(&id("{}")).await, opened);
}

#[tokio::test]
async fn an_unreadable_key_creates_no_session() {
    for operation in ["find_key", "claim_key"] {
        let flow = Flow::new();
        flow.world.fault(operation, Fault::Unavailable);
        assert!(matches!(
            flow.open_once(&id("{}")).await,
            Err(NotOpened::Unavailable(_))
        ));
        assert_eq!(
            flow.created(&id("{}")).await.session.scan_ref.as_str(),
            "session-1"
        );
    }
}

#[tokio::test]
async fn a_callback_faster_than_the_record_keeps_the_answer() {
    let flow = Flow::new();
    flow.callback(&CallbackContent {
        overall: Some(Overall::Expired),
        ..approved("session-1", "client")
    })
    .await;
    let opened = flow.created(&id("{}")).await;
    assert_eq!(flow.world.pairing("session-1").state, State::Expired);
    assert_eq!(flow.replayed(&id("{}")).await, opened);
}

#[tokio::test]
async fn erasure_removes_the_link_while_the_session_is_live() {
    let flow = Flow::new();
    let first = flow.created(&id("{}")).await.session.scan_ref;
    let Erased::Now(receipt) = flow.erase(first.as_str()).await else {
        panic!()
    };
    assert!(matches!(
        receipt.remaining[0].kind,
        RemainingKind::SessionStillLive(_)
    ));
    assert_eq!(
        receipt.records, 1,
        "the stored answer is gone before the pairing"
    );
    flow.created(&id("{}")).await;
}

#[tokio::test]
async fn erasure_leaves_the_answer_of_a_later_session() {
    let flow = Flow::new();
    let first = flow.created(&id("{}")).await.session.scan_ref;
    flow.world.wait(Duration::from_secs(3_600));
    let later = flow.created(&id("{}")).await;
    flow.erase(first.as_str()).await;
    assert_eq!(flow.replayed(&id("{}")).await, later);
}

#[tokio::test]
async fn a_session_erased_before_its_record_stores_no_link() {
    let flow = Flow::new();
    flow.callback(&approved("session-1", "client")).await;
    flow.world.fault("delete", Fault::Unavailable);
    flow.erase("session-1").await;
    let records = flow.world.record_count();
    flow.created(&id("{}")).await;
    assert_eq!(flow.world.pairing("session-1").session_key, None);
    assert_eq!(
        flow.world.record_count(),
        records,
        "neither an answer nor a claim is left"
    );
}

#[tokio::test]
async fn keys_in_memory_conform() {
    let world = World::new();
    verification::testing::conformance::session_keys(&world, &world, "memory").await;
}
