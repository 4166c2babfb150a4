//! Admin requests: their bodies, filters and errors.

use axum::Json;
use axum::body::to_bytes;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

/// Largest body of an admin request, in bytes.
pub(crate) const BODY_LIMIT: usize = 64_000_000;

/// Which records are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Filter {
    pub client_id: Option<String>,
    pub scan_ref: Option<String>,
}

impl Filter {
    pub(crate) fn admits(&self, client_id: Option<&str>, scan_ref: Option<&str>) -> bool {
        let agrees = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        agrees(&self.client_id, client_id) && agrees(&self.scan_ref, scan_ref)
    }
}

/// Reads a JSON body. An empty one counts as `{}`.
///
/// # Errors
/// The body is not JSON, or not of the kind wanted; the message says what is wrong.
pub(crate) async fn read<T: DeserializeOwned>(request: Request) -> Result<T, AdminError> {
    let body = to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|error| AdminError::bad_request(error.to_string()))?;
    let text: &[u8] = if body.is_empty() { b"{}" } else { &body };
    serde_json::from_slice(text).map_err(|error| AdminError::bad_request(error.to_string()))
}

/// An error of the admin API: `{"error": "…"}`.
#[derive(Debug)]
pub(crate) struct AdminError {
    status: StatusCode,
    message: String,
}

impl AdminError {
    pub(crate) fn bad_request(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            message: message.into(),
        }
    }

    pub(crate) fn not_found(what: &str) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            message: format!("there is no such {what}"),
        }
    }

    pub(crate) fn conflict(message: impl Into<String>) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            message: message.into(),
        }
    }
}

impl IntoResponse for AdminError {
    fn into_response(self) -> Response {
        (self.status, Json(json!({"error": self.message}))).into_response()
    }
}
