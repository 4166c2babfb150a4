//! The first verification turns negative while the documents are, or may be, with the provider.

use super::*;

fn denied() -> CallbackContent {
    CallbackContent {
        overall: Some(Overall::Denied),
        digest: Digest256::of(b"denied"),
        ..approved("first", "client")
    }
}

async fn given_up() -> Flow {
    let flow = Flow::submitted().await;
    for _ in 0..20 {
        flow.world.wait(Duration::from_secs(12 * 60 * 60));
        flow.reconcile().await;
    }
    assert_eq!(flow.parked(), ParkReason::ResultOverdue);
    flow
}

#[tokio::test]
async fn second_thoughts_do_not_reopen_what_was_accepted() {
    let flow = given_up().await;
    assert_eq!(
        flow.callback(&denied()).await,
        Accepted::Changed("FirstResultRevoked")
    );
    let again = CallbackContent {
        digest: Digest256::of(b"approved again"),
        ..approved("first", "client")
    };
    assert_eq!(
        flow.callback(&again).await,
        Accepted::Changed("RevocationWithdrawn")
    );
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}

#[tokio::test]
async fn parked_and_revoked_a_pairing_cannot_be_taken_up_again() {
    let flow = given_up().await;
    flow.callback(&denied()).await;
    let retried = flow
        .retrying(Policy::default())
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    assert_eq!(retried, Retried::StillParked("ResultOverdue"));
    assert_eq!(flow.process().await, Advanced::Resting("Parked"));
}

#[tokio::test]
async fn a_result_that_overtakes_the_new_attempt_settles() {
    let flow = given_up().await;
    let retried = flow
        .retrying(Policy::default())
        .retry(&"first".parse().unwrap())
        .await
        .unwrap();
    assert!(matches!(retried, Retried::TakenUp(_)));
    flow.callback(&second("second-1", "first", Overall::Approved))
        .await;
    assert_eq!(flow.process().await, Advanced::Resting("Settled"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 1)
    );
}

/// Denied while the documents are being posted, with the post's answer lost.
async fn denied_while_in_doubt(fault: Fault) -> Flow {
    let flow = Flow::new();
    flow.callback(&approved("first", "client")).await;
    flow.world.fault("process", fault);
    flow.process().await;
    assert_eq!(
        flow.callback(&denied()).await,
        Accepted::Changed("FirstResultRevoked")
    );
    flow.world.wait(Duration::from_secs(11));
    flow
}

#[tokio::test]
async fn denied_meanwhile_documents_are_not_posted_again() {
    let flow = denied_while_in_doubt(Fault::LostBeforeDone).await;
    let waiting = Advanced::TryAgain {
        why: "SubmissionInDoubt",
        after: Some(Duration::from_secs(10 * 60)),
    };
    assert_eq!(flow.process().await, waiting);
    flow.world.expire_tokens();
    flow.world.wait(Duration::from_secs(11 * 60));
    assert_eq!(flow.process().await, Advanced::Resting("Declined"));
    assert_eq!(
        (flow.world.token_count(), flow.world.submissions().len()),
        (1, 0)
    );
    assert_eq!(
        flow.world.pairing("first").revoked,
        None,
        "it is declined, and there is nothing to revoke"
    );
}

#[tokio::test]
async fn accepted_and_denied_meanwhile_the_pairing_stays_revoked() {
    let flow = denied_while_in_doubt(Fault::DoneThenLost).await;
    assert_eq!(flow.process().await, Advanced::Resting("Submitted"));
    assert!(flow.world.pairing("first").revoked.is_some());
}
