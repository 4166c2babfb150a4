//! Idempotency keys in the table: the claims.
//!
//! [`Pairings::save`] writes the answers.
//!
//! [`Pairings::save`]: verification::ports::Pairings::save

use async_trait::async_trait;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{Saved, SessionKeys, StoreUnavailable};
use verification::session_key::SessionKey;

use super::condition::Condition;
use super::items::{READING, WRITING, attribute, text};
use super::pairings::DynamoPairings;
use super::session_key_item::{SK, is_answered_with, is_held, item, key_name};
use crate::aws::error::{code, unavailable};

impl DynamoPairings {
    /// Removes the record in this condition. `false`: there is none.
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
