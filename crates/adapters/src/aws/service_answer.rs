//! What a service has answered.

use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use serde_json::Value;

use super::error::ServiceError;

/// An answer with any status.
pub struct ServiceAnswer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// Bodies may hold a secret.
impl std::fmt::Debug for ServiceAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ServiceAnswer({})", self.status)
    }
}

impl ServiceAnswer {
    /// # Errors
    /// The status is no success.
    pub fn accepted(self) -> Result<Self, ServiceError> {
        if self.status.is_success() {
            return Ok(self);
        }
        Err(ServiceError::Refused {
            status: Some(self.status.as_u16()),
            code: self.code(),
        })
    }

    /// The service's error code, without namespace and link.
    fn code(&self) -> Option<String> {
        let header = self.headers.get("x-amzn-errortype");
        let in_header = header.and_then(|code| code.to_str().ok().map(str::to_owned));
        let code = in_header
            .or_else(|| code_in_json(&self.body))
            .or_else(|| code_in_xml(&self.body))?;
        let code = code.rsplit('#').next()?.split(':').next()?;
        let is_code = code.len() <= 64
            && code
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'.');
        is_code.then(|| code.to_owned())
    }

    /// Whether another attempt may help.
    pub(super) fn is_passing(&self) -> bool {
        self.status.is_server_error()
            || self.status == StatusCode::TOO_MANY_REQUESTS
            || self
                .code()
                .is_some_and(|code| PASSING.contains(&code.as_str()))
    }
}

/// Codes worth another attempt at statuses below 500.
///
/// (Source: "Retry behavior", AWS SDKs and Tools Reference Guide.)
const PASSING: [&str; 15] = [
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestTimeout",
    "RequestTimeoutException",
    // Lambda's, while a version that was just published is pending.
    "ResourceConflictException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

fn code_in_json(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).ok()?;
    let code = body.get("__type").or_else(|| body.get("code"))?;
    code.as_str().map(str::to_owned)
}

fn code_in_xml(body: &[u8]) -> Option<String> {
    let (_, rest) = std::str::from_utf8(body).ok()?.split_once("<Code>")?;
    let (code, _) = rest.split_once("</Code>")?;
    Some(code.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, header: Option<&str>, body: &str) -> ServiceAnswer {
        let mut headers = HeaderMap::new();
        if let Some(code) = header {
            headers.insert("x-amzn-errortype", code.parse().unwrap());
        }
        ServiceAnswer {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: body.as_bytes().to_vec(),
        }
    }

    #[test]
    fn codes_are_read_wherever_a_service_puts_them() {
        for (header, body) in [
            (Some("NotThere"), ""),
            (Some("NotThere:http://internal.example/"), "{}"),
            (None, r#"{"__type": "com.example#NotThere"}"#),
            (None, r#"{"__type": "NotThere", "message": "…"}"#),
            (
                None,
                "<R><Error><Type>Sender</Type><Code>NotThere</Code></Error></R>",
            ),
        ] {
            let refused = answer(400, header, body).accepted().err().unwrap();
            assert_eq!(refused.code(), Some("NotThere"), "{header:?} {body}");
        }
        for body in ["<html>", "<Code>a sentence</Code>", "[]", ""] {
            assert_eq!(answer(400, None, body).code(), None, "{body}");
        }
    }

    #[test]
    fn only_what_passes_is_asked_again() {
        for (status, code) in [
            (500, None),
            (503, None),
            (429, Some("TooManyRequestsException")),
            (400, Some("ThrottlingException")),
        ] {
            assert!(answer(status, code, "").is_passing(), "{status} {code:?}");
        }
        for (status, code) in [
            (200, None),
            (403, Some("AccessDeniedException")),
            (404, None),
        ] {
            assert!(!answer(status, code, "").is_passing(), "{status} {code:?}");
        }
    }
}
