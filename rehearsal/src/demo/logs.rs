//! What the functions logged, read from the emulator's CloudWatch Logs, where the deployed template
//! sends it.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use local_stack::{LocalStack, REGION, STACK_NAME};
use reqwest::Client;
use serde::Deserialize;
use serde_json::{Value, json};
use verification::identifiers::ScanRef;

/// A function, and the line that it logs once for each unit of work, with the most memory that its
/// process has used so far.
#[derive(Debug, Clone, Copy)]
pub struct Function {
    pub name: &'static str,
    event: &'static str,
}

/// Those that move files.
pub const FUNCTIONS: [Function; 2] = [
    Function {
        name: "webhook",
        event: "callback_answered",
    },
    Function {
        name: "processor",
        event: "pairing_advanced",
    },
];

impl Function {
    /// Where its log is.
    pub fn log_group(self) -> String {
        format!("/aws/lambda/{STACK_NAME}-{}", self.name)
    }

    /// Whether the function has logged its work on a pairing.
    pub fn has_worked_on(self, lines: &[String], scan_ref: &ScanRef) -> bool {
        self.works(lines)
            .any(|line| line.get("scan_ref").and_then(Value::as_str) == Some(scan_ref.as_str()))
    }

    fn works(self, lines: &[String]) -> impl Iterator<Item = Value> {
        lines
            .iter()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(move |line| line.get("event").and_then(Value::as_str) == Some(self.event))
    }

    /// The most memory that a process of the function had in use at once, in bytes, from its own
    /// log. The system counts it (`VmHWM`, proc(5)) from the process's start, so that no moment is
    /// missed. `None`: no unit of work was logged.
    pub fn peak_memory(self, lines: &[String]) -> Option<u64> {
        self.works(lines)
            .filter_map(|line| line.get("peak_memory_kb").and_then(Value::as_u64))
            .max()
            // What the system calls kB are 1,024 bytes.
            .map(|kilobytes| kilobytes * 1_024)
    }
}

/// The log groups of one stack.
#[derive(Debug)]
pub struct Logs {
    http: Client,
    endpoint: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    timestamp: i64,
    message: String,
}

impl Logs {
    pub fn of(stack: &LocalStack, http: Client) -> Self {
        Self {
            http,
            endpoint: stack.endpoint_url().to_owned(),
        }
    }

    /// What a function logged itself, oldest first: neither the platform's lines nor metrics.
    ///
    /// # Errors
    /// When the log cannot be read, or there is none, because the function never ran.
    pub async fn lines(&self, function: Function) -> Result<Vec<String>> {
        let mut events: Vec<Event> = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = self.page(function, next.as_deref()).await;
            let page =
                page.with_context(|| format!("cannot read the log {}", function.log_group()))?;
            events.extend(page.events);
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        events.sort_by_key(|event| event.timestamp);
        Ok(events
            .into_iter()
            .map(|event| event.message.trim_end().to_owned())
            .filter(|line| line.starts_with('{') && !line.contains("\"_aws\""))
            .collect())
    }

    /// By plain HTTP: one call does not earn another SDK. The emulator checks no signature, but
    /// reads the region out of one.
    async fn page(&self, function: Function, next: Option<&str>) -> Result<Page> {
        let scope = format!("test/20200101/{REGION}/logs/aws4_request");
        let mut wanted = json!({ "logGroupName": function.log_group() });
        if let (Some(next), Some(members)) = (next, wanted.as_object_mut()) {
            members.insert("nextToken".to_owned(), json!(next));
        }
        let answer = self
            .http
            .post(&self.endpoint)
            .timeout(Duration::from_secs(10))
            .header("X-Amz-Target", "Logs_20140328.FilterLogEvents")
            .header("Content-Type", "application/x-amz-json-1.1")
            .header(
                "Authorization",
                format!("AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"),
            )
            .body(wanted.to_string())
            .send()
            .await?;
        let status = answer.status();
        ensure!(status.is_success(), "the emulator answers {status}");
        Ok(answer.json().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_peak_is_the_largest_of_the_functions_own_event() {
        let lines = [
            r#"{"event":"callback_answered","peak_memory_kb":14000}"#,
            r#"{"event":"callback_answered","peak_memory_kb":15000}"#,
            r#"{"event":"callback_answered","peak_memory_kb":13000}"#,
            r#"{"event":"something_else","peak_memory_kb":99000}"#,
            "{ not JSON",
        ]
        .map(str::to_owned);
        let [webhook, processor] = FUNCTIONS;
        assert_eq!(webhook.peak_memory(&lines), Some(15_000 * 1_024));
        assert_eq!(processor.peak_memory(&lines), None);
    }

    #[test]
    fn work_on_a_pairing_is_recognised_by_its_scan_ref() {
        let lines = [r#"{"event":"pairing_advanced","scan_ref":"one"}"#.to_owned()];
        let [webhook, processor] = FUNCTIONS;
        assert!(processor.has_worked_on(&lines, &"one".parse().unwrap()));
        assert!(!processor.has_worked_on(&lines, &"two".parse().unwrap()));
        assert!(!webhook.has_worked_on(&lines, &"one".parse().unwrap()));
    }
}
