//! Where a running stack is, as `cargo xtask up --json` prints it: everything that a test needs,
//! and nothing secret.

use std::path::Path;

use local_stack::{LocalStack, REGION, STACK_NAME};
use serde::{Deserialize, Serialize};

/// The environment variable that names a file with a [`Description`] in JSON. Without it, a test
/// program starts a stack itself.
pub const STACK_VARIABLE: &str = "DUAL_VERIFICATION_STACK";

/// The template's outputs, as addresses that work on this machine, and what is around them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Description {
    #[serde(rename = "WebhookUrl")]
    pub webhook_url: String,
    #[serde(rename = "ApiUrl")]
    pub api_url: String,
    #[serde(rename = "PairingTableName")]
    pub pairing_table: String,
    #[serde(rename = "DocumentBucketName")]
    pub document_bucket: String,
    #[serde(rename = "SubmissionQueueUrl")]
    pub submission_queue_url: String,
    #[serde(rename = "SubmissionDeadLetterQueueUrl")]
    pub dead_letter_queue_url: String,
    #[serde(rename = "EventBusName")]
    pub event_bus: String,
    #[serde(rename = "endpointUrl")]
    pub endpoint_url: String,
    pub region: String,
    #[serde(rename = "sandboxUrl")]
    pub sandbox_url: String,
    #[serde(rename = "stackName")]
    pub stack_name: String,
}

impl Description {
    /// What a stack that this program has started tells of itself.
    pub fn of(stack: &LocalStack) -> Self {
        let output = |name| stack.output(name).expect("the template has it").to_owned();
        Self {
            webhook_url: output("WebhookUrl"),
            api_url: output("ApiUrl"),
            pairing_table: output("PairingTableName"),
            document_bucket: output("DocumentBucketName"),
            submission_queue_url: output("SubmissionQueueUrl"),
            dead_letter_queue_url: output("SubmissionDeadLetterQueueUrl"),
            event_bus: output("EventBusName"),
            endpoint_url: stack.endpoint_url().to_owned(),
            region: REGION.to_owned(),
            sandbox_url: stack
                .sandbox_url()
                .expect("tests run with the sandbox")
                .to_owned(),
            stack_name: STACK_NAME.to_owned(),
        }
    }

    /// Reads what `cargo xtask up --json` has printed.
    pub fn read(path: &Path) -> Self {
        let text = std::fs::read(path)
            .unwrap_or_else(|error| panic!("{STACK_VARIABLE} names {}: {error}", path.display()));
        serde_json::from_slice(&text)
            .unwrap_or_else(|error| panic!("{} does not describe a stack: {error}", path.display()))
    }
}
