//! Parked verifications, taken up again.

use api_contract::Application;
use harness::Stack;
use reqwest::Method;
use serde_json::json;

fn retry(scan_ref: &str) -> String {
    format!("/verifications/{scan_ref}/retry")
}

#[tokio::test]
async fn a_parked_verification_settles_once_the_cause_is_gone() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "token", "kind": "status", "status": 402,
            "identifier": "PERMISSIONS_ERROR"}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_parked("SecondTokenRefused").await.unwrap();

    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .unwrap()
        .expect(202)
        .unwrap();
    assert_eq!(
        answer,
        json!({"scanRef": session.scan_ref, "state": "Captured"})
    );
    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);

    let again = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .unwrap();
    assert_eq!((again.status, again.code()), (409, "not_parked"));
}

#[tokio::test]
async fn a_callback_that_still_does_not_qualify_stays_parked() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .finish_expecting_200(json!({"overall": "SPLENDID"}))
        .await
        .unwrap();
    session.until_parked("OverallUnknown").await.unwrap();
    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.code()),
        (409, "still_parked"),
        "{}",
        answer.body
    );

    stack
        .remove_objects(&format!("callbacks/{}/", session.scan_ref))
        .await
        .unwrap();
    let answer = stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .unwrap();
    assert_eq!(
        (answer.status, answer.code()),
        (409, "callback_gone"),
        "{}",
        answer.body
    );
    session.assert_nothing_spent().await.unwrap();
}

#[tokio::test]
async fn a_person_sets_a_verification_aside() {
    let stack = Stack::shared().await.unwrap();
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let path = format!("/verifications/{}/park", session.scan_ref);
    for body in [
        json!({}),
        json!({"reason": ""}),
        json!({"reason": 7}),
        json!({"reason": "two\nlines"}),
    ] {
        let answer = stack.api(Method::POST, &path, Some(body)).await.unwrap();
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
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        answer,
        json!({"scanRef": session.scan_ref, "state": "Parked"})
    );
    let path_of_it = format!("/verifications/{}", session.scan_ref);
    let shown = stack
        .api(Method::GET, &path_of_it, None)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        (&shown["state"], &shown["reason"]),
        (&json!("Parked"), &json!("SetAside"))
    );
    let again = stack.api(Method::POST, &path, reason).await.unwrap();
    assert_eq!((again.status, again.code()), (409, "at_rest"));
    stack
        .api(Method::POST, &retry(&session.scan_ref), None)
        .await
        .unwrap()
        .expect(202)
        .unwrap();
}
