//! The reviewer's page: sessions, decisions, the outcome of direct processing, repeated callbacks,
//! and deliveries. Like the admin API it has no authentication and is for the local machine only.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Form, Path, Query, State as Extracted};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::pages::layout::message;
use crate::pages::reviewer_views::{self as views, View};
use crate::provider::callback::{Tags, Verdict};
use crate::provider::delivery::deliver;
use crate::provider::files::LinkAge;
use crate::provider::images::sniff;
use crate::provider::outcome::{announce_in_turn, earlier_callback};
use crate::world::invented_person::SecondDocument;
use crate::world::journal::DeliveryRecord;
use crate::world::session::{Session, SessionState};
use crate::world::state::{Shared, State};

/// Sessions on one page of the list.
const PAGE_SIZE: usize = 20;
/// Newest attempts in the log of all sessions.
const LOG_SIZE: usize = 100;
/// A form's wait for its deliveries before it shows the page without them.
const DELIVERY_PATIENCE: Duration = Duration::from_secs(2);

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/reviewer", get(list))
        .route("/reviewer/deliveries", get(deliveries))
        .route("/reviewer/sessions/{scan_ref}", get(show))
        .route("/reviewer/sessions/{scan_ref}/files/{key}", get(file))
        .route("/reviewer/sessions/{scan_ref}/decision", post(decide))
        .route(
            "/reviewer/sessions/{scan_ref}/second-document",
            post(set_second_document),
        )
        .route("/reviewer/sessions/{scan_ref}/callback", post(send_again))
}

async fn list(Extracted(state): Extracted<Shared>, Query(view): Query<View>) -> Response {
    let while_processing = state.settings().status_while_processing.clone();
    let sessions = state.sessions();
    let newest_first = sessions.of_client(None).rev();
    let page = view.page.max(1);
    let shown: Vec<&Session> = newest_first
        .skip((page - 1).saturating_mul(PAGE_SIZE))
        .take(PAGE_SIZE + 1)
        .collect();
    let has_more = shown.len() > PAGE_SIZE;
    let shown = shown.get(..PAGE_SIZE).unwrap_or(&shown);
    views::list(shown, &while_processing, page, has_more, view.refresh).into_response()
}

async fn deliveries(Extracted(state): Extracted<Shared>, Query(view): Query<View>) -> Response {
    let records = newest_deliveries(&state, None);
    views::deliveries(&records, view.refresh).into_response()
}

async fn show(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    Query(view): Query<View>,
) -> Response {
    let Some(session) = find(&state, &scan_ref) else {
        return not_found();
    };
    let records = newest_deliveries(&state, Some(&scan_ref));
    let second_document = state
        .outcomes()
        .get(&session.client_id)
        .map(|outcome| outcome.second_document);
    let shown = views::Shown {
        session: &session,
        second_document: second_document.unwrap_or_default(),
        settings: &state.settings(),
        records: &records,
    };
    views::session(&shown, &view).into_response()
}

/// The newest attempts, of one session or of all, newest first.
fn newest_deliveries(state: &State, scan_ref: Option<&str>) -> Vec<DeliveryRecord> {
    let journal = state.journal();
    let mut records: Vec<DeliveryRecord> = journal
        .deliveries()
        .filter(|record| scan_ref.is_none_or(|scan_ref| record.scan_ref == scan_ref))
        .cloned()
        .collect();
    records.reverse();
    records.truncate(LOG_SIZE);
    records
}

/// A session's file for display. Anything but a picture or PDF is a download.
async fn file(
    Extracted(state): Extracted<Shared>,
    Path((scan_ref, key)): Path<(String, String)>,
) -> Response {
    let Some(file) = find(&state, &scan_ref).and_then(|session| session.files.get(&key).cloned())
    else {
        return not_found();
    };
    let (content_type, disposition) = match sniff(&file.bytes) {
        "png" => ("image/png", "inline"),
        "jpeg" => ("image/jpeg", "inline"),
        "pdf" => ("application/pdf", "inline"),
        _ => ("application/octet-stream", "attachment"),
    };
    let headers = [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_DISPOSITION, disposition),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-store"),
    ];
    (headers, Body::from(file.bytes)).into_response()
}

