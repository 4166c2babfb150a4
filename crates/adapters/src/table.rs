//! The pairings in DynamoDB, one table.
//!
//! | `pk` | `sk` | what |
//! |---|---|---|
//! | `PAIRING#<first scanRef>` | `PAIRING` | the pairing, changed only under the condition of its `version` |
//! | `PAIRING#<first scanRef>` | `EVENT#<time>#<version><digest>` | one line of its history |
//! | `SECOND#<second scanRef>` | `ALIAS` | the way from a Token 2 to its pairing |
//! | `ERASED#<SHA-256 of a scanRef>` | `TOMBSTONE` | that callbacks of this verification are to be ignored |
//!
//! A pairing, its history line and its alias are written in one transaction. A history line that is an outcome carries the event that the
//! world is told (`outcome`, `detail`); the table's stream publishes it. Reads are strongly consistent, but for lists.

use std::collections::HashMap;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, ReturnValue, TransactWriteItem};
use aws_smithy_runtime_api::client::result::SdkError;
use futures_util::future::join_all;
use verification::announcement::Announcement;
use verification::identifiers::{ClientId, Digest256, ScanRef};
use verification::ports::{HistoryEntry, Overdue, Page, PageStart, PairingSummary, PairingWrite, Pairings, Saved, Unavailable};
use verification::{Pairing, State, Timestamp};

use crate::error::unavailable;

type Item = HashMap<String, AttributeValue>;

/// The sparse index by attention is spread over this many partitions, so that one partition's write limit (1,000 units per second) is not
/// the system's.
pub const ATTENTION_SHARDS: u8 = 8;

#[derive(Clone, Debug)]
pub struct DynamoPairings {
    client: Client,
    table: String,
    retention: Duration,
}

