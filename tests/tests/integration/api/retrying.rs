//! Parked verifications, taken up again.

use harness::Stack;
use reqwest::Method;
use serde_json::json;

fn retry(scan_ref: &str) -> String {
    format!("/verifications/{scan_ref}/retry")
}

#[tokio::test]
async fn a_parked_verification_settles_once_the_cause_is_gone() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "token", "kind": "status", "status": 402, "identifier": "PERMISSIONS_ERROR"}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    session.until_parked("SecondTokenRefused").await;

    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .expect(202);
    assert_eq!(
        answer,
        json!({"scanRef": session.scan_ref, "state": "Captured"})
    );
    session.until_settled().await;
    assert_eq!(session.accepted_submissions().await.len(), 1);

    let again = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await;
    assert_eq!((again.status, again.code()), (409, "not_parked"));
}

#[tokio::test]
async fn a_callback_that_still_does_not_qualify_stays_parked() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .finish_and_be_believed(json!({"overall": "SPLENDID"}))
        .await;
    session.until_parked("OverallUnknown").await;
    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "still_parked"),
        "{}",
        answer.body
    );

    stack
        .remove_objects(&format!("callbacks/{}/", session.scan_ref))
        .await;
    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await;
    assert_eq!(
        (answer.status, answer.code()),
        (409, "callback_gone"),
        "{}",
        answer.body
    );
    session.assert_nothing_spent().await;
}

#[tokio::test]
async fn a_person_sets_a_verification_aside() {
    let stack = Stack::shared().await;
    let (session, _) = stack.api_session(json!({})).await;
    let path = format!("/verifications/{}/park", session.scan_ref);
    for body in [
        json!({}),
        json!({"reason": ""}),
        json!({"reason": 7}),
        json!({"reason": "two\nlines"}),
    ] {
        let answer = stack.api(Method::POST, &path, Some(body)).await;
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request"),
            "{}",
            answer.body
        );
    }
    let reason = Some(json!({"reason": "looks odd"}));
    let answer = stack
        .api(Method::POST, &path, reason.clone())
        .await
        .expect(200);
    assert_eq!(
        answer,
        json!({"scanRef": session.scan_ref, "state": "Parked"})
    );
    let path_of_it = format!("/verifications/{}", session.scan_ref);
    let shown = stack.api(Method::GET, &path_of_it, None).await.expect(200);
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("Parked"), &json!("SetAside"))
    );
    let again = stack.api(Method::POST, &path, reason).await;
    assert_eq!((again.status, again.code()), (409, "at_rest"));
    stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .expect(202);
}
