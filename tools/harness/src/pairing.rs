//! The pairing as the table has it, read without the code that wrote it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use anyhow::{Context, Result, ensure};
use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::stack::Stack;

type Item = HashMap<String, AttributeValue>;

/// The message of every failed call.
const SILENT: &str = "the table does not answer";

/// The partitions of the index by attention.
const ATTENTION_SHARDS: u8 = 8;

/// The attributes that tell whether a pairing has come to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredPairing {
    pub state: String,
    pub reason: Option<String>,
    /// Why the first verification's approval was taken back, if it was.
    pub revoked: Option<String>,
    pub attention_at: Option<String>,
}

/// The attributes of `PAIRING#<first scanRef>` / `PAIRING`.
#[derive(Clone, Debug, PartialEq)]
pub struct PairingRecord {
    pub state: String,
    pub reason: Option<String>,
    pub verdict: Option<String>,
    pub version: u64,
    pub client_id: Option<String>,
    pub second_scan_ref: Option<String>,
    pub attention_at: Option<String>,
    /// The whole of it.
    pub pairing: Value,
}

impl fmt::Display for PairingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = |word: &Option<String>| word.clone().unwrap_or_default();
        write!(
            f,
            "{} {}{} (version {})",
            self.state,
            word(&self.reason),
            word(&self.verdict),
            self.version
        )
    }
}

impl PairingRecord {
    /// # Errors
    /// The record breaks a rule that holds for every stored pairing.
    fn read(item: &Item) -> Result<Self> {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let pairing = text("pairing").context("a record without its pairing")?;
        let version = item.get("version").and_then(|value| value.as_n().ok());
        let record = Self {
            state: text("state").context("a record without a state")?,
            reason: text("reason"),
            verdict: text("verdict"),
            version: version.context("a record without a version")?.parse()?,
            client_id: text("client_id"),
            second_scan_ref: text("second_scan_ref"),
            attention_at: text("attention_at"),
            pairing: serde_json::from_str(&pairing)?,
        };
        ensure!(
            record.pairing["state"]["name"] == record.state.as_str()
                && record.pairing["version"] == record.version,
            "attributes and pairing disagree: {record:?}"
        );
        ensure!(
            item.contains_key("expires_at"),
            "a record that is never removed: {record:?}"
        );
        ensure!(
            record.attention_at.is_none() == record.is_at_rest(),
            "a forgotten pairing: {record:?}"
        );
        Ok(record)
    }

    /// Whether nothing is to be done about the pairing.
    fn is_at_rest(&self) -> bool {
        let is_terminal = ["Settled", "Declined", "Expired", "Parked"].contains(&&*self.state);
        let is_asked = !self.pairing["first_question"].is_null()
            || !self.pairing["second"]["question"].is_null();
        let is_next_due = self.state == "Settled" && !self.pairing["next_upload"].is_null();
        is_terminal && !is_asked && !is_next_due
    }
}

/// The text of an attribute; empty if there is none.
fn text(item: &Item, name: &str) -> String {
    optional(item, name).unwrap_or_default()
}

fn optional(item: &Item, name: &str) -> Option<String> {
    item.get(name)?.as_s().ok().cloned()
}

impl Stack {
    /// The pairing of a first `scanRef`; `None` if there is none.
    ///
    /// # Errors
    /// The record breaks a rule, or the table does not answer. The same holds for every method
    /// here.
    pub async fn pairing(&self, first: &str) -> Result<Option<PairingRecord>> {
        let item = self.pairing_item(first).await?;
        item.as_ref().map(PairingRecord::read).transpose()
    }

    /// The name of a pairing's state; `None` if there is no pairing.
    pub async fn state(&self, first: &str) -> Result<Option<String>> {
        let item = self.pairing_item(first).await?;
        Ok(item.map(|item| text(&item, "state")))
    }

