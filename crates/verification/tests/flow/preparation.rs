//! Files that the provider would refuse are found, and converted if possible, before a token is
//! spent.

use std::time::Duration;

use verification::document::MAXIMUM_TOTAL_BYTES;
use verification::identifiers::{Digest256, StepName};
use verification::ports::{FileRemoval, Pairings};
use verification::prepared::{PreparationChange, PreparedFile};
use verification::reason::ParkReason;
use verification::testing::fixtures::{approved, folder};
use verification::testing::memory::{Fault, FileBehaviour};
use verification::testing::ports::Ports;
use verification::{Advanced, Erased, Parked, Policy, RemainingKind, Retried};

use super::{FRONT_LINK, Flow};

fn front() -> StepName {
    "SECOND_DOC_FRONT".parse().unwrap()
}

fn upright() -> PreparedFile {
    PreparedFile {
        bytes: 900,
        sha256: Digest256::of(b"upright"),
        width: 30,
        height: 20,
        quality: 90,
        changes: vec![PreparationChange::Turned],
    }
}

async fn captured() -> Flow {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    assert_eq!(flow.state().name(), "Captured");
    flow
}

#[tokio::test]
async fn what_is_made_of_a_file_is_submitted_in_its_place() {
    let flow = captured().await;
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));

    let (first, submitted) = flow.world.submissions().remove(0);
    let document = |side: usize| &submitted[side];
    assert_eq!(document(0).prepared, Some(upright()));
    let digest = Digest256::of(b"upright");
    let key = format!("documents/first/prepared/SECOND_DOC_FRONT-{digest}.jpg");
    assert_eq!(document(0).submitted_key(&first), key);
    assert_eq!(
        (
            document(0).submitted_bytes(),
            document(0).submitted_sha256()
        ),
        (900, &digest)
    );
    assert_eq!(
        document(0).bytes,
        1_000,
        "what was received is remembered as well"
    );
    assert_eq!(
        document(1).submitted_key(&first),
        format!("{}/SECOND_DOC_BACK.jpg", folder("first"))
    );

    let history = flow.world.history(&first, 100).await.unwrap();
    let what: Vec<&str> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(
        what[2..5],
        [
            "PreparationStarted",
            "DocumentsPrepared",
            "AuthorizationStarted"
        ]
    );
    let removed = flow.world.remove(&first).await.unwrap();
    assert_eq!(removed.documents, 3, "a copy goes with the originals");
}

#[tokio::test]
async fn a_crash_before_a_copy_is_recorded_is_made_good() {
    for fault in ["prepared", "save"] {
        let flow = captured().await;
        flow.world
            .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
        flow.world.fault(fault, Fault::Unavailable);
        let until = flow.until();
        let stopped = flow.advance.advance(&"first".parse().unwrap(), until).await;
        assert!(stopped.is_err(), "{fault}");
        assert_eq!(
            flow.world.token_count(),
            0,
            "{fault}: nothing is spent on what is not recorded"
        );
        assert_eq!(flow.world.pairing("first").documents[0].prepared, None);

        flow.world.wait(Duration::from_secs(60));
        assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
        assert_eq!(flow.world.token_count(), 1);
        assert_eq!(
            flow.world.object_keys().len(),
            3,
            "{fault}: the copy is there once"
        );
    }
}

#[tokio::test]
async fn a_file_that_can_never_be_submitted_parks_and_is_kept() {
    let flow = captured().await;
    let reason = ParkReason::FileEncrypted { step: front() };
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Err(reason.clone()));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), reason);
    assert_eq!(flow.world.token_count(), 0);
    assert_eq!(flow.world.object_keys().len(), 2);

    // Taken up again, the document is inspected again. Nothing else is repeated.
    let retry = flow.retrying(Policy::default());
    assert!(matches!(
        retry.retry(&"first".parse().unwrap()).await.unwrap(),
        Retried::TakenUp(_)
    ));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.world.token_count(), 0);
}

