//! The submission queue. A message is a claim check: it names a pairing, nothing else.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_types::SdkConfig;
use serde::{Deserialize, Serialize};
use verification::identifiers::ScanRef;
use verification::ports::{StoreUnavailable, SubmissionQueue};

use super::visibility::show_again_after;
use crate::aws::error::unavailable;

/// A message. Versioned by name: a new meaning is a new variant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Message {
    SubmitDocumentsV1 {
        #[serde(rename = "scanRef")]
        scan_ref: ScanRef,
    },
}

#[derive(Clone, Debug)]
pub struct SqsSubmissionQueue {
    client: Client,
    url: String,
}

/// SQS delays a new message by at most 15 minutes.
pub const LONGEST_DELAY: Duration = Duration::from_secs(15 * 60);

impl SqsSubmissionQueue {
    pub fn new(sdk: &SdkConfig, url: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            url: url.into(),
        }
    }

    /// Shows a received message again after `pause`.
    ///
    /// Rounded up to whole seconds, at most 11 hours.
    ///
    /// # Errors
    /// SQS is unavailable. The queue's own visibility timeout then applies.
    pub async fn postpone(
        &self,
        receipt_handle: &str,
        pause: Duration,
    ) -> Result<(), StoreUnavailable> {
        show_again_after(&self.client, &self.url, receipt_handle, pause).await
    }

    async fn send(
        &self,
        first: &ScanRef,
        delay_seconds: Option<i32>,
    ) -> Result<(), StoreUnavailable> {
        let message = Message::SubmitDocumentsV1 {
            scan_ref: first.clone(),
        };
        let body = serde_json::to_string(&message)
            .map_err(|error| StoreUnavailable::new("enqueueing", error))?;
        let request = self
            .client
            .send_message()
            .queue_url(&self.url)
            .message_body(body);
        let answer = request.set_delay_seconds(delay_seconds).send().await;
        answer
            .map(drop)
            .map_err(|error| unavailable("enqueueing", error))
    }
}

#[async_trait]
impl SubmissionQueue for SqsSubmissionQueue {
    async fn enqueue(&self, first: &ScanRef) -> Result<(), StoreUnavailable> {
        self.send(first, None).await
    }

    async fn enqueue_later(
        &self,
        first: &ScanRef,
        delay: Duration,
    ) -> Result<(), StoreUnavailable> {
        let seconds = delay.min(LONGEST_DELAY).as_millis().div_ceil(1_000);
        self.send(first, Some(i32::try_from(seconds).unwrap_or(i32::MAX)))
            .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_the_documented_claim_check() {
        let message = Message::SubmitDocumentsV1 {
            scan_ref: "first".parse().unwrap(),
        };
        let body = r#"{"type":"SubmitDocumentsV1","scanRef":"first"}"#;
        assert_eq!(serde_json::to_string(&message).unwrap(), body);
        assert_eq!(serde_json::from_str::<Message>(body).unwrap(), message);
        for poison in [
            "",
            "{}",
            r#"{"type":"SubmitDocumentsV2","scanRef":"first"}"#,
            r#"{"type":"SubmitDocumentsV1","scanRef":"../x"}"#,
        ] {
            assert!(serde_json::from_str::<Message>(poison).is_err(), "{poison}");
        }
    }
}
