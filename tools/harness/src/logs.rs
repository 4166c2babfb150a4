//! What the functions have logged, from CloudWatch Logs.

use anyhow::Result;
use serde_json::{Value, json};

use crate::stack::Stack;
use crate::wait::{DEADLINE, Look, wait_for};

impl Stack {
    /// The log lines of a function that contain `text`, oldest first; all lines for an empty one.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn log_lines(&self, function: &str, text: &str) -> Result<Vec<String>> {
        let group = format!("/aws/lambda/{}-{function}", self.description.stack_name);
        let mut events: Vec<Value> = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut request = json!({"logGroupName": group, "nextToken": next});
            if !text.is_empty() {
                request["filterPattern"] = json!(format!("\"{text}\""));
            }
            let answer = self
                .emulator
                .call("logs", "Logs_20140328.FilterLogEvents", "1.1", &request)
                .await?;
            events.extend(answer["events"].as_array().into_iter().flatten().cloned());
            next = answer["nextToken"].as_str().map(str::to_owned);
            if next.is_none() {
                break;
            }
        }
        events.sort_by_key(|event| event["timestamp"].as_i64());
        let messages = events.iter().filter_map(|event| event["message"].as_str());
        Ok(messages.flat_map(str::lines).map(str::to_owned).collect())
    }

    /// The log lines that contain `text` and are JSON, parsed.
    ///
    /// # Errors
    /// The emulator does not answer.
    pub async fn log_records(&self, function: &str, text: &str) -> Result<Vec<Value>> {
        let lines = self.log_lines(function, text).await?;
        let records = lines
            .iter()
            .filter(|line| line.contains(text))
            .filter_map(|line| serde_json::from_str(line).ok());
        Ok(records.collect())
    }

    /// Waits until a function has logged a line with this text.
    ///
    /// # Errors
    /// It has not by the deadline, or the emulator does not answer.
    pub async fn until_logged(&self, function: &str, text: &str) -> Result<()> {
        let what = format!("{function} logs {text}");
        wait_for(DEADLINE, what, async || {
            let lines = self.log_lines(function, text).await?;
            Ok(if lines.is_empty() {
                Look::NotYet("no such line".to_owned())
            } else {
                Look::Found(())
            })
        })
        .await
    }
}
