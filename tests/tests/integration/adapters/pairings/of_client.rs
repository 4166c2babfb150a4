//! Lists of one client's pairings cost the same however many there are.

use std::collections::HashMap;

use adapters::{AwsSettings, DynamoPairings, ExtraRoots, SecretText, http_client, sdk_config};
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, GlobalSecondaryIndex, KeySchemaElement,
    KeyType, Projection, ProjectionType, PutRequest, ScalarAttributeType, WriteRequest,
};
use futures_util::{StreamExt, stream};
use harness::{Answer, FileServer, Stack};
use serde_json::json;
use uuid::Uuid;
use verification::Timestamp;
use verification::identifiers::ClientId;
use verification::ports::{PageStart, Pairings};

use super::RETENTION;

const MANY: i64 = 10_000;

type Item = HashMap<String, AttributeValue>;

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn created_at(number: i64) -> Timestamp {
    Timestamp::from_milliseconds(1_795_422_063_000 + number)
}

/// The attributes of a list, as the store writes them.
fn item(number: i64, client_id: &str) -> Item {
    let at = created_at(number).to_string();
    Item::from([
        ("pk".to_owned(), text(format!("PAIRING#{number:05}"))),
        ("sk".to_owned(), text("PAIRING")),
        ("scan_ref".to_owned(), text(format!("{number:05}"))),
        ("client_id".to_owned(), text(client_id)),
        ("state".to_owned(), text("Expired")),
        ("created_at".to_owned(), text(&at)),
        ("updated_at".to_owned(), text(at)),
    ])
}

/// A table with the index by client.
async fn indexed_table(dynamodb: &Client) -> String {
    let name = format!("private-{}", Uuid::new_v4().simple());
    let key = |name: &str, key_type| {
        KeySchemaElement::builder()
            .attribute_name(name)
            .key_type(key_type)
            .build()
            .unwrap()
    };
    let index = GlobalSecondaryIndex::builder()
        .index_name("by-client")
        .key_schema(key("client_id", KeyType::Hash))
        .key_schema(key("created_at", KeyType::Range))
        .projection(
            Projection::builder()
                .projection_type(ProjectionType::All)
                .build(),
        );
    let mut request = dynamodb
        .create_table()
        .table_name(&name)
        .billing_mode(BillingMode::PayPerRequest)
        .key_schema(key("pk", KeyType::Hash))
        .key_schema(key("sk", KeyType::Range))
        .global_secondary_indexes(index.build().unwrap());
    for attribute in ["pk", "sk", "client_id", "created_at"] {
        let definition = AttributeDefinition::builder()
            .attribute_name(attribute)
            .attribute_type(ScalarAttributeType::S);
        request = request.attribute_definitions(definition.build().unwrap());
    }
    request.send().await.unwrap();
    name
}

async fn fill(dynamodb: &Client, table: &str, client_id: &str) {
    let numbers: Vec<i64> = (0..MANY).collect();
    let batches = numbers.chunks(25).map(|batch| {
        let write = |number: &i64| {
            let put = PutRequest::builder()
                .set_item(Some(item(*number, client_id)))
                .build()
                .unwrap();
            WriteRequest::builder().put_request(put).build()
        };
        let writes: Vec<WriteRequest> = batch.iter().map(write).collect();
        dynamodb
            .batch_write_item()
            .request_items(table, writes)
            .send()
    });
    let answers = stream::iter(batches).buffer_unordered(4);
    answers
        .for_each(|answer| async {
            assert!(
                answer
                    .unwrap()
                    .unprocessed_items
                    .unwrap_or_default()
                    .is_empty()
            );
        })
        .await;
}

#[tokio::test]
async fn ten_thousand_pairings_are_listed_once_newest_first() {
    let stack = Stack::shared().await.unwrap();
    let dynamodb = Client::new(&stack.sdk);
    let table = indexed_table(&dynamodb).await;
    fill(&dynamodb, &table, "busy").await;
    let store = DynamoPairings::new(&stack.sdk, table, RETENTION);
    let busy: ClientId = "busy".parse().unwrap();

    // From the newest, from the middle, and to the oldest.
    for (beginning, pages) in [(MANY, 3), (MANY / 2, 3), (250, 10)] {
        let (mut expected, mut seen) = (beginning, 0);
        let mut start = (beginning < MANY).then(|| PageStart {
            first: format!("{beginning:05}").parse().unwrap(),
            created_at: created_at(beginning),
        });
        while seen < pages {
            let page = store.of_client(&busy, start.as_ref(), 100).await.unwrap();
            seen += 1;
            for pairing in &page.pairings {
                expected -= 1;
                assert_eq!(pairing.first.as_str(), format!("{expected:05}"));
            }
            start = page.next;
            if start.is_none() {
                break;
            }
        }
        let listed = 100 * pages;
        assert_eq!(expected, (beginning - listed).max(0));
        assert_eq!(
            start.is_none(),
            expected == 0,
            "the last page says that it is the last"
        );
    }
}

#[tokio::test]
async fn a_page_is_one_query_even_when_there_is_more() {
    let items: Vec<_> = (0..11)
        .map(|number| {
            let item = item(number, "busy");
            let members = item
                .iter()
                .map(|(name, value)| (name.clone(), json!({"S": value.as_s().unwrap()})));
            serde_json::Value::Object(members.collect())
        })
        .collect();
    let more =
        json!({"Items": items, "Count": 11, "ScannedCount": 11, "LastEvaluatedKey": items[10]})
            .to_string();
    let mut answer = Answer::file(more.into_bytes());
    answer.head += "Content-Type: application/x-amz-json-1.0\r\n";
    let table = FileServer::start(answer).await.unwrap();
    let settings = AwsSettings {
        region: "eu-west-1".to_owned(),
        access_key_id: "test".to_owned(),
        secret_access_key: SecretText::new("test"),
        session_token: None,
        endpoint_url: Some(table.origin.clone()),
        extra_roots: ExtraRoots::default(),
    };
    let sdk = sdk_config(http_client().unwrap(), &settings);
    let store = DynamoPairings::new(&sdk, "table", RETENTION);
    let page = store
        .of_client(&"busy".parse().unwrap(), None, 10)
        .await
        .unwrap();
    assert_eq!((page.pairings.len(), page.next.is_some()), (10, true));
    // Every request is a connection of its own there.
    assert_eq!(table.heard(), 1);
}
