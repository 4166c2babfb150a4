//! What was lost is found by the reconciler of the deployed stack.

use harness::{Stack, eventually};
use serde_json::json;

use crate::provider_faults::milliseconds;

/// The schedule's or another test's run may have done this run's work just before: its counts prove
/// nothing.
async fn reconcile(stack: &Stack) {
    // Other tests' faults may have opened the shared circuit; then pairings wait for a moment.
    eventually("the reconciler gets to all", || async {
        let run = stack
            .invoke("ReconcilerFunction", &json!({}))
            .await
            .unwrap();
        assert_eq!(run["failed"], 0, "{run}");
        if run["waiting"] == 0 {
            Ok(())
        } else {
            Err(run)
        }
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_second_callback_that_never_came_is_asked_for() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "callback", "kind": "drop", "skip": 1, "times": 20}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until("Submitted").await.unwrap();
    eventually("the provider has tried to tell the result", || async {
        let deliveries = stack
            .sandbox
            .deliveries_to(&session.client_id)
            .await
            .unwrap();
        let second = deliveries
            .iter()
            .any(|delivery| delivery["scanRef"] != session.scan_ref.as_str());
        if second {
            Ok(())
        } else {
            Err(format!("{deliveries:?}"))
        }
    })
    .await
    .unwrap();
    assert!(session.age().await.unwrap());
    reconcile(&stack).await;
    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_does_not_come_is_sent_again() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    // The processor puts its message away for a minute.
    session
        .fault(json!({"route": "token", "kind": "status", "status": 409,
            "identifier": "ACTIVE_SESSION"}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    eventually("the provider was busy", || async {
        let tokens = session.requests("token").await.unwrap();
        if tokens.is_empty() {
            Err("not asked yet")
        } else {
            Ok(())
        }
    })
    .await
    .unwrap();
    session.until("Captured").await.unwrap();
    assert!(session.age().await.unwrap());
    reconcile(&stack).await;
    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    let tokens = session.requests("token").await.unwrap();
    let waited = milliseconds(&tokens[1]) - milliseconds(&tokens[0]);
    assert!(
        waited < 60_000,
        "its own message would have come only then: {waited} ms"
    );
}
