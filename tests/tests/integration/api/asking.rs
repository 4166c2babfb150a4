//! Lists, page by page.

use api_contract::Application;
use harness::{Stack, eventually};
use reqwest::Method;
use serde_json::{Value, json};

async fn page(stack: &Stack, query: &str) -> Value {
    stack
        .api(Method::GET, &format!("/verifications?{query}"), None)
        .await
        .unwrap()
        .expect(200)
        .unwrap()
}

fn scan_refs(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| item["scanRef"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn a_client_is_listed_newest_first_and_page_by_page() {
    let stack = Stack::shared().await.unwrap();
    // What a query must escape.
    let client_id = format!("a b+c&d=é{}", uuid::Uuid::new_v4().simple()).replace('é', "%");
    let mut created = Vec::new();
    for _ in 0..5 {
        let answer = stack
            .api(
                Method::POST,
                "/sessions",
                Some(json!({"clientId": client_id})),
            )
            .await
            .unwrap()
            .expect(201)
            .unwrap();
        created.insert(0, answer["scanRef"].as_str().unwrap().to_owned());
    }
    let client = format!(
        "clientId={}",
        client_id
            .replace('%', "%25")
            .replace(' ', "%20")
            .replace('+', "%2B")
            .replace('&', "%26")
    );
    let whole = eventually("the index has all of them", || async {
        let whole = page(&stack, &client).await;
        if scan_refs(&whole).len() == 5 {
            Ok(whole)
        } else {
            Err(whole)
        }
    })
    .await
    .unwrap();
    assert_eq!(scan_refs(&whole), created);
    assert_eq!(whole["next"], Value::Null);
    assert_eq!(whole["items"][0]["state"], "AwaitingCallback");

    let (mut found, mut query) = (Vec::new(), format!("{client}&limit=2"));
    loop {
        let page = page(&stack, &query).await;
        assert!(scan_refs(&page).len() <= 2);
        found.extend(scan_refs(&page));
        let Some(next) = page["next"].as_str() else {
            break;
        };
        query = format!("{client}&limit=2&next={next}");
    }
    assert_eq!(found, created);
    assert_eq!(page(&stack, "clientId=nobody").await, json!({"items": []}));
}

#[tokio::test]
async fn a_list_tells_reason_and_verdict_and_no_secret() {
    let stack = Stack::shared().await.unwrap();
    let session = stack.session_with_documents().await.unwrap();
    session
        .finish_expecting_200(json!({"overall": "DENIED"}))
        .await
        .unwrap();
    let item = eventually("the index has it", || async {
        let page = page(&stack, &format!("clientId={}", session.client_id)).await;
        match &page["items"][0] {
            Value::Null => Err(page),
            item => Ok(item.clone()),
        }
    })
    .await
    .unwrap();
    assert_eq!(
        (&item["state"], &item["reason"]),
        (&json!("Declined"), &json!("FirstDenied"))
    );
    let indexed = stack.indexed(&session.client_id).await.unwrap();
    assert_eq!(indexed.len(), 1);
    let mut names: Vec<&String> = indexed[0].keys().collect();
    names.sort();
    assert_eq!(
        names,
        [
            "client_id",
            "created_at",
            "pk",
            "reason",
            "scan_ref",
            "sk",
            "state",
            "updated_at"
        ]
    );
}
