//! The queues of the stack, and queues of a test's own.

use std::time::Duration;

use adapters::SystemClock;
use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::{
    Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use serde_json::{Value, json};
use uuid::Uuid;
use verification::Timestamp;
use verification::ports::Clock;

use crate::json::text;
use crate::stack::Stack;
use crate::wait::{DEADLINE, Look, wait_for};

/// The message of every failed call; the SDK's error is its cause.
const SILENT: &str = "the queue does not answer";

impl Stack {
    /// Sends messages to the submission queue in one batch.
    ///
    /// # Errors
    /// The queue does not answer, or refuses. The same holds for every method here.
    pub async fn send_to_submission_queue(&self, bodies: &[&str]) -> Result<()> {
        self.send(&self.description.submission_queue_url, bodies)
            .await
    }

    /// Puts messages on the dead-letter queue in one batch.
    pub async fn give_up_on(&self, bodies: &[&str]) -> Result<()> {
        self.send(&self.description.dead_letter_queue_url, bodies)
            .await
    }

    /// Takes the message about a pairing off the submission queue and returns its body. Only while
    /// no function reads the queue.
    ///
    /// # Errors
    /// There is none by the deadline.
    pub async fn take_from_submission_queue(&self, first: &str) -> Result<String> {
        let queue = &self.description.submission_queue_url;
        let is_it = |message: &Message| message.body().is_some_and(|body| body.contains(first));
        let message = self
            .take(queue, &format!("the message about {first}"), is_it)
            .await?;
        Ok(message.body().unwrap_or_default().to_owned())
    }

    /// Age of the oldest message on the submission queue. Only while no function reads the queue:
    /// the message counts as received once more.
    ///
    /// # Errors
    /// There is no message by the deadline.
    pub async fn age_of_oldest_submission(&self) -> Result<Duration> {
        let queue = &self.description.submission_queue_url;
        let sent = wait_for(DEADLINE, "a message waits", async || {
            let messages = self.receive(queue, Duration::ZERO).await?;
            let sent = messages.iter().filter_map(|message| {
                let attributes = message.attributes()?;
                let sent = attributes.get(&MessageSystemAttributeName::SentTimestamp)?;
                sent.parse::<i64>().ok()
            });
            let oldest = sent.min().map(Look::Found);
            Ok(oldest.unwrap_or_else(|| Look::NotYet("none".to_owned())))
        })
        .await?;
        Ok(SystemClock.now().since(Timestamp::from_milliseconds(sent)))
    }

    /// Sends messages to a queue in one batch.
    pub async fn send(&self, queue_url: &str, bodies: &[&str]) -> Result<()> {
        let mut request = self.sqs.send_message_batch().queue_url(queue_url);
        for (number, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(*body);
            request = request.entries(entry.build()?);
        }
        let answer = request.send().await.context(SILENT)?;
        ensure!(answer.failed().is_empty(), "{answer:?}");
        Ok(())
    }

    /// Has the processor look at a pairing once more, and waits until it has. Returns the `outcome`
    /// of its log line.
    ///
    /// After this, work that was not done was not merely late: its worker has looked and done
    /// nothing.
    ///
    /// # Errors
    /// The processor has logged nothing by the deadline.
    pub async fn nudge(&self, first: &str) -> Result<String> {
        let before = self.advances(first).await?.len();
        let message = json!({"type": "SubmitDocumentsV1", "scanRef": first}).to_string();
        self.send_to_submission_queue(&[&message]).await?;
        let what = format!("the processor looks at {first}");
        wait_for(DEADLINE, what, async || {
            let lines = self.advances(first).await?;
            Ok(match lines.last() {
                Some(last) if lines.len() > before => {
                    Look::Found(text(last, "outcome")?.to_owned())
                }
                _ => Look::NotYet("no line about it".to_owned()),
            })
        })
        .await
    }

    async fn advances(&self, first: &str) -> Result<Vec<Value>> {
        let mut lines = self.log_records("processor", first).await?;
        lines.retain(|line| line["event"] == "pairing_advanced");
        Ok(lines)
    }

    /// The address of the stack's queue with this logical id.
    ///
    /// # Errors
    /// It is not deployed.
    pub async fn queue_url(&self, logical_id: &str) -> Result<String> {
        let answer = self.sqs.list_queues().send().await.context(SILENT)?;
        let mut urls = answer.queue_urls.unwrap_or_default().into_iter();
        let part = format!("-{logical_id}-");
        urls.find(|url| url.contains(&part))
            .with_context(|| format!("the stack has no queue {logical_id}"))
    }

    /// The address of a queue that the template names after the stack.
    ///
    /// # Errors
    /// It is not deployed.
    pub async fn queue_url_named(&self, name: &str) -> Result<String> {
        let name = format!("{}-{name}", self.description.stack_name);
        let answer = self.sqs.get_queue_url().queue_name(name).send().await;
        let url = answer.context(SILENT)?.queue_url;
        url.context("the queue has no address")
    }

    /// How many messages are on a queue, visible or in flight. Not the delayed ones: each first
    /// callback leaves one that comes when its lease is over.
    pub async fn messages_on(&self, queue_url: &str) -> Result<u64> {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
        ];
        let request = self
            .sqs
            .get_queue_attributes()
            .queue_url(queue_url)
            .set_attribute_names(Some(counts.to_vec()));
        let answer = request.send().await.context(SILENT)?;
        let attributes = answer.attributes.unwrap_or_default();
        counts.iter().try_fold(0, |sum, name| {
            let count = attributes.get(name);
            let count = count.with_context(|| format!("the queue does not tell {name}"))?;
            Ok(sum + count.parse::<u64>()?)
        })
    }

    /// Waits for a message with this body on the dead-letter queue and removes it. Returns how
    /// often it was received before.
    ///
    /// # Errors
    /// There is none by the deadline.
    pub async fn take_dead_letter(&self, body: &str) -> Result<u32> {
        let queue = &self.description.dead_letter_queue_url;
        let is_it = |letter: &Message| letter.body() == Some(body);
        let letter = self
            .take(queue, "the message is a dead letter", is_it)
            .await?;
        let attributes = letter.attributes();
        let count = attributes.and_then(|attributes| {
            attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount)
        });
        Ok(count.context("a letter without its count")?.parse()?)
    }

    async fn take(
        &self,
        queue_url: &str,
        what: &str,
        is_it: impl Fn(&Message) -> bool,
    ) -> Result<Message> {
        let message = wait_for(DEADLINE, what, async || {
            let messages = self.receive(queue_url, Duration::from_secs(1)).await?;
            let others = messages.len();
            let found = messages.into_iter().find(&is_it).map(Look::Found);
            Ok(found.unwrap_or_else(|| Look::NotYet(format!("{others} others"))))
        })
        .await?;
        self.remove(queue_url, &message).await?;
        Ok(message)
    }

    /// Removes a message that was received.
    pub async fn remove(&self, queue_url: &str, message: &Message) -> Result<()> {
        let request = self
            .sqs
            .delete_message()
            .queue_url(queue_url)
            .receipt_handle(message.receipt_handle().unwrap_or_default());
        request.send().await.context(SILENT)?;
        Ok(())
    }

    /// A queue of the test's own, which nothing else reads.
    pub async fn private_queue(&self, visibility: Duration) -> Result<String> {
        let name = format!("private-{}", Uuid::new_v4().simple());
        let request = self.sqs.create_queue().queue_name(name).attributes(
            QueueAttributeName::VisibilityTimeout,
            visibility.as_secs().to_string(),
        );
        let answer = request.send().await.context(SILENT)?;
        answer.queue_url.context("the queue has no address")
    }

    /// Up to ten messages, hidden from others for `visibility`.
    pub async fn receive(&self, queue_url: &str, visibility: Duration) -> Result<Vec<Message>> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(10)
            .visibility_timeout(visibility.as_secs().try_into()?)
            .message_system_attribute_names(MessageSystemAttributeName::All);
        let answer = request.send().await.context(SILENT)?;
        Ok(answer.messages.unwrap_or_default())
    }
}
