//! The table. Each test has one of its own with the same keys: the deployed functions work on the
//! shared one.

mod of_client;

use std::sync::Arc;
use std::time::Duration;

use adapters::DynamoPairings;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType,
};
use harness::Stack;
use uuid::Uuid;
use verification::Pairing;
use verification::ports::{HistoryEntry, PairingWrite, Pairings, Saved, SessionKeys};
use verification::testing::conformance;

use super::new_scan_ref;

const RETENTION: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) async fn private_table(stack: &Stack) -> String {
    let name = format!("private-{}", Uuid::new_v4().simple());
    let mut request = Client::new(&stack.sdk)
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest);
    for (key, key_type) in [("pk", KeyType::Hash), ("sk", KeyType::Range)] {
        let definition = AttributeDefinition::builder()
            .attribute_name(key)
            .attribute_type(ScalarAttributeType::S);
        let element = KeySchemaElement::builder()
            .attribute_name(key)
            .key_type(key_type);
        request = request
            .attribute_definitions(definition.build().unwrap())
            .key_schema(element.build().unwrap());
    }
    request.send().await.unwrap();
    name
}

#[tokio::test]
async fn the_table_conforms() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    conformance::pairings(
        &DynamoPairings::new(&stack.sdk, table, RETENTION),
        "dynamodb",
    )
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_writers_exactly_one_wins() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    let stores: Vec<Arc<dyn Pairings>> = (0..16)
        .map(|_| Arc::new(DynamoPairings::new(&stack.sdk, &table, RETENTION)) as Arc<dyn Pairings>)
        .collect();
    conformance::pairings_race(&stores, "dynamodb").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn idempotency_keys_in_the_table_conform() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    let store = DynamoPairings::new(&stack.sdk, &table, RETENTION);
    conformance::session_keys(&store, &store, "dynamodb").await;
    let stores: Vec<Arc<dyn SessionKeys>> = (0..16)
        .map(|_| {
            Arc::new(DynamoPairings::new(&stack.sdk, &table, RETENTION)) as Arc<dyn SessionKeys>
        })
        .collect();
    conformance::session_keys_race(&stores, "dynamodb").await;
}

#[tokio::test]
async fn every_record_ends_with_the_retention() {
    let stack = Stack::shared().await.unwrap();
    let table = private_table(&stack).await;
    let store = DynamoPairings::new(&stack.sdk, &table, RETENTION);
    let now = verification::Timestamp::from_milliseconds(1_795_422_063_000);
    let first = new_scan_ref();
    let pairing = Pairing {
        version: 1,
        ..Pairing::opened(first.clone(), None, now, now.plus(Duration::from_secs(60)))
    };
    let history = HistoryEntry::of("Opened", &pairing, now, None);
    assert_eq!(
        store
            .save(&PairingWrite {
                pairing,
                history,
                announcement: None,
                answered: None
            })
            .await
            .unwrap(),
        Saved::Won
    );

    let items = Client::new(&stack.sdk)
        .scan()
        .table_name(&table)
        .send()
        .await
        .unwrap();
    assert_eq!(items.items().len(), 2, "{items:?}");
    let expected = AttributeValue::N((1_795_422_063 + 30 * 24 * 60 * 60).to_string());
    assert!(
        items
            .items()
            .iter()
            .all(|item| item["expires_at"] == expected),
        "{items:?}"
    );
}

#[tokio::test]
async fn a_missing_table_is_unavailable_and_names_no_key() {
    let stack = Stack::shared().await.unwrap();
    let store = DynamoPairings::new(&stack.sdk, "no-such-table", RETENTION);
    let first = new_scan_ref();
    let error = store.find(&first).await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(told.contains("ResourceNotFoundException"), "{told}");
    assert!(!told.contains(first.as_str()), "{told}");
}

#[tokio::test]
async fn the_deployed_table_lists_a_clients_pairings_and_forgets_them() {
    let stack = Stack::shared().await.unwrap();
    let table = stack.description.pairing_table.clone();
    let store = DynamoPairings::new(&stack.sdk, table, RETENTION);
    let prefix = new_scan_ref().as_str().chars().take(13).collect::<String>();
    conformance::pairings_of_client(&store, &prefix).await;
    conformance::forgetting(&store, &prefix).await;
}
