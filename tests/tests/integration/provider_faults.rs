//! Faults of the provider. At most one submission is accepted, and the pairing settles or has a
//! reason.

use harness::{Session, Stack};
use serde_json::{Value, json};

async fn with_fault(stack: &Stack, fault: Value) -> Session<'_> {
    let session = stack.session_with_documents().await.unwrap();
    session.fault(fault).await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    session
}

async fn settles_with_one_submission(stack: &Stack, fault: Value) -> Session<'_> {
    let session = with_fault(stack, fault).await;
    session.until_settled().await.unwrap();
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Settled");
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
    session
}

async fn parks<'stack>(stack: &'stack Stack, fault: Value, reason: &str) -> Session<'stack> {
    let session = with_fault(stack, fault).await;
    session.until_parked(reason).await.unwrap();
    assert_eq!(stack.nudge(&session.scan_ref).await.unwrap(), "Parked");
    assert!(session.accepted_submissions().await.unwrap().is_empty());
    session
}

/// When the provider got it.
pub fn milliseconds(request: &Value) -> i64 {
    let at: verification::Timestamp = request["at"].as_str().unwrap().parse().unwrap();
    at.milliseconds()
}

#[tokio::test]
async fn a_rate_limited_token_request_waits_as_it_is_told() {
    let stack = Stack::shared().await.unwrap();
    let fault = json!({"route": "token", "kind": "status", "status": 429, "retryAfterSeconds": 6});
    let session = settles_with_one_submission(&stack, fault).await;
    let tokens = session.requests("token").await.unwrap();
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    let waited = milliseconds(&tokens[1]) - milliseconds(&tokens[0]);
    assert!(waited >= 6_000, "{waited} ms");
    // It did nothing, so it does not count.
    assert_eq!(
        session.pairing().await.unwrap().unwrap().pairing["attempts"],
        1
    );
}

#[tokio::test]
async fn a_client_with_an_active_session_waits_for_its_end() {
    let stack = Stack::shared().await.unwrap();
    let fault =
        json!({"route": "token", "kind": "status", "status": 409, "identifier": "ACTIVE_SESSION"});
    let session = settles_with_one_submission(&stack, fault).await;
    let tokens = session.requests("token").await.unwrap();
    let waited = milliseconds(&tokens[1]) - milliseconds(&tokens[0]);
    assert!((60_000..80_000).contains(&waited), "{waited} ms");
    assert_eq!(tokens.len(), 2, "{tokens:?}");
    assert_eq!(
        session.pairing().await.unwrap().unwrap().pairing["attempts"],
        1
    );
}

#[tokio::test]
async fn a_token_request_that_fails_is_made_again() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Value| {
        let session = settles_with_one_submission(&stack, fault).await;
        assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
    };
    tokio::join!(
        check(json!({"route": "token", "kind": "status", "status": 500})),
        check(json!({"route": "token", "kind": "html"})),
        check(json!({"route": "token", "kind": "reset"})),
    );
}

#[tokio::test]
async fn a_token_whose_answer_was_lost_is_given_up() {
    let stack = Stack::shared().await.unwrap();
    let session = settles_with_one_submission(
        &stack,
        json!({"route": "token", "kind": "acceptedThenReset"}),
    )
    .await;
    let settled = session.pairing().await.unwrap().unwrap();
    let second = settled.second_scan_ref.clone().unwrap();
    let sessions = session.sessions("DOCUMENT").await.unwrap();
    assert_eq!(sessions.len(), 2);
    let orphan = sessions
        .iter()
        .find(|session| session["scanRef"] != second.as_str())
        .unwrap();
    assert_eq!(orphan["processedAt"], Value::Null);
    assert_eq!(
        settled.pairing["attempts"], 2,
        "each may have cost a credit, so each counts"
    );

    let path = format!("/sessions/{}/expire", orphan["scanRef"].as_str().unwrap());
    let answer = stack
        .sandbox
        .admin("POST".parse().unwrap(), &path, json!({}))
        .await
        .unwrap();
    assert_eq!(answer["deliveries"][0]["status"], 200, "{answer}");
    assert_eq!(session.pairing().await.unwrap(), Some(settled));
}

