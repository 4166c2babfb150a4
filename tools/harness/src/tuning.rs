//! Settings of a deployed stack that decide how long the work of a process that was killed stays
//! with it. They are changed the way an operator could, so that a test need not wait for minutes.
//! For a stack of the test's own.

use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::{Value, json};

use crate::stack::Stack;

/// How the processor is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorTuning {
    /// Its timeout in seconds; its leases end five seconds before. In the template 90.
    pub timeout_seconds: u32,
    /// How long a message that nobody acknowledged stays away, in seconds; longer than the timeout.
    /// In the template 540.
    pub visibility_seconds: u32,
    /// How many messages it gets at once. In the template 5.
    pub batch_size: u32,
}

impl ProcessorTuning {
    /// As in the template.
    pub const DEPLOYED: Self = Self {
        timeout_seconds: 90,
        visibility_seconds: 540,
        batch_size: 5,
    };
}

impl Stack {
    /// Changes how the processor is called.
    pub async fn tune_processor(&self, tuning: ProcessorTuning) {
        let lambda = format!("{}/2015-03-31", self.description.endpoint_url);
        let name = self.function_name("ProcessorFunction").await;
        let configuration = format!("{lambda}/functions/{name}/configuration");
        self.put(&configuration, &json!({"Timeout": tuning.timeout_seconds}))
            .await;
        let mappings = self
            .get(&format!(
                "{lambda}/event-source-mappings/?FunctionName={name}"
            ))
            .await;
        let mapping = mappings["EventSourceMappings"][0]["UUID"]
            .as_str()
            .expect("the queue leads to the processor");
        self.put(
            &format!("{lambda}/event-source-mappings/{mapping}"),
            &json!({"BatchSize": tuning.batch_size}),
        )
        .await;
        let request = self
            .sqs
            .set_queue_attributes()
            .queue_url(&self.description.submission_queue_url);
        let request = request.attributes(
            QueueAttributeName::VisibilityTimeout,
            tuning.visibility_seconds.to_string(),
        );
        request.send().await.expect("the queue answers");
    }

    async fn put(&self, url: &str, body: &Value) {
        let answer = self
            .http
            .put(url)
            .json(body)
            .send()
            .await
            .expect("the emulator answers");
        assert!(answer.status().is_success(), "{url}: {}", answer.status());
    }

    pub(crate) async fn get(&self, url: &str) -> Value {
        let answer = self
            .http
            .get(url)
            .send()
            .await
            .expect("the emulator answers");
        answer.json().await.expect("JSON")
    }
}
