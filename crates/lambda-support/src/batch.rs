//! SQS batches, each record on its own: one that fails, panics or cannot be read takes no neighbour
//! with it.

use std::panic::AssertUnwindSafe;
use std::time::Duration;

use aws_lambda_events::event::sqs::{BatchItemFailure, SqsBatchResponse, SqsEvent, SqsMessage};
use futures_util::FutureExt;
use futures_util::future::join_all;

/// What became of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// The message may go.
    Done,
    /// The message stays, and is shown again after the pause.
    Again { after: Duration },
}

/// A record without a `messageId` cannot be reported as failed, and reporting an empty one would
/// fail the whole batch in a way that looks like success of its neighbours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a record has no messageId, so the batch can only be repeated as a whole")]
pub struct UnreportableRecord;

/// Handles all records at once and reports those that stay. `postpone` gets a receipt handle and
/// the pause; where it fails, the queue's own visibility timeout applies.
///
/// # Errors
/// A record that must stay has no `messageId`.
pub async fn process_batch<H, HF, P, PF>(
    event: SqsEvent,
    handle: H,
    postpone: P,
) -> Result<SqsBatchResponse, UnreportableRecord>
where
    H: Fn(SqsMessage) -> HF,
    HF: Future<Output = Handled>,
    P: Fn(String, Duration) -> PF,
    PF: Future<Output = ()>,
{
    let records = event.records.into_iter().map(|record| async {
        let message_id = record.message_id.clone();
        let receipt_handle = record.receipt_handle.clone();
        match AssertUnwindSafe(handle(record)).catch_unwind().await {
            Ok(Handled::Done) => Ok(None),
            Ok(Handled::Again { after }) => {
                if let Some(receipt_handle) = receipt_handle {
                    postpone(receipt_handle, after).await;
                }
                message_id.map(Some).ok_or(UnreportableRecord)
            }
            Err(_) => {
                tracing::error!(
                    event = "record_panicked",
                    message_id,
                    "a record could not be handled: the program has a bug"
                );
                message_id.map(Some).ok_or(UnreportableRecord)
            }
        }
    });
    let stay = join_all(records)
        .await
        .into_iter()
        .collect::<Result<Vec<_>, _>>()?;
    let mut response = SqsBatchResponse::default();
    response.batch_item_failures = stay
        .into_iter()
        .flatten()
        .map(|message_id| {
            let mut failure = BatchItemFailure::default();
            failure.item_identifier = message_id;
            failure
        })
        .collect();
    Ok(response)
}

/// How often SQS has handed the message out, this time included; 1 if it does not say.
pub fn receive_count(record: &SqsMessage) -> u32 {
    record
        .attributes
        .get("ApproximateReceiveCount")
        .and_then(|count| count.parse().ok())
        .unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn record(message_id: Option<&str>, body: &str) -> SqsMessage {
        let mut record = SqsMessage::default();
        record.message_id = message_id.map(str::to_owned);
        record.receipt_handle = Some(format!("receipt of {body}"));
        record.body = Some(body.to_owned());
        record
    }

    async fn handle(record: SqsMessage) -> Handled {
        match record.body.as_deref() {
            Some("good") => Handled::Done,
            Some("panic") => panic!("on purpose"),
            _ => Handled::Again {
                after: Duration::from_secs(7),
            },
        }
    }

    #[tokio::test]
    async fn one_bad_record_takes_no_neighbour_with_it() {
        let mut event = SqsEvent::default();
        event.records = vec![
            record(Some("1"), "good"),
            record(Some("2"), "bad"),
            record(Some("3"), "panic"),
            record(Some("4"), "good"),
        ];
        let postponed = Mutex::new(Vec::new());
        let response = process_batch(event, handle, |receipt, after| {
            postponed.lock().unwrap().push((receipt, after));
            std::future::ready(())
        })
        .await
        .unwrap();
        let failed: Vec<&str> = response
            .batch_item_failures
            .iter()
            .map(|failure| failure.item_identifier.as_str())
            .collect();
        assert_eq!(failed, ["2", "3"]);
        assert_eq!(
            *postponed.lock().unwrap(),
            [("receipt of bad".to_owned(), Duration::from_secs(7))]
        );
    }

    #[tokio::test]
    async fn a_record_that_cannot_be_named_fails_the_batch_openly() {
        let mut event = SqsEvent::default();
        event.records = vec![record(Some("1"), "good"), record(None, "bad")];
        let failed = process_batch(event, handle, |_, _| std::future::ready(())).await;
        assert_eq!(failed.unwrap_err(), UnreportableRecord);
    }
}
