//! What the functions have logged, as CloudWatch Logs has it. Read over plain HTTP: one call does not earn an SDK.

use serde_json::{Value, json};

use crate::stack::Stack;

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
            let answer = self.logs_call("FilterLogEvents", &request).await;
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

    async fn logs_call(&self, operation: &str, request: &Value) -> Value {
        let region = &self.description.region;
        let scope = format!("test/20200101/{region}/logs/aws4_request");
        let request = self.http.post(&self.description.endpoint_url).body(request.to_string());
        let request = request
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .header("X-Amz-Target", format!("Logs_20140328.{operation}"))
            .header("Content-Type", "application/x-amz-json-1.1");
        let answer = request.send().await.expect("the logs answer");
        answer.json().await.expect("JSON")
    }
}