/// An item is not what this program writes.
#[derive(Debug, thiserror::Error)]
enum StrangeItem {
    #[error("the item has no attribute '{0}'")]
    Missing(&'static str),
    #[error("the pairing cannot be read")]
    Pairing(#[source] serde_json::Error),
    #[error("the attribute '{0}' is malformed")]
    Malformed(&'static str),
    #[error("an alias leads to a pairing that is not there")]
    DanglingAlias,
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

    async fn item(&self, pk: String, sk: &str) -> Result<Option<Item>, Unavailable> {
        let request = self.client.get_item().table_name(&self.table).consistent_read(true);
        let answer = request.key("pk", text(pk)).key("sk", text(sk)).send().await;
        Ok(answer.map_err(|error| unavailable(READING, error))?.item)
    }

    fn put(&self, item: Item, condition: Option<Condition>) -> Result<TransactWriteItem, Unavailable> {
        let mut put = Put::builder().table_name(&self.table).set_item(Some(item));
        if let Some(Condition { expression, values }) = condition {
            put = put.condition_expression(expression).set_expression_attribute_values(values);
        }
        let put = put.build().map_err(|error| Unavailable::new(WRITING, error))?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

impl DynamoPairings {
    /// Removes one item; 1 if it was there.
    async fn delete(&self, pk: String, sk: String) -> Result<u64, Unavailable> {
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
        Ok(u64::from(answer.attributes.is_some_and(|old| !old.is_empty())))
    }
}

#[async_trait]
impl Pairings for DynamoPairings {
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, Unavailable> {
        let (own, alias) =
            futures_util::future::try_join(self.item(pairing_key(scan_ref), PAIRING), self.item(alias_key(scan_ref), ALIAS)).await?;
        let strange = |error| Unavailable::new(READING, error);
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

    async fn save(&self, write: &PairingWrite) -> Result<Saved, Unavailable> {
        let pairing = &write.pairing;
        let expires_at = number(pairing.updated_at.plus(self.retention).seconds());
        let item = pairing_item(pairing, &expires_at).map_err(|error| Unavailable::new(WRITING, error))?;
        let mut writes = vec![
            self.put(item, Some(Condition::next_after(pairing.version)))?,
            self.put(history_item(write, &expires_at)?, None)?,
        ];
        // The alias is written with the state that first knows the token; later states know the same one.
        if let (State::Authorized { .. }, Some(second)) = (&pairing.state, &pairing.second) {
            let alias = HashMap::from([
                ("pk".to_owned(), text(alias_key(&second.scan_ref))),
                ("sk".to_owned(), text(ALIAS)),
                ("first".to_owned(), text(pairing.first.as_str())),
                ("expires_at".to_owned(), expires_at),
            ]);
            writes.push(self.put(alias, None)?);
        }
        match self.client.transact_write_items().set_transact_items(Some(writes)).send().await {
            Ok(_) => Ok(Saved::Won),
            Err(error) if is_lost(&error) => Ok(Saved::Lost),
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }

    async fn history(&self, first: &ScanRef, limit: u16) -> Result<Vec<HistoryEntry>, Unavailable> {
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
                .limit(i32::from(limit).saturating_sub(i32::try_from(entries.len()).unwrap_or(i32::MAX)))
                .set_exclusive_start_key(start)
                .send()
                .await
                .map_err(|error| unavailable(READING, error))?;
            for item in answer.items.unwrap_or_default() {
                entries.push(read_history(&item).map_err(|error| Unavailable::new(READING, error))?);
            }
            start = answer.last_evaluated_key.filter(|_| entries.len() < usize::from(limit));
            if start.is_none() {
                return Ok(entries);
            }
        }
    }

    async fn of_client(&self, client_id: &ClientId, start: Option<&PageStart>, limit: u16) -> Result<Page, Unavailable> {
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
            pairings.push(read_summary(&item).map_err(|error| Unavailable::new(READING, error))?);
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

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, Unavailable> {
        let shards = (0..ATTENTION_SHARDS).map(|shard| {
            let request = self.client.query().table_name(&self.table).index_name("by-attention");
            request
                .key_condition_expression("attention_shard = :shard AND attention_at <= :now")
                .expression_attribute_values(":shard", text(shard.to_string()))
                .expression_attribute_values(":now", text(now.to_string()))
                .limit(i32::from(limit))
                .send()
        });
        let mut overdue = Vec::new();
        for answer in join_all(shards).await {
            for item in answer.map_err(|error| unavailable(READING, error))?.items.unwrap_or_default() {
                overdue.push(read_overdue(&item).map_err(|error| Unavailable::new(READING, error))?);
            }
        }
        overdue.sort_by(|a, b| (a.attention_at, &a.first).cmp(&(b.attention_at, &b.first)));
        overdue.truncate(usize::from(limit));
        Ok(overdue)
    }

    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, Unavailable> {
        Ok(self.item(tombstone_key(scan_ref), TOMBSTONE).await?.is_some())
    }

    async fn forget(&self, pairing: &Pairing) -> Result<u64, Unavailable> {
        let expires_at = number(pairing.updated_at.plus(self.retention).seconds());
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
                let sk = attribute(&item, "sk").map_err(|error| Unavailable::new(READING, error))?;
                removed += self.delete(pairing_key(&pairing.first), sk.to_owned()).await?;
            }
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        // Last, because whoever takes an interrupted erasure up again starts from it.
        removed += self.delete(pairing_key(&pairing.first), PAIRING.to_owned()).await?;
        Ok(removed)
    }
}

struct Condition {
    expression: &'static str,
    values: Option<Item>,
}

impl Condition {
    /// The stored pairing is the one before `version`, or there is none before version 1.
    fn next_after(version: u64) -> Self {
        match version.saturating_sub(1) {
            0 => Self {
                expression: "attribute_not_exists(pk)",
                values: None,
            },
            expected => Self {
                expression: "version = :expected",
                values: Some(Item::from([(":expected".to_owned(), number(expected))])),
            },
        }
    }
}

const READING: &str = "reading the table";
const WRITING: &str = "writing the table";

const PAIRING: &str = "PAIRING";
const ALIAS: &str = "ALIAS";
const EVENT: &str = "EVENT#";
const TOMBSTONE: &str = "TOMBSTONE";

fn pairing_key(first: &ScanRef) -> String {
    format!("PAIRING#{first}")
}

fn alias_key(second: &ScanRef) -> String {
    format!("SECOND#{second}")
}

/// The name of what is forgotten is forgotten, too.
fn tombstone_key(scan_ref: &ScanRef) -> String {
    format!("ERASED#{}", Digest256::of(scan_ref.as_str().as_bytes()))
}

fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// Lost: the condition did not hold, or another transaction was at the same items at that moment.
fn is_lost<R>(error: &SdkError<TransactWriteItemsError, R>) -> bool {
    let Some(TransactWriteItemsError::TransactionCanceledException(cancelled)) = error.as_service_error() else {
        return false;
    };
    let reasons = cancelled.cancellation_reasons();
    reasons
        .iter()
        .any(|reason| matches!(reason.code(), Some("ConditionalCheckFailed" | "TransactionConflict")))
}

fn pairing_item(pairing: &Pairing, expires_at: &AttributeValue) -> Result<Item, serde_json::Error> {
    let mut item = HashMap::from([
        ("pk".to_owned(), text(pairing_key(&pairing.first))),
        ("sk".to_owned(), text(PAIRING)),
        ("version".to_owned(), number(pairing.version)),
        ("scan_ref".to_owned(), text(pairing.first.as_str())),
        ("created_at".to_owned(), text(pairing.created_at.to_string())),
        ("updated_at".to_owned(), text(pairing.updated_at.to_string())),
        ("expires_at".to_owned(), expires_at.clone()),
        ("state".to_owned(), text(pairing.state.name())),
        // The whole of it. The attributes around it are for indexes, filters and people.
        ("pairing".to_owned(), text(serde_json::to_string(pairing)?)),
    ]);
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            item.insert(name.to_owned(), text(value));
        }
    };
    set("client_id", pairing.client_id.as_ref().map(|client_id| client_id.as_str()));
    set("reason", pairing.state.reason());
    set("verdict", pairing.state.verdict().map(verification::Verdict::as_str));
    set("first_overall", pairing.first_overall.map(verification::result::Overall::as_str));
    set("second_scan_ref", pairing.second.as_ref().map(|second| second.scan_ref.as_str()));
    set(
        "second_overall",
        pairing
            .second
            .as_ref()
            .and_then(|second| second.overall)
            .map(verification::result::Overall::as_str),
    );
    set("revoked", pairing.revoked.map(verification::reason::DeclineReason::as_str));
    if let Some(attention_at) = pairing.attention_at() {
        set("attention_at", Some(&attention_at.to_string()));
        set("attention_shard", Some(&attention_shard(&pairing.first)));
    }
    Ok(item)
}

fn attention_shard(first: &ScanRef) -> String {
    let sum = first
        .as_str()
        .bytes()
        .fold(0_u8, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte));
    (sum % ATTENTION_SHARDS).to_string()
}

fn history_item(write: &PairingWrite, expires_at: &AttributeValue) -> Result<Item, Unavailable> {
    let (entry, version) = (&write.history, write.pairing.version);
    let digest: String = Digest256::of(format!("{version}{}{}", entry.what, entry.at).as_bytes())
        .as_str()
        .chars()
        .take(8)
        .collect();
    let mut item = HashMap::from([
        ("pk".to_owned(), text(pairing_key(&write.pairing.first))),
        // The version keeps two lines of the same millisecond apart and in order.
        ("sk".to_owned(), text(format!("{EVENT}{}#{version:08x}{digest}", entry.at))),
        ("at".to_owned(), text(entry.at.to_string())),
        ("what".to_owned(), text(&entry.what)),
        ("state".to_owned(), text(&entry.state)),
        ("expires_at".to_owned(), expires_at.clone()),
    ]);
    if let Some(callback) = &entry.callback {
        item.insert("callback".to_owned(), text(callback.as_str()));
    }
    if let Some(Announcement { outcome, detail }) = &write.announcement {
        let detail = serde_json::to_string(detail).map_err(|error| Unavailable::new(WRITING, error))?;
        item.insert("outcome".to_owned(), text(outcome.as_str()));
        item.insert("detail".to_owned(), text(detail));
    }
    Ok(item)
}

fn attribute<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StrangeItem> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
        .ok_or(StrangeItem::Missing(name))
}

fn parse<T: std::str::FromStr>(value: &str, name: &'static str) -> Result<T, StrangeItem> {
    value.parse().map_err(|_| StrangeItem::Malformed(name))
}

fn read_pairing(item: &Item) -> Result<Pairing, StrangeItem> {
    serde_json::from_str(attribute(item, "pairing")?).map_err(StrangeItem::Pairing)
}

/// The index has keys only.
fn read_overdue(item: &Item) -> Result<Overdue, StrangeItem> {
    let first = attribute(item, "pk")?
        .strip_prefix("PAIRING#")
        .ok_or(StrangeItem::Malformed("pk"))?;
    Ok(Overdue {
        first: parse(first, "pk")?,
        attention_at: attribute(item, "attention_at").and_then(|text| parse(text, "attention_at"))?,
    })
}

fn read_summary(item: &Item) -> Result<PairingSummary, StrangeItem> {
    let own = |name: &'static str| attribute(item, name).ok().map(str::to_owned);
    Ok(PairingSummary {
        first: attribute(item, "scan_ref").and_then(|text| parse(text, "scan_ref"))?,
        state: attribute(item, "state")?.to_owned(),
        reason: own("reason"),
        verdict: own("verdict"),
        created_at: attribute(item, "created_at").and_then(|text| parse(text, "created_at"))?,
        updated_at: attribute(item, "updated_at").and_then(|text| parse(text, "updated_at"))?,
    })
}

fn read_history(item: &Item) -> Result<HistoryEntry, StrangeItem> {
    Ok(HistoryEntry {
        at: attribute(item, "at").and_then(|at| parse::<Timestamp>(at, "at"))?,
        what: attribute(item, "what")?.to_owned(),
        state: attribute(item, "state")?.to_owned(),
        callback: item
            .contains_key("callback")
            .then(|| attribute(item, "callback").and_then(|text| parse(text, "callback")))
            .transpose()?,
    })
}
