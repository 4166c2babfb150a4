//! Direct processing: what is accepted, what is refused, and what comes of it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::future::join_all;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::fixture::{Fixture, PDF, PNG, submission};

#[tokio::test]
async fn an_accepted_submission_is_followed_by_a_callback() {
    let mut fixture = Fixture::start().await;
    let steps = json!({"ALL": {"ALL": {}}});
    let request = json!({"clientId": "client", "tokenType": "DOCUMENT",
        "externalRef": "dv2:first", "additionalSteps": steps});
    let session = fixture.open(request).await;
    let answer = fixture.post("/api/v2/process", submission(&session)).await;
    assert_eq!((answer.status, answer.raw.len()), (200, 0));

    let callback = fixture.receiver.next().await;
    let body = callback.body();
    assert_eq!(
        callback.header("idenfy-event-type"),
        Some("IDENTIFICATION_AUTO_FINISHED")
    );
    assert_eq!(
        (&body["final"], &body["status"]["overall"]),
        (&json!(true), &json!("APPROVED"))
    );
    assert_eq!(
        (&body["scanRef"], &body["externalRef"]),
        (&json!(session.scan_ref), &json!("dv2:first"))
    );
    assert_eq!(
        body["fileUrls"]
            .as_object()
            .unwrap()
            .keys()
            .collect::<Vec<_>>(),
        ["BACK", "FRONT"]
    );
    assert_eq!(body["additionalSteps"], Value::Null);

    let record = &fixture.requests("process").await[0];
    let image = |side: &str, bytes: &[u8], format: &str| {
        json!({"side": side,
        "bytes": bytes.len(), "sha256": hex::encode(Sha256::digest(bytes)), "format": format})
    };
    assert_eq!(
        record["images"],
        json!([image("BACK", PDF, "pdf"), image("FRONT", PNG, "png")])
    );
    assert_eq!(
        (
            &record["tokenMember"],
            &record["country"],
            &record["documentType"]
        ),
        (&json!("token"), &json!("LT"), &Value::Null)
    );
    assert_eq!(
        (&record["clientId"], &record["tokenType"], &record["status"]),
        (&json!("client"), &json!("DOCUMENT"), &json!(200))
    );
    assert!(!record.to_string().contains(&session.auth_token));
}

#[tokio::test]
async fn of_many_submissions_with_one_token_one_is_accepted() {
    let mut fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    let answers =
        join_all((0..8).map(|_| fixture.post("/api/v2/process", submission(&session)))).await;
    let (accepted, refused): (Vec<_>, Vec<_>) =
        answers.iter().partition(|answer| answer.status == 200);
    assert_eq!((accepted.len(), refused.len()), (1, 7));
    assert!(
        refused
            .iter()
            .all(|answer| answer.identifier() == "TOKEN_NOT_VALID")
    );
    fixture.receiver.next().await;
    assert!(fixture.receiver.is_quiet());
}

#[tokio::test]
async fn a_country_in_lower_case_is_made_upper_case() {
    let mut fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    let mut request = submission(&session);
    request["country"] = json!("pl");
    assert_eq!(fixture.post("/api/v2/process", request).await.status, 200);
    let body = fixture.receiver.next().await.body();
    assert_eq!(body["data"]["docIssuingCountry"], "PL");
}

#[tokio::test]
async fn each_condition_is_enforced() {
    let fixture = Fixture::start().await;
    let image = |bytes: &[u8]| json!(STANDARD.encode(bytes));
    for (change, expected) in [
        (json!({"token": "nonsense"}), "TOKEN_NOT_VALID"),
        (json!({"token": null}), "MISSING_VALUE"),
        (json!({"country": null}), "MISSING_VALUE"),
        (json!({"country": "l"}), "BAD_VALUE"),
        (json!({"country": "LTU"}), "BAD_VALUE"),
        (json!({"documentType": "LIBRARY_CARD"}), "BAD_VALUE"),
        (json!({"images": null}), "MISSING_VALUE"),
        (json!({"images": {}}), "MISSING_VALUE"),
        (json!({"images": {"BACK": image(PNG)}}), "MISSING_VALUE"),
        (
            json!({"images": {"FRONT": image(PNG), "SECOND_DOC_FRONT": image(PNG)}}),
            "BAD_VALUE",
        ),
        (
            json!({"images": {"FRONT": "not base64!"}}),
            "ENCODING_ERROR",
        ),
        (
            json!({"images": {"FRONT": format!("data:image/png;base64,{}", STANDARD.encode(PNG))}}),
            "ENCODING_ERROR",
        ),
        (
            json!({"images": {"FRONT": image(b"RIFF\0\0\0\0WEBPVP8 ")}}),
            "BAD_VALUE",
        ),
        (
            json!({"images": {"FRONT": image(b"<html>gone</html>")}}),
            "BAD_VALUE",
        ),
        (
            json!({"images": {"FRONT": image(b"%PDF-1.7\ntrailer << /Encrypt 5 0 R >>")}}),
            "BAD_VALUE",
        ),
        (json!({"images": {"FRONT": 5}}), "VALIDATION_ERROR"),
    ] {
        let session = fixture.document_token("client").await;
        let mut request = submission(&session);
        for (name, value) in change.as_object().unwrap() {
            request[name] = value.clone();
        }
        let answer = fixture.post("/api/v2/process", request).await;
        assert_eq!(
            (answer.status, answer.identifier().as_str()),
            (400, expected),
            "{change}"
        );
    }
}

