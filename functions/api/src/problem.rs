//! Errors as `application/problem+json` (RFC 9457): a stable `code`, and every wrong field.
//!
//! They hold nothing of a provider's or store's own answer.

use lambda_http::Body;
use lambda_http::http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER};
use lambda_http::http::{Response, StatusCode};
use lambda_support::cause;
use serde::Serialize;
use verification::NotOpened;
use verification::ports::{ProviderError, RefusalKind, StoreUnavailable, UnavailableKind};

#[derive(Clone, Debug)]
pub struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    errors: Vec<FieldError>,
    allow: Option<&'static str>,
    retry_after_seconds: Option<u64>,
}

/// One wrong field, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// The path in the request, such as `secondDocument.country`.
    pub field: String,
    pub message: String,
}

#[derive(Serialize)]
struct ProblemJson<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    code: &'static str,
    detail: &'a str,
    #[serde(skip_serializing_if = "<[FieldError]>::is_empty")]
    errors: &'a [FieldError],
}

impl Problem {
    pub fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code,
            detail: detail.into(),
            errors: Vec::new(),
            allow: None,
            retry_after_seconds: None,
        }
    }

    pub fn invalid(errors: Vec<FieldError>) -> Self {
        Self {
            errors,
            ..Self::new(
                StatusCode::BAD_REQUEST,
                "invalid_request",
                "The request has fields that must be changed.",
            )
        }
    }

    pub fn method_not_allowed(allow: &'static str) -> Self {
        let detail = format!("This address takes {allow}.");
        Self {
            allow: Some(allow),
            ..Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail)
        }
    }

    pub fn route_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "route_not_found",
            "There is nothing at this address.",
        )
    }

    pub fn erasure_not_allowed(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "erasure_not_allowed", detail)
    }

    pub fn verification_not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "verification_not_found",
            "No verification has this scanRef.",
        )
    }

    /// The verification is leased for at most this long.
    pub fn held(seconds: u64) -> Self {
        Self {
            retry_after_seconds: Some(seconds),
            ..Self::new(
                StatusCode::CONFLICT,
                "held",
                format!("The verification is being worked on. Ask again in {seconds} s."),
            )
        }
    }

    pub const fn code(&self) -> &'static str {
        self.code
    }

    pub const fn status(&self) -> StatusCode {
        self.status
    }

    pub fn into_response(self) -> Result<Response<Body>, lambda_http::http::Error> {
        let json = ProblemJson {
            r#type: "about:blank",
            title: self.status.canonical_reason().unwrap_or("Error"),
            status: self.status.as_u16(),
            code: self.code,
            detail: &self.detail,
            errors: &self.errors,
        };
        let body = serde_json::to_string(&json).unwrap_or_default();
        let mut response = Response::builder()
            .status(self.status)
            .header(CONTENT_TYPE, "application/problem+json");
        if let Some(allow) = self.allow {
            response = response.header(ALLOW, allow);
        }
        if let Some(seconds) = self.retry_after_seconds {
            response = response.header(RETRY_AFTER, seconds);
        }
        response.body(Body::Text(body))
    }
}

impl From<StoreUnavailable> for Problem {
    fn from(error: StoreUnavailable) -> Self {
        tracing::error!(
            event = "store_unavailable",
            error = %error,
            cause = cause(&error),
            "a request cannot be served now"
        );
        let detail = "A store is unavailable. Nothing was lost; try again.";
        Self {
            retry_after_seconds: Some(1),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "storage_unavailable",
                detail,
            )
        }
    }
}

impl From<NotOpened> for Problem {
    fn from(error: NotOpened) -> Self {
        match error {
            NotOpened::Unavailable(unavailable) => unavailable.into(),
            NotOpened::Provider(error) => error.into(),
            NotOpened::KeyReused => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "idempotency_key_reused",
                "The Idempotency-Key was used for another request. Use a new key for a new \
                 request.",
            ),
            NotOpened::InProgress => Self {
                retry_after_seconds: Some(1),
                ..Self::new(
                    StatusCode::CONFLICT,
                    "idempotency_in_progress",
                    "An earlier request with this Idempotency-Key is being worked on. Repeat \
                     the request.",
                )
            },
        }
    }
}

impl From<ProviderError> for Problem {
    fn from(error: ProviderError) -> Self {
        match error {
            // Sessions bypass the circuit, so no request gets this answer.
            ProviderError::CircuitOpen { .. } => Self {
                retry_after_seconds: Some(60),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "provider_unavailable",
                    "iDenfy cannot be reached.",
                )
            },
            ProviderError::Unavailable {
                kind: UnavailableKind::RateLimited,
                retry_after,
            } => {
                let seconds = retry_after.map_or(60, |pause| pause.as_secs().max(1));
                let detail = "iDenfy limits the rate of requests.";
                Self {
                    retry_after_seconds: Some(seconds),
                    ..Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", detail)
                }
            }
            ProviderError::Unavailable {
                kind: UnavailableKind::ActiveSession,
                ..
            } => Self::new(
                StatusCode::CONFLICT,
                "active_session",
                "iDenfy has an active session for this clientId. Use it, or wait until it has \
                 expired.",
            ),
            ProviderError::Unavailable {
                kind: kind @ (UnavailableKind::SecretUnavailable | UnavailableKind::SecretMalformed),
                ..
            } => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                kind.as_str(),
                "The installation's secret cannot be used; its operators can see why.",
            ),
            ProviderError::Unavailable { .. } => Self {
                retry_after_seconds: Some(5),
                ..Self::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "provider_unavailable",
                    "iDenfy cannot be reached.",
                )
            },
            ProviderError::Refused {
                kind: RefusalKind::Account(kind),
                ..
            } => {
                let detail = format!(
                    "iDenfy refuses the installation's account ({kind}); its operators must act."
                );
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "provider_account", detail)
            }
            ProviderError::Refused { identifier, .. } => {
                let detail = match identifier {
                    Some(identifier) => format!("iDenfy rejected the request ({identifier})."),
                    None => "iDenfy rejected the request.".to_owned(),
                };
                Self::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "provider_rejected",
                    detail,
                )
            }
            ProviderError::InDoubt { .. }
            | ProviderError::TokenNotValid
            | ProviderError::Documents(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "provider_failed",
                "iDenfy did not give a usable answer.",
            ),
        }
    }
}
