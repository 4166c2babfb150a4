//! What was lost is found by the reconciler of the deployed stack.

use integration_tests::{Stack, eventually};
use serde_json::json;

/// What this run does for a pairing, the schedule's or another test's run may have done just before, so its counts prove nothing.
async fn reconcile(stack: &Stack) {
    let run = stack.invoke("ReconcilerFunction", &json!({})).await;
    assert_eq!(run["failed"], 0, "{run}");
}

#[tokio::test]
async fn a_second_callback_that_never_came_is_asked_for() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    session.until("Submitted").await;
    eventually("the provider has tried to tell the result", || async {
        let deliveries = stack.sandbox.deliveries_to(&session.client_id).await;
        let second = deliveries.iter().any(|delivery| delivery["scanRef"] != session.scan_ref.as_str());
        if second { Ok(()) } else { Err(format!("{deliveries:?}")) }
    })
    .await;
    assert!(session.age().await);
    reconcile(&stack).await;
    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);
}

#[tokio::test]
async fn a_message_that_does_not_come_is_sent_again() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    // The processor puts its message away for an hour.
    let busy = json!({"route": "token", "kind": "status", "status": 429, "identifier": "TOO_MANY_REQUESTS", "retryAfterSeconds": 3_600});
    session.fault(busy).await;
    session.finish_and_be_believed(json!({})).await;
    eventually("the provider was busy", || async {
        let tokens = session.requests("token").await;
        if tokens.is_empty() { Err("not asked yet") } else { Ok(()) }
    })
    .await;
    session.until("Captured").await;
    assert!(session.age().await);
    reconcile(&stack).await;
    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);
}
