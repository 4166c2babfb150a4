//! The pairings in DynamoDB, one table.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `PAIRING#<first scanRef>` | `PAIRING` | the pairing, conditional on its `version` |
//! | `PAIRING#<first scanRef>` | `EVENT#<time>#<version><digest>` | one line of its history |
//! | `SECOND#<second scanRef>` | `ALIAS` | leads from Token 2 to its pairing |
//! | `ERASED#<SHA-256 of a scanRef>` | `TOMBSTONE` | callbacks of it are ignored |
//! | `IDEMPOTENCY#<SHA-256 of caller and key>` | `SESSION` | a claim, then the answer |
//! | `CIRCUIT#PROVIDER` | `CIRCUIT` | the circuit to the provider |
//!
//! A pairing, its history line and its alias are written in one transaction.
//!
//! A history line that is an outcome carries its event (`outcome`, `detail`). The table's stream
//! publishes it.
//!
//! Reads are strongly consistent, except lists.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{Put, ReturnValue, TransactWriteItem};
use aws_smithy_runtime_api::client::result::SdkError;
use futures_util::future::join_all;
use verification::identifiers::{ClientId, ScanRef};
use verification::ports::{
    HistoryEntry, Overdue, Page, PageStart, PairingWrite, Pairings, Saved, StoreUnavailable,
};
use verification::{Pairing, State, Timestamp};

use super::condition::Condition;
use super::items::{
    ALIAS, ATTENTION_SHARDS, EVENT, Item, PAIRING, READING, StrangeItem, TOMBSTONE, WRITING,
    alias_key, attribute, history_item, number, pairing_item, pairing_key, parse, read_history,
    read_overdue, read_pairing, read_summary, text, tombstone_key,
};
use super::session_key_item;
use crate::aws::error::unavailable;

/// How long callbacks of an erased verification are ignored at least.
///
/// iDenfy's staff can send one again at any time, and it would open the customer anew.
const SHORTEST_TOMBSTONE: Duration = Duration::from_secs(365 * 24 * 60 * 60);

#[derive(Clone, Debug)]
pub struct DynamoPairings {
    pub(super) client: Client,
    pub(super) table: String,
    retention: Duration,
}

impl DynamoPairings {
    /// Records live for `retention` after their last change.
    pub fn new(sdk: &aws_types::SdkConfig, table: impl Into<String>, retention: Duration) -> Self {
        Self {
            client: Client::new(sdk),
            table: table.into(),
            retention,
        }
    }

    pub(super) async fn item(
        &self,
        pk: String,
        sk: &str,
    ) -> Result<Option<Item>, StoreUnavailable> {
        let request = self
            .client
            .get_item()
            .table_name(&self.table)
            .consistent_read(true);
        let answer = request.key("pk", text(pk)).key("sk", text(sk)).send().await;
        Ok(answer.map_err(|error| unavailable(READING, error))?.item)
    }

