//! The pairing as the table has it, read without the code that wrote it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::Value;

use crate::stack::Stack;

type Item = HashMap<String, AttributeValue>;

/// The partitions of the index by attention.
const ATTENTION_SHARDS: u8 = 8;

/// What tells whether a pairing has come to its end.
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
    fn read(item: &Item) -> Self {
        let text = |name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let pairing: Value =
            serde_json::from_str(&text("pairing").expect("a pairing")).expect("JSON");
        let record = Self {
            state: text("state").expect("a state"),
            reason: text("reason"),
            verdict: text("verdict"),
            version: item["version"]
                .as_n()
                .expect("a number")
                .parse()
                .expect("a number"),
            client_id: text("client_id"),
            second_scan_ref: text("second_scan_ref"),
            attention_at: text("attention_at"),
            pairing,
        };
        assert_eq!(
            record.pairing["state"]["name"],
            record.state.as_str(),
            "attribute and record agree"
        );
        assert_eq!(
            record.pairing["version"], record.version,
            "attribute and record agree"
        );
        assert!(
            item.contains_key("expires_at"),
            "every record is removed one day"
        );
        let is_terminal =
            ["Settled", "Declined", "Expired", "Parked"].contains(&record.state.as_str());
        let is_asked = !record.pairing["first_question"].is_null()
            || !record.pairing["second"]["question"].is_null();
        let is_next_due = record.state == "Settled" && !record.pairing["next_upload"].is_null();
        let is_at_rest = is_terminal && !is_asked && !is_next_due;
        assert_eq!(
            record.attention_at.is_none(),
            is_at_rest,
            "no pairing is forgotten: {record:?}"
        );
        record
    }
}

impl Stack {
    /// The pairing of a first `scanRef`, if there is one.
    pub async fn pairing(&self, first: &str) -> Option<PairingRecord> {
        self.pairing_item(first)
            .await
            .as_ref()
            .map(PairingRecord::read)
    }

    /// The name of a pairing's state, if there is a pairing.
    pub async fn state(&self, first: &str) -> Option<String> {
        self.pairing_item(first)
            .await
            .map(|item| item["state"].as_s().expect("text").clone())
    }

    async fn pairing_item(&self, first: &str) -> Option<Item> {
        let request = self
            .dynamodb
            .get_item()
            .table_name(&self.description.pairing_table)
            .consistent_read(true);
        let request = request.key("pk", AttributeValue::S(format!("PAIRING#{first}")));
        let request = request.key("sk", AttributeValue::S("PAIRING".to_owned()));
        request.send().await.expect("the table answers").item
    }

    /// The first `scanRef`s of all pairings in the sparse index by attention: those that are under
    /// way.
    pub async fn under_way(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for shard in 0..ATTENTION_SHARDS {
            let request = self
                .dynamodb
                .query()
                .table_name(&self.description.pairing_table);
            let request = request
                .index_name("by-attention")
                .key_condition_expression("attention_shard = :shard");
            let request =
                request.expression_attribute_values(":shard", AttributeValue::S(shard.to_string()));
            let items = request
                .into_paginator()
                .items()
                .send()
                .try_collect()
                .await
                .expect("the table answers");
            let keys = items.iter().map(|item| item["pk"].as_s().expect("text"));
            found.extend(
                keys.filter_map(|key| key.strip_prefix("PAIRING#"))
                    .map(str::to_owned),
            );
        }
        found
    }

    /// Every pairing of the whole table by its first `scanRef`, as it is, whether or not it is as
    /// it should be.
    pub async fn all_pairings(&self) -> BTreeMap<String, StoredPairing> {
        let request = self
            .dynamodb
            .scan()
            .table_name(&self.description.pairing_table)
            .consistent_read(true);
        let request = request.filter_expression("sk = :pairing");
        let request = request
            .expression_attribute_values(":pairing", AttributeValue::S("PAIRING".to_owned()));
        let items = request
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .expect("the table answers");
        let text =
            |item: &Item, name: &str| item.get(name).and_then(|value| value.as_s().ok()).cloned();
        let read = |item: &Item| StoredPairing {
            state: text(item, "state").unwrap_or_default(),
            reason: text(item, "reason"),
            revoked: text(item, "revoked"),
            attention_at: text(item, "attention_at"),
        };
        items
            .iter()
            .map(|item| (text(item, "scan_ref").unwrap_or_default(), read(item)))
            .collect()
    }

    /// What was decided about a pairing, oldest first.
    pub async fn history(&self, first: &str) -> Vec<String> {
        let request = self
            .dynamodb
            .query()
            .table_name(&self.description.pairing_table)
            .consistent_read(true);
        let request = request.key_condition_expression("pk = :pk AND begins_with(sk, :event)");
        let request = request
            .expression_attribute_values(":pk", AttributeValue::S(format!("PAIRING#{first}")));
        let request =
            request.expression_attribute_values(":event", AttributeValue::S("EVENT#".to_owned()));
        let answer = request.send().await.expect("the table answers");
        let what = |item: &Item| item["what"].as_s().expect("text").clone();
        answer.items().iter().map(what).collect()
    }

    /// The keys of all items of the whole table in which any of these texts occurs, anywhere.
    pub async fn items_with(&self, texts: &[&str]) -> Vec<String> {
        let pages = self
            .dynamodb
            .scan()
            .table_name(&self.description.pairing_table)
            .consistent_read(true);
        let items = pages
            .into_paginator()
            .items()
            .send()
            .try_collect()
            .await
            .expect("the table answers");
        let has_any = |item: &&Item| {
            let item = format!("{item:?}");
            texts.iter().any(|text| item.contains(text))
        };
        let key = |item: &Item| format!("{:?} {:?}", item["pk"], item["sk"]);
        items.iter().filter(has_any).map(key).collect()
    }

    /// A client's items as the index has them.
    pub async fn indexed(&self, client_id: &str) -> Vec<Item> {
        let request = self
            .dynamodb
            .query()
            .table_name(&self.description.pairing_table)
            .index_name("by-client");
        let request = request.key_condition_expression("client_id = :client_id");
        let request = request
            .expression_attribute_values(":client_id", AttributeValue::S(client_id.to_owned()));
        request
            .send()
            .await
            .expect("the table answers")
            .items
            .unwrap_or_default()
    }
}
