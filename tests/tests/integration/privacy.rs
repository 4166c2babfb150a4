//! Nothing personal and nothing secret leaves: not in a log line or metric (which are log lines,
//! too), and not on a queue.

use std::time::Duration;

use harness::{FRONT, Session, Stack};
use serde_json::{Value, json};
use uuid::Uuid;

/// A text that stands for a person's data and is found wherever it goes.
pub fn marker() -> String {
    format!("MARKER{}", Uuid::new_v4().simple())
}

/// Merge patch on a callback: every member about the person says `marker`.
pub fn person(marker: &str) -> Value {
    let members = [
        "docFirstName",
        "docLastName",
        "docNumber",
        "docPersonalCode",
        "docDob",
        "docExpiry",
        "address",
        "birthPlace",
        "authority",
        "fullName",
        "orgFirstName",
        "orgLastName",
        "orgAddress",
        "mothersMaidenName",
    ];
    let data: serde_json::Map<String, Value> = members
        .iter()
        .map(|member| ((*member).to_owned(), json!(marker)))
        .collect();
    json!({"data": data, "clientIp": marker, "clientLocation": marker, "manualAddress": marker, "AML": [{"name": marker}]})
}

/// The signatures in an archived callback's links, which open the files.
fn link_signatures(callback: &Value) -> Vec<String> {
    let links = callback["fileUrls"].as_object().expect("links").values();
    let signature = |link: &Value| {
        link.as_str()
            .and_then(|link| link.split_once("X-Amz-Signature="))
            .map(|(_, rest)| rest.to_owned())
    };
    links.filter_map(signature).collect()
}

/// Plays the ways on which something could be let slip, and returns what must not be found anywhere
/// afterwards.
pub async fn play_everything_personal(stack: &Stack) -> Vec<String> {
    let marker = marker();
    let mut secrets = vec![marker.clone()];
    let secret = stack.secret().await;
    secrets.extend(
        [&secret["apiKey"], &secret["apiSecret"]].map(|text| text.as_str().unwrap().to_owned()),
    );
    secrets.extend(
        secret["signingKeys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| key.as_str().unwrap().to_owned()),
    );

    let overrides = person(&marker);
    let straight = stack.session_with_documents().await;
    straight
        .outcome(json!({"overrides": overrides, "nonFinalFirst": true}))
        .await;
    straight
        .fault(json!({"route": "process", "kind": "status", "status": 429, "message": marker}))
        .await;
    straight
        .finish_and_be_believed(json!({"overrides": overrides}))
        .await;
    let authorized = straight.until("Authorized").await;
    secrets.push(
        authorized.pairing["state"]["auth_token"]
            .as_str()
            .expect("Token 2")
            .to_owned(),
    );
    let archived = straight.archived_callbacks().await;
    secrets.extend(link_signatures(&stack.json_object(&archived[0].key).await));
    straight.until_settled().await;

    let refused = stack.session_with_documents().await;
    refused
        .fault(json!({"route": "process", "kind": "errorIn200", "message": marker}))
        .await;
    refused
        .finish_and_be_believed(json!({"overrides": overrides}))
        .await;
    refused.until_parked("SubmissionRefused").await;

    let unreachable = stack.session_with_documents().await;
    let links = json!({"fileUrls": {FRONT: format!("http://localhost:1/{marker}?X-Amz-Signature={marker}")}});
    unreachable
        .finish_and_be_believed(json!({"overrides": links}))
        .await;
    unreachable.until_parked("LinkOriginNotAllowed").await;

    broken_links(stack, &overrides, &mut secrets).await;

    assert_eq!(
        stack
            .post(json!({"scanRef": marker}).to_string(), Some(&marker))
            .await,
        401
    );
    assert_eq!(stack.post_signed(marker.clone()).await, 200);
    assert_eq!(
        stack
            .post_signed(
                json!({"scanRef": format!("/{marker}"), "data": {"docFirstName": marker}})
                    .to_string()
            )
            .await,
        200
    );
    secrets
}

async fn broken_links(stack: &Stack, overrides: &Value, secrets: &mut Vec<String>) {
    let broken: Session<'_> = stack.session_with_documents().await;
    broken
        .fault(json!({"route": "file", "kind": "reset", "times": 2}))
        .await;
    broken
        .finish_and_be_believed(json!({"overrides": overrides}))
        .await;
    let archived = broken.archived_callbacks().await;
    secrets.extend(link_signatures(&stack.json_object(&archived[0].key).await));
    broken.until_settled().await;
}

/// Shows that none of `secrets` is in what left the stack.
pub async fn assert_none_left(stack: &Stack, secrets: &[String]) {
    assert!(
        secrets.len() >= 8 && secrets.iter().all(|secret| secret.len() >= 16),
        "{} secrets",
        secrets.len()
    );
    for function in ["webhook", "processor"] {
        let lines = stack.log_lines(function, "").await;
        assert!(
            lines.iter().any(|line| line.contains("DualVerification")),
            "metrics are among the lines"
        );
        for line in &lines {
            assert!(
                !secrets.iter().any(|secret| line.contains(secret)),
                "{function} says: {line}"
            );
        }
    }
    let letters = stack
        .receive(&stack.description.dead_letter_queue_url, Duration::ZERO)
        .await;
    for letter in letters {
        let body = letter.body().unwrap_or_default();
        assert!(
            !secrets.iter().any(|secret| body.contains(secret)),
            "{body}"
        );
    }
}

#[tokio::test]
async fn no_line_or_message_has_anything_personal_or_secret() {
    let stack = Stack::shared().await;
    let secrets = play_everything_personal(&stack).await;
    assert_none_left(&stack, &secrets).await;
}

#[tokio::test]
async fn token_2_is_forgotten_once_it_is_used() {
    let stack = Stack::shared().await;
    let session = stack.session_with_documents().await;
    session
        .fault(json!({"route": "process", "kind": "status", "status": 429}))
        .await;
    session.finish_and_be_believed(json!({})).await;
    let authorized = session.until("Authorized").await;
    let token = authorized.pairing["state"]["auth_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let settled = session.until_settled().await;
    assert!(!settled.pairing.to_string().contains(&token));
    assert!(
        !settled.pairing.to_string().contains("http"),
        "no links are stored"
    );
}
