//! How long a lease lasts, and what follows once it has ended.

use super::*;

/// How long the provider may take to finish a call whose answer was lost.
const EVIDENCE_PAUSE: Duration = Duration::from_secs(10);

async fn in_doubt(operation: &'static str, fault: Fault) -> Flow {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault(operation, fault);
    assert!(matches!(flow.process().await, Advanced::TryAgain { .. }));
    flow
}

#[tokio::test]
async fn a_lease_is_over_at_its_very_end_and_not_before() {
    for operation in ["token", "process"] {
        let flow = in_doubt(operation, Fault::DoneThenLost).await;
        let lease_until = flow.world.now().plus(EVIDENCE_PAUSE);
        flow.world.wait(EVIDENCE_PAUSE - Duration::from_millis(1));
        assert_eq!(
            flow.process().await,
            Advanced::HeldUntil(lease_until),
            "{operation}"
        );
        flow.world.wait(Duration::from_millis(1));
        assert_eq!(
            flow.process().await,
            Advanced::Resting("Submitted"),
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_provider_in_trouble_is_left_alone_when_a_lease_ends() {
    for operation in ["token", "process"] {
        let flow = in_doubt(operation, Fault::DoneThenLost).await;
        flow.world.wait(EVIDENCE_PAUSE);
        let until = flow.world.now().plus(EVIDENCE_PAUSE);
        flow.world.leave_provider_alone(until);
        assert_eq!(
            flow.process().await,
            Advanced::CircuitOpen { until },
            "{operation}"
        );
    }
}

#[tokio::test]
async fn a_status_that_we_do_not_know_is_no_evidence() {
    let flow = in_doubt("process", Fault::LostBeforeDone).await;
    flow.world.status_of("second-1", Overall::Unknown);
    flow.world.wait(EVIDENCE_PAUSE);
    let unclear = Advanced::TryAgain {
        why: "StatusUnclear",
        after: None,
    };
    assert_eq!(flow.process().await, unclear);
    assert_eq!(flow.state().name(), "Submitting");
}

#[tokio::test]
async fn who_copied_the_last_file_goes_on_without_a_message() {
    let flow = Flow::new();
    flow.world.file(FRONT_LINK, FileBehaviour::Down);
    flow.callback(&approved("first", "client")).await;
    flow.world.take_messages();
    flow.world.file(FRONT_LINK, FileBehaviour::Serves(1_000));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn who_replaces_a_dead_token_goes_on_without_a_message() {
    let flow = in_doubt("process", Fault::LostBeforeDone).await;
    flow.world.take_messages();
    flow.world.expire_tokens();
    flow.world.wait(EVIDENCE_PAUSE);
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert!(flow.world.take_messages().is_empty());
}

#[tokio::test]
async fn an_erasure_waits_until_the_end_of_a_lease() {
    for (before_the_end, remaining) in [(Duration::from_millis(1), 1), (Duration::ZERO, 0)] {
        let flow = in_doubt("process", Fault::DoneThenLost).await;
        flow.world.wait(EVIDENCE_PAUSE - before_the_end);
        let Erased::Now(receipt) = flow.erase("first").await else {
            panic!()
        };
        assert_eq!(receipt.remaining.len(), remaining, "{before_the_end:?}");
    }
}

/// The first post was accepted and its status lags.
/// The second post is refused.
/// That says nothing about the first one.
#[tokio::test]
async fn a_post_that_is_turned_away_leaves_an_earlier_one_in_doubt() {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", Fault::DoneThenLost);
    flow.process().await;
    flow.world.wait(Duration::from_secs(11));
    flow.world.status_of("second-1", Overall::Active);
    flow.world.fault("process", Fault::Unavailable);
    flow.process().await;
    assert_eq!(flow.state().name(), "Submitting");
    flow.world.status_of("second-1", Overall::Reviewing);
    flow.world.wait(Duration::from_secs(11));
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}