#[tokio::test]
async fn only_a_bare_token_is_processed() {
    let fixture = Fixture::start().await;
    let none = json!({"ALL": {"ALL": {}}});
    for (token, expected) in [
        (json!({"tokenType": "DOCUMENT"}), "MISSING_VALUE"),
        (
            json!({"tokenType": "DOCUMENT", "additionalSteps": none, "questionnaire": "kyc"}),
            "BAD_VALUE",
        ),
        (
            json!({"tokenType": "DOCUMENT", "additionalSteps": none, "nfcRequired": true}),
            "BAD_VALUE",
        ),
        (
            json!({"tokenType": "IDENTIFICATION", "additionalSteps": none}),
            "MISSING_VALUE",
        ),
    ] {
        let mut request = token.clone();
        request["clientId"] = json!("client");
        let session = fixture.open(request).await;
        let answer = fixture.post("/api/v2/process", submission(&session)).await;
        assert_eq!(answer.identifier(), expected, "{token}");
    }
}

#[tokio::test]
async fn a_session_that_its_customer_opened_is_not_processed() {
    let fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    fixture
        .form("/verification/start", &[("authToken", &session.auth_token)])
        .await;
    assert_eq!(
        fixture
            .post("/api/v2/process", submission(&session))
            .await
            .identifier(),
        "TOKEN_NOT_VALID"
    );
}

#[tokio::test]
async fn the_tokens_member_is_the_one_of_the_setting() {
    let fixture = Fixture::start().await;
    for (setting, member, accepted) in [
        ("token", "token", true),
        ("token", "authToken", false),
        ("authToken", "authToken", true),
        ("authToken", "token", false),
        ("either", "token", true),
        ("either", "authToken", true),
    ] {
        fixture
            .settings(json!({"processTokenField": setting}))
            .await;
        let session = fixture.document_token("client").await;
        let mut request = submission(&session);
        let token = request.as_object_mut().unwrap().remove("token").unwrap();
        request[member] = token;
        let answer = fixture.post("/api/v2/process", request).await;
        assert_eq!(answer.status == 200, accepted, "{setting}, {member}");
        if !accepted {
            assert_eq!(answer.identifier(), "MISSING_VALUE");
            assert!(answer.text().contains(setting));
        }
    }
}

#[tokio::test]
async fn a_refused_submission_uses_its_token_up_unless_set_otherwise() {
    let fixture = Fixture::start().await;
    for (burns, then) in [(true, 400), (false, 200)] {
        fixture.settings(json!({"burnTokenOnError": burns})).await;
        let session = fixture.document_token("client").await;
        let mut bad = submission(&session);
        bad["country"] = json!("??");
        assert_eq!(
            fixture.post("/api/v2/process", bad).await.identifier(),
            "BAD_VALUE"
        );
        assert_eq!(
            fixture
                .post("/api/v2/process", submission(&session))
                .await
                .status,
            then
        );
    }
}

