//! Publishes outcomes on the event bus.
//!
//! Each event is built from the announcement, member by member. Nothing else of a stored record can
//! leave.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_types::SdkConfig;
use serde::Deserialize;
use serde_json::{Value, json};
use verification::Announcement;
use verification::ports::{Announcer, StoreUnavailable};

use super::error::ServiceError;
use super::service_calls::ServiceCalls;

/// The `source` of every event.
pub const EVENT_SOURCE: &str = "dual-verification";

/// Entries per call. (Source: "PutEvents", Amazon EventBridge API reference.)
const ENTRIES_PER_CALL: usize = 10;

const ANNOUNCING: &str = "announcing an outcome";

/// Announces on one bus.
#[derive(Debug)]
pub struct EventBridgeAnnouncer {
    calls: ServiceCalls,
    bus: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct PutEventsAnswer {
    entries: Vec<AnsweredEntry>,
}

/// The service's message is not read, because it may quote the entry.
#[derive(Clone, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct AnsweredEntry {
    event_id: Option<String>,
    error_code: Option<String>,
}

impl EventBridgeAnnouncer {
    /// `bus` is a name or an ARN.
    pub fn new(http: reqwest::Client, sdk: &SdkConfig, bus: impl Into<String>) -> Self {
        Self {
            calls: ServiceCalls::new(http, sdk, "events"),
            bus: bus.into(),
        }
    }

    fn entry(&self, announcement: &Announcement) -> Result<Value, StoreUnavailable> {
        let detail = serde_json::to_string(&announcement.detail)
            .map_err(|error| StoreUnavailable::new(ANNOUNCING, error))?;
        let milliseconds = announcement.detail.occurred_at.milliseconds();
        let time = Duration::from_millis(milliseconds.try_into().unwrap_or_default());
        Ok(json!({
            "EventBusName": self.bus,
            "Source": EVENT_SOURCE,
            "DetailType": announcement.outcome.as_str(),
            "Detail": detail,
            // Seconds since 1970.
            "Time": time.as_secs_f64(),
        }))
    }

    async fn announce_some(
        &self,
        some: &[Announcement],
    ) -> Result<Vec<Result<(), StoreUnavailable>>, StoreUnavailable> {
        let entries = some.iter().map(|announcement| self.entry(announcement));
        let entries = entries.collect::<Result<Vec<_>, _>>()?;
        let answer: PutEventsAnswer = self
            .calls
            .json("AWSEvents.PutEvents", &json!({"Entries": entries}))
            .await
            .map_err(|error| StoreUnavailable::new(ANNOUNCING, error))?;
        Ok(taken(some.len(), &answer.entries))
    }
}

#[async_trait]
impl Announcer for EventBridgeAnnouncer {
    async fn announce(&self, announcements: &[Announcement]) -> Vec<Result<(), StoreUnavailable>> {
        let mut results = Vec::with_capacity(announcements.len());
        for some in announcements.chunks(ENTRIES_PER_CALL) {
            match self.announce_some(some).await {
                Ok(taken) => results.extend(taken),
                Err(error) => {
                    let error = Arc::new(error);
                    results.extend(
                        some.iter()
                            .map(|_| Err(StoreUnavailable::new(ANNOUNCING, error.clone()))),
                    );
                }
            }
        }
        results
    }
}

/// An accepted call may still have rejected entries.
///
/// An entry without an answer counts as rejected.
fn taken(sent: usize, answered: &[AnsweredEntry]) -> Vec<Result<(), StoreUnavailable>> {
    let result = |entry: Option<&AnsweredEntry>| match entry {
        Some(entry) if entry.event_id.is_some() && entry.error_code.is_none() => Ok(()),
        entry => {
            let code = entry.and_then(|entry| entry.error_code.clone());
            let refused = ServiceError::Refused { status: None, code };
            Err(StoreUnavailable::new(ANNOUNCING, refused))
        }
    };
    (0..sent)
        .map(|position| result(answered.get(position)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_entry_with_an_id_was_taken() {
        let answer: PutEventsAnswer = serde_json::from_value(json!({
            "FailedEntryCount": 1,
            "Entries": [
                {"EventId": "1"},
                {"ErrorCode": "ThrottlingException", "ErrorMessage": "not to be repeated"},
                {"EventId": "3"},
            ],
        }))
        .unwrap();
        let results = taken(4, &answer.entries);
        assert_eq!(
            results.iter().map(Result::is_ok).collect::<Vec<_>>(),
            [true, false, true, false]
        );
        let error = results.into_iter().nth(1).unwrap().unwrap_err();
        let source = error.source.unwrap().to_string();
        assert!(
            source.contains("ThrottlingException") && !source.contains("repeated"),
            "{source}"
        );
    }
}