#[tokio::test]
async fn a_token_that_is_refused_parks() {
    let stack = Stack::shared().await.unwrap();
    let check = async |status: u16, identifier: &str| {
        let fault =
            json!({"route": "token", "kind": "status", "status": status, "identifier": identifier});
        let session = parks(&stack, fault, "SecondTokenRefused").await;
        assert_eq!(session.requests("token").await.unwrap().len(), 1);
    };
    tokio::join!(
        check(400, "PARTNER_CONTRACT_ERROR"),
        check(402, "PERMISSIONS_ERROR"),
        check(403, "PERMISSIONS_ERROR")
    );
}

/// Number of status requests about Token 2; there are some about the first verification, too.
async fn asked_about_token_2(session: &Session<'_>) -> usize {
    let statuses = session.requests("status").await.unwrap();
    let is_about_first = |request: &&Value| request["scanRef"] == session.scan_ref.as_str();
    statuses.len() - statuses.iter().filter(is_about_first).count()
}

#[tokio::test]
async fn an_accepted_submission_without_answer_is_not_repeated() {
    let stack = Stack::shared().await.unwrap();
    let session = settles_with_one_submission(
        &stack,
        json!({"route": "process", "kind": "acceptedThenReset"}),
    )
    .await;
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
    assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_unanswered_submission_is_known_by_its_status() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "process", "kind": "acceptedThenReset"}))
        .await
        .unwrap();
    // Long enough for the status request, even if other tests' faults have opened the circuit.
    session
        .outcome(json!({"delayMilliseconds": 30_000}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let submitted = session.until("Submitted").await.unwrap();
    assert!(submitted.attention_at.is_some());
    assert_eq!(asked_about_token_2(&session).await, 1);
    session.until_settled().await.unwrap();
    assert_eq!(session.requests("process").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_submission_in_doubt_is_repeated_with_an_unused_token() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Value| {
        let session = settles_with_one_submission(&stack, fault).await;
        assert_eq!(session.requests("process").await.unwrap().len(), 2);
        assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
        assert!(
            asked_about_token_2(&session).await > 0,
            "evidence comes first"
        );
    };
    tokio::join!(
        check(json!({"route": "process", "kind": "status", "status": 500})),
        check(json!({"route": "process", "kind": "html"})),
        check(json!({"route": "process", "kind": "reset"})),
    );
}

#[tokio::test]
async fn a_rate_limited_submission_is_repeated_with_its_token() {
    let stack = Stack::shared().await.unwrap();
    let fault =
        json!({"route": "process", "kind": "status", "status": 429, "retryAfterSeconds": 1});
    let session = settles_with_one_submission(&stack, fault).await;
    assert_eq!(session.requests("process").await.unwrap().len(), 2);
    assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_parks_even_when_it_comes_under_200() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Value| {
        let session = parks(&stack, fault, "SubmissionRefused").await;
        assert_eq!(session.requests("process").await.unwrap().len(), 1);
        assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 1);
    };
    tokio::join!(
        check(json!({"route": "process", "kind": "errorIn200"})),
        check(json!({"route": "process", "kind": "status", "status": 400,
                "identifier": "MISSING_VALUE"})),
    );
}

#[tokio::test]
async fn a_second_token_that_lapses_before_its_submission_is_replaced() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    // The submission waits, and meanwhile the token lapses at the provider.
    session
        .fault(json!({"route": "process", "kind": "status", "status": 429, "retryAfterSeconds": 5}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let authorized = session.until("Authorized").await.unwrap();
    let path = format!("/sessions/{}/expire", authorized.second_scan_ref.unwrap());
    stack
        .sandbox
        .admin("POST".parse().unwrap(), &path, json!({}))
        .await
        .unwrap();

    session.until_settled().await.unwrap();
    assert_eq!(session.sessions("DOCUMENT").await.unwrap().len(), 2);
    assert_eq!(session.accepted_submissions().await.unwrap().len(), 1);
}
