//! What is on the submission queue.

use harness::{Stack, eventually};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_poisonous_message_becomes_a_dead_letter_alone() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    // Its own message is put off for a minute, and the one below drives it on sooner.
    session
        .fault(json!({"route": "token", "kind": "status", "status": 409, "identifier": "ACTIVE_SESSION"}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    eventually("Token 2 was refused for now", || async {
        let history = session.history().await;
        if history.contains(&"AuthorizationFailed".to_owned()) {
            Ok(())
        } else {
            Err(history.join(", "))
        }
    })
    .await;

    let poison = json!({"type": "SubmitDocumentsV1", "scanRef": format!("../{}", Uuid::new_v4())})
        .to_string();
    let unknown =
        json!({"type": "SubmitDocumentsV9", "id": Uuid::new_v4().to_string()}).to_string();
    let neighbour = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    stack
        .send_to_submission_queue(&[&poison, &neighbour, &unknown])
        .await;

    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);
    // The template's maxReceiveCount, and the one that found it here.
    assert!(stack.take_dead_letter(&poison).await >= 10);
    assert!(stack.take_dead_letter(&unknown).await >= 10);
}

#[tokio::test]
async fn a_claim_check_for_an_unknown_pairing_is_let_go() {
    let stack = Stack::shared().await;
    let scan_ref = Uuid::new_v4().to_string();
    assert_eq!(stack.nudge(&scan_ref).await, "Unknown");
    assert_eq!(stack.pairing(&scan_ref).await, None);
}

#[tokio::test]
async fn messages_without_end_change_nothing() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session.finish_and_be_believed(json!({})).await;
    let message = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    for _ in 0..3 {
        stack
            .send_to_submission_queue(&[message.as_str(); 10])
            .await;
    }
    session.until_settled().await;
    assert_eq!(session.requests("token").await.len(), 1);
    assert_eq!(session.requests("process").await.len(), 1);
}
