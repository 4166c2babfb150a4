//! What is on the submission queue.

use harness::{Stack, eventually};
use serde_json::json;
use uuid::Uuid;

#[tokio::test]
async fn a_poisonous_message_becomes_a_dead_letter_alone() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    // Its own message is put off for a minute, and the one below drives it on sooner.
    session
        .fault(json!({"route": "token", "kind": "status", "status": 409,
            "identifier": "ACTIVE_SESSION"}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    eventually("Token 2 was refused for now", || async {
        let history = session.history().await.unwrap();
        if history.contains(&"AuthorizationFailed".to_owned()) {
            Ok(())
        } else {
            Err(history.join(", "))
        }
    })
    .await
    .unwrap();

    let poison = json!({"type": "SubmitDocumentsV1", "scanRef": format!("../{}", Uuid::new_v4())})
        .to_string();
    let unknown =
        json!({"type": "SubmitDocumentsV9", "id": Uuid::new_v4().to_string()}).to_string();
    let neighbour = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    stack
        .send_to_submission_queue(&[&poison, &neighbour, &unknown])
        .await
        .unwrap();

    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    // The template's maxReceiveCount, and the one that found it here.
    assert!(stack.take_dead_letter(&poison).await.unwrap() >= 10);
    assert!(stack.take_dead_letter(&unknown).await.unwrap() >= 10);
}

#[tokio::test]
async fn a_claim_check_for_an_unknown_pairing_is_let_go() {
    let stack = Stack::shared().await.unwrap();
    let scan_ref = Uuid::new_v4().to_string();
    assert_eq!(stack.nudge(&scan_ref).await.unwrap(), "Unknown");
    assert_eq!(stack.pairing(&scan_ref).await.unwrap(), None);
}

#[tokio::test]
async fn messages_without_end_change_nothing() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let message = json!({"type": "SubmitDocumentsV1", "scanRef": session.scan_ref}).to_string();
    for _ in 0..3 {
        stack
            .send_to_submission_queue(&[message.as_str(); 10])
            .await
            .unwrap();
    }
    session.until_settled().await.unwrap();
    assert_eq!(session.requests("token").await.unwrap().len(), 1);
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
}
