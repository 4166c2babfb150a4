//! The functions' logs. Their lines have nothing personal.

use adapters::{LogEvent, LogQuery, log_events};
use serde_json::Value;
use verification::Timestamp;

use super::{Aws, failed};
use crate::failure::Failure;

/// One line that is JSON.
#[derive(Clone, Debug)]
pub struct LogLine {
    pub at: Timestamp,
    fields: Value,
}

impl LogLine {
    /// A field's text or number.
    pub fn field(&self, name: &str) -> Option<String> {
        match self.fields.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        }
    }
}

/// Enough for an hour of a busy function.
const MAXIMUM_PAGES: u32 = 20;

impl Aws {
    /// JSON lines with `text`, oldest first, from at most 20 pages.
    ///
    /// None if there is no such group.
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
        let query = LogQuery {
            group,
            text,
            since: Some(since),
            until: Some(until),
            maximum_pages: MAXIMUM_PAGES,
        };
        let events = log_events(&self.calls("logs"), query).await;
        let events = events.map_err(|error| failed("logs", error))?;
        Ok(events.iter().flat_map(|event| read(event, text)).collect())
    }
}

/// An emulator may return several lines as one event.
fn read<'a>(event: &'a LogEvent, text: &'a str) -> impl Iterator<Item = LogLine> + 'a {
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
        let event = LogEvent {
            timestamp: 5,
            message: [
                "START",
                r#"{"timestamp":"2026-11-23T08:00:00.000Z","scan_ref":"a","receives":3}"#,
                r#"{"scan_ref":"b"}"#,
            ]
            .join("\n"),
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
