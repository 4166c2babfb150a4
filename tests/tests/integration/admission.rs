//! Which requests are believed, and what the others are told.

use harness::{Stack, sign};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;
use verification::identifiers::Digest256;

const MEBIBYTE: usize = 1 << 20;

/// A notice of a document's expiry: signed by the provider, but no verification result.
fn foreign_body(scan_ref: &str) -> Vec<u8> {
    let body = json!({
        "scanRef": scan_ref,
        "clientId": "customer",
        "expirationThreshold": "DOCUMENT_EXPIRES_WITHIN_30_DAYS",
        "documentExpiration": "2026-12-24",
    });
    body.to_string().into_bytes()
}

fn new_scan_ref() -> String {
    Uuid::new_v4().to_string()
}

#[tokio::test]
async fn a_wrong_signature_is_401_and_leaves_nothing() {
    let stack = Stack::shared().await.unwrap();
    let scan_ref = new_scan_ref();
    let body = foreign_body(&scan_ref);
    let wrong = sign("another key", &body);
    let secret = stack.secret().await.unwrap();
    let right = sign(secret["signingKeys"][0].as_str().unwrap(), &body);
    let of_another_body = sign(
        secret["signingKeys"][0].as_str().unwrap(),
        &[&body[..], b" "].concat(),
    );
    let too_short = right.get(..62).unwrap();
    for signature in [
        None,
        Some(""),
        Some("nonsense"),
        Some(too_short),
        Some(&wrong),
        Some(&of_another_body),
    ] {
        assert_eq!(
            stack.post(body.clone(), signature).await.unwrap(),
            401,
            "{signature:?}"
        );
    }
    assert!(
        stack
            .objects(&format!("callbacks/{scan_ref}/"))
            .await
            .unwrap()
            .is_empty()
    );
    assert_eq!(stack.pairing(&scan_ref).await.unwrap(), None);

    assert_eq!(stack.post(body, Some(&right)).await.unwrap(), 200);
    assert_eq!(
        stack
            .objects(&format!("callbacks/{scan_ref}/"))
            .await
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_spoilt_callback_is_401_and_its_repeat_is_taken() {
    let stack = Stack::shared().await.unwrap();
    let spoilt = async |kind: &str| {
        let session = stack.session_with_documents().await.unwrap();
        session
            .fault(json!({"route": "callback", "kind": kind}))
            .await
            .unwrap();
        let deliveries = session.finish(json!({})).await.unwrap();
        // The fault holds for all attempts of this delivery.
        assert!(
            deliveries.iter().all(|delivery| delivery["status"] == 401),
            "{deliveries:?}"
        );
        assert_eq!(session.pairing().await.unwrap(), None);
        assert!(session.archived_callbacks().await.unwrap().is_empty());
        session.send_again(json!({})).await.unwrap();
        session.until_settled().await.unwrap();
    };
    tokio::join!(spoilt("unsigned"), spoilt("badSignature"));
}

#[tokio::test]
async fn only_post_is_allowed_and_the_answer_says_so() {
    let stack = Stack::shared().await.unwrap();
    for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
        let request = stack
            .http
            .request(method.clone(), &stack.description.webhook_url);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 405, "{method}");
        assert_eq!(answer.headers()["allow"], "POST", "{method}");
        assert_eq!(answer.text().await.unwrap(), "", "{method}");
    }
}

#[tokio::test]
async fn only_a_signed_body_may_have_more_than_one_mebibyte() {
    let stack = Stack::shared().await.unwrap();
    let scan_ref = new_scan_ref();
    let mut body = foreign_body(&scan_ref);
    body.resize(MEBIBYTE, b' ');
    assert_eq!(stack.post(body.clone(), None).await.unwrap(), 401);
    body.push(b' ');
    for signature in [None, Some("nonsense"), Some(&*sign("another key", &body))] {
        assert_eq!(
            stack.post(body.clone(), signature).await.unwrap(),
            413,
            "{signature:?}"
        );
    }
    assert!(
        stack
            .objects(&format!("callbacks/{scan_ref}/"))
            .await
            .unwrap()
            .is_empty()
    );

    body.resize(4 * MEBIBYTE, b' ');
    assert_eq!(stack.post_signed(body).await.unwrap(), 200);
    let kept = stack
        .objects(&format!("callbacks/{scan_ref}/"))
        .await
        .unwrap();
    assert_eq!(kept[0].bytes, 4 * MEBIBYTE as u64);
}

#[tokio::test]
async fn a_signed_body_that_cannot_be_read_is_200_and_kept_for_later() {
    let stack = Stack::shared().await.unwrap();
    for body in [
        format!("not JSON {}", Uuid::new_v4()),
        format!("[\"{}\"]", Uuid::new_v4()),
        json!({"clientId": Uuid::new_v4().to_string()}).to_string(),
        json!({"scanRef": format!("../{}", Uuid::new_v4())}).to_string(),
        json!({"scanRef": "Unreadable", "note": Uuid::new_v4().to_string()}).to_string(),
        json!({"scanRef": format!("-{}", Uuid::new_v4())}).to_string(),
        String::new(),
    ] {
        assert_eq!(
            stack.post_signed(body.clone()).await.unwrap(),
            200,
            "{body}"
        );
        let key = format!(
            "callbacks/unreadable/{}.json",
            Digest256::of(body.as_bytes())
        );
        assert_eq!(stack.object(&key).await.unwrap(), body.as_bytes(), "{body}");
    }
}

#[tokio::test]
async fn half_of_a_signed_callback_is_kept() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .fault(json!({"route": "callback", "kind": "cutBody"}))
        .await
        .unwrap();
    let deliveries = session.finish(json!({})).await.unwrap();
    assert_eq!(deliveries[0]["status"], 200, "{deliveries:?}");
    let key = format!(
        "callbacks/unreadable/{}.json",
        deliveries[0]["bodySha256"].as_str().unwrap()
    );
    assert!(!stack.object(&key).await.unwrap().is_empty());
    assert_eq!(session.pairing().await.unwrap(), None);

    session.send_again(json!({})).await.unwrap();
    session.until_settled().await.unwrap();
}

#[tokio::test]
async fn another_products_notice_is_200_and_kept_and_opens_no_pairing() {
    let stack = Stack::shared().await.unwrap();
    let scan_ref = new_scan_ref();
    let body = foreign_body(&scan_ref);
    assert_eq!(stack.post_signed(body.clone()).await.unwrap(), 200);
    let key = format!("callbacks/{scan_ref}/{}.json", Digest256::of(&body));
    assert_eq!(stack.object(&key).await.unwrap(), body);
    assert_eq!(stack.pairing(&scan_ref).await.unwrap(), None);
}

#[tokio::test]
async fn an_orphan_second_callback_opens_no_pairing() {
    let stack = Stack::shared().await.unwrap();
    let scan_ref = new_scan_ref();
    let body = json!({
        "scanRef": scan_ref, "clientId": "customer", "externalRef": format!("dv2:{}",
            new_scan_ref()), "final": true,
        "status": {"overall": "APPROVED", "additionalSteps": "VALID"},
            "additionalSteps": {"SECOND_DOC_FRONT": "UPLOAD"},
    });
    assert_eq!(stack.post_signed(body.to_string()).await.unwrap(), 200);
    assert_eq!(stack.pairing(&scan_ref).await.unwrap(), None);
    assert_eq!(
        stack
            .objects(&format!("callbacks/{scan_ref}/"))
            .await
            .unwrap()
            .len(),
        1
    );
}
