//! What the functions have logged, as CloudWatch Logs has it.

use serde_json::{Value, json};

use crate::stack::Stack;
use crate::wait::eventually;

impl Stack {
    /// The log lines of a function that contain `text`, oldest first; all lines for an empty one.
    pub async fn log_lines(&self, function: &str, text: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{}-{function}", self.description.stack_name);
        let mut lines = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let mut request = json!({"logGroupName": group, "nextToken": next});
            if !text.is_empty() {
                request["filterPattern"] = json!(format!("\"{text}\""));
            }
            let answer = self
                .call("logs", "Logs_20140328.FilterLogEvents", "1.1", &request)
                .await;
            let events = answer["events"].as_array().cloned().unwrap_or_default();
            let messages = events.iter().filter_map(|event| event["message"].as_str());
            lines.extend(messages.flat_map(str::lines).map(str::to_owned));
            next = answer["nextToken"].as_str().map(str::to_owned);
            if next.is_none() {
                return lines;
            }
        }
    }

    /// The log lines that contain `text` and are JSON, parsed.
    pub async fn log_records(&self, function: &str, text: &str) -> Vec<Value> {
        let lines = self.log_lines(function, text).await;
        lines
            .iter()
            .filter(|line| line.contains(text))
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Waits until a function has logged a line with this text.
    pub async fn until_logged(&self, function: &str, text: &str) {
        eventually(format_args!("{function} logs {text}"), || async {
            let lines = self.log_lines(function, text).await;
            if lines.is_empty() {
                Err("no such line")
            } else {
                Ok(())
            }
        })
        .await;
    }
}