#[tokio::test]
async fn what_counts_for_the_size_of_a_request_is_what_is_submitted() {
    let flow = Flow::new();
    let content = approved("first", "client");
    flow.world
        .file(FRONT_LINK, FileBehaviour::Serves(MAXIMUM_TOTAL_BYTES + 1));
    flow.callback(&content).await;
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

/// Two files with this total size, each below the limit.
async fn with_bytes(together: u64) -> Flow {
    let flow = Flow::new();
    let front = together / 2;
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(front));
    let back_link = "https://files.example/first/SECOND_DOC_BACK";
    flow.world
        .file(back_link, FileBehaviour::Serves(together - front));
    flow.callback(&approved("first", "client")).await;
    flow
}

#[tokio::test]
async fn documents_of_exactly_the_largest_size_together_are_submitted() {
    let flow = with_bytes(MAXIMUM_TOTAL_BYTES).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn no_token_is_spent_on_documents_that_are_too_large_together() {
    let flow = with_bytes(MAXIMUM_TOTAL_BYTES + 1).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::DocumentsTooLarge);
    assert_eq!(flow.world.token_count(), 0);
}

/// A run that takes too long for a document, and the lease that it leaves.
async fn outlasted(flow: &Flow) {
    flow.world.fault("outlasts", Fault::Unavailable);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    assert!(
        matches!(flow.process().await, Advanced::HeldUntil(_)),
        "one at a time"
    );
    flow.world.wait(Duration::from_secs(120));
}

#[tokio::test]
async fn a_document_that_outlasts_two_tries_is_set_aside() {
    let flow = captured().await;
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
    outlasted(&flow).await;
    outlasted(&flow).await;
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(flow.parked(), ParkReason::PreparationUnfinished);
    assert_eq!(flow.world.token_count(), 0);
    assert!(
        flow.world.pairing("first").is_at_rest(),
        "nothing sends it to the processor again"
    );

    // A person gives it two more tries.
    let retry = flow.retrying(Policy::default());
    assert!(matches!(
        retry.retry(&"first".parse().unwrap()).await.unwrap(),
        Retried::TakenUp(_)
    ));
    outlasted(&flow).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn a_bucket_in_trouble_uses_up_no_try() {
    let flow = captured().await;
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
    for _ in 0..5 {
        flow.world.fault("prepare", Fault::Unavailable);
        let until = flow.until();
        assert!(
            flow.advance
                .advance(&"first".parse().unwrap(), until)
                .await
                .is_err()
        );
    }
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}

#[tokio::test]
async fn an_erasure_waits_for_a_copy_in_the_making() {
    let flow = captured().await;
    flow.world
        .prepares(&"first".parse().unwrap(), &front(), Ok(upright()));
    flow.world.fault("outlasts", Fault::Unavailable);
    flow.process().await;
    let lease_until = flow.world.pairing("first").state.lease_until().unwrap();
    let Erased::Now(receipt) = flow.erase("first").await else {
        panic!("there is something to erase")
    };
    let kinds: Vec<_> = receipt
        .remaining
        .into_iter()
        .map(|remaining| remaining.kind)
        .collect();
    assert!(
        kinds.contains(&RemainingKind::WorkerBusy(lease_until)),
        "{kinds:?}"
    );
    flow.world.wait(Duration::from_secs(10 * 60));
    flow.reconcile().await;
    assert_eq!(
        (flow.world.record_count(), flow.world.object_keys().len()),
        (0, 0)
    );
}

#[tokio::test]
async fn what_was_set_aside_has_two_tries_again() {
    let flow = captured().await;
    let first = "first".parse().unwrap();
    flow.world.prepares(&first, &front(), Ok(upright()));
    outlasted(&flow).await;
    let park = Ports::in_memory(&flow.world).park();
    let parked = park
        .park(&first, "looks odd".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(parked, Parked::SetAside);
    let retry = flow.retrying(Policy::default());
    assert!(matches!(
        retry.retry(&first).await.unwrap(),
        Retried::TakenUp(_)
    ));
    outlasted(&flow).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
}
