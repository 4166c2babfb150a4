//! Callbacks in an order that nobody expects, or the same news in other words. None moves a pairing
//! backwards.

use harness::{Session, Stack, eventually};
use serde_json::{Value, json};

async fn settled(stack: &Stack) -> Session<'_> {
    let session = stack.session_with_documents().await;
    session.finish_and_be_believed(json!({})).await;
    session.until_settled().await;
    session
}

/// Shows that what `tell` has the provider say is answered 200 and changes neither the pairing nor
/// what the provider was asked.
async fn changes_nothing(
    session: &Session<'_>,
    stack: &Stack,
    tell: impl AsyncFnOnce() -> Vec<Value>,
) {
    let (pairing, documents) = (session.pairing().await, session.documents().await);
    let requests = stack.sandbox.requests_of(&session.client_id).await;
    let deliveries = tell().await;
    assert!(!deliveries.is_empty());
    for delivery in &deliveries {
        assert_eq!(
            (&delivery["status"], &delivery["attempt"]),
            (&json!(200), &json!(1)),
            "{delivery}"
        );
    }
    assert_eq!(stack.nudge(&session.scan_ref).await, "Settled");
    assert_eq!(session.pairing().await, pairing);
    assert_eq!(session.documents().await, documents);
    assert_eq!(
        stack.sandbox.requests_of(&session.client_id).await,
        requests
    );
}

#[tokio::test]
async fn a_result_that_is_not_final_after_one_that_is_changes_nothing() {
    let stack = Stack::shared().await;
    for result in [
        json!({"final": false}),
        json!({"final": false, "overall": "REVIEWING"}),
    ] {
        let session = settled(&stack).await;
        changes_nothing(&session, &stack, async || session.finish(result).await).await;
    }
}

#[tokio::test]
async fn an_expiry_of_the_first_token_after_success_is_noise() {
    let stack = Stack::shared().await;
    let session = settled(&stack).await;
    let expired = json!({"overall": "EXPIRED", "eventType": "IDENTIFICATION_EXPIRED"});
    changes_nothing(&session, &stack, async || session.finish(expired).await).await;
}

#[tokio::test]
async fn freshly_signed_links_change_nothing() {
    let stack = Stack::shared().await;
    let session = settled(&stack).await;
    let before = session.archived_callbacks().await.len();
    changes_nothing(&session, &stack, async || {
        session.send_again(json!({"freshLinks": true})).await
    })
    .await;
    // Links that are signed within the same second are the same.
    eventually("another body, signed like the first, is kept", || async {
        let kept = session.archived_callbacks().await.len();
        if kept > before {
            return Ok(());
        }
        session.send_again(json!({"freshLinks": true})).await;
        Err(format!("{kept} bodies"))
    })
    .await;
}

#[tokio::test]
async fn a_header_that_is_not_signed_makes_no_difference() {
    let stack = Stack::shared().await;
    let session = settled(&stack).await;
    let before = session.archived_callbacks().await;
    for event_type in [
        "IDENTIFICATION_CANCELLED",
        "DOCUMENT_EXPIRATION",
        "SOMETHING_ELSE",
    ] {
        changes_nothing(&session, &stack, async || {
            session.send_again(json!({"eventType": event_type})).await
        })
        .await;
    }
    assert_eq!(
        session.archived_callbacks().await,
        before,
        "the body is the same"
    );
}

#[tokio::test]
async fn an_unsigned_header_does_not_stop_a_first_result() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .finish_and_be_believed(json!({"eventType": "SOMETHING_ELSE"}))
        .await;
    session.until_settled().await;
}

#[tokio::test]
async fn a_second_result_that_overtakes_our_call_settles() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    // Accepted and processed at once; the answer to the submission takes six seconds, and then
    // there is none.
    let fault = json!({"route": "process", "kind": "acceptedThenHang", "milliseconds": 6_000});
    session.fault(fault).await;
    session.finish_and_be_believed(json!({})).await;
    let settled = session.until_settled().await;
    let history = session.history().await;
    assert!(
        !history.contains(&"DocumentsSubmitted".to_owned()),
        "it was still being posted: {history:?}"
    );

    // The processor has its lost answer by the time that it has looked again.
    assert_eq!(stack.nudge(&session.scan_ref).await, "Settled");
    assert_eq!(session.pairing().await, Some(settled));
    assert_eq!(session.requests("process").await.len(), 1);
    assert_eq!(session.accepted_submissions().await.len(), 1);
}

#[tokio::test]
async fn second_thoughts_are_recorded_and_taken_back() {
    let stack = Stack::shared().await;
    let session = settled(&stack).await;
    session
        .finish_and_be_believed(json!({"overall": "DENIED"}))
        .await;
    session.until_revoked(Some("FirstDenied")).await;
    session
        .finish_and_be_believed(json!({"overall": "APPROVED"}))
        .await;
    let withdrawn = session.until_revoked(None).await;
    assert_eq!(withdrawn.state, "Settled");
    assert_eq!(session.accepted_submissions().await.len(), 1);
}
