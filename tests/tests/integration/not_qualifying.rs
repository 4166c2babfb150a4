//! First results that do not qualify, or not yet. Nothing is fetched, no token is spent, and the
//! pairing has the reason.

use harness::{PairingRecord, Session, Stack};
use serde_json::{Value, json};

/// Finishes a session with a result, has the processor look at the pairing, and shows that nothing
/// was done.
async fn after(stack: &Stack, result: Value) -> PairingRecord {
    let session = stack.session_with_documents().await.unwrap();
    let pairing = after_in(&session, stack, result).await;
    assert!(
        session.history().await.unwrap().len() <= 1,
        "one callback, one line at most"
    );
    pairing
}

async fn after_in(session: &Session<'_>, stack: &Stack, result: Value) -> PairingRecord {
    session.finish_expecting_200(result).await.unwrap();
    let pairing = session
        .pairing()
        .await
        .unwrap()
        .expect("every first result opens a pairing");
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), pairing.state);
    session.assert_nothing_spent().await.unwrap();
    assert!(
        session.requests("file").await.unwrap().is_empty(),
        "nothing is fetched"
    );
    assert!(session.documents().await.unwrap().is_empty());
    assert!(
        !session.archived_callbacks().await.unwrap().is_empty(),
        "what was answered 200 is kept"
    );
    assert_eq!(session.pairing().await.unwrap(), Some(pairing.clone()));
    pairing
}

fn stands(pairing: &PairingRecord) -> (&str, Option<&str>) {
    (&pairing.state, pairing.reason.as_deref())
}

#[tokio::test]
async fn negative_results_decline() {
    let stack = Stack::shared().await.unwrap();
    let check = async |result: Value, reason: &str| {
        let pairing = after(&stack, result.clone()).await;
        assert_eq!(stands(&pairing), ("Declined", Some(reason)), "{result}");
    };
    tokio::join!(
        check(json!({"overall": "DENIED"}), "FirstDenied"),
        check(json!({"overall": "SUSPECTED"}), "FirstSuspected"),
        check(json!({"overall": "DELETED"}), "FirstRemoved"),
        check(json!({"additionalSteps": "INVALID"}), "StepInvalid"),
        check(json!({"additionalSteps": "NOT_FOUND"}), "StepNotFound"),
        check(
            json!({"additionalSteps": "Additional step is invalid"}),
            "StepInvalid"
        ),
        check(
            json!({"additionalSteps": "Additional step was not found"}),
            "StepNotFound"
        ),
        // An ordinary verification, of an account that also has others.
        check(
            json!({"additionalSteps": null, "overrides": {"additionalSteps": null}}),
            "NoAdditionalStep"
        ),
        // A negative word counts even where another is unclear.
        check(
            json!({"overall": "DENIED", "additionalSteps": "PERHAPS"}),
            "FirstDenied"
        ),
    );
}

#[tokio::test]
async fn results_that_are_not_final_wait() {
    let stack = Stack::shared().await.unwrap();
    let check = async |result: Value| {
        let pairing = after(&stack, result.clone()).await;
        assert_eq!(
            stands(&pairing),
            ("AwaitingCallback", Some("ResultNotFinal")),
            "{result}"
        );
    };
    tokio::join!(
        check(json!({"final": false})),
        check(json!({"final": false, "overall": "DENIED"})),
        check(json!({"overall": "REVIEWING"})),
        check(json!({"overall": "ACTIVE"})),
    );
}

#[tokio::test]
async fn unclear_results_are_parked_before_anything_is_spent() {
    let stack = Stack::shared().await.unwrap();
    let check = async |result: Value, reason: &str| {
        let pairing = after(&stack, result.clone()).await;
        assert_eq!(stands(&pairing), ("Parked", Some(reason)), "{result}");
    };
    tokio::join!(
        check(json!({"overall": "SPLENDID"}), "OverallUnknown"),
        check(json!({"additionalSteps": "PERHAPS"}), "StepVerdictUnknown"),
        check(json!({"additionalSteps": null}), "StepNotJudged"),
        check(
            json!({"overrides": {"additionalSteps": null}}),
            "StepsNotNamed"
        ),
        check(
            json!({"overrides": {"additionalSteps": {"SECOND_DOC_FRONT": null,
                "SECOND_DOC_BACK": null, "A": "UPLOAD", "B": "UPLOAD"}}}),
            "SidesUnclear"
        ),
        check(
            json!({"overrides": {"additionalSteps": {"SECOND_DOC_BACK": null,
                "SECOND\u{202e}_BACK": "UPLOAD"}}}),
            "SidesUnclear"
        ),
        check(json!({"overrides": {"clientId": null}}), "ClientUnknown"),
        check(
            json!({"overrides": {"clientId": "x".repeat(101)}}),
            "ClientUnusable"
        ),
        check(
            json!({"overrides": {"data": {"selectedCountry": null, "docIssuingCountry": null}}}),
            "CountryUnknown"
        ),
    );
}

#[tokio::test]
async fn a_customer_who_never_finishes_expires() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session().await.unwrap();
    let path = format!("/sessions/{}/expire", session.scan_ref);
    let answer = stack
        .sandbox
        .admin("POST".parse().unwrap(), &path, json!({}))
        .await
        .unwrap();
    assert_eq!(answer["deliveries"][0]["status"], 200, "{answer}");

    let pairing = session.pairing().await.unwrap().unwrap();
    assert_eq!(stands(&pairing), ("Expired", None));
    session.assert_nothing_spent().await.unwrap();
}

#[tokio::test]
async fn a_qualifying_result_after_another_settles() {
    let stack = Stack::shared().await.unwrap();
    let check = async |first: Value| {
        let session = stack.session_with_documents().await.unwrap();
        session.finish_expecting_200(first).await.unwrap();
        session.finish_expecting_200(json!({})).await.unwrap();
        session.until_settled().await.unwrap();
        assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    };
    tokio::join!(
        check(json!({"final": false, "overall": "REVIEWING"})),
        check(json!({"overall": "DENIED"})),
        check(json!({"overall": "SPLENDID"})),
    );
}

#[tokio::test]
async fn what_older_pages_document_qualifies_as_well() {
    let stack = Stack::shared().await.unwrap();
    let check = async |result: Value| {
        let session = stack.session_with_documents().await.unwrap();
        session.finish_expecting_200(result).await.unwrap();
        session.until_settled().await.unwrap();
    };
    tokio::join!(
        check(json!({"additionalSteps": "Additional step is valid"})),
        // A body from before the member `final`.
        check(json!({"overrides": {"final": null}})),
        check(json!({"eventType": "ID_VERIFICATION_MANUAL_FINISHED"})),
        check(json!({"eventType": "IDENTIFICATION"})),
    );
}
