//! The straight way, and callbacks that come more than once.

use harness::{BACK, FRONT, Stack, pictures};
use serde_json::{Value, json};
use verification::identifiers::Digest256;

fn digest(bytes: &[u8]) -> Value {
    json!(Digest256::of(bytes).as_str())
}

#[tokio::test]
async fn a_token_made_elsewhere_opens_its_pairing() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let (front, back) = (pictures::jpeg(300_000), pictures::pdf(200_000));
    session
        .upload(FRONT, "image/jpeg", front.clone())
        .await
        .unwrap();
    session
        .upload(BACK, "application/pdf", back.clone())
        .await
        .unwrap();
    assert_eq!(session.pairing().await.unwrap(), None);

    session
        .finish_expecting_200(json!({"overrides": {"data": {"selectedCountry": "LT"}}}))
        .await
        .unwrap();
    let settled = session.until_settled().await.unwrap();

    assert_eq!(settled.client_id.as_ref(), Some(&session.client_id));
    assert_eq!(
        session.history().await.unwrap(),
        [
            "FirstResultQualified",
            "DocumentsCaptured",
            "AuthorizationStarted",
            "SecondTokenCreated",
            "SubmissionStarted",
            "DocumentsSubmitted",
            "SecondResultInQuestion",
            "SecondResult"
        ]
    );
    let documents = session.documents().await.unwrap();
    let keys: Vec<(&str, u64)> = documents
        .iter()
        .map(|object| (object.key.as_str(), object.bytes))
        .collect();
    let prefix = session.folder().await.unwrap();
    let (back_key, front_key) = (
        format!("{prefix}/{BACK}.pdf"),
        format!("{prefix}/{FRONT}.jpg"),
    );
    assert_eq!(
        keys,
        [(back_key.as_str(), 200_000), (front_key.as_str(), 300_000)]
    );
    assert_eq!(stack.object(&front_key).await.unwrap(), front);
    assert_eq!(stack.object(&back_key).await.unwrap(), back);

    let tokens = session.requests("token").await.unwrap();
    assert_eq!(tokens.len(), 1, "{tokens:?}");
    assert_eq!(tokens[0]["tokenType"], "DOCUMENT");
    assert_eq!(
        tokens[0]["externalRef"],
        format!("dv2:{}", session.scan_ref)
    );
    let submissions = session.requests("process").await.unwrap();
    assert_eq!(submissions.len(), 1, "{submissions:?}");
    assert_eq!(submissions[0]["status"], 200);
    assert_eq!(submissions[0]["tokenMember"], "token");
    assert_eq!(submissions[0]["country"], "LT");
    assert_eq!(submissions[0]["documentType"], Value::Null);
    assert_eq!(
        submissions[0]["images"],
        json!([
            {"side": "BACK", "bytes": 200_000, "sha256": digest(&back), "format": "pdf"},
            {"side": "FRONT", "bytes": 300_000, "sha256": digest(&front), "format": "jpeg"},
        ])
    );
}

#[tokio::test]
async fn a_document_with_one_side_is_submitted_without_a_back() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let front = pictures::pdf(40_000);
    session
        .upload(FRONT, "application/pdf", front.clone())
        .await
        .unwrap();
    session
        .finish_expecting_200(json!({"additionalSteps": "VALID"}))
        .await
        .unwrap();
    session.until_settled().await.unwrap();
    let images = session.requests("process").await.unwrap()[0]["images"].clone();
    assert_eq!(
        images,
        json!([{"side": "FRONT", "bytes": 40_000, "sha256": digest(&front), "format": "pdf"}])
    );
}

