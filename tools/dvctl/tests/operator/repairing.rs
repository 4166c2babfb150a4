//! `park`, `retry` and `erase`.

use api_contract::Application;
use harness::Stack;
use serde_json::json;

use crate::looking::parked;
use crate::program::Dvctl;

#[tokio::test]
async fn parked_verifications_are_taken_up_and_the_rest_is_said() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let session = parked(&stack).await;
    let (status, retried) = dvctl
        .ask(&["retry", &session.scan_ref, "no-such-verification"])
        .await;
    assert_eq!(status, Some(4));
    assert_eq!(retried["results"][0]["takenUp"], true);
    assert_eq!(retried["results"][1]["takenUp"], false);
    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);

    let again = dvctl
        .run(&["retry", &session.scan_ref])
        .await
        .with_status(1);
    assert!(again.answer.contains("not_parked"), "{again:?}");
    dvctl
        .run(&["retry", "no-such-verification"])
        .await
        .with_status(3);
}

#[tokio::test]
async fn what_is_set_aside_is_shown_with_the_reason() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let aside = dvctl
        .run(&["park", &session.scan_ref, "--reason", "looks odd"])
        .await
        .with_status(0);
    assert!(aside.answer.contains("set aside"), "{aside:?}");
    let shown = dvctl.run(&["show", &session.scan_ref]).await.with_status(0);
    assert!(shown.answer.contains("looks odd"), "{shown:?}");
    dvctl
        .run(&["park", &session.scan_ref, "--reason", "again"])
        .await
        .with_status(1);
    dvctl
        .run(&["park", &session.scan_ref, "--reason", "naïve"])
        .await
        .with_status(2);
    dvctl
        .run(&["park", "no-such-verification", "--reason", "odd"])
        .await
        .with_status(3);
}

#[tokio::test]
async fn erasing_needs_the_name_typed_and_leaves_a_receipt() {
    let stack = Stack::shared().await.unwrap();
    let dvctl = Dvctl::of(&stack);
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();

    for typed in ["", "yes\n", "no-such-verification\n"] {
        let refused = dvctl
            .type_into(&["erase", &session.scan_ref], typed)
            .await
            .with_status(1);
        assert!(refused.notes.contains("nothing was done"), "{refused:?}");
    }
    assert_eq!(session.documents().await.unwrap().len(), 2);

    let typed = format!("{}\n", session.scan_ref);
    let erased = dvctl
        .type_into(&["erase", &session.scan_ref], &typed)
        .await
        .with_status(0);
    assert!(erased.answer.contains("erased completely"), "{erased:?}");
    assert_eq!(session.documents().await.unwrap(), []);
    let gone = dvctl.run(&["show", &session.scan_ref]).await.with_status(3);
    assert!(gone.notes.contains("was erased"), "{gone:?}");

    let (status, receipt) = dvctl.ask(&["erase", "--yes", &session.scan_ref]).await;
    assert_eq!(
        (status, &receipt["complete"], &receipt["removed"]),
        (Some(0), &json!(true), &json!([]))
    );
    dvctl
        .run(&["erase", "--yes", "no-such-verification"])
        .await
        .with_status(3);
}

#[tokio::test]
async fn an_erasure_that_leaves_something_says_so_in_its_status() {
    let stack = Stack::shared().await.unwrap();
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let (status, receipt) = Dvctl::of(&stack)
        .ask(&["erase", "--yes", &session.scan_ref])
        .await;
    assert_eq!(
        (status, &receipt["complete"]),
        (Some(4), &json!(false)),
        "{receipt}"
    );
    assert!(
        receipt["remaining"][0]["askAgainAt"].is_string(),
        "{receipt}"
    );
}
