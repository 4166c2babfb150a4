//! A session from the application's request to the verdict.

use api_contract::Application;
use harness::{BACK, FRONT, Stack, pictures};
use reqwest::Method;
use serde_json::json;
use verification::Timestamp;

#[tokio::test]
async fn an_applications_session_is_found_by_either_scan_ref() {
    let stack = Stack::shared().await.unwrap();
    let (session, created) = stack.api_session(json!({})).await.unwrap();
    let redirect_url = created["redirectUrl"].as_str().unwrap();
    assert!(redirect_url.contains(created["authToken"].as_str().unwrap()));
    let page = stack.http.get(redirect_url).send().await.unwrap();
    assert!(page.status().is_success(), "the customer can be sent there");

    session
        .upload(FRONT, "image/jpeg", pictures::jpeg(30_000))
        .await
        .unwrap();
    session
        .upload(BACK, "image/png", pictures::png(20_000))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();

    let first = stack
        .api(
            Method::GET,
            &format!("/verifications/{}", session.scan_ref),
            None,
        )
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(first["clientId"], session.client_id.as_str());
    assert_eq!(
        (&first["state"], &first["verdict"]),
        (&json!("Settled"), &json!("Approved"))
    );
    assert_eq!(
        first["first"],
        json!({"scanRef": session.scan_ref, "overall": "APPROVED", "tags": []})
    );
    let documents: Vec<_> = first["documents"]
        .as_array()
        .unwrap()
        .iter()
        .map(|document| &document["bytes"])
        .collect();
    assert_eq!(documents, [30_000, 20_000]);
    assert_eq!(first["history"][0]["what"], "SessionOpened");

    let second = first["second"]["scanRef"].as_str().unwrap();
    assert_ne!(second, session.scan_ref);
    assert_eq!(
        stack
            .api(Method::GET, &format!("/verifications/{second}"), None)
            .await
            .unwrap()
            .expect(200)
            .unwrap(),
        first
    );
}

#[tokio::test]
async fn everything_that_may_be_given_reaches_the_provider() {
    let stack = Stack::shared().await.unwrap();
    let before = Timestamp::from_milliseconds(0);
    let (session, created) = stack
        .api_session(json!({
            "country": "LT", "locale": "lt", "documents": ["PASSPORT"],
                "successUrl": "https://shop.example/yes?a=b#c",
            "errorUrl": "https://shop.example/no", "unverifiedUrl": "https://shop.example/later",
                "externalRef": "užsakymas-1",
            "expirySeconds": 600, "sessionSeconds": 60,
                "additionalSteps": {"ALL": {"ALL": {"ANY": {"type": "UPLOAD"}}}},
            "secondDocument": {"country": "LV", "documentType": "PASSPORT"}
        }))
        .await
        .unwrap();
    let expires_at: Timestamp = created["expiresAt"].as_str().unwrap().parse().unwrap();
    assert!(expires_at > before);
    let known = stack
        .sandbox
        .admin(
            Method::GET,
            &format!("/sessions/{}", session.scan_ref),
            json!({}),
        )
        .await
        .unwrap();
    assert_eq!(known["externalRef"], "užsakymas-1");
    assert!(
        known["additionalSteps"].to_string().contains("ANY"),
        "{known}"
    );
    let pairing = session
        .pairing()
        .await
        .unwrap()
        .unwrap()
        .pairing
        .to_string();
    assert!(
        pairing.contains("LV") && pairing.contains("PASSPORT"),
        "{pairing}"
    );
}

#[tokio::test]
async fn steps_that_are_never_judged_warn_and_tell_the_remedy() {
    let stack = Stack::shared().await.unwrap();
    let steps =
        |kind: &str| json!({"additionalSteps": {"ALL": {"ALL": {"SECOND_DOC": {"type": kind}}}}});
    let (_, judged) = stack.api_session(steps("EXTRACT")).await.unwrap();
    assert_eq!(judged.get("warnings"), None);
    let (session, created) = stack.api_session(steps("UPLOAD")).await.unwrap();
    let warning = &created["warnings"][0];
    assert_eq!(warning["code"], "step_never_judged");

    session
        .upload("SECOND_DOC", "image/jpeg", pictures::jpeg(1_000))
        .await
        .unwrap();
    session
        .finish(json!({"additionalSteps": null}))
        .await
        .unwrap();
    session.until_parked("StepNotJudged").await.unwrap();
    let path = format!("/verifications/{}", session.scan_ref);
    let shown = stack
        .api(Method::GET, &path, None)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(shown["remedy"], warning["message"]);
}

#[tokio::test]
async fn requests_without_a_signature_do_not_reach_the_function() {
    let stack = Stack::shared().await.unwrap();
    let client_id = format!("customer-{}", uuid::Uuid::new_v4().simple());
    let url = format!("{}sessions", stack.description.api_url);
    let request = stack.http.post(url).json(&json!({"clientId": client_id}));
    assert_eq!(request.send().await.unwrap().status(), 403);
    assert!(
        stack
            .sandbox
            .requests_of(&client_id)
            .await
            .unwrap()
            .is_empty()
    );
}
