//! The queue of outcomes that are pushed to the application. A message is an event of the bus.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_types::SdkConfig;
use verification::ports::StoreUnavailable;

use super::visibility::show_again_after;
use crate::aws::error::unavailable;

#[derive(Clone, Debug)]
pub struct SqsOutcomePushQueue {
    client: Client,
    url: String,
    dead_letter_url: String,
}

impl SqsOutcomePushQueue {
    pub fn new(
        sdk: &SdkConfig,
        url: impl Into<String>,
        dead_letter_url: impl Into<String>,
    ) -> Self {
        Self {
            client: Client::new(sdk),
            url: url.into(),
            dead_letter_url: dead_letter_url.into(),
        }
    }

    /// Shows a received message again after `pause`, at most 11 hours.
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

    /// Sends a message to the dead letters, at once. Its original must be removed then.
    ///
    /// # Errors
    /// SQS is unavailable.
    pub async fn set_aside(&self, body: &str) -> Result<(), StoreUnavailable> {
        let request = self
            .client
            .send_message()
            .queue_url(&self.dead_letter_url)
            .message_body(body);
        let answer = request.send().await;
        answer
            .map(drop)
            .map_err(|error| unavailable("setting an outcome aside", error))
    }
}
