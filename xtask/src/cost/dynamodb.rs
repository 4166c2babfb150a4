//! Request units and stored bytes, reckoned from requests and answers as DynamoDB's documentation says ("Read and write operations",
//! "Item sizes and formats"): a read unit is 4 KB read consistently or 8 KB otherwise, a write unit is 1 KB, in a transaction two, and each change of
//! an index's entry is a write of its own.

use std::collections::HashMap;

use serde_json::Value;

/// What DynamoDB adds to each stored item and to each entry of an index.
const STORED_OVERHEAD: usize = 100;

/// Of one request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Units {
    pub read: f64,
    pub written: f64,
}

/// What was written so far, because the price of a write depends on what was there.
#[derive(Debug, Default)]
pub struct Table(HashMap<String, Stored>);

#[derive(Debug)]
struct Stored {
    bytes: usize,
    attention_at: Option<String>,
}

impl Table {
    /// The units of one request that was answered, successful or not: a condition that does not hold costs a write, too.
    pub fn units(&mut self, operation: &str, request: &Value, answer: &Value, succeeded: bool) -> Units {
        let consistent = if request["ConsistentRead"] == true { 1.0 } else { 0.5 };
        let read = |bytes: usize| Units {
            read: blocks(bytes, 4_096) * consistent,
            written: 0.0,
        };
        match operation {
            "GetItem" => read(item_bytes(&answer["Item"])),
            "Query" => read(answer["Items"].as_array().into_iter().flatten().map(item_bytes).sum()),
            "TransactWriteItems" => {
                let writes = request["TransactItems"].as_array().into_iter().flatten();
                let written = writes.map(|write| self.write(&write["Put"]["Item"], 2.0, succeeded)).sum();
                Units { read: 0.0, written }
            }
            // Of what is not put as a whole, the request does not tell the size; it is one unit of up to 1 KB.
            _ => Units {
                read: 0.0,
                written: self.write(&request["Item"], 1.0, succeeded),
            },
        }
    }

    fn write(&mut self, item: &Value, factor: f64, succeeded: bool) -> f64 {
        let own = blocks(item_bytes(item), 1_024) * factor;
        let key = format!(
            "{}\n{}",
            item["pk"]["S"].as_str().unwrap_or_default(),
            item["sk"]["S"].as_str().unwrap_or_default()
        );
        if !succeeded {
            return own;
        }
        let attention_at = item["attention_at"]["S"].as_str().map(str::to_owned);
        let has_client = item.get("client_id").is_some() && item.get("created_at").is_some();
        let overhead = STORED_OVERHEAD * (1 + usize::from(has_client) + usize::from(attention_at.is_some()));
        let now = Stored {
            bytes: item_bytes(item) + overhead,
            attention_at,
        };
        let changed = changed_entries(
            self.0.get(&key).and_then(|stored| stored.attention_at.as_deref()),
            now.attention_at.as_deref(),
        );
        self.0.insert(key, now);
        // The entry of the index by client has the time of the last change, so it changes with each.
        own + changed + f64::from(u8::from(has_client))
    }

    /// All items with their overhead; the indexes' entries hold parts of the same attributes and are small.
    pub fn bytes(&self) -> usize {
        self.0.values().map(|stored| stored.bytes).sum()
    }
}

/// An entry whose key changes is removed and written.
fn changed_entries(before: Option<&str>, now: Option<&str>) -> f64 {
    match (before, now) {
        (before, now) if before == now => 0.0,
        (Some(_), Some(_)) => 2.0,
        _ => 1.0,
    }
}

/// At least one.
fn blocks(bytes: usize, size: usize) -> f64 {
    f64::from(u32::try_from(bytes.div_ceil(size).max(1)).unwrap_or(u32::MAX))
}

/// Names and values of all attributes; nothing for what is no item.
fn item_bytes(item: &Value) -> usize {
    let attributes = item.as_object().into_iter().flatten();
    attributes.map(|(name, value)| name.len() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    let Some((kind, value)) = value.as_object().and_then(|value| value.iter().next()) else {
        return 0;
    };
    match (kind.as_str(), value) {
        ("N", Value::String(digits)) => digits.len().div_ceil(2) + 1,
        (_, Value::String(text)) => text.len(),
        ("L", Value::Array(values)) => 3 + values.iter().map(|value| 1 + value_bytes(value)).sum::<usize>(),
        ("M", members) => 3 + item_bytes(members) + members.as_object().map_or(0, serde_json::Map::len),
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pairing(bytes: usize, attention_at: Option<&str>) -> Value {
        let mut item = json!({"pk": {"S": "p"}, "sk": {"S": "PAIRING"}, "client_id": {"S": "c"}, "created_at": {"S": "t"}, "pairing": {"S": "x".repeat(bytes)}});
        if let Some(attention_at) = attention_at {
            item["attention_at"] = json!({"S": attention_at});
        }
        json!({"TransactItems": [{"Put": {"Item": item}}]})
    }

    fn written(table: &mut Table, request: &Value) -> f64 {
        table.units("TransactWriteItems", request, &json!({}), true).written
    }

    #[test]
    fn a_write_in_a_transaction_counts_twice_by_the_kilobyte_and_index_entries_once() {
        let mut table = Table::default();
        // 2 for the item, 1 for the index by client, 1 for a new entry in the other.
        assert_eq!(written(&mut table, &pairing(100, Some("1"))), 4.0);
        // 4 for more than a kilobyte, 1, and 2 for an entry that moves.
        assert_eq!(written(&mut table, &pairing(1_100, Some("2"))), 7.0);
        // An entry that stays.
        assert_eq!(written(&mut table, &pairing(100, Some("2"))), 3.0);
        // One that goes.
        assert_eq!(written(&mut table, &pairing(100, None)), 4.0);
        assert_eq!(table.0.len(), 1);
    }

    #[test]
    fn a_lost_condition_costs_the_write_and_changes_nothing() {
        let mut table = Table::default();
        let units = table.units("TransactWriteItems", &pairing(100, Some("1")), &json!({}), false);
        assert_eq!(units.written, 2.0);
        assert_eq!(table.bytes(), 0);
    }

    #[test]
    fn reads_count_by_four_kilobytes_and_half_if_they_need_not_be_consistent() {
        let mut table = Table::default();
        let big = json!({"Item": {"pairing": {"S": "x".repeat(5_000)}}});
        let mut read = |request: Value, answer: &Value, operation| table.units(operation, &request, answer, true).read;
        assert_eq!(read(json!({"ConsistentRead": true}), &big, "GetItem"), 2.0);
        assert_eq!(read(json!({}), &big, "GetItem"), 1.0);
        assert_eq!(read(json!({"ConsistentRead": true}), &json!({}), "GetItem"), 1.0);
        assert_eq!(read(json!({"IndexName": "by-attention"}), &json!({"Items": []}), "Query"), 0.5);
    }
}