#[tokio::test]
async fn the_second_callback_never_starts_a_third_token() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let settled = session.until_settled().await.unwrap();

    // The provider's second callback looks like a first one: approved, with links to FRONT and
    // BACK. It comes once more.
    let second = settled.second_scan_ref.clone().unwrap();
    let path = format!("/sessions/{second}/callback");
    let again = stack
        .sandbox
        .admin("POST".parse().unwrap(), &path, json!({"count": 2}))
        .await
        .unwrap();
    assert!(
        again["deliveries"]
            .as_array()
            .unwrap()
            .iter()
            .all(|delivery| delivery["status"] == 200),
        "{again}"
    );
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");

    assert_eq!(session.pairing().await.unwrap(), Some(settled));
    assert_eq!(stack.pairing(&second).await.unwrap(), None);
    assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
    assert_eq!(session.requests("token").await.unwrap().len(), 1);
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
    // One fetch for each of the two steps, nothing else.
    assert_eq!(session.requests("file").await.unwrap().len(), 2);
    assert_eq!(session.documents().await.unwrap().len(), 2);
    assert!(
        stack
            .objects(&format!("documents/{second}"))
            .await
            .unwrap()
            .is_empty()
    );
}

#[tokio::test]
async fn a_callback_repeated_after_settlement_changes_nothing() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let settled = session.until_settled().await.unwrap();
    let (documents, callbacks) = (
        session.documents().await.unwrap(),
        session.archived_callbacks().await.unwrap(),
    );
    let requests = stack.sandbox.requests_of(&session.client_id).await.unwrap();

    let deliveries = session.send_again(json!({"count": 3})).await.unwrap();
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery["status"] == 200 && delivery["attempt"] == 1),
        "{deliveries:?}"
    );
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");

    assert_eq!(session.pairing().await.unwrap(), Some(settled));
    assert_eq!(session.documents().await.unwrap(), documents);
    assert_eq!(session.archived_callbacks().await.unwrap(), callbacks);
    assert_eq!(
        stack.sandbox.requests_of(&session.client_id).await.unwrap(),
        requests
    );
}

#[tokio::test]
async fn ten_copies_at_the_same_instant_have_the_effect_of_one() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    // The provider has a result that it could not deliver.
    session
        .fault(json!({"route": "callback", "kind": "drop"}))
        .await
        .unwrap();
    session.finish(json!({})).await.unwrap();

    let deliveries = session
        .send_again(json!({"count": 10, "concurrent": true}))
        .await
        .unwrap();
    assert_eq!(deliveries.len(), 10);
    assert!(
        deliveries.iter().all(|delivery| delivery["status"] == 200),
        "{deliveries:?}"
    );
    session.until_settled().await.unwrap();

    let history = session.history().await.unwrap();
    let qualified = history
        .iter()
        .filter(|what| *what == "FirstResultQualified")
        .count();
    assert_eq!(qualified, 1, "{history:?}");
    assert_eq!(session.documents().await.unwrap().len(), 2);
    assert_eq!(session.requests("file").await.unwrap().len(), 2);
    assert_eq!(session.requests("token").await.unwrap().len(), 1);
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
    assert_eq!(session.archived_callbacks().await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_negative_second_result_settles_with_its_own_verdict() {
    let stack = Stack::shared().await.unwrap();
    let settle = async |overall: &str, verdict: &str| {
        let session = stack.session_with_documents().await.unwrap();
        session
            .outcome(json!({"overall": overall, "nonFinalFirst": true}))
            .await
            .unwrap();
        session.finish_expecting_200(json!({})).await.unwrap();
        let settled = session.until("Settled").await.unwrap();
        assert_eq!(settled.verdict.as_deref(), Some(verdict), "{settled}");
        assert_eq!(settled.pairing["second"]["overall"], overall);
    };
    tokio::join!(settle("DENIED", "Denied"), settle("SUSPECTED", "Suspected"));
}

#[tokio::test]
async fn a_negative_first_result_after_settlement_revokes() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session.until_settled().await.unwrap();

    session
        .finish_expecting_200(json!({"overall": "DENIED"}))
        .await
        .unwrap();
    let revoked = session.until_revoked(Some("FirstDenied")).await.unwrap();
    assert_eq!(revoked.state, "Settled");
}