/// What a reviewer found.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Finding {
    Approve,
    Deny,
    Suspect,
    Cancel,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Decision {
    finding: Finding,
    /// VALID, INVALID or NOT_FOUND; empty: not judged.
    #[serde(default)]
    steps: String,
    /// Words, separated by blanks or commas.
    #[serde(default)]
    fraud_tags: String,
    #[serde(default)]
    mismatch_tags: String,
    /// Anything: a callback that is not final comes first.
    non_final_first: Option<String>,
}

impl Decision {
    fn verdicts(&self) -> Vec<Verdict> {
        let steps = match self.steps.as_str() {
            word @ ("VALID" | "INVALID" | "NOT_FOUND") => json!(word),
            _ => Value::Null,
        };
        let reviewed = |overall: &str| Verdict {
            tags: Tags {
                fraud: words(&self.fraud_tags),
                mismatch: words(&self.mismatch_tags),
            },
            ..Verdict::reviewed(overall, steps)
        };
        let last = match self.finding {
            Finding::Approve => reviewed("APPROVED"),
            Finding::Deny => reviewed("DENIED"),
            Finding::Suspect => reviewed("SUSPECTED"),
            Finding::Cancel => Verdict::cancelled(),
        };
        let first = self
            .non_final_first
            .is_some()
            .then(|| Verdict::not_final("REVIEWING"));
        first.into_iter().chain([last]).collect()
    }
}

fn words(text: &str) -> Vec<String> {
    let words = text.split([' ', ',']).filter(|word| !word.is_empty());
    words.map(str::to_owned).collect()
}

async fn decide(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    Form(decision): Form<Decision>,
) -> Response {
    match find(&state, &scan_ref) {
        None => return not_found(),
        Some(session) if session.state == SessionState::Deleted => {
            let text =
                "The partner had this session's data deleted; there is nothing to decide on.";
            return message(StatusCode::CONFLICT, "This session is deleted", text).into_response();
        }
        Some(_) => {}
    }
    let (background, about) = (Arc::clone(&state), scan_ref.clone());
    patiently(&state, async move {
        announce_in_turn(&background, &about, decision.verdicts()).await;
    })
    .await;
    back(&scan_ref, "decided")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Second {
    second_document: SecondDocument,
}

/// Sets direct processing's finding for the session's client. The rest of the outcome stays.
async fn set_second_document(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    Form(wanted): Form<Second>,
) -> Response {
    let Some(session) = find(&state, &scan_ref) else {
        return not_found();
    };
    state
        .outcomes()
        .entry(session.client_id)
        .or_default()
        .second_document = wanted.second_document;
    back(&scan_ref, "set")
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Again {
    /// Anything: the links are made anew.
    fresh_links: Option<String>,
}

async fn send_again(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    Form(again): Form<Again>,
) -> Response {
    let Some(session) = find(&state, &scan_ref) else {
        return not_found();
    };
    let links = again.fresh_links.map(|_| LinkAge::Fresh);
    let last = session.results.len().checked_sub(1);
    let Some(envelope) = last.and_then(|last| earlier_callback(&state, &session, last, links))
    else {
        let text = "No callback has been sent for this session yet. Decide on it first.";
        return message(StatusCode::CONFLICT, "Nothing to send again", text).into_response();
    };
    let background = Arc::clone(&state);
    patiently(&state, async move {
        deliver(&background, &envelope).await;
    })
    .await;
    back(&scan_ref, "sent")
}

/// Runs deliveries to their end. Waits for a bounded time.
async fn patiently(state: &Shared, deliveries: impl Future<Output = ()> + Send + 'static) {
    let (ended, end) = oneshot::channel::<()>();
    state.spawn(async move {
        deliveries.await;
        drop(ended);
    });
    // Both ends lead to the page, which shows the deliveries so far.
    drop(timeout(DELIVERY_PATIENCE, end).await);
}

fn back(scan_ref: &str, done: &str) -> Response {
    let scan_ref: String = url::form_urlencoded::byte_serialize(scan_ref.as_bytes()).collect();
    Redirect::to(&format!("/reviewer/sessions/{scan_ref}?done={done}")).into_response()
}

fn find(state: &State, scan_ref: &str) -> Option<Session> {
    state.sessions().get(scan_ref).cloned()
}

fn not_found() -> Response {
    message(
        StatusCode::NOT_FOUND,
        "There is no such session",
        "It may have been of an earlier run of the sandbox.",
    )
    .into_response()
}
