//! Callbacks in an unusual order, or the same news in other words. None moves a pairing backwards.

use harness::{Session, Stack, eventually};
use serde_json::{Value, json};

async fn settled(stack: &Stack) -> Session<'_> {
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
    session
}

/// Shows that the callbacks of `tell` are answered 200 and change neither the pairing nor the
/// requests to the provider.
async fn changes_nothing(
    session: &Session<'_>,
    stack: &Stack,
    tell: impl AsyncFnOnce() -> Vec<Value>,
) {
    let (pairing, documents) = (
        session.pairing().await.unwrap(),
        session.documents().await.unwrap(),
    );
    let requests = stack.sandbox.requests_of(&session.client_id).await.unwrap();
    let deliveries = tell().await;
    assert!(!deliveries.is_empty());
    for delivery in &deliveries {
        assert_eq!(
            (&delivery["status"], &delivery["attempt"]),
            (&json!(200), &json!(1)),
            "{delivery}"
        );
    }
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");
    assert_eq!(session.pairing().await.unwrap(), pairing);
    assert_eq!(session.documents().await.unwrap(), documents);
    assert_eq!(
        stack.sandbox.requests_of(&session.client_id).await.unwrap(),
        requests
    );
}

#[tokio::test]
async fn a_result_that_is_not_final_after_one_that_is_changes_nothing() {
    let stack = Stack::shared().await.unwrap();
    for result in [
        json!({"final": false}),
        json!({"final": false, "overall": "REVIEWING"}),
    ] {
        let session = settled(&stack).await;
        changes_nothing(&session, &stack, async || {
            session.finish(result).await.unwrap()
        })
        .await;
    }
}

#[tokio::test]
async fn an_expiry_of_the_first_token_after_success_is_noise() {
    let stack = Stack::shared().await.unwrap();
    let session = settled(&stack).await;
    let expired = json!({"overall": "EXPIRED", "eventType": "IDENTIFICATION_EXPIRED"});
    changes_nothing(&session, &stack, async || {
        session.finish(expired).await.unwrap()
    })
    .await;
}

#[tokio::test]
async fn freshly_signed_links_change_nothing() {
    let stack = Stack::shared().await.unwrap();
    let session = settled(&stack).await;
    let before = session.archived_callbacks().await.unwrap().len();
    changes_nothing(&session, &stack, async || {
        session
            .send_again(json!({"freshLinks": true}))
            .await
            .unwrap()
    })
    .await;
    // Links that are signed within the same second are the same.
    eventually("another body, signed like the first, is kept", || async {
        let kept = session.archived_callbacks().await.unwrap().len();
        if kept > before {
            return Ok(());
        }
        session
            .send_again(json!({"freshLinks": true}))
            .await
            .unwrap();
        Err(format!("{kept} bodies"))
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_header_that_is_not_signed_makes_no_difference() {
    let stack = Stack::shared().await.unwrap();
    let session = settled(&stack).await;
    let before = session.archived_callbacks().await.unwrap();
    for event_type in [
        "IDENTIFICATION_CANCELLED",
        "DOCUMENT_EXPIRATION",
        "SOMETHING_ELSE",
    ] {
        changes_nothing(&session, &stack, async || {
            session
                .send_again(json!({"eventType": event_type}))
                .await
                .unwrap()
        })
        .await;
    }
    assert_eq!(
        session.archived_callbacks().await.unwrap(),
        before,
        "the body is the same"
    );
}

#[tokio::test]
async fn an_unsigned_header_does_not_stop_a_first_result() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .finish_expecting_200(json!({"eventType": "SOMETHING_ELSE"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
}

#[tokio::test]
async fn a_second_result_that_overtakes_our_call_settles() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    // Accepted and processed at once. The connection ends after six seconds without an answer.
    let fault = json!({"route": "process", "kind": "acceptedThenHang", "milliseconds": 6_000});
    session.fault(fault).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let settled = session.until_settled().await.unwrap();
    let history = session.history().await.unwrap();
    assert!(
        !history.contains(&"DocumentsSubmitted".to_owned()),
        "it was still being posted: {history:?}"
    );

    // The processor has noticed the lost answer by its next look.
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");
    assert_eq!(session.pairing().await.unwrap(), Some(settled));
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}

#[tokio::test]
async fn second_thoughts_are_recorded_and_taken_back() {
    let stack = Stack::shared().await.unwrap();
    let session = settled(&stack).await;
    session
        .finish_expecting_200(json!({"overall": "DENIED"}))
        .await
        .unwrap();
    session.until_revoked(Some("FirstDenied")).await.unwrap();
    session
        .finish_expecting_200(json!({"overall": "APPROVED"}))
        .await
        .unwrap();
    let withdrawn = session.until_revoked(None).await.unwrap();
    assert_eq!(withdrawn.state, "Settled");
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}
