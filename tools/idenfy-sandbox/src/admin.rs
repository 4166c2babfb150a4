//! The admin API: what a person or a test does to the sandbox. It has no authentication and is for
//! the machine that it runs on.

use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State as Extracted};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::admin_sessions;
use crate::errors::AdminError;
use crate::faults::Fault;
use crate::outcome::Outcome;
use crate::state::Shared;

/// Largest body of an admin request, in bytes.
pub(crate) const BODY_LIMIT: usize = 64_000_000;

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/admin/settings", get(settings).patch(change_settings))
        .route(
            "/admin/sessions",
            get(admin_sessions::list).post(admin_sessions::create),
        )
        .route("/admin/sessions/{scan_ref}", get(admin_sessions::show))
        .route(
            "/admin/sessions/{scan_ref}/files/{key}",
            put(admin_sessions::put_file),
        )
        .route(
            "/admin/sessions/{scan_ref}/finish",
            post(admin_sessions::finish),
        )
        .route(
            "/admin/sessions/{scan_ref}/callback",
            post(admin_sessions::send_again),
        )
        .route(
            "/admin/sessions/{scan_ref}/expire",
            post(admin_sessions::expire),
        )
        .route("/admin/outcomes/{client_id}", put(set_outcome))
        .route(
            "/admin/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/admin/requests", get(requests))
        .route("/admin/deliveries", get(deliveries))
}

/// Which records are wanted.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Filter {
    pub client_id: Option<String>,
    pub scan_ref: Option<String>,
}

impl Filter {
    fn admits(&self, client_id: Option<&str>, scan_ref: Option<&str>) -> bool {
        let agrees = |wanted: &Option<String>, found: Option<&str>| {
            wanted.is_none() || wanted.as_deref() == found
        };
        agrees(&self.client_id, client_id) && agrees(&self.scan_ref, scan_ref)
    }
}

/// Reads a JSON body; an empty one counts as `{}`.
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

async fn settings(Extracted(state): Extracted<Shared>) -> Json<Value> {
    Json(json!(*state.settings()))
}

async fn change_settings(
    Extracted(state): Extracted<Shared>,
    request: Request,
) -> Result<Json<Value>, AdminError> {
    let patch: Map<String, Value> = read(request).await?;
    let changed = state.change_settings(|settings| settings.patched(&patch));
    changed
        .map(|settings| Json(json!(*settings)))
        .map_err(|error| AdminError::bad_request(error.to_string()))
}

async fn set_outcome(
    Extracted(state): Extracted<Shared>,
    Path(client_id): Path<String>,
    request: Request,
) -> Result<Json<Value>, AdminError> {
    let outcome: Outcome = read(request).await?;
    let answer = json!(outcome);
    state.outcomes().insert(client_id, outcome);
    Ok(Json(answer))
}

async fn faults(Extracted(state): Extracted<Shared>) -> Json<Value> {
    Json(json!({"faults": state.faults().remaining()}))
}

async fn add_fault(
    Extracted(state): Extracted<Shared>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), AdminError> {
    let fault: Fault = read(request).await?;
    let answer = json!(fault);
    state.faults().add(fault).map_err(AdminError::bad_request)?;
    Ok((StatusCode::CREATED, Json(answer)))
}

async fn clear_faults(Extracted(state): Extracted<Shared>) -> StatusCode {
    state.faults().clear();
    StatusCode::NO_CONTENT
}

async fn requests(
    Extracted(state): Extracted<Shared>,
    Query(filter): Query<Filter>,
) -> Json<Value> {
    let journal = state.journal();
    let admitted = journal.requests().filter(|record| {
        filter.admits(
            record.subject.client_id.as_deref(),
            record.subject.scan_ref.as_deref(),
        )
    });
    Json(json!({"requests": admitted.collect::<Vec<_>>()}))
}

async fn deliveries(
    Extracted(state): Extracted<Shared>,
    Query(filter): Query<Filter>,
) -> Json<Value> {
    let journal = state.journal();
    let admitted = journal
        .deliveries()
        .filter(|record| filter.admits(Some(&record.client_id), Some(&record.scan_ref)));
    Json(json!({"deliveries": admitted.collect::<Vec<_>>()}))
}
