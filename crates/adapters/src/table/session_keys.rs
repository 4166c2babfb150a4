//! Idempotency keys: one item per key, a claim at first and then the answer. The answer is written
//! by [`Pairings::save`].
//!
//! `session_key` is the whole of it. Conditions ask for `lease_until`, which names a claim, and
//! `scan_ref`, which an answer has.
//!
//! [`Pairings::save`]: verification::ports::Pairings::save

use async_trait::async_trait;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{Saved, SessionKeys, StoreUnavailable};
use verification::session_key::SessionKey;

use super::items::{Item, attribute, number, text};
use super::{Condition, DynamoPairings, READING, WRITING};
use crate::error::{code, unavailable};

const SK: &str = "SESSION";

fn key_name(key: &Digest256) -> String {
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

/// The stored record is the claim, and not answered yet.
pub(super) fn is_held(claim: &SessionKey) -> Condition {
    Condition {
        expression: "lease_until = :lease_until AND attribute_not_exists(scan_ref)",
        values: Some(Item::from([(
            ":lease_until".to_owned(),
            text(claim.lease_until.to_string()),
        )])),
    }
}

fn is_answered_with(first: &ScanRef) -> Condition {
    Condition {
        expression: "scan_ref = :scan_ref",
        values: Some(Item::from([(":scan_ref".to_owned(), text(first.as_str()))])),
    }
}

impl DynamoPairings {
    /// Whether the record was there, in this condition, and is removed.
    async fn delete_key(
        &self,
        key: &Digest256,
        condition: Condition,
    ) -> Result<bool, StoreUnavailable> {
        let Condition { expression, values } = condition;
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.key("pk", text(key_name(key))).key("sk", text(SK));
        let request = request
            .condition_expression(expression)
            .set_expression_attribute_values(values);
        match request.send().await {
            Ok(_) => Ok(true),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(false),
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }
}

#[async_trait]
impl SessionKeys for DynamoPairings {
    async fn find_key(&self, key: &Digest256) -> Result<Option<SessionKey>, StoreUnavailable> {
        let Some(item) = self.item(key_name(key), SK).await? else {
            return Ok(None);
        };
        let json = attribute(&item, "session_key")
            .map_err(|error| StoreUnavailable::new(READING, error))?;
        serde_json::from_str(json)
            .map(Some)
            .map_err(|error| StoreUnavailable::new(READING, error))
    }

    async fn claim_key(
        &self,
        known: Option<&SessionKey>,
        claim: &SessionKey,
    ) -> Result<Saved, StoreUnavailable> {
        let condition = match known {
            None => Condition::absent(),
            Some(known) => match &known.answer {
                None => is_held(known),
                Some(opened) => is_answered_with(&opened.session.scan_ref),
            },
        };
        let Condition { expression, values } = condition;
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(item(claim)?));
        let put = put
            .condition_expression(expression)
            .set_expression_attribute_values(values);
        match put.send().await {
            Ok(_) => Ok(Saved::Won),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => {
                Ok(Saved::Lost)
            }
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }

    async fn release_key(&self, claim: &SessionKey) -> Result<(), StoreUnavailable> {
        self.delete_key(&claim.key, is_held(claim)).await.map(drop)
    }

    async fn forget_answer(
        &self,
        key: &Digest256,
        first: &ScanRef,
    ) -> Result<u64, StoreUnavailable> {
        self.delete_key(key, is_answered_with(first))
            .await
            .map(u64::from)
    }
}
