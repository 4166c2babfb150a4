//! Erasure of a customer: nothing stays here or at the provider, and late callbacks leave no trace.

use api_contract::Application;
use harness::{Session, Stack};
use reqwest::Method;
use serde_json::{Value, json};

async fn erase(stack: &Stack, scan_ref: &str) -> Value {
    stack
        .api(Method::DELETE, &format!("/verifications/{scan_ref}"), None)
        .await
        .unwrap()
        .expect(200)
        .unwrap()
}

async fn assert_nothing_left(stack: &Stack, session: &Session<'_>, second: &str) {
    for scan_ref in [session.scan_ref.as_str(), second] {
        assert_eq!(
            stack
                .objects(&format!("documents/{scan_ref}/"))
                .await
                .unwrap(),
            []
        );
        assert_eq!(
            stack
                .objects(&format!("callbacks/{scan_ref}/"))
                .await
                .unwrap(),
            []
        );
        let answer = stack
            .api(Method::GET, &format!("/verifications/{scan_ref}"), None)
            .await
            .unwrap();
        assert_eq!(
            (answer.status, answer.code()),
            (404, "verification_not_found")
        );
    }
    let items = stack
        .items_with(&[&session.client_id, &session.scan_ref, second])
        .await
        .unwrap();
    assert_eq!(items, Vec::<String>::new());
}

#[tokio::test]
async fn what_was_erased_is_gone_everywhere_and_stays_gone() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let settled = session.until_settled().await.unwrap();
    let second = settled.second_scan_ref.unwrap();
    let first_callback = stack
        .object(&session.archived_callbacks().await.unwrap()[0].key)
        .await
        .unwrap();
    let second_callback = stack
        .object(
            &stack
                .objects(&format!("callbacks/{second}/"))
                .await
                .unwrap()[0]
                .key,
        )
        .await
        .unwrap();

    // By the second's name as well as by the first's.
    let receipt = erase(&stack, &second).await;
    assert_eq!(
        (&receipt["scanRef"], &receipt["secondScanRef"]),
        (&json!(session.scan_ref), &json!(second))
    );
    assert_eq!(receipt["complete"], true);
    let removed = |place: &str, what: &str| {
        let list = receipt["removed"].as_array().unwrap();
        let found = list.iter().find(|entry| {
            entry["where"] == place && entry["what"].as_str().unwrap().starts_with(what)
        });
        found.and_then(|entry| entry["count"].as_u64()).unwrap()
    };
    assert_eq!(removed("DocumentBucket", "documents"), 2);
    assert_eq!(removed("DocumentBucket", "archived callbacks"), 2);
    assert!(removed("PairingTable", "records") >= 3, "{receipt}");
    for scan_ref in [&session.scan_ref, &second] {
        assert_eq!(removed("iDenfy", &format!("verification {scan_ref}")), 1);
        let at_provider = stack
            .sandbox
            .admin(Method::GET, &format!("/sessions/{scan_ref}"), json!({}))
            .await
            .unwrap();
        assert_eq!(at_provider["state"], "DELETED");
    }
    let remaining = receipt["remaining"].as_array().unwrap();
    assert!(
        remaining.iter().all(|entry| entry["askAgainAt"].is_null()),
        "{receipt}"
    );
    assert_nothing_left(&stack, &session, &second).await;

    assert_eq!(stack.post_signed(first_callback).await.unwrap(), 200);
    assert_eq!(stack.post_signed(second_callback).await.unwrap(), 200);
    assert_nothing_left(&stack, &session, &second).await;
    assert_eq!(session.requests("delete").await.unwrap().len(), 2);

    for scan_ref in [&session.scan_ref, &second] {
        let again = erase(&stack, scan_ref).await;
        assert_eq!(
            (&again["complete"], &again["removed"]),
            (&json!(true), &json!([]))
        );
    }
    assert_eq!(
        session.requests("delete").await.unwrap().len(),
        2,
        "the provider is not asked for what is known to be gone"
    );
}

#[tokio::test]
async fn a_session_that_can_still_be_used_remains_until_it_has_ended() {
    let stack = Stack::shared().await.unwrap();
    let (session, _) = stack.api_session(json!({})).await.unwrap();
    let receipt = erase(&stack, &session.scan_ref).await;
    assert_eq!(receipt["complete"], false);
    let live: Vec<&Value> = receipt["remaining"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry["askAgainAt"].is_string())
        .collect();
    assert_eq!(live.len(), 1, "{receipt}");
    assert_eq!(
        (&live[0]["where"], live[0]["what"].as_str().unwrap()),
        (
            &json!("iDenfy"),
            &*format!("verification {}", session.scan_ref)
        )
    );

    let known = stack
        .api(
            Method::GET,
            &format!("/verifications/{}", session.scan_ref),
            None,
        )
        .await
        .unwrap()
        .expect(200)
        .unwrap();
    assert_eq!(
        (&known["state"], &known["clientId"]),
        (&json!("Erasing"), &Value::Null)
    );
    assert_eq!(
        stack.items_with(&[&session.client_id]).await.unwrap(),
        Vec::<String>::new(),
        "the customer's name goes at once"
    );

    let path = format!("/sessions/{}/expire", session.scan_ref);
    let expired = stack
        .sandbox
        .admin(Method::POST, &path, json!({}))
        .await
        .unwrap();
    assert_eq!(expired["deliveries"][0]["status"], 200, "{expired}");
    assert_eq!(
        session.archived_callbacks().await.unwrap(),
        [],
        "what comes now is acknowledged and not kept"
    );

    assert_eq!(erase(&stack, &session.scan_ref).await["complete"], true);
    assert_nothing_left(&stack, &session, "none").await;
}

#[tokio::test]
async fn an_interrupted_erasure_goes_on_where_it_stopped() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session.finish_expecting_200(json!({})).await.unwrap();
    let second = session
        .until_settled()
        .await
        .unwrap()
        .second_scan_ref
        .unwrap();
    session
        .fault(json!({"route": "delete", "kind": "status", "status": 500, "skip": 1}))
        .await
        .unwrap();

    let receipt = erase(&stack, &session.scan_ref).await;
    assert_eq!(receipt["complete"], false, "{receipt}");
    assert_eq!(
        stack
            .objects(&format!("documents/{}/", session.scan_ref))
            .await
            .unwrap(),
        []
    );
    let receipt = erase(&stack, &session.scan_ref).await;
    assert_eq!(receipt["complete"], true, "{receipt}");
    assert_eq!(
        session.requests("delete").await.unwrap().len(),
        3,
        "the one that was deleted is not deleted again"
    );
    assert_nothing_left(&stack, &session, &second).await;
}
