//! Nothing personal or secret leaves in a log line, metric (a log line, too) or queue message.

use std::time::Duration;

use harness::{FRONT, Session, Stack};
use serde_json::{Value, json};
use uuid::Uuid;

/// A text in place of a person's data, to be searched for.
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
    json!({"data": data, "clientIp": marker, "clientLocation": marker, "manualAddress": marker,
        "AML": [{"name": marker}]})
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

/// Plays every way that could leak something. Returns the texts that must not be found afterwards.
pub async fn play_everything_personal(stack: &Stack) -> Vec<String> {
    let marker = marker();
    let mut secrets = vec![marker.clone()];
    let secret = stack.secret().await.unwrap();
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
    let straight = stack.session_with_documents().await.unwrap();
    straight
        .outcome(json!({"overrides": overrides, "nonFinalFirst": true}))
        .await
        .unwrap();
    straight
        .fault(json!({"route": "process", "kind": "status", "status": 429, "message": marker}))
        .await
        .unwrap();
    straight
        .finish_expecting_200(json!({"overrides": overrides}))
        .await
        .unwrap();
    let authorized = straight.until("Authorized").await.unwrap();
    secrets.push(
        authorized.pairing["state"]["auth_token"]
            .as_str()
            .expect("Token 2")
            .to_owned(),
    );
    let archived = straight.archived_callbacks().await.unwrap();
    secrets.extend(link_signatures(
        &stack.json_object(&archived[0].key).await.unwrap(),
    ));
    straight.until_settled().await.unwrap();

    let refused = stack.session_with_documents().await.unwrap();
    refused
        .fault(json!({"route": "process", "kind": "errorIn200", "message": marker}))
        .await
        .unwrap();
    refused
        .finish_expecting_200(json!({"overrides": overrides}))
        .await
        .unwrap();
    refused.until_parked("SubmissionRefused").await.unwrap();

    let unreachable = stack.session_with_documents().await.unwrap();
    let link = format!("http://localhost:1/{marker}?X-Amz-Signature={marker}");
    let links = json!({"fileUrls": {FRONT: link}});
    unreachable
        .finish_expecting_200(json!({"overrides": links}))
        .await
        .unwrap();
    unreachable
        .until_parked("LinkOriginNotAllowed")
        .await
        .unwrap();

    broken_links(stack, &overrides, &mut secrets).await;

    assert_eq!(
        stack
            .post(json!({"scanRef": marker}).to_string(), Some(&marker))
            .await
            .unwrap(),
        401
    );
    assert_eq!(stack.post_signed(marker.clone()).await.unwrap(), 200);
    assert_eq!(
        stack
            .post_signed(
                json!({"scanRef": format!("/{marker}"), "data": {"docFirstName": marker}})
                    .to_string()
            )
            .await
            .unwrap(),
        200
    );
    secrets
}

async fn broken_links(stack: &Stack, overrides: &Value, secrets: &mut Vec<String>) {
    let broken: Session<'_> = stack.session_with_documents().await.unwrap();
    broken
        .fault(json!({"route": "file", "kind": "reset", "times": 2}))
        .await
        .unwrap();
    broken
        .finish_expecting_200(json!({"overrides": overrides}))
        .await
        .unwrap();
    let archived = broken.archived_callbacks().await.unwrap();
    secrets.extend(link_signatures(
        &stack.json_object(&archived[0].key).await.unwrap(),
    ));
    broken.until_settled().await.unwrap();
}

/// Shows that none of `secrets` is in what left the stack.
pub async fn assert_none_left(stack: &Stack, secrets: &[String]) {
    assert!(
        secrets.len() >= 8 && secrets.iter().all(|secret| secret.len() >= 16),
        "{} secrets",
        secrets.len()
    );
    for function in ["webhook", "processor"] {
        let lines = stack.log_lines(function, "").await.unwrap();
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
        .await
        .unwrap();
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
    let stack = Stack::shared().await.unwrap();
    let secrets = play_everything_personal(&stack).await;
    assert_none_left(&stack, &secrets).await;
}

#[tokio::test]
async fn token_2_is_forgotten_once_it_is_used() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "process", "kind": "status", "status": 429}))
        .await
        .unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let authorized = session.until("Authorized").await.unwrap();
    let token = authorized.pairing["state"]["auth_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let settled = session.until_settled().await.unwrap();
    assert!(!settled.pairing.to_string().contains(&token));
    assert!(
        !settled.pairing.to_string().contains("http"),
        "no links are stored"
    );
}
