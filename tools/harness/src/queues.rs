//! The queues of the stack, and queues of a test's own.

use std::time::Duration;

use adapters::SystemClock;
use aws_sdk_sqs::types::{
    Message, MessageSystemAttributeName, QueueAttributeName, SendMessageBatchRequestEntry,
};
use serde_json::json;
use uuid::Uuid;
use verification::Timestamp;
use verification::ports::Clock;

use crate::stack::Stack;
use crate::wait::eventually;

impl Stack {
    /// Sends messages to the submission queue in one batch.
    pub async fn send_to_submission_queue(&self, bodies: &[&str]) {
        self.send(&self.description.submission_queue_url, bodies)
            .await;
    }

    /// Puts messages among the dead letters in one batch, as if they had been given up on.
    pub async fn give_up_on(&self, bodies: &[&str]) {
        self.send(&self.description.dead_letter_queue_url, bodies)
            .await;
    }

    /// Takes the message about a pairing off the submission queue and returns its body. For while
    /// nobody else reads it.
    pub async fn take_from_submission_queue(&self, first: &str) -> String {
        let queue = &self.description.submission_queue_url;
        let message = eventually(format_args!("the message about {first}"), || async {
            let messages = self.receive(queue, Duration::from_secs(1)).await;
            let others = messages.len();
            let is_it = |message: &Message| message.body().is_some_and(|body| body.contains(first));
            messages
                .into_iter()
                .find(is_it)
                .ok_or(format!("{others} others"))
        })
        .await;
        let receipt = message.receipt_handle().expect("a receipt");
        let request = self
            .sqs
            .delete_message()
            .queue_url(queue)
            .receipt_handle(receipt);
        request.send().await.expect("the queue answers");
        message.body().expect("a body").to_owned()
    }

    /// How long the oldest message on the submission queue has been there. For while nobody else
    /// reads it: it counts as received once more.
    pub async fn age_of_oldest_submission(&self) -> Duration {
        let queue = &self.description.submission_queue_url;
        let sent = eventually("a message waits", || async {
            let messages = self.receive(queue, Duration::ZERO).await;
            let sent = messages.iter().filter_map(|message| {
                let attributes = message.attributes()?;
                let sent = attributes.get(&MessageSystemAttributeName::SentTimestamp)?;
                sent.parse::<i64>().ok()
            });
            sent.min().ok_or("none")
        })
        .await;
        SystemClock.now().since(Timestamp::from_milliseconds(sent))
    }

    /// Sends messages to a queue in one batch.
    pub async fn send(&self, queue_url: &str, bodies: &[&str]) {
        let mut request = self.sqs.send_message_batch().queue_url(queue_url);
        for (number, body) in bodies.iter().enumerate() {
            let entry = SendMessageBatchRequestEntry::builder()
                .id(number.to_string())
                .message_body(*body);
            request = request.entries(entry.build().expect("an entry"));
        }
        let answer = request.send().await.expect("the queue answers");
        assert!(answer.failed().is_empty(), "{answer:?}");
    }

    /// Has the processor look at a pairing once more, and waits until it has. Returns the `outcome`
    /// of its log line.
    ///
    /// What has not happened after this was not merely late: whoever was to do it has looked and
    /// done nothing.
    pub async fn nudge(&self, first: &str) -> String {
        let before = self.advances(first).await.len();
        let message = json!({"type": "SubmitDocumentsV1", "scanRef": first}).to_string();
        self.send_to_submission_queue(&[&message]).await;
        let lines = eventually(format_args!("the processor looks at {first}"), || async {
            let lines = self.advances(first).await;
            if lines.len() > before {
                Ok(lines)
            } else {
                Err("no line about it")
            }
        })
        .await;
        lines.last().expect("one more")["outcome"]
            .as_str()
            .expect("text")
            .to_owned()
    }

    async fn advances(&self, first: &str) -> Vec<serde_json::Value> {
        let lines = self.log_records("processor", first).await;
        lines
            .into_iter()
            .filter(|line| line["event"] == "pairing_advanced")
            .collect()
    }

    /// The address of the stack's queue with this logical id.
    pub async fn queue_url(&self, logical_id: &str) -> String {
        let answer = self
            .sqs
            .list_queues()
            .send()
            .await
            .expect("the queues answer");
        let urls = answer.queue_urls.unwrap_or_default();
        let is_it = |url: &String| url.contains(&format!("-{logical_id}-"));
        urls.into_iter().find(is_it).expect("the queue is deployed")
    }

    /// How many messages are on a queue: those that can be received, those that somebody is at, and
    /// those that are put off.
    pub async fn messages_on(&self, queue_url: &str) -> u64 {
        let counts = [
            QueueAttributeName::ApproximateNumberOfMessages,
            QueueAttributeName::ApproximateNumberOfMessagesNotVisible,
            QueueAttributeName::ApproximateNumberOfMessagesDelayed,
        ];
        let request = self.sqs.get_queue_attributes().queue_url(queue_url);
        let answer = request
            .set_attribute_names(Some(counts.to_vec()))
            .send()
            .await
            .expect("the queue answers");
        let attributes = answer.attributes.expect("attributes");
        counts
            .iter()
            .map(|count| attributes[count].parse::<u64>().expect("a number"))
            .sum()
    }

    /// Waits for a message with this body among the dead letters, takes it out and returns how
    /// often it was received before.
    pub async fn take_dead_letter(&self, body: &str) -> u32 {
        let queue = &self.description.dead_letter_queue_url;
        let letter = eventually("the message is a dead letter", || async {
            let letters = self.receive(queue, Duration::from_secs(1)).await;
            let others = letters.len();
            letters
                .into_iter()
                .find(|letter| letter.body() == Some(body))
                .ok_or(format!("{others} others"))
        })
        .await;
        let receipt = letter.receipt_handle().expect("a receipt");
        self.sqs
            .delete_message()
            .queue_url(queue)
            .receipt_handle(receipt)
            .send()
            .await
            .expect("the queue answers");
        let receives = letter.attributes().and_then(|attributes| {
            attributes.get(&MessageSystemAttributeName::ApproximateReceiveCount)
        });
        receives
            .and_then(|count| count.parse().ok())
            .expect("a count")
    }

    /// A queue of the test's own, which nobody reads.
    pub async fn private_queue(&self, visibility: Duration) -> String {
        let name = format!("private-{}", Uuid::new_v4().simple());
        let request = self.sqs.create_queue().queue_name(name);
        let request = request.attributes(
            QueueAttributeName::VisibilityTimeout,
            visibility.as_secs().to_string(),
        );
        let answer = request.send().await.expect("a queue");
        answer.queue_url().expect("a URL").to_owned()
    }

    /// Up to ten messages, hidden from others for `visibility`.
    pub async fn receive(&self, queue_url: &str, visibility: Duration) -> Vec<Message> {
        let request = self
            .sqs
            .receive_message()
            .queue_url(queue_url)
            .max_number_of_messages(10);
        let request = request.visibility_timeout(visibility.as_secs().try_into().expect("seconds"));
        let request = request.message_system_attribute_names(MessageSystemAttributeName::All);
        request
            .send()
            .await
            .expect("the queue answers")
            .messages
            .unwrap_or_default()
    }
}
