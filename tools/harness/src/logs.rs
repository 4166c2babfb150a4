//! What the functions have logged, as CloudWatch Logs has it.

use adapters::{LogQuery, log_events};
use serde_json::Value;

use crate::stack::Stack;
use crate::wait::eventually;

impl Stack {
    /// The log lines of a function that contain `text`, oldest first; all lines for an empty one.
    pub async fn log_lines(&self, function: &str, text: &str) -> Vec<String> {
        let group = format!("/aws/lambda/{}-{function}", self.description.stack_name);
        let query = LogQuery {
            group: &group,
            text,
            since: None,
            until: None,
            maximum_pages: u32::MAX,
        };
        let events = log_events(&self.service("logs"), query).await;
        let events = events.expect("the log can be read");
        let lines = events.iter().flat_map(|event| event.message.lines());
        lines.map(str::to_owned).collect()
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
