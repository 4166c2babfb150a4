//! Tokens: their creation, their defaults and their end.

use idenfy_sandbox::Settings;
use serde_json::{Value, json};

use crate::fixture::{Fixture, read, submission};

#[tokio::test]
async fn a_token_is_answered_with_every_documented_member() {
    let fixture = Fixture::start().await;
    let request = json!({
        "clientId": "client", "externalRef": "dv2:reference", "tokenType": "DOCUMENT",
            "generateDigitString": true, "checkAml": false,
    });
    let answer = fixture.post("/api/v2/token", request).await;
    assert_eq!(answer.status, 201);
    let token = answer.json();
    for member in [
        "message",
        "authToken",
        "scanRef",
        "clientId",
        "personScanRef",
        "tokenType",
        "redirectUrl",
        "digitString",
        "expiryTime",
        "sessionLength",
        "documents",
        "allowedDocuments",
        "externalRef",
        "additionalSteps",
        "additionalData",
        "utilityBill",
        "checkAml",
    ] {
        assert!(token.get(member).is_some(), "{member} is missing");
    }
    assert_eq!(token["scanRef"].as_str().unwrap().len(), 36);
    assert_eq!(token["authToken"].as_str().unwrap().len(), 40);
    assert_eq!(token["digitString"].as_str().unwrap().len(), 8);
    assert_eq!(
        (&token["externalRef"], &token["tokenType"]),
        (&json!("dv2:reference"), &json!("DOCUMENT"))
    );
    assert_eq!(
        (&token["expiryTime"], &token["sessionLength"]),
        (&json!(3600), &json!(600))
    );
}

#[tokio::test]
async fn account_settings_apply_unless_replaced() {
    let fixture = Fixture::with(Settings {
        default_questionnaire: Some("kyc".to_owned()),
        ..Settings::default()
    })
    .await;
    let echo = async |mut request: Value| {
        request["clientId"] = json!("client");
        fixture.post("/api/v2/token", request).await.json()
    };
    let default = echo(json!({})).await;
    let steps = default["additionalSteps"]["ALL"]["ALL"]
        .as_object()
        .unwrap();
    assert_eq!(
        steps.keys().collect::<Vec<_>>(),
        ["SECOND_DOC_BACK", "SECOND_DOC_FRONT"]
    );
    assert_eq!(default["questionnaire"], "kyc");

    let own = json!({"ALL": {"ALL": {"POA2": {"type": "UPLOAD"}}}});
    assert_eq!(
        echo(json!({"additionalSteps": own})).await["additionalSteps"],
        own
    );
    let none = json!({"ALL": {"ALL": {}}});
    let suppressed = echo(json!({"additionalSteps": none, "questionnaire": null})).await;
    assert_eq!(
        (&suppressed["additionalSteps"], &suppressed["questionnaire"]),
        (&none, &Value::Null)
    );
}

#[tokio::test]
async fn an_account_may_ignore_that_steps_are_suppressed() {
    let fixture = Fixture::with(Settings {
        honours_step_suppression: false,
        ..Settings::default()
    })
    .await;
    let token = fixture.document_token("client").await;
    let shown = fixture.shown(&token).await;
    let steps = shown["additionalSteps"].as_array().unwrap();
    assert_eq!(steps.len(), 2, "{shown}");
    let refused = fixture.post("/api/v2/process", submission(&token)).await;
    assert_eq!(refused.identifier(), "MISSING_VALUE");

    let own = json!({"ALL": {"ALL": {"POA2": {"type": "UPLOAD"}}}});
    let request = json!({"clientId": "client", "additionalSteps": own});
    let echo = fixture.post("/api/v2/token", request).await.json();
    assert_eq!(echo["additionalSteps"], own, "others replace as ever");
}

#[tokio::test]
async fn default_steps_are_echoed_whole() {
    let fixture = Fixture::start().await;
    let echo = async || {
        let request = json!({"clientId": "client", "tokenType": "IDENTIFICATION"});
        fixture.post("/api/v2/token", request).await.json()["additionalSteps"].clone()
    };
    let step = &echo().await["ALL"]["ALL"]["SECOND_DOC_FRONT"];
    assert_eq!(step["type"], "UPLOAD");
    assert!(
        step["texts"]["en"]["name"].is_string() && step["texts"]["en"]["description"].is_string()
    );
    assert_eq!(
        step["settings"],
        json!({"canUpload": true, "canCapture": true, "canUploadPDF": true})
    );
    assert_eq!(step["fields"], json!([]));

    let texts = json!({"lt": {"name": "Pažyma", "description": "Abi pusės"}});
    let step = |kind: &str| {
        json!({"type": kind, "texts": texts, "settings": {"canUpload": true},
        "fields": ["address"]})
    };
    for kind in ["UPLOAD", "EXTRACT", "COMPARE"] {
        let steps = json!({"LT": {"PASSPORT": {"POA2": step(kind)}}});
        fixture
            .settings(json!({"defaultAdditionalSteps": steps}))
            .await;
        assert_eq!(echo().await, steps);
    }
}