    async fn pairing_item(&self, first: &str) -> Result<Option<Item>> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.description.pairing_table)
            .consistent_read(true)
            .key("pk", AttributeValue::S(format!("PAIRING#{first}")))
            .key("sk", AttributeValue::S("PAIRING".to_owned()));
        Ok(request.send().await.context(SILENT)?.item)
    }

    /// The first `scanRef`s of all pairings in the sparse index by attention: those under way.
    pub async fn under_way(&self) -> Result<BTreeSet<String>> {
        let mut found = BTreeSet::new();
        for shard in 0..ATTENTION_SHARDS {
            let request = self
                .dynamodb
                .query()
                .table_name(&self.description.pairing_table)
                .index_name("by-attention")
                .key_condition_expression("attention_shard = :shard")
                .expression_attribute_values(":shard", AttributeValue::S(shard.to_string()));
            let pages = request.into_paginator().items().send();
            let items = pages.try_collect().await.context(SILENT)?;
            let keys = items.iter().map(|item| text(item, "pk"));
            found.extend(keys.filter_map(|key| key.strip_prefix("PAIRING#").map(str::to_owned)));
        }
        Ok(found)
    }

    /// Every pairing of the whole table by its first `scanRef`, without any check.
    pub async fn all_pairings(&self) -> Result<BTreeMap<String, StoredPairing>> {
        let request = self
            .dynamodb
            .scan()
            .table_name(&self.description.pairing_table)
            .consistent_read(true)
            .filter_expression("sk = :pairing")
            .expression_attribute_values(":pairing", AttributeValue::S("PAIRING".to_owned()));
        let pages = request.into_paginator().items().send();
        let items = pages.try_collect().await.context(SILENT)?;
        let read = |item: &Item| StoredPairing {
            state: text(item, "state"),
            reason: optional(item, "reason"),
            revoked: optional(item, "revoked"),
            attention_at: optional(item, "attention_at"),
        };
        let pairings = items
            .iter()
            .map(|item| (text(item, "scan_ref"), read(item)));
        Ok(pairings.collect())
    }

    /// What was decided about a pairing, oldest first.
    pub async fn history(&self, first: &str) -> Result<Vec<String>> {
        let key = AttributeValue::S(format!("PAIRING#{first}"));
        let request = self
            .dynamodb
            .query()
            .table_name(&self.description.pairing_table)
            .consistent_read(true)
            .key_condition_expression("pk = :pk AND begins_with(sk, :event)")
            .expression_attribute_values(":pk", key)
            .expression_attribute_values(":event", AttributeValue::S("EVENT#".to_owned()));
        let answer = request.send().await.context(SILENT)?;
        let what = answer.items().iter().map(|item| text(item, "what"));
        Ok(what.collect())
    }

    /// The keys of all items of the whole table that contain any of these texts.
    pub async fn items_with(&self, texts: &[&str]) -> Result<Vec<String>> {
        let request = self
            .dynamodb
            .scan()
            .table_name(&self.description.pairing_table)
            .consistent_read(true);
        let pages = request.into_paginator().items().send();
        let items = pages.try_collect().await.context(SILENT)?;
        let has_any = |item: &&Item| {
            let item = format!("{item:?}");
            texts.iter().any(|text| item.contains(text))
        };
        let key = |item: &Item| format!("{:?} {:?}", item.get("pk"), item.get("sk"));
        Ok(items.iter().filter(has_any).map(key).collect())
    }

    /// A client's items as the index has them.
    pub async fn indexed(&self, client_id: &str) -> Result<Vec<Item>> {
        let request = self
            .dynamodb
            .query()
            .table_name(&self.description.pairing_table)
            .index_name("by-client")
            .key_condition_expression("client_id = :client_id")
            .expression_attribute_values(":client_id", AttributeValue::S(client_id.to_owned()));
        let answer = request.send().await.context(SILENT)?;
        Ok(answer.items.unwrap_or_default())
    }
}
