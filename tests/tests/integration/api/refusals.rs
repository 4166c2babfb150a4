//! Wrong requests: each answer names the fields and their errors.

use api_contract::Application;
use harness::Stack;
use reqwest::Method;
use serde_json::json;

#[tokio::test]
async fn every_wrong_field_of_a_session_is_named() {
    let stack = Stack::shared().await.unwrap();
    let check = async |body: serde_json::Value, fields: &[&str]| {
        let answer = stack
            .api(Method::POST, "/sessions", Some(body))
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request"),
            "{}",
            answer.body
        );
        assert_eq!(answer.fields(), fields);
    };
    check(json!({}), &["clientId"]).await;
    check(json!({"clientId": null}), &["clientId"]).await;
    check(json!({"clientId": ""}), &["clientId"]).await;
    check(json!({"clientId": "x".repeat(101)}), &["clientId"]).await;
    check(json!({"clientId": "žmogus"}), &["clientId"]).await;
    check(json!({"clientId": 7}), &["clientId"]).await;
    check(
        json!({"clientId": "customer-1", "surprise": 1}),
        &["surprise"],
    )
    .await;
    check(
        json!({
            "clientId": ["customer-1"], "country": "LTU", "locale": "l", "documents": [],
                "successUrl": "ftp://shop.example",
            "errorUrl": "https:/shop", "unverifiedUrl": "https://ž.example",
                "externalRef": "dv2:x", "expirySeconds": -1, "sessionSeconds": 3601,
            "additionalSteps": {"ALL": {"ALL": {"STEP": "UPLOAD"}}},
                "secondDocument": {"country": 1, "documentType": "VISA", "x": null}
        }),
        &[
            "clientId",
            "country",
            "locale",
            "documents",
            "successUrl",
            "errorUrl",
            "unverifiedUrl",
            "externalRef",
            "expirySeconds",
            "sessionSeconds",
            "additionalSteps",
            "secondDocument.country",
            "secondDocument.documentType",
            "secondDocument.x",
        ],
    )
    .await;
}

#[tokio::test]
async fn bodies_that_are_no_json_object_or_too_large_are_refused() {
    let stack = Stack::shared().await.unwrap();
    let check = async |body: &[u8], status: u16, code: &str| {
        let answer = stack
            .api_bytes(Method::POST, "/sessions", body.to_vec())
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (status, code),
            "{}",
            answer.body
        );
    };
    check(b"", 400, "invalid_json").await;
    check(b"{\"clientId\": ", 400, "invalid_json").await;
    check(b"\xff\xfe", 400, "invalid_json").await;
    check(b"[]", 400, "invalid_json").await;
    check(b"null", 400, "invalid_json").await;
    check(&[b'['; 4_000], 400, "invalid_json").await;
    check(&[b' '; 64 * 1024 + 1], 413, "body_too_large").await;
}

#[tokio::test]
async fn every_wrong_parameter_of_a_list_is_named() {
    let stack = Stack::shared().await.unwrap();
    let check = async |query: &str, fields: &[&str]| {
        let answer = stack
            .api(Method::GET, &format!("/verifications{query}"), None)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (400, "invalid_request"),
            "{}",
            answer.body
        );
        assert_eq!(answer.fields(), fields);
    };
    check("", &["clientId"]).await;
    check("?clientId=", &["clientId"]).await;
    check("?clientId=%07", &["clientId"]).await;
    check("?clientId=a&limit=0", &["limit"]).await;
    check(
        "?clientId=a&limit=101&next=x&page=2",
        &["limit", "next", "page"],
    )
    .await;
    check("?clientId=a&clientId=b", &["clientId"]).await;
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let stack = Stack::shared().await.unwrap();
    let check = async |method: Method, path: &str, code: &str| {
        let answer = stack.api(method, path, None).await.unwrap();
        assert_eq!((answer.status, answer.code()), (404, code), "{path}");
    };
    let long = format!("/verifications/{}", "x".repeat(129));
    for path in [
        "/verifications/nobody-knows-this",
        "/verifications/a%20b",
        &long,
    ] {
        check(Method::GET, path, "verification_not_found").await;
        check(Method::DELETE, path, "verification_not_found").await;
        check(
            Method::POST,
            &format!("{path}/retry"),
            "verification_not_found",
        )
        .await;
    }
    for path in [
        "/",
        "/session",
        "/verifications/a/b",
        "/verifications/a/retry/b",
    ] {
        check(Method::GET, path, "route_not_found").await;
    }
}

#[tokio::test]
async fn other_methods_are_told_the_right_ones() {
    let stack = Stack::shared().await.unwrap();
    let check = async |method: Method, path: &str, allow: &str| {
        let answer = stack.api(method, path, None).await.unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (405, "method_not_allowed"),
            "{path}"
        );
        assert_eq!(answer.header("allow"), Some(allow));
    };
    check(Method::GET, "/sessions", "POST").await;
    check(Method::POST, "/verifications", "GET").await;
    check(Method::PUT, "/verifications/a", "GET, DELETE").await;
    check(Method::DELETE, "/verifications/a/retry", "POST").await;
}