#[tokio::test]
async fn settings_add_conditions() {
    let fixture = Fixture::start().await;
    let front_only = json!({"FRONT": STANDARD.encode(PNG)});
    for (setting, document_type, expected) in [
        (json!({"requireBack": true}), Some("ID_CARD"), 400),
        (json!({"requireBack": true}), None, 400),
        (json!({"requireBack": true}), Some("PASSPORT"), 200),
        (
            json!({"requireBack": false, "requireDocumentType": true}),
            None,
            400,
        ),
        (json!({"requireDocumentType": true}), Some("PASSPORT"), 200),
        (
            json!({"requireDocumentType": false, "imageLimitBytes": 5}),
            None,
            400,
        ),
        (
            json!({"imageLimitBytes": null, "directProcessing": false}),
            None,
            400,
        ),
        (json!({"directProcessing": true}), None, 200),
    ] {
        fixture.settings(setting.clone()).await;
        let session = fixture.document_token("client").await;
        let mut request = submission(&session);
        request["images"] = front_only.clone();
        if let Some(document_type) = document_type {
            request["documentType"] = json!(document_type);
        }
        assert_eq!(
            fixture.post("/api/v2/process", request).await.status,
            expected,
            "{setting} {document_type:?}"
        );
    }
}

#[tokio::test]
async fn base64_with_escaped_slashes_is_the_same_text() {
    let fixture = Fixture::start().await;
    let session = fixture.document_token("client").await;
    let slashes = b"\xff\xd8\xff\xff\xff\xff\xff\xff\xff";
    let mut request = submission(&session);
    request["images"] = json!({"FRONT": STANDARD.encode(slashes)});
    let escaped = request.to_string().replace('/', "\\/");
    let answer = fixture
        .request("/api/v2/process", &Value::Null)
        .body(escaped)
        .send()
        .await
        .unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(
        fixture.requests("process").await[0]["images"][0]["sha256"],
        hex::encode(Sha256::digest(slashes))
    );
}

#[tokio::test]
async fn a_request_may_have_20_megabytes_and_no_more() {
    let fixture = Fixture::start().await;
    let of_length = |session: &crate::fixture::Opened, length: usize| {
        let mut request = submission(session);
        request["padding"] = json!("");
        let padding = length - request.to_string().len();
        request["padding"] = json!("x".repeat(padding));
        request
    };
    let session = fixture.document_token("client").await;
    let too_long = fixture
        .post("/api/v2/process", of_length(&session, 20_000_001))
        .await;
    assert_eq!(too_long.identifier(), "BAD_VALUE");
    assert_eq!(
        fixture
            .post("/api/v2/process", of_length(&session, 20_000_000))
            .await
            .status,
        200
    );

    let session = fixture.document_token("client").await;
    let far_too_long = fixture
        .post("/api/v2/process", of_length(&session, 21_000_001))
        .await;
    assert_eq!(
        (far_too_long.status, far_too_long.content_type.as_str()),
        (413, "text/html")
    );
    assert_eq!(
        fixture.requests("process").await.last().unwrap()["status"],
        413
    );
}

#[tokio::test]
async fn a_client_gets_the_outcome_that_was_set_for_it() {
    let mut fixture = Fixture::start().await;
    let outcome = json!({"overall": "DENIED", "nonFinalFirst": true, "delayMilliseconds": 0,
        "overrides": {"platform": "MOBILE"}});
    fixture
        .admin("PUT", "/outcomes/unlucky%2Fclient", outcome)
        .await;
    let session = fixture.document_token("unlucky/client").await;
    fixture.post("/api/v2/process", submission(&session)).await;

    let (first, second) = (
        fixture.receiver.next().await.body(),
        fixture.receiver.next().await,
    );
    assert_eq!(
        (&first["final"], &first["status"]["overall"]),
        (&json!(false), &json!("REVIEWING"))
    );
    assert_eq!(
        second.header("idenfy-event-type"),
        Some("IDENTIFICATION_MANUAL_FINISHED")
    );
    let second = second.body();
    assert_eq!(
        (&second["final"], &second["status"]["overall"]),
        (&json!(true), &json!("DENIED"))
    );
    assert_eq!(
        (&first["platform"], &second["platform"]),
        (&json!("OTHER"), &json!("MOBILE"))
    );
}

#[tokio::test]
async fn processing_takes_its_time_before_the_result() {
    let fixture = Fixture::start().await;
    fixture
        .settings(json!({"processingMilliseconds": 3_600_000}))
        .await;
    let session = fixture.document_token("client").await;
    fixture.post("/api/v2/process", submission(&session)).await;
    assert_eq!(fixture.shown(&session).await["state"], "PROCESSING");
    let status = fixture
        .post("/api/v2/status", json!({"scanRef": session.scan_ref}))
        .await
        .json();
    assert_eq!(status["status"], "REVIEWING");
}
