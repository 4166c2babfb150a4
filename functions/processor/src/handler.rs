//! A batch of claim checks in, the failed ones out.

use std::sync::Arc;
use std::time::Duration;

use adapters::{Message, SqsSubmissionQueue, SystemClock};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::{Error, LambdaEvent};
use lambda_support::{
    Handled, cause, deadline_less, milliseconds, peak_memory_kilobytes, process_batch,
    receive_count,
};
use verification::identifiers::ScanRef;
use verification::ports::{Clock, SubmissionQueue};
use verification::{Advance, Advanced, Timestamp};

use crate::circuit_delay::delay;

/// Time for the last writes and the answer.
const RESERVE: Duration = Duration::from_secs(5);

/// Pause before the first repeat. It doubles each time.
const SHORTEST_PAUSE: Duration = Duration::from_secs(3);

/// Longest pause. Ten receives then take half an hour.
const LONGEST_PAUSE: Duration = Duration::from_secs(15 * 60);

/// `maxReceiveCount` of SubmissionQueue: put back now, the message becomes a dead letter.
const LAST_RECEIVE: u32 = 10;

pub struct Processor {
    pub advance: Advance,
    pub queue: Arc<SqsSubmissionQueue>,
    pub clock: Arc<SystemClock>,
}

impl Processor {
    pub async fn handle(&self, event: LambdaEvent<SqsEvent>) -> Result<SqsBatchResponse, Error> {
        let until = deadline_less(event.context.deadline, RESERVE);
        let postpone = |receipt_handle: String, pause| async move {
            if let Err(error) = self.queue.postpone(&receipt_handle, pause).await {
                tracing::warn!(
                    event = "postponing_failed",
                    error = %error,
                    "the queue's own visibility timeout applies"
                );
            }
        };
        Ok(process_batch(event.payload, |record| self.record(record, until), postpone).await?)
    }

    async fn record(&self, record: SqsMessage, until: Timestamp) -> Handled {
        let started = self.clock.now();
        let receives = receive_count(&record);
        let message = record.body.as_deref().map(serde_json::from_str::<Message>);
        let Some(Ok(Message::SubmitDocumentsV1 { scan_ref })) = message else {
            // No pause helps: it must become a dead letter.
            tracing::error!(
                event = "message_unreadable",
                message_id = record.message_id,
                receives,
                "a message is not a claim check"
            );
            return Handled::Again {
                after: Duration::ZERO,
            };
        };
        let (handled, outcome, why) = self.advance(&scan_ref, receives, until).await;
        let took = self.clock.now().since(started);
        tracing::info!(
            event = "pairing_advanced",
            scan_ref = %scan_ref,
            outcome,
            why,
            receives,
            again_after_s = match handled {
                Handled::Done => None,
                Handled::Again { after } => Some(after.as_secs()),
            },
            duration_ms = milliseconds(took),
            peak_memory_kb = peak_memory_kilobytes(),
            "pairing advanced"
        );
        handled
    }

    async fn advance(
        &self,
        scan_ref: &ScanRef,
        receives: u32,
        until: Timestamp,
    ) -> (Handled, &'static str, Option<&'static str>) {
        match self.advance.advance(scan_ref, until).await {
            Ok(Advanced::Resting(state)) => (Handled::Done, state, None),
            Ok(Advanced::Unknown) => (Handled::Done, "Unknown", None),
            Ok(Advanced::HeldUntil(lease_until)) => {
                // At the first receive, the sender is about to release its lease.
                let rest = lease_until
                    .since(self.clock.now())
                    .saturating_add(Duration::from_secs(1));
                (
                    Handled::Again {
                        after: if receives <= 1 {
                            Duration::from_secs(1)
                        } else {
                            rest
                        },
                    },
                    "Held",
                    None,
                )
            }
            Ok(Advanced::CircuitOpen { until }) => {
                let handled = self
                    .send_anew(scan_ref, delay(scan_ref, self.clock.now(), until))
                    .await;
                (handled, "LeftAlone", None)
            }
            Ok(Advanced::TryAgain { why, after }) => {
                let own = pause(receives);
                let handled = match after.filter(|told| *told > own) {
                    // No receives are left for this wait: it would become a dead letter.
                    Some(told) if receives >= LAST_RECEIVE => self.send_anew(scan_ref, told).await,
                    Some(told) => Handled::Again { after: told },
                    None => Handled::Again { after: own },
                };
                (handled, "TryAgain", Some(why))
            }
            Err(error) => {
                tracing::error!(
                    event = "store_unavailable",
                    scan_ref = %scan_ref,
                    error = %error,
                    cause = cause(&error),
                    "a pairing cannot be advanced now"
                );
                (
                    Handled::Again {
                        after: pause(receives),
                    },
                    "TryAgain",
                    Some("StoreUnavailable"),
                )
            }
        }
    }

    /// Delays the claim check without using up a receive: sends a new one, then drops the old.
    ///
    /// In this order a crash leaves two messages, and the second is absorbed. The other order would
    /// leave none.
    ///
    /// If sending fails, the old message waits and costs a receive. If both are lost, the
    /// reconciler sends a third by `attention_at`.
    async fn send_anew(&self, scan_ref: &ScanRef, delay: Duration) -> Handled {
        match self.queue.enqueue_later(scan_ref, delay).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                tracing::warn!(
                    event = "postponing_failed",
                    error = %error,
                    "the message itself waits"
                );
                Handled::Again { after: delay }
            }
        }
    }
}

fn pause(receives: u32) -> Duration {
    let factor = 2_u32.saturating_pow(receives.saturating_sub(1).min(16));
    SHORTEST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_the_longest() {
        let seconds: Vec<u64> = (1..=10).map(|receives| pause(receives).as_secs()).collect();
        assert_eq!(seconds, [3, 6, 12, 24, 48, 96, 192, 384, 768, 900]);
        assert_eq!(pause(0), SHORTEST_PAUSE);
        assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
    }
}
