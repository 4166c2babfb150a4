//! Sessions under an idempotency key.

use api_contract::Application;
use aws_sdk_dynamodb::Client;
use harness::{ApiAnswer, Stack};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use uuid::Uuid;
use verification::Timestamp;

/// A customer and a key that no other test has.
struct Request {
    client_id: String,
    key: String,
}

impl Request {
    fn new() -> Self {
        Self {
            client_id: format!("customer-{}", Uuid::new_v4().simple()),
            key: Uuid::new_v4().to_string(),
        }
    }

    async fn send(&self, stack: &Stack, more: Value) -> ApiAnswer {
        let mut body = json!({"clientId": self.client_id});
        body.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let mut headers = HeaderMap::new();
        headers.insert("idempotency-key", self.key.parse().unwrap());
        stack
            .api_with(
                Method::POST,
                "/sessions",
                headers,
                body.to_string().into_bytes(),
            )
            .await
            .unwrap()
    }

    async fn sessions_created(&self, stack: &Stack) -> usize {
        stack
            .sandbox
            .requests_of(&self.client_id)
            .await
            .unwrap()
            .len()
    }
}

#[tokio::test]
async fn a_repeated_request_gets_the_same_link() {
    let stack = Stack::shared().await.unwrap();
    let request = Request::new();
    let first = request.send(&stack, json!({})).await;
    assert_eq!(
        (first.status, first.header("idempotency-replayed")),
        (201, None)
    );
    let repeated = request.send(&stack, json!({})).await;
    assert_eq!(
        (repeated.status, repeated.header("idempotency-replayed")),
        (201, Some("true"))
    );
    assert_eq!(repeated.body, first.body);
    assert_eq!(request.sessions_created(&stack).await, 1);
}

#[tokio::test]
async fn another_body_under_a_key_is_refused() {
    let stack = Stack::shared().await.unwrap();
    let request = Request::new();
    request.send(&stack, json!({})).await.expect(201).unwrap();
    let other = request.send(&stack, json!({"locale": "lt"})).await;
    assert_eq!(
        (other.status, other.code()),
        (422, "idempotency_key_reused")
    );
    assert_eq!(request.sessions_created(&stack).await, 1);
}

#[tokio::test]
async fn of_requests_at_once_one_creates_the_session() {
    let stack = Stack::shared().await.unwrap();
    let request = Request::new();
    let (one, two) = tokio::join!(
        request.send(&stack, json!({})),
        request.send(&stack, json!({}))
    );
    let (created, other) = if one.status == 201 {
        (one, two)
    } else {
        (two, one)
    };
    let scan_ref = created.expect(201).unwrap()["scanRef"].clone();
    if other.status == 409 {
        assert_eq!(
            (other.code(), other.header("retry-after")),
            ("idempotency_in_progress", Some("1"))
        );
    } else {
        assert_eq!(other.expect(201).unwrap()["scanRef"], scan_ref);
    }
    assert_eq!(
        request.send(&stack, json!({})).await.expect(201).unwrap()["scanRef"],
        scan_ref
    );
    assert_eq!(request.sessions_created(&stack).await, 1);
}

#[tokio::test]
async fn a_malformed_key_is_named_beside_the_wrong_fields() {
    let stack = Stack::shared().await.unwrap();
    let request = Request {
        key: "two words".to_owned(),
        ..Request::new()
    };
    let answer = request.send(&stack, json!({"surprise": 1})).await;
    assert_eq!((answer.status, answer.code()), (400, "invalid_request"));
    assert_eq!(answer.fields(), ["surprise", "Idempotency-Key"]);
}

#[tokio::test]
async fn the_link_is_stored_for_the_session_and_erased_with_it() {
    let stack = Stack::shared().await.unwrap();
    let request = Request::new();
    let created = request.send(&stack, json!({})).await.expect(201).unwrap();
    let token = created["authToken"].as_str().unwrap();
    let stored = async || {
        let table = &stack.description.pairing_table;
        let items = Client::new(&stack.sdk)
            .scan()
            .table_name(table)
            .into_paginator()
            .items()
            .send();
        let items: Vec<_> = items.try_collect().await.unwrap();
        items
            .into_iter()
            .filter(|item| format!("{item:?}").contains(token))
            .collect::<Vec<_>>()
    };
    let items = stored().await;
    let [item] = items.as_slice() else {
        panic!("the token is stored once");
    };
    assert!(
        !item.contains_key("outcome"),
        "nothing that the publisher takes for an outcome"
    );
    assert!(
        !format!("{item:?}").contains(&request.key),
        "the key itself is not stored"
    );
    let expires_at: Timestamp = created["expiresAt"].as_str().unwrap().parse().unwrap();
    assert_eq!(
        item["expires_at"].as_n().unwrap(),
        &expires_at.seconds().to_string()
    );

    let path = format!("/verifications/{}", created["scanRef"].as_str().unwrap());
    let receipt = stack
        .api(Method::DELETE, &path, None)
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        receipt["complete"], false,
        "iDenfy does not delete a session that can still be used"
    );
    assert!(stored().await.is_empty());
}
