//! Decides whether a callback is believed, and what is answered.
//!
//! The use case decides what it means.

use std::sync::Arc;
use std::time::Duration;

use adapters::{Secrets, SigningKeys, SystemClock, UnusableCallback, read_callback};
use bytes::Bytes;
use idenfy::{SIGNATURE_HEADER, SignatureError, VerifiedBody};
use lambda_http::http::header::ALLOW;
use lambda_http::http::{Method, Response, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt};
use lambda_support::{
    AfterAnswer, Metrics, RejectionReason, cause, deadline_less, milliseconds,
    peak_memory_kilobytes,
};
use tokio::time::timeout;
use verification::identifiers::Digest256;
use verification::ports::Clock;
use verification::{AcceptCallback, Accepted, CaptureTask, Timestamp};

use crate::config::AllowedSources;

/// iDenfy waits 10 s for an answer ("Webhooks"). What is not durable by then is sent again.
const ANSWER_BUDGET: Duration = Duration::from_secs(9);

/// From the callback's arrival to the end of copying, when that follows the answer.
const CAPTURE_BUDGET: Duration = Duration::from_secs(60);

/// The same when copying comes before the answer.
const EARLY_CAPTURE_BUDGET: Duration = Duration::from_millis(6_500);

/// What is left of the function's own time when copying ends: for recording its result.
const RECORD_RESERVE: Duration = Duration::from_secs(5);

/// A longer body is refused, unless its signature is right.
///
/// A callback has a few kilobytes, and iDenfy documents no bound. What it signed is kept up to the
/// 6 MB of one invocation, because it would send the same again.
const MAXIMUM_UNSIGNED_BYTES: usize = 1 << 20;

pub struct Webhook {
    pub accept: Arc<AcceptCallback>,
    pub secrets: Arc<Secrets<SigningKeys>>,
    pub allowed_sources: AllowedSources,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<SystemClock>,
    pub after_answer: AfterAnswer,
}

/// An answer, and a stable word for the log.
struct Answer {
    status: StatusCode,
    outcome: &'static str,
    scan_ref: Option<String>,
}

