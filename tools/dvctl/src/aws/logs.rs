//! What the functions have logged. Their lines have nothing personal in them.

use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};
use verification::Timestamp;

use super::cloudformation::unreadable;
use super::{Aws, Call, refused};
use crate::failure::Failure;

/// One line that is JSON.
#[derive(Clone, Debug)]
pub struct LogLine {
    pub at: Timestamp,
    fields: Value,
}

impl LogLine {
    /// A field's text; a number as it is written.
    pub fn field(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<Event>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
struct Event {
    timestamp: i64,
    message: String,
}

/// Enough for an hour of a busy function; what is asked for is narrow.
const MAXIMUM_PAGES: u32 = 20;

impl Aws {
    /// The lines of a log group from `since` to `until` that have `text` in them, oldest first,
    /// from at most twenty pages. None if there is no such group.
    ///
    /// # Errors
    /// The service was not reached or refuses.
    pub async fn log_lines(
        &self,
        group: &str,
        text: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<LogLine>, Failure> {
        let mut lines = Vec::new();
        let mut next: Option<String> = None;
        for _ in 0..MAXIMUM_PAGES {
            let mut request = json!({
                "logGroupName": group,
                "filterPattern": format!("\"{text}\""),
                "startTime": since.milliseconds(),
                "endTime": until.milliseconds(),
            });
            if let (Some(next), Some(members)) = (&next, request.as_object_mut()) {
                members.insert("nextToken".to_owned(), json!(next));
            }
            let headers = [
                ("content-type", "application/x-amz-json-1.1"),
                ("x-amz-target", "Logs_20140328.FilterLogEvents"),
            ];
            let call = Call {
                service: "logs",
                method: Method::POST,
                path: "/",
                headers: &headers,
                body: request.to_string(),
            };
            let (status, answer) = self.call(call).await?;
            if status >= 300 {
                let code = serde_json::from_str::<Value>(&answer).unwrap_or_default();
                let code = code.get("__type").and_then(Value::as_str);
                let code = code.and_then(|code| code.rsplit('#').next());
                if code == Some("ResourceNotFoundException") {
                    return Ok(lines);
                }
                return Err(refused("logs", status, code));
            }
            let page: Page = serde_json::from_str(&answer).map_err(|_| unreadable("logs"))?;
            lines.extend(page.events.iter().flat_map(|event| read(event, text)));
            next = page.next_token;
            if next.is_none() {
                break;
            }
        }
        Ok(lines)
    }
}

/// An emulator may hand over several lines as one event.
fn read<'a>(event: &'a Event, text: &'a str) -> impl Iterator<Item = LogLine> + 'a {
    event
        .message
        .lines()
        .filter(move |line| line.contains(text))
        .filter_map(|line| {
            let fields: Value = serde_json::from_str(line).ok()?;
            let at = fields
                .get("timestamp")
                .and_then(Value::as_str)
                .and_then(|at| at.parse().ok());
            Some(LogLine {
                at: at.unwrap_or_else(|| Timestamp::from_milliseconds(event.timestamp)),
                fields,
            })
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_field_by_field() {
        let event = Event {
            timestamp: 5,
            message: "START\n{\"timestamp\":\"2026-11-23T08:00:00.000Z\",\"scan_ref\":\"a\",\"receives\":3}\n{\"scan_ref\":\"b\"}"
                .to_owned(),
        };
        let lines: Vec<LogLine> = read(&event, "scan_ref").collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(
            (
                lines[0].field("scan_ref").as_deref(),
                lines[0].field("receives").as_deref()
            ),
            (Some("a"), Some("3"))
        );
        assert_eq!(lines[1].at.milliseconds(), 5);
    }
}
