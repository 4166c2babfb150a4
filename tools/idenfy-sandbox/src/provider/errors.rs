//! The sandbox's errors: JSON in the documented shapes, a gateway's page, and the file store's XML.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// An error of a provider route. With an identifier it has the four documented members, else only
/// `message`.
#[derive(Debug)]
pub(crate) struct ProviderError {
    status: StatusCode,
    identifier: Option<String>,
    message: String,
}

impl ProviderError {
    /// The usual error: HTTP 400 and an identifier of the documented table.
    pub(crate) fn new(identifier: &str, message: impl Into<String>) -> Self {
        Self::with_status(StatusCode::BAD_REQUEST, Some(identifier), message)
    }

    /// An error with another status, or without an identifier as in the token endpoint's early
    /// checks.
    pub(crate) fn with_status(
        status: StatusCode,
        identifier: Option<&str>,
        message: impl Into<String>,
    ) -> Self {
        Self {
            status,
            identifier: identifier.map(str::to_owned),
            message: message.into(),
        }
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new("MISSING_VALUE", format!("Field '{name}' is required."))
    }

    pub(crate) fn bad_value(message: impl Into<String>) -> Self {
        Self::new("BAD_VALUE", message)
    }

    pub(crate) fn token_not_valid() -> Self {
        Self::new(
            "TOKEN_NOT_VALID",
            "Token is expired, has already been used or does not exist.",
        )
    }

    pub(crate) fn unknown_scan_ref() -> Self {
        Self::bad_value("There is no verification with this scanRef.")
    }

    /// An unreadable body: text encoding, JSON syntax or the type of a member.
    pub(crate) fn unreadable(body: &[u8], error: &serde_json::Error) -> Self {
        if std::str::from_utf8(body).is_err() {
            Self::new("ENCODING_ERROR", "Request body is not UTF-8.")
        } else if error.is_data() {
            Self::new("VALIDATION_ERROR", "A field has a value of the wrong type.")
        } else {
            Self::new("JSON_ERROR", "Request body is not valid JSON.")
        }
    }
}

impl IntoResponse for ProviderError {
    fn into_response(self) -> Response {
        let body = match self.identifier {
            Some(identifier) => json!({
                "message": self.message,
                "identifier": identifier,
                "documentation": "",
                "severity": "NOT_SEVERE",
            }),
            None => json!({"message": self.message}),
        };
        (self.status, Json(body)).into_response()
    }
}

/// A gateway's or proxy's page in place of an answer.
pub(crate) fn gateway_page(status: StatusCode) -> Response {
    let title = format!(
        "{} {}",
        status.as_u16(),
        status.canonical_reason().unwrap_or("Error")
    );
    let page = format!(
        "<html>\r\n<head><title>{title}</title></head>\r\n<body><center><h1>{title}</h1></center></body>\r\n</html>\r\n"
    );
    (status, [(header::CONTENT_TYPE, "text/html")], page).into_response()
}

/// The file store's error document, in the form of S3.
pub(crate) fn storage_error(status: StatusCode, code: &str, message: &str) -> Response {
    let document = format!(
        "<?xml version=\"1.0\" \
            encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    );
    (
        status,
        [(header::CONTENT_TYPE, "application/xml")],
        document,
    )
        .into_response()
}

/// The answer to a link after its time.
pub(crate) fn expired_link() -> Response {
    storage_error(StatusCode::FORBIDDEN, "AccessDenied", "Request has expired")
}
