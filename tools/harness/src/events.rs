//! Listens on the bus as an application does: a rule, and a queue behind it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::stack::Stack;
use crate::wait::{DEADLINE, Look, wait_for};

/// Time between receiving an event and removing it from the queue, with a wide margin.
const VISIBILITY: Duration = Duration::from_secs(60);

/// A rule of its own. Events that come before it is made are not heard.
#[derive(Debug)]
pub struct Listener<'stack> {
    stack: &'stack Stack,
    queue_url: String,
    heard: Mutex<Vec<Value>>,
}

impl Stack {
    /// Hears every event about these customers from now on.
    ///
    /// # Errors
    /// The rule or its queue cannot be made.
    pub async fn listen(&self, client_ids: &[&str]) -> Result<Listener<'_>> {
        let pattern = json!({"source": ["dual-verification"], "detail": {"clientId": client_ids}});
        self.listen_to(&pattern.to_string()).await
    }

    /// Hears every event that matches an event pattern from now on.
    ///
    /// # Errors
    /// The rule or its queue cannot be made.
    pub async fn listen_to(&self, pattern: &str) -> Result<Listener<'_>> {
        let queue_url = self.private_queue(VISIBILITY).await?;
        let request = self
            .sqs
            .get_queue_attributes()
            .queue_url(&queue_url)
            .attribute_names(QueueAttributeName::QueueArn);
        let answer = request.send().await.context("the queue does not answer")?;
        let attributes = answer.attributes.unwrap_or_default();
        let queue_arn = attributes
            .get(&QueueAttributeName::QueueArn)
            .context("the queue has no ARN")?;
        let rule = format!("listener-{}", Uuid::new_v4().simple());
        let bus = &self.description.event_bus;
        let request = json!({"Name": rule, "EventBusName": bus, "EventPattern": pattern});
        self.bus("PutRule", &request).await?;
        let targets = json!([{"Id": "queue", "Arn": queue_arn}]);
        let request = json!({"Rule": rule, "EventBusName": bus, "Targets": targets});
        let answer = self.bus("PutTargets", &request).await?;
        ensure!(
            answer["FailedEntryCount"].as_u64().unwrap_or_default() == 0,
            "the bus refuses the rule's target: {answer}"
        );
        Ok(Listener {
            stack: self,
            queue_url,
            heard: Mutex::default(),
        })
    }

    async fn bus(&self, operation: &str, request: &Value) -> Result<Value> {
        let target = format!("AWSEvents.{operation}");
        let answer = self.emulator.call("events", &target, "1.1", request);
        let answer = answer.await?;
        ensure!(answer["__type"].is_null(), "{target}: {answer}");
        Ok(answer)
    }
}

impl Listener<'_> {
    /// The events that have come since the last time.
    ///
    /// # Errors
    /// The queue does not answer, or holds an event that is not JSON.
    pub async fn receive(&self) -> Result<Vec<Value>> {
        let mut events = Vec::new();
        for message in self.stack.receive(&self.queue_url, VISIBILITY).await? {
            let body = message.body().unwrap_or_default();
            events.push(serde_json::from_str(body).with_context(|| format!("not JSON: {body}"))?);
            self.stack.remove(&self.queue_url, &message).await?;
        }
        Ok(events)
    }

    /// All events that have been heard so far.
    ///
    /// # Errors
    /// As for [`receive`](Self::receive).
    pub async fn heard(&self) -> Result<Vec<Value>> {
        let mut heard = self.heard.lock().await;
        heard.extend(self.receive().await?);
        Ok(heard.clone())
    }

    /// Waits until an event of this type about this customer was heard. Returns all that have been
    /// heard by then.
    ///
    /// # Errors
    /// There is none by the deadline, or as for [`receive`](Self::receive).
    pub async fn until(&self, detail_type: &str, client_id: &str) -> Result<Vec<Value>> {
        let what = format!("{detail_type} about {client_id}");
        wait_for(DEADLINE, what, async || {
            let heard = self.heard().await?;
            let is_it = |event: &Value| {
                event["detail-type"] == detail_type && event["detail"]["clientId"] == client_id
            };
            Ok(if heard.iter().any(is_it) {
                Look::Found(heard)
            } else {
                Look::NotYet(format!("{} others", heard.len()))
            })
        })
        .await
    }
}
