//! The event bus: what the world is told, from a source that consumers' rules can match.
//!
//! What is sent is written anew from the announcement, member by member, so nothing that a stored
//! record may hold besides can leave.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_eventbridge::Client;
use aws_sdk_eventbridge::types::{PutEventsRequestEntry, PutEventsResultEntry};
use aws_smithy_types::DateTime;
use aws_types::SdkConfig;
use verification::Announcement;
use verification::ports::{Announcer, Unavailable};

use super::error::{refused, unavailable};

/// The `source` of every event.
pub const EVENT_SOURCE: &str = "dual-verification";

/// As many entries as one call takes. (Source: "PutEvents", Amazon EventBridge API reference.)
const ENTRIES_PER_CALL: usize = 10;

const ANNOUNCING: &str = "announcing an outcome";

/// Announces on one bus.
#[derive(Clone, Debug)]
pub struct EventBridgeAnnouncer {
    client: Client,
    bus: String,
}

impl EventBridgeAnnouncer {
    /// `bus` is a name or an ARN.
    pub fn new(sdk: &SdkConfig, bus: impl Into<String>) -> Self {
        Self {
            client: Client::new(sdk),
            bus: bus.into(),
        }
    }

    fn entry(&self, announcement: &Announcement) -> Result<PutEventsRequestEntry, Unavailable> {
        let detail = serde_json::to_string(&announcement.detail)
            .map_err(|error| Unavailable::new(ANNOUNCING, error))?;
        let entry = PutEventsRequestEntry::builder()
            .event_bus_name(&self.bus)
            .source(EVENT_SOURCE)
            .detail_type(announcement.outcome.as_str())
            .detail(detail)
            .time(DateTime::from_millis(
                announcement.detail.occurred_at.milliseconds(),
            ));
        Ok(entry.build())
    }

    async fn announce_some(
        &self,
        some: &[Announcement],
    ) -> Result<Vec<Result<(), Unavailable>>, Unavailable> {
        let entries = some
            .iter()
            .map(|announcement| self.entry(announcement))
            .collect::<Result<_, _>>()?;
        let answer = self
            .client
            .put_events()
            .set_entries(Some(entries))
            .send()
            .await;
        let answer = answer.map_err(|error| unavailable(ANNOUNCING, error))?;
        Ok(taken(some.len(), answer.entries()))
    }
}

#[async_trait]
impl Announcer for EventBridgeAnnouncer {
    async fn announce(&self, announcements: &[Announcement]) -> Vec<Result<(), Unavailable>> {
        let mut results = Vec::with_capacity(announcements.len());
        for some in announcements.chunks(ENTRIES_PER_CALL) {
            match self.announce_some(some).await {
                Ok(taken) => results.extend(taken),
                Err(error) => {
                    let error = Arc::new(error);
                    results.extend(
                        some.iter()
                            .map(|_| Err(Unavailable::new(ANNOUNCING, error.clone()))),
                    );
                }
            }
        }
        results
    }
}

/// A call that succeeds may still have left entries out. One that the answer does not mention
/// counts as left out.
fn taken(sent: usize, answered: &[PutEventsResultEntry]) -> Vec<Result<(), Unavailable>> {
    let result = |entry: Option<&PutEventsResultEntry>| match entry {
        Some(entry) if entry.event_id().is_some() && entry.error_code().is_none() => Ok(()),
        entry => Err(refused(
            ANNOUNCING,
            entry.and_then(PutEventsResultEntry::error_code),
        )),
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
        let taken_one = PutEventsResultEntry::builder().event_id("1").build();
        let throttled = PutEventsResultEntry::builder()
            .error_code("ThrottlingException")
            .error_message("not to be repeated")
            .build();
        let results = taken(4, &[taken_one.clone(), throttled, taken_one]);
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
