//! `replay`.

use adapters::S3CallbackArchive;
use integration_tests::Stack;
use serde_json::{Value, json};
use uuid::Uuid;
use verification::identifiers::Digest256;
use verification::ports::CallbackArchive;

use crate::program::Dvctl;

/// What is left of a callback whose function ended right after archiving it.
async fn archive_only(stack: &Stack, scan_ref: &str, callback: &Value) {
    let body = callback.to_string().into_bytes();
    let archive = S3CallbackArchive::new(&stack.sdk, &stack.description.document_bucket);
    let kept = archive.keep(Some(&scan_ref.parse().unwrap()), &Digest256::of(&body), &body).await;
    kept.expect("the bucket takes it");
}

#[tokio::test]
async fn a_callback_that_was_archived_and_lost_is_found_and_settles_its_verification() {
    let stack = Stack::shared().await;
    let dvctl = Dvctl::of(&stack);
    let model = stack.session_with_documents().await;
    model.finish_and_be_believed(json!({})).await;
    model.until_settled().await;
    let archived = model.archived_callbacks().await;
    let mut callback = stack.json_object(&archived[0].key).await;

    let (waiting, _) = stack.api_session(json!({})).await;
    callback["scanRef"] = json!(waiting.scan_ref);
    callback["clientId"] = json!(waiting.client_id);
    archive_only(&stack, &waiting.scan_ref, &callback).await;

    let (status, failed) = dvctl.ask(&["replay", "--failed", "--since", "1h", "--dry-run"]).await;
    assert_eq!(status, Some(0));
    let callbacks = failed["callbacks"].as_array().unwrap();
    let named = |scan_ref: &str| callbacks.iter().find(|callback| callback["scanRef"] == scan_ref);
    assert_eq!(
        named(&waiting.scan_ref).expect("it is found")["why"],
        "the verification waits for it"
    );
    assert!(named(&model.scan_ref).is_none(), "what had its effect is no failure");
    assert_eq!(
        waiting.pairing().await.unwrap().state,
        "AwaitingCallback",
        "a dry run sends nothing"
    );

    let (status, replayed) = dvctl.ask(&["replay", &waiting.scan_ref]).await;
    assert_eq!((status, &replayed["callbacks"][0]["status"]), (Some(0), &json!(200)));
    waiting.until_settled().await;

    let (status, repeated) = dvctl.ask(&["replay", &waiting.scan_ref]).await;
    assert_eq!(
        (status, &repeated["callbacks"], &repeated["leftOut"]),
        (Some(0), &json!([]), &json!(1)),
        "{repeated}"
    );
}

#[tokio::test]
async fn what_has_had_its_effect_is_sent_only_when_asked_for_and_changes_nothing() {
    let stack = Stack::shared().await;
    let dvctl = Dvctl::of(&stack);
    let session = stack.session_with_documents().await;
    session.finish_and_be_believed(json!({})).await;
    session.until_settled().await;
    let (_, left_out) = dvctl.ask(&["replay", &session.scan_ref]).await;
    assert_eq!(left_out["callbacks"], json!([]));
    let (status, again) = dvctl.ask(&["replay", "--again", &session.scan_ref]).await;
    assert_eq!(status, Some(0));
    assert_eq!(
        (&again["callbacks"][0]["status"], &again["callbacks"][0]["state"]),
        (&json!(200), &json!("Settled"))
    );
    assert_eq!(session.accepted_submissions().await.len(), 1);
}

#[tokio::test]
async fn many_at_once_are_confirmed_first() {
    let stack = Stack::shared().await;
    let dvctl = Dvctl::of(&stack);
    let name = format!("foreign-{}", Uuid::new_v4().simple());
    archive_only(&stack, &name, &json!({"scanRef": name, "expirationThreshold": "DOCUMENT_EXPIRED"})).await;
    let refused = dvctl
        .type_into(&["replay", "--failed", "--since", "1h"], "no\n")
        .await
        .with_status(1);
    assert!(refused.notes.contains("Type replay") && refused.answer.is_empty(), "{refused:?}");
    let one = dvctl.run(&["replay", &name]).await.with_status(0);
    assert!(one.answer.contains("no verification knows it  accepted"), "{one:?}");
    dvctl.run(&["replay", "nothing-is-archived-here"]).await.with_status(3);
}
