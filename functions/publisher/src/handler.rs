//! A batch of the table's stream in, its first failed record out.
//!
//! A failed record does not hold up those behind it. They are announced with each attempt again,
//! which consumers must expect.

use std::sync::Arc;

use lambda_support::{cause, milliseconds, peak_memory_kilobytes};
use serde_json::Value;
use verification::Announcement;
use verification::ports::{Announcer, Clock};

use crate::record::{
    FailedRecord, StreamBatch, StreamBatchResponse, announcement, sequence_number,
};

pub struct Publisher {
    pub announcer: Arc<dyn Announcer>,
    pub clock: Arc<dyn Clock>,
}

/// The failed record has no sequence number to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record has no sequence number, so the batch can only be repeated as a whole")]
pub struct UnreportableRecord;

/// A batch's announcements, with their positions.
#[derive(Default)]
struct Outcomes {
    positions: Vec<usize>,
    announcements: Vec<Announcement>,
    unreadable: Vec<usize>,
}

impl Publisher {
    /// # Errors
    /// A failed record has no sequence number. Lambda repeats the batch, halved.
    pub async fn handle(
        &self,
        batch: StreamBatch,
    ) -> Result<StreamBatchResponse, UnreportableRecord> {
        let started = self.clock.now();
        let outcomes = Outcomes::of(&batch.records);
        let unpublished = self.publish(&outcomes).await;
        let took = self.clock.now().since(started);
        tracing::info!(
            event = "outcomes_published",
            records = batch.records.len(),
            published = outcomes.positions.len().saturating_sub(unpublished.len()),
            unpublished = unpublished.len(),
            unreadable = outcomes.unreadable.len(),
            duration_ms = milliseconds(took),
            peak_memory_kb = peak_memory_kilobytes(),
            "outcomes announced"
        );
        // Records come in the shard's order, and Lambda repeats from the reported one.
        let first = outcomes.unreadable.into_iter().chain(unpublished).min();
        let Some(record) = first.and_then(|position| batch.records.get(position)) else {
            return Ok(StreamBatchResponse::default());
        };
        let sequence_number = sequence_number(record)
            .ok_or(UnreportableRecord)?
            .to_owned();
        Ok(StreamBatchResponse {
            failures: vec![FailedRecord { sequence_number }],
        })
    }

    /// Returns the positions of announcements that are not known to be accepted.
    async fn publish(&self, outcomes: &Outcomes) -> Vec<usize> {
        let mut results = self
            .announcer
            .announce(&outcomes.announcements)
            .await
            .into_iter();
        let mut unpublished = Vec::new();
        for (position, announcement) in outcomes.positions.iter().zip(&outcomes.announcements) {
            let error = match results.next() {
                Some(Ok(())) => continue,
                Some(Err(error)) => Some(error),
                None => None,
            };
            tracing::warn!(
                event = "outcome_not_published",
                scan_ref = %announcement.detail.scan_ref,
                outcome = announcement.outcome.as_str(),
                cause = error.as_ref().and_then(|error| cause(error)),
                "an outcome will be announced again"
            );
            unpublished.push(*position);
        }
        unpublished
    }
}

