//! Where a running stack is, as `cargo xtask up --json` prints it: everything that a test needs,
//! and nothing secret.

use std::path::Path;

use anyhow::{Context, Result};
use local_stack::{LocalStack, REGION, STACK_NAME};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

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
    /// Where erasing has an address of its own.
    #[serde(rename = "ErasureUrl")]
    pub erasure_url: Option<String>,
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
    /// Empty where another provider is in the sandbox's place.
    #[serde(rename = "sandboxUrl")]
    pub sandbox_url: String,
    #[serde(rename = "stackName")]
    pub stack_name: String,
}

impl Description {
    /// Of a stack that this program has started.
    ///
    /// # Errors
    /// The template lacks an output.
    pub fn of(stack: &LocalStack) -> Result<Self> {
        let output = |name| stack.output(name).map(str::to_owned);
        Ok(Self {
            webhook_url: output("WebhookUrl")?,
            api_url: output("ApiUrl")?,
            erasure_url: output("ErasureUrl").ok(),
            pairing_table: output("PairingTableName")?,
            document_bucket: output("DocumentBucketName")?,
            submission_queue_url: output("SubmissionQueueUrl")?,
            dead_letter_queue_url: output("SubmissionDeadLetterQueueUrl")?,
            event_bus: output("EventBusName")?,
            endpoint_url: stack.endpoint_url().to_owned(),
            region: REGION.to_owned(),
            sandbox_url: stack.sandbox_url().unwrap_or_default().to_owned(),
            stack_name: STACK_NAME.to_owned(),
        })
    }

    /// Reads what `cargo xtask up --json` has printed.
    ///
    /// # Errors
    /// There is no such file, or it does not describe a stack.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read(path)
            .with_context(|| format!("{STACK_VARIABLE} names {}", path.display()))?;
        serde_json::from_slice(&text)
            .with_context(|| format!("{} does not describe a stack", path.display()))
    }
}

/// Every output of the template, and what else is needed to use the stack. The stack may run
/// without the sandbox.
pub fn describe(stack: &LocalStack) -> Value {
    let mut description = json!(stack.outputs());
    if let Some(members) = description.as_object_mut() {
        members.insert("endpointUrl".to_owned(), json!(stack.endpoint_url()));
        members.insert("region".to_owned(), json!(REGION));
        members.insert("sandboxUrl".to_owned(), json!(stack.sandbox_url()));
        members.insert("stackName".to_owned(), json!(STACK_NAME));
    }
    description
}