impl Webhook {
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let started = self.clock.now();
        let capture_until = self.capture_until(&request, started);
        let (answer, task) = match self.screen(&request) {
            // What takes longer is dropped, as if the process had died there.
            Ok(()) => timeout(ANSWER_BUDGET, self.receive(request, capture_until))
                .await
                .unwrap_or_else(|_| (not_in_time(), None)),
            Err((status, reason)) => (self.reject(status, reason), None),
        };
        match task {
            Some(task) => self.capture(task, started).await,
            None => self
                .metrics
                .callback_handled(self.clock.now().since(started)),
        }
        let took = self.clock.now().since(started);
        self.metrics.callback_answered(took);
        tracing::info!(
            event = "callback_answered",
            scan_ref = answer.scan_ref,
            outcome = answer.outcome,
            status = answer.status.as_u16(),
            duration_ms = milliseconds(took),
            peak_memory_kb = peak_memory_kilobytes(),
            "callback answered"
        );
        let mut response = Response::builder().status(answer.status);
        if answer.status == StatusCode::METHOD_NOT_ALLOWED {
            response = response.header(ALLOW, "POST");
        }
        Ok(response.body(Body::Empty)?)
    }

    fn capture_until(&self, request: &Request, started: Timestamp) -> Timestamp {
        let until = started.plus(if self.after_answer.is_possible() {
            CAPTURE_BUDGET
        } else {
            EARLY_CAPTURE_BUDGET
        });
        let context = request.lambda_context_ref();
        // An emulator may tell no deadline.
        match context.map_or(0, |context| context.deadline) {
            0 => until,
            deadline => until.min(deadline_less(deadline, RECORD_RESERVE)),
        }
    }

    /// What can be refused without looking at the body.
    fn screen(&self, request: &Request) -> Result<(), (StatusCode, RejectionReason)> {
        if request.method() != Method::POST {
            return Err((
                StatusCode::METHOD_NOT_ALLOWED,
                RejectionReason::MethodNotAllowed,
            ));
        }
        if !self.allowed_sources.allow(source_ip(request).as_deref()) {
            return Err((StatusCode::FORBIDDEN, RejectionReason::SourceNotAllowed));
        }
        Ok(())
    }

    fn reject(&self, status: StatusCode, reason: RejectionReason) -> Answer {
        self.metrics.callback_rejected(reason);
        Answer {
            status,
            outcome: reason.as_str(),
            scan_ref: None,
        }
    }

    async fn receive(
        &self,
        request: Request,
        capture_until: Timestamp,
    ) -> (Answer, Option<CaptureTask>) {
        let (parts, body) = request.into_parts();
        let body = match body {
            Body::Text(text) => Bytes::from(text),
            Body::Binary(bytes) => Bytes::from(bytes),
            _ => Bytes::new(),
        };
        let length = body.len();
        let signature = parts
            .headers
            .get(SIGNATURE_HEADER)
            .map(|value| value.as_bytes());
        let verified = match self.secrets.verify(body, signature).await {
            Ok(verified) => verified,
            Err(error) => {
                tracing::error!(
                    event = "secret_unusable",
                    error = %error,
                    "no callback can be verified without the secret"
                );
                return (unavailable("SecretUnavailable", None), None);
            }
        };
        match verified {
            Ok(verified) => self.accept(&verified, capture_until).await,
            Err(error) => {
                let (status, reason) = refusal(error, length);
                (self.reject(status, reason), None)
            }
        }
    }

    async fn accept(
        &self,
        body: &VerifiedBody,
        capture_until: Timestamp,
    ) -> (Answer, Option<CaptureTask>) {
        let content = match read_callback(body) {
            Ok(content) => content,
            Err(error) => return (self.keep_unreadable(body, &error).await, None),
        };
        let scan_ref = Some(content.scan_ref.to_string());
        match self
            .accept
            .accept(content, body.bytes(), capture_until)
            .await
        {
            Ok((Accepted::Changed(outcome) | Accepted::Ignored(outcome), task)) => {
                let answer = Answer {
                    status: StatusCode::OK,
                    outcome,
                    scan_ref,
                };
                (answer, task)
            }
            Err(error) => {
                tracing::error!(
                    event = "callback_not_durable",
                    scan_ref,
                    error = %error,
                    cause = cause(&error),
                    "the provider must send again"
                );
                (unavailable("NotDurable", scan_ref), None)
            }
        }
    }

    /// Copies the files after the answer, where that is possible.
    ///
    /// The processor does what fails: a message that arrives when the lease is over is on its way.
    async fn capture(&self, task: CaptureTask, started: Timestamp) {
        let accept = self.accept.clone();
        let clock = self.clock.clone();
        let metrics = self.metrics.clone();
        let scan_ref = task.scan_ref().clone();
        let work = async move {
            let captured = accept.capture(task).await;
            let took = clock.now().since(started);
            metrics.callback_handled(took);
            let duration_ms = milliseconds(took);
            match captured {
                Ok(()) => tracing::info!(
                    event = "capture_ended",
                    scan_ref = %scan_ref,
                    duration_ms,
                    peak_memory_kb = peak_memory_kilobytes(),
                    "copying has ended"
                ),
                Err(error) => tracing::error!(
                    event = "capture_not_recorded",
                    scan_ref = %scan_ref,
                    duration_ms,
                    error = %error,
                    cause = cause(&error),
                    "the processor goes on when the lease is over"
                ),
            }
        };
        self.after_answer.leave(work).await;
    }

    /// The provider cannot help by sending it again, and what it signed must not be lost.
    async fn keep_unreadable(&self, body: &VerifiedBody, why: &UnusableCallback) -> Answer {
        let digest = Digest256::from_bytes(body.sha256());
        tracing::error!(
            event = "callback_unreadable",
            sha256 = %digest,
            error = %why,
            cause = cause(why),
            "a signed body cannot be read"
        );
        match self.accept.keep_unreadable(&digest, body.bytes()).await {
            Ok(()) => Answer {
                status: StatusCode::OK,
                outcome: "Unreadable",
                scan_ref: None,
            },
            Err(error) => {
                tracing::error!(
                    event = "callback_not_durable",
                    error = %error,
                    cause = cause(&error),
                    "the provider must send again"
                );
                unavailable("NotDurable", None)
            }
        }
    }
}

/// The provider sends again.
fn unavailable(outcome: &'static str, scan_ref: Option<String>) -> Answer {
    Answer {
        status: StatusCode::SERVICE_UNAVAILABLE,
        outcome,
        scan_ref,
    }
}

fn not_in_time() -> Answer {
    tracing::error!(
        event = "callback_not_durable",
        error = "the stores did not answer in time",
        "the provider must send again"
    );
    unavailable("NotDurable", None)
}

/// The answer to a body without a right signature.
const fn refusal(error: SignatureError, length: usize) -> (StatusCode, RejectionReason) {
    if length > MAXIMUM_UNSIGNED_BYTES {
        return (StatusCode::PAYLOAD_TOO_LARGE, RejectionReason::TooLarge);
    }
    let reason = match error {
        SignatureError::Missing => RejectionReason::SignatureMissing,
        SignatureError::Malformed => RejectionReason::SignatureMalformed,
        SignatureError::Mismatch => RejectionReason::SignatureMismatch,
    };
    (StatusCode::UNAUTHORIZED, reason)
}

fn source_ip(request: &Request) -> Option<String> {
    match request.request_context_ref() {
        Some(RequestContext::ApiGatewayV2(context)) => context.http.source_ip.clone(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_signed_may_have_one_mebibyte_and_no_byte_more() {
        for error in [
            SignatureError::Missing,
            SignatureError::Malformed,
            SignatureError::Mismatch,
        ] {
            assert_eq!(
                refusal(error, 1 << 20).0,
                StatusCode::UNAUTHORIZED,
                "{error}"
            );
            assert_eq!(
                refusal(error, (1 << 20) + 1).0,
                StatusCode::PAYLOAD_TOO_LARGE,
                "{error}"
            );
        }
    }
}