#[tokio::test]
async fn a_wrong_key_is_refused() {
    let fixture = Fixture::start().await;
    let wrong = async |path: &str| {
        let request = fixture
            .client
            .post(fixture.url(path))
            .basic_auth("sandbox-api-key", Some("wrong"))
            .json(&json!({"clientId": "c"}));
        read(request.send().await.unwrap()).await
    };
    let token = wrong("/api/v2/token").await;
    assert_eq!(token.status, 401);
    assert_eq!(
        token.json().as_object().unwrap().keys().collect::<Vec<_>>(),
        ["message"]
    );
    let status = wrong("/api/v2/status").await;
    assert_eq!(
        (status.status, status.identifier().as_str()),
        (401, "UNAUTHORIZED")
    );

    let missing = read(
        fixture
            .client
            .post(fixture.url("/api/v2/token"))
            .json(&json!({}))
            .send()
            .await
            .unwrap(),
    )
    .await;
    assert_eq!(missing.status, 401);
}

#[tokio::test]
async fn unreadable_requests_are_told_apart() {
    let fixture = Fixture::start().await;
    let refused = async |body: &'static [u8]| {
        let request = fixture.request("/api/v2/token", &Value::Null).body(body);
        read(request.send().await.unwrap()).await.identifier()
    };
    assert_eq!(refused(b"{}").await, "MISSING_VALUE");
    assert_eq!(refused(b"{\"clientId\": ").await, "JSON_ERROR");
    assert_eq!(refused(b"{\"clientId\": \"\xff\"}").await, "ENCODING_ERROR");
    assert_eq!(refused(b"[]").await, "VALIDATION_ERROR");
    assert_eq!(refused(b"{\"clientId\": 5}").await, "VALIDATION_ERROR");
    assert_eq!(refused(b"{\"clientId\": \"\"}").await, "BAD_VALUE");
    assert_eq!(
        read(
            fixture
                .client
                .get(fixture.url("/api/v2/token"))
                .send()
                .await
                .unwrap()
        )
        .await
        .identifier(),
        "METHOD_NOT_ALLOWED"
    );
}

#[tokio::test]
async fn an_unused_session_lapses_and_says_so() {
    let mut fixture = Fixture::start().await;
    let session = fixture
        .open(json!({"clientId": "client", "externalRef": "ours", "expiryTime": 0}))
        .await;
    let callback = fixture.receiver.next().await;
    let body = callback.body();
    assert_eq!(
        callback.header("idenfy-event-type"),
        Some("IDENTIFICATION_EXPIRED")
    );
    assert_eq!(
        (&body["status"]["overall"], &body["externalRef"]),
        (&json!("EXPIRED"), &json!("ours"))
    );
    assert_eq!(
        (&body["fileUrls"], &body["data"]["docFirstName"]),
        (&Value::Null, &Value::Null)
    );
    assert_eq!(fixture.shown(&session).await["state"], "EXPIRED");
    assert_eq!(
        fixture
            .post("/api/v2/process", submission(&session))
            .await
            .identifier(),
        "TOKEN_NOT_VALID"
    );
}

#[tokio::test]
async fn a_session_can_be_made_to_lapse_once() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let path = format!("/sessions/{}/expire", session.scan_ref);
    fixture
        .admin("POST", &path, json!({"overrides": {"finishTime": null}}))
        .await;
    assert!(
        fixture
            .receiver
            .next()
            .await
            .body()
            .get("finishTime")
            .is_none()
    );
    assert_eq!(
        fixture.try_admin("POST", &path, json!({})).await.status,
        409
    );
}

#[tokio::test]
async fn a_second_active_session_conflicts_only_by_setting() {
    let fixture = Fixture::start().await;
    let first = fixture.session("client").await;
    fixture.session("client").await;
    fixture
        .settings(json!({"conflictOnActiveSession": true}))
        .await;
    let second = fixture
        .post("/api/v2/token", json!({"clientId": "client"}))
        .await;
    assert_eq!(second.status, 409);
    fixture.finish(&first, json!({})).await;
    fixture.session("other").await;
}

#[tokio::test]
async fn a_token_names_a_receiver_only_if_it_is_permitted() {
    let mut fixture = Fixture::start().await;
    let other = fixture.receiver.url.replace("/webhook", "/other");
    let request = json!({"clientId": "client", "callbackUrl": other});
    assert_eq!(
        fixture
            .post("/api/v2/token", request.clone())
            .await
            .identifier(),
        "BAD_VALUE"
    );
    fixture
        .settings(json!({"permittedCallbackUrls": [other], "callbackUrl": null}))
        .await;
    let session = fixture.open(request).await;
    fixture.finish(&session, json!({})).await;
    fixture.receiver.next().await;
}
