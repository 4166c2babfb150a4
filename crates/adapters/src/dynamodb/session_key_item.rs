//! An idempotency key's item: a claim at first, then the answer.
//!
//! `session_key` is the whole record. `lease_until` names a claim. Only an answer has `scan_ref`.

use verification::identifiers::{Digest256, ScanRef};
use verification::ports::StoreUnavailable;
use verification::session_key::SessionKey;

use super::condition::Condition;
use super::items::{Item, WRITING, number, text};

pub(super) const SK: &str = "SESSION";

pub(super) fn key_name(key: &Digest256) -> String {
    format!("IDEMPOTENCY#{key}")
}

pub(super) fn item(record: &SessionKey) -> Result<Item, StoreUnavailable> {
    let json =
        serde_json::to_string(record).map_err(|error| StoreUnavailable::new(WRITING, error))?;
    let mut item = Item::from([
        ("pk".to_owned(), text(key_name(&record.key))),
        ("sk".to_owned(), text(SK)),
        (
            "lease_until".to_owned(),
            text(record.lease_until.to_string()),
        ),
        ("expires_at".to_owned(), number(record.expires_at.seconds())),
        ("session_key".to_owned(), text(json)),
    ]);
    if let Some(opened) = &record.answer {
        item.insert(
            "scan_ref".to_owned(),
            text(opened.session.scan_ref.as_str()),
        );
    }
    Ok(item)
}

/// The stored record is this claim, not yet answered.
pub(super) fn is_held(claim: &SessionKey) -> Condition {
    Condition {
        expression: "lease_until = :lease_until AND attribute_not_exists(scan_ref)",
        values: Some(Item::from([(
            ":lease_until".to_owned(),
            text(claim.lease_until.to_string()),
        )])),
    }
}

pub(super) fn is_answered_with(first: &ScanRef) -> Condition {
    Condition {
        expression: "scan_ref = :scan_ref",
        values: Some(Item::from([(":scan_ref".to_owned(), text(first.as_str()))])),
    }
}
