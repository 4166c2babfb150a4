//! A batch of outcomes in, those that the application did not take out.

use std::sync::Arc;
use std::time::Duration;

use adapters::{
    OutcomeMessage, OutcomePush, PushError, Secrets, SigningSecrets, SqsOutcomePushQueue,
    SystemClock,
};
use aws_lambda_events::event::sqs::{SqsBatchResponse, SqsEvent, SqsMessage};
use lambda_runtime::Error;
use lambda_support::{
    Handled, Metrics, cause, milliseconds, peak_memory_kilobytes, process_batch, receive_count,
};
use verification::ports::Clock;

use crate::pauses::Pauses;

pub struct Pusher {
    pub secrets: Secrets<SigningSecrets>,
    pub push: OutcomePush,
    pub queue: SqsOutcomePushQueue,
    pub pauses: Pauses,
    pub metrics: Metrics,
    pub clock: Arc<SystemClock>,
}

/// The end of one attempt.
enum Attempt {
    Taken {
        status: u16,
    },
    Failed(PushError),
    /// The secret cannot be read, or is malformed.
    NotSigned,
}

impl Attempt {
    /// For metrics and log lines. `None`: the application has the outcome.
    fn failure(&self) -> Option<&'static str> {
        match self {
            Self::Taken { .. } => None,
            Self::Failed(error) => Some(error.kind()),
            Self::NotSigned => Some("not_signed"),
        }
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Taken { status } => Some(*status),
            Self::Failed(error) => error.status(),
            Self::NotSigned => None,
        }
    }
}

impl Pusher {
    pub async fn handle(&self, event: SqsEvent) -> Result<SqsBatchResponse, Error> {
        let postpone = |receipt_handle: String, pause| async move {
            if let Err(error) = self.queue.postpone(&receipt_handle, pause).await {
                tracing::warn!(
                    event = "postponing_failed",
                    error = %error,
                    "the queue's own visibility timeout applies"
                );
            }
        };
        Ok(process_batch(event, |record| self.record(record), postpone).await?)
    }

    async fn record(&self, record: SqsMessage) -> Handled {
        let receives = receive_count(&record);
        let body = record.body.unwrap_or_default();
        let Ok(message) = OutcomeMessage::read(&body) else {
            // No pause helps.
            tracing::error!(
                event = "outcome_unreadable",
                message_id = record.message_id,
                receives,
                "a message is not the event of an outcome"
            );
            return self.set_aside(&body, receives).await;
        };
        let started = self.clock.now();
        let attempt = self.attempt(&message).await;
        let took = self.clock.now().since(started);
        let handled = match &attempt {
            Attempt::Taken { .. } => Handled::Done,
            // The application wants no more attempts. The outcome is kept for a person.
            Attempt::Failed(PushError::Gone) => self.set_aside(&body, receives).await,
            Attempt::Failed(error) => self.again(receives, error.retry_after()),
            Attempt::NotSigned => self.again(receives, None),
        };
        let detail = &message.announcement.detail;
        match attempt.failure() {
            None => self.metrics.outcome_pushed(took),
            Some(kind) => {
                let age = self.clock.now().since(detail.occurred_at);
                self.metrics.outcome_not_pushed(kind, took, age);
            }
        }
        tracing::info!(
            event = "push_attempted",
            scan_ref = %detail.scan_ref,
            outcome = message.announcement.outcome.as_str(),
            status = attempt.status(),
            why = attempt.failure(),
            receives,
            again_after_s = match handled {
                Handled::Done => None,
                Handled::Again { after } => Some(after.as_secs()),
            },
            duration_ms = milliseconds(took),
            peak_memory_kb = peak_memory_kilobytes(),
            "an attempt to push an outcome has ended"
        );
        handled
    }

    async fn attempt(&self, message: &OutcomeMessage) -> Attempt {
        let secrets = match self.secrets.current().await {
            Ok(secrets) => secrets,
            Err(error) => {
                tracing::error!(
                    event = "secret_unusable",
                    error = %error,
                    cause = cause(&error),
                    "outcomes cannot be signed"
                );
                return Attempt::NotSigned;
            }
        };
        match self.push.push(message, &secrets, self.clock.now()).await {
            Ok(status) => Attempt::Taken { status },
            Err(error) => {
                if let PushError::NotSent(_) = error {
                    tracing::warn!(
                        event = "application_unreachable",
                        error = %error,
                        "an outcome will be pushed again"
                    );
                }
                Attempt::Failed(error)
            }
        }
    }

    fn again(&self, receives: u32, told: Option<Duration>) -> Handled {
        Handled::Again {
            after: self.pauses.after(receives, told),
        }
    }

    /// Makes a message a dead letter at once: sends a copy, then lets the original go.
    ///
    /// A crash in between leaves both. If sending fails, the message is tried again later.
    async fn set_aside(&self, body: &str, receives: u32) -> Handled {
        match self.queue.set_aside(body).await {
            Ok(()) => Handled::Done,
            Err(error) => {
                tracing::warn!(
                    event = "setting_aside_failed",
                    error = %error,
                    cause = cause(&error),
                    "the message itself waits"
                );
                self.again(receives, None)
            }
        }
    }
}
