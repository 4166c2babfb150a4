//! Idempotency keys: one item per key, a claim at first and then the answer. The answer is written by [`Pairings::save`].
//!
//! `lease_until` and `answered` are what conditions ask for; `session_key` is the whole of it.
//!
//! [`Pairings::save`]: verification::ports::Pairings::save

use async_trait::async_trait;
use aws_sdk_dynamodb::types::AttributeValue;
use verification::identifiers::Digest256;
use verification::ports::{Saved, SessionKeys, Unavailable};
use verification::session_key::SessionKey;

use super::items::{Item, attribute, number, text};
use super::{Condition, DynamoPairings, READING, WRITING};
use crate::error::{code, unavailable};

const SK: &str = "SESSION";
const IS_KNOWN: &str = "lease_until = :lease_until AND answered = :answered";

fn key_name(key: &Digest256) -> String {
    format!("IDEMPOTENCY#{key}")
}

pub(super) fn item(record: &SessionKey) -> Result<Item, Unavailable> {
    let json = serde_json::to_string(record).map_err(|error| Unavailable::new(WRITING, error))?;
    Ok(Item::from([
        ("pk".to_owned(), text(key_name(&record.key))),
        ("sk".to_owned(), text(SK)),
        ("lease_until".to_owned(), text(record.lease_until.to_string())),
        ("answered".to_owned(), AttributeValue::Bool(record.answer.is_some())),
        ("expires_at".to_owned(), number(record.expires_at.seconds())),
        ("session_key".to_owned(), text(json)),
    ]))
}

/// The stored record is the claim, and not answered yet.
pub(super) fn is_held(claim: &SessionKey) -> Condition {
    is_as(claim, false)
}

fn is_as(record: &SessionKey, is_answered: bool) -> Condition {
    Condition {
        expression: IS_KNOWN,
        values: Some(Item::from([
            (":lease_until".to_owned(), text(record.lease_until.to_string())),
            (":answered".to_owned(), AttributeValue::Bool(is_answered)),
        ])),
    }
}

#[async_trait]
impl SessionKeys for DynamoPairings {
    async fn find_key(&self, key: &Digest256) -> Result<Option<SessionKey>, Unavailable> {
        let Some(item) = self.item(key_name(key), SK).await? else {
            return Ok(None);
        };
        let json = attribute(&item, "session_key").map_err(|error| Unavailable::new(READING, error))?;
        serde_json::from_str(json)
            .map(Some)
            .map_err(|error| Unavailable::new(READING, error))
    }

    async fn claim_key(&self, known: Option<&SessionKey>, claim: &SessionKey) -> Result<Saved, Unavailable> {
        let Condition { expression, values } = match known {
            Some(known) => is_as(known, known.answer.is_some()),
            None => Condition::absent(),
        };
        let put = self.client.put_item().table_name(&self.table).set_item(Some(item(claim)?));
        let put = put.condition_expression(expression).set_expression_attribute_values(values);
        match put.send().await {
            Ok(_) => Ok(Saved::Won),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(Saved::Lost),
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }

    async fn release_key(&self, claim: &SessionKey) -> Result<(), Unavailable> {
        let Condition { expression, values } = is_held(claim);
        let request = self.client.delete_item().table_name(&self.table);
        let request = request.key("pk", text(key_name(&claim.key))).key("sk", text(SK));
        let request = request.condition_expression(expression).set_expression_attribute_values(values);
        match request.send().await {
            Ok(_) => Ok(()),
            Err(error) if code(&error) == Some("ConditionalCheckFailedException") => Ok(()),
            Err(error) => Err(unavailable(WRITING, error)),
        }
    }

    async fn forget_key(&self, key: &Digest256) -> Result<u64, Unavailable> {
        self.delete(key_name(key), SK.to_owned()).await
    }
}
