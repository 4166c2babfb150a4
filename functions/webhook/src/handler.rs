//! HTTP in, HTTP out. What a callback means is decided elsewhere; here it is only whether it is
//! believed, and what is answered.

use std::sync::Arc;
use std::time::Duration;

use adapters::{Secrets, SystemClock, UnusableCallback};
use bytes::Bytes;
use idenfy::{SIGNATURE_HEADER, SignatureError, VerifiedBody};
use lambda_http::http::header::ALLOW;
use lambda_http::http::{Method, Response, StatusCode};
use lambda_http::request::RequestContext;
use lambda_http::{Body, Error, Request, RequestExt};
use lambda_support::{Metrics, RejectionReason, peak_memory_kilobytes};
use verification::identifiers::Digest256;
use verification::ports::Clock;
use verification::result::CallbackContent;
use verification::{AcceptCallback, Accepted, Timestamp};

use crate::config::AllowedSources;

/// iDenfy waits ten seconds for an answer ("Webhooks"). Copying ends early enough that enqueueing,
/// recording and answering fit into the eighth.
const CAPTURE_BUDGET: Duration = Duration::from_millis(6_500);

/// What may be left of the function's own time when copying ends.
const ANSWER_RESERVE: Duration = Duration::from_millis(1_500);

/// A callback has a few kilobytes, and the provider documents no bound. So a longer body is refused
/// unless its signature is right: what iDenfy signed is kept, up to the 6 MB of one invocation,
/// because it would send the same again.
const MAXIMUM_UNSIGNED_BYTES: usize = 1 << 20;

pub struct Webhook {
    pub accept: AcceptCallback,
    pub secrets: Arc<Secrets>,
    pub allowed_sources: AllowedSources,
    pub metrics: Arc<Metrics>,
    pub clock: Arc<SystemClock>,
    pub read: fn(&VerifiedBody) -> Result<CallbackContent, UnusableCallback>,
}

/// What is answered, and a stable word for the log.
struct Answer {
    status: StatusCode,
    outcome: &'static str,
    scan_ref: Option<String>,
}

impl Webhook {
    pub async fn handle(&self, request: Request) -> Result<Response<Body>, Error> {
        let started = self.clock.now();
        let capture_until = self.capture_until(&request, started);
        let answer = match self.screen(&request) {
            Ok(()) => self.receive(request, capture_until).await,
            Err((status, reason)) => self.reject(status, reason),
        };
        let took = self.clock.now().since(started);
        self.metrics.callback_handled(took);
        tracing::info!(
            event = "callback_answered",
            scan_ref = answer.scan_ref,
            outcome = answer.outcome,
            status = answer.status.as_u16(),
            duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
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
        let budget = started.plus(CAPTURE_BUDGET);
        let deadline = request
            .lambda_context_ref()
            .and_then(|context| i64::try_from(context.deadline).ok())
            .filter(|deadline| *deadline > 0);
        let reserve = i64::try_from(ANSWER_RESERVE.as_millis()).unwrap_or(i64::MAX);
        match deadline {
            Some(deadline) => budget.min(Timestamp::from_milliseconds(
                deadline.saturating_sub(reserve),
            )),
            None => budget,
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

    async fn receive(&self, request: Request, capture_until: Timestamp) -> Answer {
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
        let unavailable = |outcome| Answer {
            status: StatusCode::SERVICE_UNAVAILABLE,
            outcome,
            scan_ref: None,
        };
        let verified = match self.secrets.verify(body, signature).await {
            Ok(verified) => verified,
            Err(error) => {
                tracing::error!(event = "secret_unusable", error = %error, "no callback can be verified without the secret");
                return unavailable("SecretUnavailable");
            }
        };
        match verified {
            Ok(verified) => self.accept(&verified, capture_until).await,
            Err(error) => {
                let (status, reason) = refusal(error, length);
                self.reject(status, reason)
            }
        }
    }

    async fn accept(&self, body: &VerifiedBody, capture_until: Timestamp) -> Answer {
        let facts = match (self.read)(body) {
            Ok(facts) => facts,
            Err(error) => return self.keep_unreadable(body, &error).await,
        };
        let scan_ref = Some(facts.scan_ref.to_string());
        match self.accept.accept(facts, body.bytes(), capture_until).await {
            Ok(Accepted::Changed(outcome) | Accepted::Ignored(outcome)) => Answer {
                status: StatusCode::OK,
                outcome,
                scan_ref,
            },
            Err(error) => {
                tracing::error!(event = "callback_not_durable", scan_ref, error = %error, cause = cause(&error), "the provider must send again");
                Answer {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    outcome: "NotDurable",
                    scan_ref,
                }
            }
        }
    }

    /// The provider cannot help by sending it again, and what it signed must not be lost.
    async fn keep_unreadable(&self, body: &VerifiedBody, why: &UnusableCallback) -> Answer {
        let digest = Digest256::from_bytes(body.sha256());
        tracing::error!(event = "callback_unreadable", sha256 = %digest, error = %why, cause = cause(why), "a signed body cannot be read");
        match self.accept.keep_unreadable(&digest, body.bytes()).await {
            Ok(()) => Answer {
                status: StatusCode::OK,
                outcome: "Unreadable",
                scan_ref: None,
            },
            Err(error) => {
                tracing::error!(event = "callback_not_durable", error = %error, cause = cause(&error), "the provider must send again");
                Answer {
                    status: StatusCode::SERVICE_UNAVAILABLE,
                    outcome: "NotDurable",
                    scan_ref: None,
                }
            }
        }
    }
}

/// What a body without a right signature is answered.
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

/// The innermost causes, in one line.
fn cause(error: &dyn std::error::Error) -> Option<String> {
    let causes: Vec<String> = std::iter::successors(error.source(), |&error| error.source())
        .map(ToString::to_string)
        .collect();
    if causes.is_empty() {
        None
    } else {
        Some(causes.join(": "))
    }
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
