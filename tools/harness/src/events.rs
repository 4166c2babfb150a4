//! Listening on the bus as an application does: a rule, and a queue behind it.

use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::stack::Stack;
use crate::wait::eventually;

/// Longer than any test: an event that was received is not received again.
const VISIBILITY: Duration = Duration::from_secs(600);

/// A rule of the test's own.
#[derive(Debug)]
pub struct Listener<'stack> {
    stack: &'stack Stack,
    queue_url: String,
    heard: Mutex<Vec<Value>>,
}

impl Stack {
    /// Hears every event about these customers from now on.
    pub async fn listen(&self, client_ids: &[&str]) -> Listener<'_> {
        let queue_url = self.private_queue(VISIBILITY).await;
        let request = self.sqs.get_queue_attributes().queue_url(&queue_url);
        let answer = request
            .attribute_names(QueueAttributeName::QueueArn)
            .send()
            .await
            .expect("the queue answers");
        let attributes = answer.attributes.expect("attributes");
        let queue_arn = &attributes[&QueueAttributeName::QueueArn];
        let rule = format!("listener-{}", Uuid::new_v4().simple());
        let pattern = json!({"source": ["dual-verification"], "detail": {"clientId": client_ids}});
        let bus = &self.description.event_bus;
        let request =
            json!({"Name": rule, "EventBusName": bus, "EventPattern": pattern.to_string()});
        self.call("events", "AWSEvents.PutRule", &request).await;
        let targets = json!([{"Id": "queue", "Arn": queue_arn}]);
        let request = json!({"Rule": rule, "EventBusName": bus, "Targets": targets});
        let answer = self.call("events", "AWSEvents.PutTargets", &request).await;
        assert_eq!(answer["FailedEntryCount"], 0, "{answer}");
        Listener {
            stack: self,
            queue_url,
            heard: Mutex::default(),
        }
    }
}

impl Listener<'_> {
    /// Waits until an event of this type about this customer was heard, and returns all that have
    /// been heard by then.
    pub async fn until(&self, detail_type: &str, client_id: &str) -> Vec<Value> {
        eventually(format_args!("{detail_type} about {client_id}"), || async {
            let mut heard = self.heard.lock().await;
            let letters = self.stack.receive(&self.queue_url, VISIBILITY).await;
            let events = letters.iter().map(|letter| {
                serde_json::from_str(letter.body().unwrap_or_default()).expect("JSON")
            });
            heard.extend(events);
            let is_it = |event: &Value| {
                event["detail-type"] == detail_type && event["detail"]["clientId"] == client_id
            };
            if heard.iter().any(is_it) {
                Ok(heard.clone())
            } else {
                Err(format!("{} others", heard.len()))
            }
        })
        .await
    }
}