impl Outcomes {
    fn of(records: &[Value]) -> Self {
        let mut outcomes = Self::default();
        for (position, record) in records.iter().enumerate() {
            match announcement(record) {
                Ok(Some(announcement)) => {
                    outcomes.positions.push(position);
                    outcomes.announcements.push(announcement);
                }
                Ok(None) => {}
                Err(why) => {
                    let sequence_number = sequence_number(record);
                    tracing::error!(
                        event = "outcome_unreadable",
                        sequence_number,
                        why = %why,
                        "an outcome cannot be announced"
                    );
                    outcomes.unreadable.push(position);
                }
            }
        }
        outcomes
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use adapters::SystemClock;
    use async_trait::async_trait;
    use serde_json::json;
    use verification::ports::StoreUnavailable;

    use super::*;

    /// Accepts every announcement, except those about `refused`.
    #[derive(Default)]
    struct Bus {
        refused: Vec<&'static str>,
        taken: Mutex<Vec<Announcement>>,
    }

    #[async_trait]
    impl Announcer for Bus {
        async fn announce(
            &self,
            announcements: &[Announcement],
        ) -> Vec<Result<(), StoreUnavailable>> {
            let result = |announcement: &Announcement| {
                if self
                    .refused
                    .contains(&announcement.detail.scan_ref.as_str())
                {
                    return Err(StoreUnavailable::new("announcing", "throttled"));
                }
                self.taken.lock().unwrap().push(announcement.clone());
                Ok(())
            };
            announcements.iter().map(result).collect()
        }
    }

    impl Bus {
        /// The consumers' key: scanRef, detail type and occurredAt.
        fn keys(&self) -> Vec<String> {
            let key = |announcement: &Announcement| {
                let detail = &announcement.detail;
                format!(
                    "{} {} {}",
                    detail.scan_ref,
                    announcement.outcome.as_str(),
                    detail.occurred_at
                )
            };
            self.taken.lock().unwrap().iter().map(key).collect()
        }
    }

    fn outcome(scan_ref: &str, sequence_number: &str) -> Value {
        let detail =
            json!({"scanRef": scan_ref, "occurredAt": "2026-11-23T10:00:00.123Z"}).to_string();
        json!({
            "eventName": "INSERT",
            "dynamodb": {
                "SequenceNumber": sequence_number,
                "NewImage": {"outcome": {"S": "DualVerificationSettled"}, "detail": {"S": detail}}
            }
        })
    }

    fn poison(sequence_number: &str) -> Value {
        let mut record = outcome("poison", sequence_number);
        record["dynamodb"]["NewImage"]["detail"] = json!({"S": "?"});
        record
    }

    async fn publish(bus: &Arc<Bus>, records: Vec<Value>) -> Result<Value, UnreportableRecord> {
        let publisher = Publisher {
            announcer: bus.clone(),
            clock: Arc::new(SystemClock),
        };
        let response = publisher.handle(StreamBatch { records }).await?;
        Ok(serde_json::to_value(response).unwrap())
    }

    #[tokio::test]
    async fn a_repeated_record_is_announced_under_the_same_key() {
        let bus = Arc::new(Bus::default());
        for _ in 0..2 {
            let answer = publish(&bus, vec![outcome("a", "100")]).await.unwrap();
            assert_eq!(answer, json!({"batchItemFailures": []}));
        }
        let key = "a DualVerificationSettled 2026-11-23T10:00:00.123Z";
        assert_eq!(bus.keys(), [key, key]);
    }

    #[tokio::test]
    async fn the_batch_comes_again_from_the_first_record_that_failed() {
        let bus = Arc::new(Bus {
            refused: vec!["b", "d"],
            ..Bus::default()
        });
        let records = vec![
            outcome("a", "9"),
            outcome("b", "10"),
            outcome("c", "11"),
            outcome("d", "12"),
        ];
        let answer = publish(&bus, records).await.unwrap();
        assert_eq!(
            answer,
            json!({"batchItemFailures": [{"itemIdentifier": "10"}]})
        );
        assert_eq!(bus.keys().len(), 2, "those that can be announced are");
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_read_fails_and_holds_nobody_up() {
        let bus = Arc::new(Bus {
            refused: vec!["c"],
            ..Bus::default()
        });
        let records = vec![
            outcome("a", "1"),
            poison("2"),
            outcome("b", "3"),
            outcome("c", "4"),
        ];
        let answer = publish(&bus, records).await.unwrap();
        assert_eq!(
            answer,
            json!({"batchItemFailures": [{"itemIdentifier": "2"}]})
        );
        assert_eq!(bus.keys().len(), 2);
    }

    #[tokio::test]
    async fn a_failed_record_that_cannot_be_named_fails_the_batch_openly() {
        let bus = Arc::new(Bus::default());
        let answer = publish(
            &bus,
            vec![outcome("a", "1"), json!({"eventName": "INSERT"})],
        )
        .await;
        assert_eq!(answer, Err(UnreportableRecord));
        assert_eq!(bus.keys().len(), 1);
    }
}
