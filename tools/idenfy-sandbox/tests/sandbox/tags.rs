//! Fraud and mismatch tags: why something is suspected.

use serde_json::{Value, json};

use crate::fixture::{Fixture, submission};

fn tags(status: &Value) -> (&Value, &Value) {
    (&status["fraudTags"], &status["mismatchTags"])
}

#[tokio::test]
async fn the_same_tags_are_in_the_callback_and_the_status() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let how = json!({"overall": "SUSPECTED", "additionalSteps": "INVALID",
        "fraudTags": ["DUPLICATE_FACE", "FAKE_PHOTO"], "mismatchTags": ["SURNAME"]});
    fixture.finish(&session, how).await;
    let body = fixture.receiver.next().await.body();
    let expected = (
        &json!(["DUPLICATE_FACE", "FAKE_PHOTO"]),
        &json!(["INVALID_ADDITIONAL_STEP", "SURNAME"]),
    );
    assert_eq!(tags(&body["status"]), expected);
    let status = fixture
        .post("/api/v2/status", json!({"scanRef": session.scan_ref}))
        .await
        .json();
    assert_eq!(
        (tags(&status), &status["status"]),
        (expected, &json!("SUSPECTED"))
    );
}

#[tokio::test]
async fn suspected_never_comes_without_a_tag() {
    let mut fixture = Fixture::start().await;
    let none = json!([]);
    for (how, fraud, mismatch) in [
        (json!({"additionalSteps": null}), json!([]), json!(["NAME"])),
        (
            json!({"additionalSteps": "NOT_FOUND"}),
            json!([]),
            json!(["ADDITIONAL_STEP_NOT_FOUND"]),
        ),
        (
            json!({"additionalSteps": null, "fraudTags": ["AML_SUSPECTION"]}),
            json!(["AML_SUSPECTION"]),
            none.clone(),
        ),
    ] {
        let session = fixture.session("client").await;
        let mut suspected = how.clone();
        suspected["overall"] = json!("SUSPECTED");
        fixture.finish(&session, suspected).await;
        let status = fixture.receiver.next().await.body()["status"].clone();
        assert_eq!(tags(&status), (&fraud, &mismatch), "{how}");
        assert!(!status["suspicionReasons"].as_array().unwrap().is_empty());
    }
    let approved = fixture.session("client").await;
    fixture
        .finish(&approved, json!({"additionalSteps": "VALID"}))
        .await;
    assert_eq!(
        tags(&fixture.receiver.next().await.body()["status"]),
        (&none, &none)
    );
}

#[tokio::test]
async fn direct_processing_has_the_tags_of_its_outcome() {
    let mut fixture = Fixture::start().await;
    let outcome = json!({"overall": "SUSPECTED", "fraudTags": ["DOC_PRINT_SPOOFED"],
        "mismatchTags": ["DATE_OF_BIRTH"]});
    fixture.admin("PUT", "/outcomes/client", outcome).await;
    let session = fixture.document_token("client").await;
    fixture.post("/api/v2/process", submission(&session)).await;
    let body = fixture.receiver.next().await.body();
    assert_eq!(
        tags(&body["status"]),
        (&json!(["DOC_PRINT_SPOOFED"]), &json!(["DATE_OF_BIRTH"]))
    );
}

#[tokio::test]
async fn a_reviewer_gives_tags_as_words() {
    let mut fixture = Fixture::start().await;
    let session = fixture.session("client").await;
    let fields = [
        ("finding", "suspect"),
        ("fraudTags", "DUPLICATE_FACE, FAKE_PHOTO"),
        ("mismatchTags", "NAME"),
    ];
    let decision = format!("/reviewer/sessions/{}/decision", session.scan_ref);
    fixture.form(&decision, &fields).await.location();
    let body = fixture.receiver.next().await.body();
    assert_eq!(
        tags(&body["status"]),
        (&json!(["DUPLICATE_FACE", "FAKE_PHOTO"]), &json!(["NAME"]))
    );
}
