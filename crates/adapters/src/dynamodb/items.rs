//! The table's items: keys, attributes, and back.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;
use verification::announcement::Announcement;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{HistoryEntry, Overdue, PairingSummary, PairingWrite, StoreUnavailable};
use verification::{Pairing, Timestamp};

/// Names of operations, for errors.
pub(super) const READING: &str = "reading the table";
pub(super) const WRITING: &str = "writing the table";

pub(super) type Item = HashMap<String, AttributeValue>;

/// Partitions of the sparse index by attention.
///
/// One partition takes 1,000 write units per second.
pub(super) const ATTENTION_SHARDS: u8 = 8;

/// Why an item is not what this program writes.
#[derive(Debug, thiserror::Error)]
pub(super) enum StrangeItem {
    #[error("the item has no attribute '{0}'")]
    Missing(&'static str),
    #[error("the pairing cannot be read")]
    Pairing(#[source] serde_json::Error),
    #[error("the attribute '{0}' is malformed")]
    Malformed(&'static str),
    #[error("an alias leads to a pairing that is not there")]
    DanglingAlias,
}

pub(super) const PAIRING: &str = "PAIRING";
pub(super) const ALIAS: &str = "ALIAS";
pub(super) const EVENT: &str = "EVENT#";
pub(super) const TOMBSTONE: &str = "TOMBSTONE";

pub(super) fn pairing_key(first: &ScanRef) -> String {
    format!("PAIRING#{first}")
}

pub(super) fn alias_key(second: &ScanRef) -> String {
    format!("SECOND#{second}")
}

/// Hashed: the erased name is erased, too.
pub(super) fn tombstone_key(scan_ref: &ScanRef) -> String {
    format!("ERASED#{}", Digest256::of(scan_ref.as_str().as_bytes()))
}

pub(super) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(super) fn number(value: impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(super) fn pairing_item(
    pairing: &Pairing,
    expires_at: &AttributeValue,
) -> Result<Item, serde_json::Error> {
    let mut item = HashMap::from([
        ("pk".to_owned(), text(pairing_key(&pairing.first))),
        ("sk".to_owned(), text(PAIRING)),
        ("version".to_owned(), number(pairing.version)),
        ("scan_ref".to_owned(), text(pairing.first.as_str())),
        (
            "created_at".to_owned(),
            text(pairing.created_at.to_string()),
        ),
        (
            "updated_at".to_owned(),
            text(pairing.updated_at.to_string()),
        ),
        ("expires_at".to_owned(), expires_at.clone()),
        ("state".to_owned(), text(pairing.state.name())),
        // The whole pairing. The attributes around it serve indexes, filters and people.
        ("pairing".to_owned(), text(serde_json::to_string(pairing)?)),
    ]);
    let mut set = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            item.insert(name.to_owned(), text(value));
        }
    };
    set(
        "client_id",
        pairing
            .client_id
            .as_ref()
            .map(|client_id| client_id.as_str()),
    );
    set("reason", pairing.reason());
    set(
        "verdict",
        pairing.state.verdict().map(verification::Verdict::as_str),
    );
    set(
        "first_overall",
        pairing
            .first_overall
            .map(verification::result::Overall::as_str),
    );
    set(
        "second_scan_ref",
        pairing
            .second
            .as_ref()
            .map(|second| second.scan_ref.as_str()),
    );
    set(
        "second_overall",
        pairing
            .second
            .as_ref()
            .and_then(|second| second.overall)
            .map(verification::result::Overall::as_str),
    );
    set(
        "revoked",
        pairing
            .revoked
            .map(verification::reason::DeclineReason::as_str),
    );
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

pub(super) fn history_item(
    write: &PairingWrite,
    expires_at: &AttributeValue,
) -> Result<Item, StoreUnavailable> {
    let (entry, version) = (&write.history, write.pairing.version);
    let digest: String = Digest256::of(format!("{version}{}{}", entry.what, entry.at).as_bytes())
        .as_str()
        .chars()
        .take(8)
        .collect();
    let mut item = HashMap::from([
        ("pk".to_owned(), text(pairing_key(&write.pairing.first))),
        // The version keeps two lines of the same millisecond apart and in order.
        (
            "sk".to_owned(),
            text(format!("{EVENT}{}#{version:08x}{digest}", entry.at)),
        ),
        ("at".to_owned(), text(entry.at.to_string())),
        ("what".to_owned(), text(&entry.what)),
        ("state".to_owned(), text(&entry.state)),
        ("expires_at".to_owned(), expires_at.clone()),
    ]);
    if let Some(reason) = &entry.reason {
        item.insert("reason".to_owned(), text(reason));
    }
    if let Some(callback) = &entry.callback {
        item.insert("callback".to_owned(), text(callback.as_str()));
    }
    if let Some(Announcement { outcome, detail }) = &write.announcement {
        let detail =
            serde_json::to_string(detail).map_err(|error| StoreUnavailable::new(WRITING, error))?;
        item.insert("outcome".to_owned(), text(outcome.as_str()));
        item.insert("detail".to_owned(), text(detail));
    }
    Ok(item)
}

pub(super) fn attribute<'a>(item: &'a Item, name: &'static str) -> Result<&'a str, StrangeItem> {
    item.get(name)
        .and_then(|value| value.as_s().ok())
        .map(String::as_str)
        .ok_or(StrangeItem::Missing(name))
}

pub(super) fn parse<T: std::str::FromStr>(
    value: &str,
    name: &'static str,
) -> Result<T, StrangeItem> {
    value.parse().map_err(|_| StrangeItem::Malformed(name))
}

pub(super) fn read_pairing(item: &Item) -> Result<Pairing, StrangeItem> {
    serde_json::from_str(attribute(item, "pairing")?).map_err(StrangeItem::Pairing)
}

/// The index has keys only.
pub(super) fn read_overdue(item: &Item) -> Result<Overdue, StrangeItem> {
    let first = attribute(item, "pk")?
        .strip_prefix("PAIRING#")
        .ok_or(StrangeItem::Malformed("pk"))?;
    Ok(Overdue {
        first: parse(first, "pk")?,
        attention_at: attribute(item, "attention_at")
            .and_then(|text| parse(text, "attention_at"))?,
    })
}

pub(super) fn read_summary(item: &Item) -> Result<PairingSummary, StrangeItem> {
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

pub(super) fn read_history(item: &Item) -> Result<HistoryEntry, StrangeItem> {
    Ok(HistoryEntry {
        at: attribute(item, "at").and_then(|at| parse::<Timestamp>(at, "at"))?,
        what: attribute(item, "what")?.to_owned(),
        state: attribute(item, "state")?.to_owned(),
        reason: attribute(item, "reason").ok().map(str::to_owned),
        callback: item
            .contains_key("callback")
            .then(|| attribute(item, "callback").and_then(|text| parse(text, "callback")))
            .transpose()?,
    })
}
