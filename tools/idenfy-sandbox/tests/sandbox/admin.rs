//! The admin API and the life of a sandbox.

use std::time::Duration;

use idenfy_sandbox::{Sandbox, Settings};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::fixture::{Fixture, submission};

#[tokio::test]
async fn settings_are_changed_by_merge_patch_and_never_show_secrets() {
    let fixture = Fixture::start().await;
    let patch =
        json!({"fileLinkSeconds": 5, "apiSecret": "a new secret", "publicUrl": "http://elsewhere"});
    let shown = fixture.admin("PATCH", "/settings", patch).await;
    assert_eq!(
        (&shown["fileLinkSeconds"], &shown["publicUrl"]),
        (&json!(5), &json!("http://elsewhere"))
    );
    assert!(
        !shown.to_string().contains("secret") && !shown.to_string().contains("the signing key")
    );
    assert_eq!(
        fixture
            .post("/api/v2/token", json!({"clientId": "client"}))
            .await
            .status,
        401
    );

    let restored = fixture
        .admin(
            "PATCH",
            "/settings",
            json!({"fileLinkSeconds": null, "publicUrl": null}),
        )
        .await;
    assert_eq!(
        (&restored["fileLinkSeconds"], &restored["publicUrl"]),
        (&json!(3600), &Value::Null)
    );
    assert_eq!(
        fixture
            .try_admin("PATCH", "/settings", json!({"fileLinkSecond": 5}))
            .await
            .status,
        400
    );
    assert_eq!(fixture.admin("GET", "/settings", json!({})).await, restored);

    let one_step = json!({"ALL": {"ALL": {"POA2": {"type": "UPLOAD"}}}});
    let replaced = fixture
        .admin(
            "PATCH",
            "/settings",
            json!({"defaultAdditionalSteps": one_step}),
        )
        .await;
    assert_eq!(replaced["defaultAdditionalSteps"], one_step);
    let defaults = fixture
        .admin(
            "PATCH",
            "/settings",
            json!({"defaultAdditionalSteps": null}),
        )
        .await;
    assert_eq!(
        defaults["defaultAdditionalSteps"],
        restored["defaultAdditionalSteps"]
    );
}

#[tokio::test]
async fn sessions_are_listed_with_the_live_tokens_of_each_client() {
    let mut fixture = Fixture::start().await;
    let created = fixture
        .admin(
            "POST",
            "/sessions",
            json!({"clientId": "a", "externalRef": "ours"}),
        )
        .await;
    let document = fixture.document_token("a").await;
    let finished = fixture.session("b").await;
    fixture.finish(&finished, json!({})).await;
    let listed = fixture.admin("GET", "/sessions", json!({})).await;
    assert_eq!(
        listed["liveTokens"],
        json!({"a": {"DOCUMENT": 1, "IDENTIFICATION": 1}, "b": {"DOCUMENT": 0,
            "IDENTIFICATION": 0}})
    );
    assert_eq!(
        (
            &listed["sessions"][0]["scanRef"],
            &listed["sessions"][0]["externalRef"]
        ),
        (&created["scanRef"], &json!("ours"))
    );
    assert!(
        !listed
            .to_string()
            .contains(created["authToken"].as_str().unwrap())
    );

    fixture.receiver.next().await;
    fixture.post("/api/v2/process", submission(&document)).await;
    fixture.receiver.next().await;
    let listed = fixture
        .admin("GET", "/sessions?clientId=a", json!({}))
        .await;
    assert_eq!(
        listed["liveTokens"],
        json!({"a": {"DOCUMENT": 0, "IDENTIFICATION": 1}})
    );
    assert_eq!(listed["sessions"][1]["state"], "FINISHED");
    assert_eq!(
        fixture
            .try_admin("GET", "/sessions/nobody", json!({}))
            .await
            .status,
        404
    );
    assert_eq!(
        fixture
            .try_admin("POST", "/sessions", json!({}))
            .await
            .identifier(),
        "MISSING_VALUE"
    );
}

#[tokio::test]
async fn requests_can_be_asked_for_by_client() {
    let fixture = Fixture::start().await;
    let session = fixture.session("a").await;
    fixture.session("b").await;
    fixture
        .post("/api/v2/status", json!({"scanRef": session.scan_ref}))
        .await;
    let journal = fixture
        .admin("GET", "/requests?clientId=a", json!({}))
        .await;
    let routes: Vec<_> = journal["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|record| record["route"].clone())
        .collect();
    assert_eq!(routes, ["token", "status"]);
    assert!(
        journal["requests"]
            .as_array()
            .unwrap()
            .iter()
            .all(|record| record["scanRef"] == session.scan_ref)
    );
}

#[tokio::test]
async fn a_sandbox_ends_with_its_owner() {
    let fixture = Fixture::start().await;
    assert_eq!(fixture.get("/health").await.json(), json!({"status": "ok"}));
    let health = fixture.url("/health");
    timeout(Duration::from_secs(20), fixture.sandbox.shutdown())
        .await
        .expect("an end in time");
    assert!(
        fixture
            .client
            .get(&health)
            .send()
            .await
            .unwrap_err()
            .is_connect()
    );

    let dropped = Sandbox::start(Settings::default()).await.unwrap();
    let port = dropped.url().rsplit(':').next().unwrap().parse().unwrap();
    assert!(
        Sandbox::start(Settings {
            port,
            ..Settings::default()
        })
        .await
        .is_err()
    );
}
