//! Settings of a deployed stack that bound how long a killed process holds its work. A test changes
//! them as an operator could, to save minutes of waiting. For dedicated stacks only.

use anyhow::{Context, Result};
use aws_sdk_sqs::types::QueueAttributeName;
use serde_json::json;

use crate::stack::Stack;

/// How the processor is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProcessorTuning {
    /// Its timeout in seconds; its leases end 5 s earlier. In the template 90.
    pub timeout_seconds: u32,
    /// Visibility timeout of a message in seconds; longer than the timeout. In the template 540.
    pub visibility_seconds: u32,
    /// Messages in one batch. In the template 5.
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
    ///
    /// # Errors
    /// The emulator refuses, or does not answer.
    pub async fn tune_processor(&self, tuning: ProcessorTuning) -> Result<()> {
        let name = self.function_name("ProcessorFunction").await?;
        let emulator = &self.emulator;
        emulator
            .put(
                &format!("/2015-03-31/functions/{name}/configuration"),
                &json!({"Timeout": tuning.timeout_seconds}),
            )
            .await?;
        let mappings = emulator.event_sources(Some(&name)).await?;
        let mapping = mappings
            .first()
            .context("the queue does not lead to the processor")?;
        emulator
            .put(
                &format!("/2015-03-31/event-source-mappings/{mapping}"),
                &json!({"BatchSize": tuning.batch_size}),
            )
            .await?;
        let request = self
            .sqs
            .set_queue_attributes()
            .queue_url(&self.description.submission_queue_url)
            .attributes(
                QueueAttributeName::VisibilityTimeout,
                tuning.visibility_seconds.to_string(),
            );
        request.send().await.context("the queue does not answer")?;
        Ok(())
    }
}