    fn put(
        &self,
        item: Item,
        condition: Option<Condition>,
    ) -> Result<TransactWriteItem, StoreUnavailable> {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if let Some(Condition { expression, values }) = condition {
            put = put
                .condition_expression(expression)
                .set_expression_attribute_values(values);
        }
        let put = put
            .build()
            .map_err(|error| StoreUnavailable::new(WRITING, error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

impl DynamoPairings {
    /// Removes one item; 1 if it was there.
    async fn delete(&self, pk: String, sk: String) -> Result<u64, StoreUnavailable> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", text(pk))
            .key("sk", text(sk));
        let answer = request
            .return_values(ReturnValue::AllOld)
            .send()
            .await
            .map_err(|error| unavailable(WRITING, error))?;
        Ok(u64::from(
            answer.attributes.is_some_and(|old| !old.is_empty()),
        ))
    }
}

#[async_trait]
impl Pairings for DynamoPairings {
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, StoreUnavailable> {
        let (own, alias) = futures_util::future::try_join(
            self.item(pairing_key(scan_ref), PAIRING),
            self.item(alias_key(scan_ref), ALIAS),
        )
        .await?;
        let strange = |error| StoreUnavailable::new(READING, error);
        if let Some(item) = own {
            return read_pairing(&item).map(Some).map_err(strange);
        }
        let Some(alias) = alias else { return Ok(None) };
        let first: ScanRef = attribute(&alias, "first")
            .and_then(|first| parse(first, "first"))
            .map_err(strange)?;
        let item = self
            .item(pairing_key(&first), PAIRING)
            .await?
            .ok_or_else(|| strange(StrangeItem::DanglingAlias))?;
        read_pairing(&item).map(Some).map_err(strange)
    }

    async fn save(&self, write: &PairingWrite) -> Result<Saved, StoreUnavailable> {
        let pairing = &write.pairing;
        let expires_at = number(pairing.updated_at.plus(self.retention).seconds());
        let item = pairing_item(pairing, &expires_at)
            .map_err(|error| StoreUnavailable::new(WRITING, error))?;
        let mut writes = vec![
            self.put(item, Some(Condition::next_after(pairing.version)))?,
            self.put(history_item(write, &expires_at)?, None)?,
        ];
        if let Some(answered) = &write.answered {
            writes.push(self.put(
                session_key_item::item(answered)?,
                Some(session_key_item::is_held(answered)),
            )?);
        }
        // The alias is written with the state that first knows the token. Later states know the
        // same one.
        if let (State::Authorized { .. }, Some(second)) = (&pairing.state, &pairing.second) {
            let alias = HashMap::from([
                ("pk".to_owned(), text(alias_key(&second.scan_ref))),
                ("sk".to_owned(), text(ALIAS)),
                ("first".to_owned(), text(pairing.first.as_str())),
                ("expires_at".to_owned(), expires_at),
            ]);
            writes.push(self.put(alias, None)?);
        }
        match self
            .client
            .transact_write_items()
            .set_transact_items(Some(writes))
            .send()
            .await
        {
            Ok(_) => Ok(Saved::Won),
            Err(error) => match lost(&error) {
                Some(Lost::Overtaken) => Ok(Saved::Lost),
                Some(Lost::Collided) => {
                    // Nobody may have won. Two that go on in step would collide again.
                    tokio::time::sleep(COLLISION_PAUSE.mul_f64(fastrand::f64())).await;
                    Ok(Saved::Lost)
                }
                None => Err(unavailable(WRITING, error)),
            },
        }
    }

    async fn history(
        &self,
        first: &ScanRef,
        limit: u16,
    ) -> Result<Vec<HistoryEntry>, StoreUnavailable> {
        let mut entries = Vec::new();
        let mut start = None;
        loop {
            let answer = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk AND begins_with(sk, :event)")
                .expression_attribute_values(":pk", text(pairing_key(first)))
                .expression_attribute_values(":event", text(EVENT))
                .limit(
                    i32::from(limit)
                        .saturating_sub(i32::try_from(entries.len()).unwrap_or(i32::MAX)),
                )
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable(READING, error))?;
            for item in answer.items.unwrap_or_default() {
                entries.push(
                    read_history(&item).map_err(|error| StoreUnavailable::new(READING, error))?,
                );
            }
            start = answer
                .last_evaluated_key
                .filter(|_| entries.len() < usize::from(limit));
            if start.is_none() {
                return Ok(entries);
            }
        }
    }

    async fn of_client(
        &self,
        client_id: &ClientId,
        start: Option<&PageStart>,
        limit: u16,
    ) -> Result<Page, StoreUnavailable> {
        let start = start.map(|start| {
            Item::from([
                ("pk".to_owned(), text(pairing_key(&start.first))),
                ("sk".to_owned(), text(PAIRING)),
                ("client_id".to_owned(), text(client_id.as_str())),
                ("created_at".to_owned(), text(start.created_at.to_string())),
            ])
        });
        let request = self
            .client
            .query()
            .table_name(&self.table)
            .index_name("by-client")
            .scan_index_forward(false);
        let answer = request
            .key_condition_expression("client_id = :client_id")
            .expression_attribute_values(":client_id", text(client_id.as_str()))
            // One more, to know whether another page follows.
            .limit(i32::from(limit).saturating_add(1))
            .set_exclusive_start_key(start)
            .send()
            .await
            .map_err(|error| unavailable(READING, error))?;
        let mut pairings = Vec::new();
        for item in answer.items.unwrap_or_default() {
            pairings
                .push(read_summary(&item).map_err(|error| StoreUnavailable::new(READING, error))?);
        }
        let has_more = pairings.len() > usize::from(limit);
        pairings.truncate(usize::from(limit));
        let last = pairings.last().map(|last| PageStart {
            first: last.first.clone(),
            created_at: last.created_at,
        });
        Ok(Page {
            pairings,
            next: last.filter(|_| has_more),
        })
    }

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, StoreUnavailable> {
        let shards = (0..ATTENTION_SHARDS).map(|shard| {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .index_name("by-attention");
            request
                .key_condition_expression("attention_shard = :shard AND attention_at <= :now")
                .expression_attribute_values(":shard", text(shard.to_string()))
                .expression_attribute_values(":now", text(now.to_string()))
                .limit(i32::from(limit))
                .send()
        });
        let mut overdue = Vec::new();
        for answer in join_all(shards).await {
            for item in answer
                .map_err(|error| unavailable(READING, error))?
                .items
                .unwrap_or_default()
            {
                overdue.push(
                    read_overdue(&item).map_err(|error| StoreUnavailable::new(READING, error))?,
                );
            }
        }
        overdue.sort_by(|a, b| (a.attention_at, &a.first).cmp(&(b.attention_at, &b.first)));
        overdue.truncate(usize::from(limit));
        Ok(overdue)
    }

    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, StoreUnavailable> {
        Ok(self
            .item(tombstone_key(scan_ref), TOMBSTONE)
            .await?
            .is_some())
    }

    async fn forget(&self, pairing: &Pairing) -> Result<u64, StoreUnavailable> {
        let life = self.retention.max(SHORTEST_TOMBSTONE);
        let expires_at = number(pairing.updated_at.plus(life).seconds());
        for scan_ref in pairing.scan_refs() {
            let put = self
                .client
                .put_item()
                .table_name(&self.table)
                .item("pk", text(tombstone_key(&scan_ref)))
                .item("sk", text(TOMBSTONE));
            put.item("expires_at", expires_at.clone())
                .send()
                .await
                .map_err(|error| unavailable(WRITING, error))?;
        }
        let mut removed = 0;
        for second in pairing.scan_refs().iter().skip(1) {
            removed += self.delete(alias_key(second), ALIAS.to_owned()).await?;
        }
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .projection_expression("sk");
            let answer = request
                .key_condition_expression("pk = :pk AND begins_with(sk, :event)")
                .expression_attribute_values(":pk", text(pairing_key(&pairing.first)))
                .expression_attribute_values(":event", text(EVENT))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable(READING, error))?;
            for item in answer.items.unwrap_or_default() {
                let sk = attribute(&item, "sk")
                    .map_err(|error| StoreUnavailable::new(READING, error))?;
                removed += self
                    .delete(pairing_key(&pairing.first), sk.to_owned())
                    .await?;
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        // Last: an interrupted erasure starts from it again.
        removed += self
            .delete(pairing_key(&pairing.first), PAIRING.to_owned())
            .await?;
        Ok(removed)
    }
}

/// Longest pause after a collision. A transaction takes some milliseconds.
const COLLISION_PAUSE: Duration = Duration::from_millis(40);

/// Why a transaction was not made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lost {
    /// The condition failed: another one was first.
    Overtaken,
    /// Another transaction had the same items at the same moment.
    Collided,
}

/// `None`: for another reason.
fn lost<R>(error: &SdkError<TransactWriteItemsError, R>) -> Option<Lost> {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) =
        error.as_service_error()
    else {
        return None;
    };
    let reasons = || {
        let reasons = cancelled.cancellation_reasons().iter();
        reasons.filter_map(|reason| reason.code())
    };
    if reasons().any(|code| code == "ConditionalCheckFailed") {
        return Some(Lost::Overtaken);
    }
    reasons()
        .any(|code| code == "TransactionConflict")
        .then_some(Lost::Collided)
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};
    use std::thread::JoinHandle;

    use serde_json::{Value, json};
    use verification::document::Plan;
    use verification::identifiers::{Digest256, UploadId};
    use verification::pairing::Second;
    use verification::secret::AuthToken;

    use super::*;
    use crate::{AwsSettings, ExtraRoots, SecretText, http_client, sdk_config};

    fn pairing() -> Pairing {
        let at = Timestamp::from_milliseconds(1_795_422_063_000);
        let client = Some("client".parse().unwrap());
        Pairing::opened("first".parse().unwrap(), client, at, at)
    }

    /// A table with one pairing and its alias, for so many requests. Returns them at the end:
    /// operation and body.
    fn table(requests: usize) -> (DynamoPairings, JoinHandle<Vec<(String, Value)>>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let settings = AwsSettings {
            region: "eu-west-1".to_owned(),
            access_key_id: "id".to_owned(),
            secret_access_key: SecretText::new("secret"),
            session_token: None,
            endpoint_url: Some(format!("http://{}", listener.local_addr().unwrap())),
            extra_roots: ExtraRoots::default(),
        };
        let serve = move |_| {
            let (mut connection, _) = listener.accept().unwrap();
            let (operation, body) = read_request(&mut connection);
            let answer = answer(&body).to_string();
            write!(
                connection,
                "HTTP/1.1 200 OK\r\ncontent-type: application/x-amz-json-1.0\r\n\
                 content-length: {}\r\nconnection: close\r\n\r\n{answer}",
                answer.len()
            )
            .unwrap();
            (operation, body)
        };
        let served = std::thread::spawn(move || (0..requests).map(serve).collect());
        let sdk = sdk_config(http_client().unwrap(), &settings);
        let store = DynamoPairings::new(&sdk, "table", Duration::from_secs(60));
        (store, served)
    }

    fn read_request(connection: &mut TcpStream) -> (String, Value) {
        let mut received = Vec::new();
        let mut buffer = [0; 4096];
        loop {
            let read = connection.read(&mut buffer).unwrap();
            assert!(read > 0, "a whole request");
            received.extend_from_slice(&buffer[..read]);
            let text = String::from_utf8_lossy(&received);
            let Some((head, body)) = text.split_once("\r\n\r\n") else {
                continue;
            };
            // Incomplete JSON does not parse.
            if let Ok(body) = serde_json::from_str(body) {
                let target = head
                    .lines()
                    .find_map(|line| line.strip_prefix("x-amz-target: "));
                let operation = target.unwrap().split('.').next_back().unwrap();
                return (operation.to_owned(), body);
            }
        }
    }

    fn answer(body: &Value) -> Value {
        match body.pointer("/Key/pk/S").and_then(Value::as_str) {
            Some("PAIRING#first") => {
                let pairing = serde_json::to_string(&pairing()).unwrap();
                json!({"Item": {"pairing": {"S": pairing}}})
            }
            Some("SECOND#second") => json!({"Item": {"first": {"S": "first"}}}),
            _ => json!({}),
        }
    }

    /// `docs/SCALING.md` counts with these.
    #[tokio::test]
    async fn a_pairing_is_found_by_two_reads_or_by_three() {
        for (scan_ref, reads, is_found) in
            [("first", 2, true), ("other", 2, false), ("second", 3, true)]
        {
            let (store, served) = table(reads);
            let found = store.find(&scan_ref.parse().unwrap()).await.unwrap();
            assert_eq!(found.is_some(), is_found, "{scan_ref}");
            for (operation, body) in served.join().unwrap() {
                assert_eq!(operation, "GetItem");
                assert_eq!(body["ConsistentRead"], true);
            }
        }
    }

    /// Saves the pairing. Returns the items of the one transaction.
    async fn saved(pairing: Pairing) -> usize {
        let (store, served) = table(1);
        let write = PairingWrite {
            history: HistoryEntry {
                at: pairing.updated_at,
                what: "SessionOpened".to_owned(),
                state: pairing.state.name().to_owned(),
                reason: None,
                callback: None,
            },
            pairing,
            announcement: None,
            answered: None,
        };
        assert_eq!(store.save(&write).await.unwrap(), Saved::Won);
        let requests = served.join().unwrap();
        let (operation, body) = &requests[0];
        assert_eq!(operation, "TransactWriteItems");
        body["TransactItems"].as_array().unwrap().len()
    }

    #[tokio::test]
    async fn a_pairing_and_its_history_are_one_transaction_of_two_items() {
        assert_eq!(saved(pairing()).await, 2);
    }

    #[tokio::test]
    async fn the_alias_is_a_third_item_once_token_2_is_known() {
        let digest = Digest256::of(b"a callback");
        let upload = UploadId::of(&digest);
        let plan = Plan {
            callback: digest.clone(),
            upload: upload.clone(),
            fingerprint: digest,
            are_links_replaced: false,
            client_id: "client".parse().unwrap(),
            documents: Vec::new(),
            images: Vec::new(),
            country: "LT".parse().unwrap(),
            document_type: None,
        };
        let authorized = Pairing {
            state: State::Authorized {
                plan,
                auth_token: AuthToken::new("secret"),
            },
            second: Some(Second {
                scan_ref: "second".parse().unwrap(),
                upload,
                overall: None,
                tags: Vec::new(),
                question: None,
            }),
            ..pairing()
        };
        assert_eq!(saved(authorized).await, 3);
    }
}
