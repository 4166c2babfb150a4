//! Reading a log group of CloudWatch Logs. No function does this.

use serde::Deserialize;
use serde_json::json;
use verification::Timestamp;

use super::error::ServiceError;
use super::service_calls::ServiceCalls;

/// Which events of a log group are wanted.
#[derive(Clone, Copy, Debug)]
pub struct LogQuery<'a> {
    pub group: &'a str,
    /// Only events with this text in them. Empty: all.
    pub text: &'a str,
    pub since: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Bounds the calls; a page has up to 10,000 events.
    pub maximum_pages: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct LogEvent {
    /// In milliseconds since 1970.
    pub timestamp: i64,
    /// One line; an emulator may hand over several as one event.
    pub message: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page {
    #[serde(default)]
    events: Vec<LogEvent>,
    next_token: Option<String>,
}

/// The events of a log group, oldest first. None if there is no such group.
///
/// # Errors
/// The service was not reached or refuses.
pub async fn log_events(
    logs: &ServiceCalls,
    query: LogQuery<'_>,
) -> Result<Vec<LogEvent>, ServiceError> {
    let mut request = json!({"logGroupName": query.group});
    let mut set = |name: &str, value| request.as_object_mut()?.insert(name.to_owned(), value);
    if !query.text.is_empty() {
        set("filterPattern", json!(format!("\"{}\"", query.text)));
    }
    if let Some(since) = query.since {
        set("startTime", json!(since.milliseconds()));
    }
    if let Some(until) = query.until {
        set("endTime", json!(until.milliseconds()));
    }
    let mut events = Vec::new();
    for _ in 0..query.maximum_pages {
        let page: Page = match logs.json("Logs_20140328.FilterLogEvents", &request).await {
            Ok(page) => page,
            Err(error) if error.code() == Some("ResourceNotFoundException") => break,
            Err(error) => return Err(error),
        };
        events.extend(page.events);
        let Some(next) = page.next_token else { break };
        if let Some(members) = request.as_object_mut() {
            members.insert("nextToken".to_owned(), json!(next));
        }
    }
    Ok(events)
}
