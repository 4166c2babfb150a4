//! Dead letters, for an operator who decides about each.
//!
//! A taken letter is hidden for [`HOLD`] and then comes back by itself. To move one, it is sent
//! first and deleted then. A crash in between duplicates it, which the processor absorbs, and
//! which applications must expect of outcomes.

use std::time::Duration;

use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::{MessageSystemAttributeName, QueueAttributeName};
use aws_types::SdkConfig;
use verification::Timestamp;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::StoreUnavailable;

use super::queue::Message;
use crate::aws::error::unavailable;
use crate::outcome_push::OutcomeMessage;

/// Time to decide.
const HOLD: Duration = Duration::from_secs(600);

/// SQS gives at most ten at once.
const BATCH: i32 = 10;

/// What the letters were before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Letters {
    /// Claim checks of the submission queue.
    Submissions,
    /// Events of outcomes that were to be pushed.
    Outcomes,
}

#[derive(Clone, Debug)]
pub struct SqsDeadLetters {
    client: Client,
    url: String,
    letters: Letters,
}

/// One message, held for a while.
#[derive(Clone)]
pub struct DeadLetter {
    pub message_id: String,
    /// Time of the first send to the queue.
    pub sent_at: Option<Timestamp>,
    /// `None`: not a message of ours.
    pub scan_ref: Option<ScanRef>,
    pub bytes: usize,
    pub sha256: Digest256,
    body: String,
    receipt_handle: String,
}

/// The body of a foreign message may be anything.
impl std::fmt::Debug for DeadLetter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DeadLetter")
            .field("message_id", &self.message_id)
            .field("scan_ref", &self.scan_ref)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

/// How many messages a queue has, about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Depth {
    pub waiting: u64,
    pub in_flight: u64,
    pub delayed: u64,
}

impl SqsDeadLetters {
    pub fn new(sdk: &SdkConfig, url: impl Into<String>, letters: Letters) -> Self {
        Self {
            client: Client::new(sdk),
            url: url.into(),
            letters,
        }
    }

    /// Takes up to ten letters. Empty: none are left.
    ///
    /// # Errors
    /// SQS is unavailable.
    pub async fn take(&self) -> Result<Vec<DeadLetter>, StoreUnavailable> {
        let hold = i32::try_from(HOLD.as_secs()).unwrap_or(i32::MAX);
        let request = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(BATCH);
        let request = request.visibility_timeout(hold).wait_time_seconds(1);
        let request =
            request.message_system_attribute_names(MessageSystemAttributeName::SentTimestamp);
        let answer = request
            .send()
            .await
            .map_err(|error| unavailable("reading dead letters", error))?;
        Ok(answer
            .messages
            .unwrap_or_default()
            .into_iter()
            .map(|message| letter(message, self.letters))
            .collect())
    }

    /// Sends a letter to `queue_url`, as it is.
    ///
    /// # Errors
    /// SQS is unavailable.
    pub async fn send_to(
        &self,
        queue_url: &str,
        letter: &DeadLetter,
    ) -> Result<(), StoreUnavailable> {
        let request = self
            .client
            .send_message()
            .queue_url(queue_url)
            .message_body(&letter.body);
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable("moving a dead letter", error))
    }

    /// Removes a letter for good.
    ///
    /// # Errors
    /// SQS is unavailable; the letter comes back.
    pub async fn discard(&self, letter: &DeadLetter) -> Result<(), StoreUnavailable> {
        let request = self
            .client
            .delete_message()
            .queue_url(&self.url)
            .receipt_handle(&letter.receipt_handle);
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable("removing a dead letter", error))
    }

    /// Lets others have a letter at once.
    ///
    /// # Errors
    /// SQS is unavailable; the letter comes back after the hold.
    pub async fn put_back(&self, letter: &DeadLetter) -> Result<(), StoreUnavailable> {
        let request = self.client.change_message_visibility().queue_url(&self.url);
        let request = request
            .receipt_handle(&letter.receipt_handle)
            .visibility_timeout(0);
        request
            .send()
            .await
            .map(drop)
            .map_err(|error| unavailable("putting a dead letter back", error))
    }
}

fn letter(message: aws_sdk_sqs::types::Message, letters: Letters) -> DeadLetter {
    let body = message.body.unwrap_or_default();
    let sent_at = message
        .attributes
        .as_ref()
        .and_then(|attributes| attributes.get(&MessageSystemAttributeName::SentTimestamp))
        .and_then(|text| text.parse().ok())
        .map(Timestamp::from_milliseconds);
    let scan_ref = match letters {
        Letters::Submissions => serde_json::from_str(&body)
            .ok()
            .map(|Message::SubmitDocumentsV1 { scan_ref }| scan_ref),
        Letters::Outcomes => OutcomeMessage::read(&body)
            .ok()
            .map(|message| message.announcement.detail.scan_ref),
    };
    DeadLetter {
        message_id: message.message_id.unwrap_or_default(),
        sent_at,
        scan_ref,
        bytes: body.len(),
        sha256: Digest256::of(body.as_bytes()),
        body,
        receipt_handle: message.receipt_handle.unwrap_or_default(),
    }
}

/// How many messages a queue has. SQS counts approximately.
///
/// # Errors
/// SQS is unavailable.
pub async fn queue_depth(sdk: &SdkConfig, url: &str) -> Result<Depth, StoreUnavailable> {
    use QueueAttributeName::{
        ApproximateNumberOfMessages as Waiting, ApproximateNumberOfMessagesDelayed as Delayed,
        ApproximateNumberOfMessagesNotVisible as InFlight,
    };
    let request = Client::new(sdk).get_queue_attributes().queue_url(url);
    let request = request
        .attribute_names(Waiting)
        .attribute_names(InFlight)
        .attribute_names(Delayed);
    let answer = request
        .send()
        .await
        .map_err(|error| unavailable("asking for a queue's depth", error))?;
    let attributes = answer.attributes.unwrap_or_default();
    let number = |name| {
        attributes
            .get(&name)
            .and_then(|text| text.parse().ok())
            .unwrap_or_default()
    };
    Ok(Depth {
        waiting: number(Waiting),
        in_flight: number(InFlight),
        delayed: number(Delayed),
    })
}
