//! The admin API, for people and tests. It has no authentication and is for the local machine only.

mod request;
mod sessions;

use axum::extract::{Path, Query, Request, State as Extracted};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use axum::{Json, Router};
use serde_json::{Map, Value, json};

use crate::admin::request::{AdminError, Filter, read};
use crate::world::faults::Fault;
use crate::world::records::Outcome;
use crate::world::state::Shared;

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/admin/settings", get(settings).patch(change_settings))
        .route(
            "/admin/sessions",
            get(sessions::list).post(sessions::create),
        )
        .route("/admin/sessions/{scan_ref}", get(sessions::show))
        .route(
            "/admin/sessions/{scan_ref}/files/{key}",
            put(sessions::put_file),
        )
        .route("/admin/sessions/{scan_ref}/finish", post(sessions::finish))
        .route(
            "/admin/sessions/{scan_ref}/callback",
            post(sessions::send_again),
        )
        .route("/admin/sessions/{scan_ref}/expire", post(sessions::expire))
        .route("/admin/outcomes/{client_id}", put(set_outcome))
        .route(
            "/admin/faults",
            get(faults).post(add_fault).delete(clear_faults),
        )
        .route("/admin/requests", get(requests))
        .route("/admin/deliveries", get(deliveries))
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
