//! The provider waits 10 s for an answer, also while its own links are slow; the webhook takes at
//! most 8 s.

use harness::Stack;
use serde_json::{Value, json};

async fn answers_in_time_and_settles(stack: &Stack, fault: Value) {
    let session = stack.session_with_documents().await.unwrap();
    session.fault(fault).await.unwrap();
    let deliveries = session.finish(json!({})).await.unwrap();
    assert_eq!(deliveries.len(), 1, "{deliveries:?}");
    assert_eq!(deliveries[0]["status"], 200, "{deliveries:?}");
    let milliseconds = deliveries[0]["milliseconds"].as_u64().unwrap();
    assert!(milliseconds < 8_000, "{deliveries:?}");

    session.until_settled().await.unwrap();
    assert!(
        session
            .history()
            .await
            .unwrap()
            .contains(&"CaptureDeferred".to_owned())
    );
    assert_eq!(session.documents().await.unwrap().len(), 2);
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn links_that_hang_are_left_to_the_processor() {
    let stack = Stack::shared().await.unwrap();
    answers_in_time_and_settles(&stack, json!({"route": "file", "kind": "hang", "times": 2})).await;
}

#[tokio::test]
async fn a_link_that_drips_is_left_to_the_processor() {
    let stack = Stack::shared().await.unwrap();
    answers_in_time_and_settles(
        &stack,
        json!({"route": "file", "kind": "slow", "milliseconds": 60_000}),
    )
    .await;
}

#[tokio::test]
async fn a_file_store_that_is_down_for_a_moment_is_asked_again() {
    let stack = Stack::shared().await.unwrap();
    answers_in_time_and_settles(
        &stack,
        json!({"route": "file", "kind": "status", "status": 503, "times": 2}),
    )
    .await;
}
