//! The provider refuses or fails while a session is created: a stable code, without the provider's
//! own words.

use api_contract::Application;
use harness::{ApiAnswer, Stack};
use reqwest::Method;
use serde_json::{Value, json};

const WORDS: &str = "words of the provider";

async fn with_fault(stack: &Stack, mut fault: Value) -> ApiAnswer {
    let client_id = format!("customer-{}", uuid::Uuid::new_v4().simple());
    fault["route"] = json!("token");
    fault["match"] = json!({"clientId": client_id});
    fault["message"] = json!(WORDS);
    let at_most = fault["times"].as_u64().unwrap_or(1);
    stack
        .sandbox
        .admin(Method::POST, "/faults", fault)
        .await
        .unwrap();
    let answer = stack
        .api(
            Method::POST,
            "/sessions",
            Some(json!({"clientId": client_id})),
        )
        .await
        .unwrap();
    let text = answer.body.to_string();
    assert!(!text.contains(WORDS) && !text.contains('<'), "{text}");
    let asked = stack.sandbox.requests_of(&client_id).await.unwrap().len() as u64;
    assert!(
        (1..=at_most).contains(&asked),
        "asked {asked} times, and each may have made a session"
    );
    answer
}

#[tokio::test]
async fn each_refusal_has_its_status_and_code() {
    let stack = Stack::shared().await.unwrap();
    let check = async |fault: Value, status: u16, code: &str| {
        let answer = with_fault(&stack, fault.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{fault} {}",
            answer.body
        );
        answer
    };
    check(
        json!({"kind": "status", "status": 409, "identifier": "ACTIVE_SESSION"}),
        409,
        "active_session",
    )
    .await;
    let limited = check(
        json!({"kind": "status", "status": 429, "retryAfterSeconds": 7}),
        429,
        "rate_limited",
    )
    .await;
    assert_eq!(limited.header("retry-after"), Some("7"));
    let limited = check(
        json!({"kind": "status", "status": 429}),
        429,
        "rate_limited",
    )
    .await;
    assert!(
        limited.header("retry-after").is_some(),
        "always, also when the provider does not say"
    );
    let rejected = check(
        json!({"kind": "status", "status": 400, "identifier": "BAD_VALUE"}),
        422,
        "provider_rejected",
    )
    .await;
    assert!(
        rejected.body["detail"]
            .as_str()
            .unwrap()
            .contains("BAD_VALUE")
    );
    check(json!({"kind": "errorIn200"}), 422, "provider_rejected").await;
    // Once more with the secret read anew, in case it was rotated: at most once a minute for all
    // callers.
    let fault = json!({"kind": "status", "status": 401, "identifier": "UNAUTHORIZED", "times": 2});
    check(fault, 503, "provider_account").await;
    for (status, identifier) in [(402, "PERMISSIONS_ERROR"), (403, "PERMISSIONS_ERROR")] {
        let fault = json!({"kind": "status", "status": status, "identifier": identifier});
        check(fault, 503, "provider_account").await;
    }
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_a_bad_gateway() {
    let stack = Stack::shared().await.unwrap();
    for fault in [
        json!({"kind": "status", "status": 500}),
        json!({"kind": "html"}),
        json!({"kind": "reset"}),
        json!({"kind": "truncate"}),
        json!({"kind": "acceptedThenReset"}),
    ] {
        let answer = with_fault(&stack, fault.clone()).await;
        assert_eq!(
            (answer.status, answer.code()),
            (502, "provider_failed"),
            "{fault} {}",
            answer.body
        );
    }
}
