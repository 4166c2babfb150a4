//! The admin API about sessions: plays the customer, and has callbacks sent.

use std::collections::BTreeMap;

use axum::Json;
use axum::body::to_bytes;
use axum::extract::{Path, Query, Request, State as Extracted};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use futures_util::future::join_all;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value, json};

use crate::admin::request::{AdminError, BODY_LIMIT, Filter, read};
use crate::provider::callback::{Event, Tags, Verdict};
use crate::provider::delivery::deliver;
use crate::provider::files::LinkAge;
use crate::provider::outcome::{announce_in_turn, earlier_callback, step_verdict};
use crate::provider::token;
use crate::world::journal::DeliveryRecord;
use crate::world::merge_patch::merge_patch;
use crate::world::session::{Session, SessionState, StoredFile};
use crate::world::state::{Shared, State};

type Answer = Result<Json<Value>, AdminError>;

/// `{sessions, liveTokens}`: the sessions, oldest first, and the number of usable tokens of each
/// type by client.
pub(crate) async fn list(
    Extracted(state): Extracted<Shared>,
    Query(filter): Query<Filter>,
) -> Json<Value> {
    let while_processing = &state.settings().status_while_processing;
    let sessions = state.sessions();
    let mut live: BTreeMap<&str, BTreeMap<&str, u32>> = BTreeMap::new();
    let mut summaries = Vec::new();
    for session in sessions.of_client(filter.client_id.as_deref()) {
        let tokens = live
            .entry(&session.client_id)
            .or_insert_with(|| BTreeMap::from([("DOCUMENT", 0), ("IDENTIFICATION", 0)]));
        *tokens.entry(session.token_type.name()).or_default() += u32::from(session.is_live());
        summaries.push(session.summary(while_processing));
    }
    Json(json!({"sessions": summaries, "liveTokens": live}))
}

pub(crate) async fn show(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
) -> Answer {
    let session = find(&state, &scan_ref)?;
    Ok(Json(
        session.summary(&state.settings().status_while_processing),
    ))
}

/// Opens a session. Takes the members of a token request, and needs no key.
pub(crate) async fn create(
    Extracted(state): Extracted<Shared>,
    request: Request,
) -> Result<(StatusCode, Json<Value>), axum::response::Response> {
    let wanted: Map<String, Value> = read(request).await.map_err(IntoResponse::into_response)?;
    let (scan_ref, auth_token) =
        token::create(&state, &wanted).map_err(IntoResponse::into_response)?;
    Ok((
        StatusCode::CREATED,
        Json(json!({"scanRef": scan_ref, "authToken": auth_token})),
    ))
}

/// Stores the customer's file for a step or a side, unchanged.
pub(crate) async fn put_file(
    Extracted(state): Extracted<Shared>,
    Path((scan_ref, key)): Path<(String, String)>,
    request: Request,
) -> Answer {
    let content_type = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let content_type = content_type
        .unwrap_or("application/octet-stream")
        .to_owned();
    let bytes = to_bytes(request.into_body(), BODY_LIMIT)
        .await
        .map_err(|error| AdminError::bad_request(error.to_string()))?;
    let mut sessions = state.sessions();
    let session = sessions
        .get_mut(&scan_ref)
        .ok_or_else(|| AdminError::not_found("session"))?;
    if session.state == SessionState::Deleted {
        return Err(AdminError::conflict("the session's data have been deleted"));
    }
    let answer = json!({"key": key, "bytes": bytes.len(), "contentType": content_type});
    let file = StoredFile {
        bytes,
        content_type,
        name: None,
    };
    session.put_file(key, file);
    Ok(Json(answer))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Finish {
    overall: String,
    #[serde(rename = "final")]
    is_final: bool,
    non_final_first: bool,
    /// Overall status of the callback that is not final and comes first.
    first_overall: String,
    /// Absent: by which steps have a file. `null` is a verdict, too.
    #[serde(deserialize_with = "given")]
    additional_steps: Option<Value>,
    fraud_tags: Vec<String>,
    mismatch_tags: Vec<String>,
    overrides: Option<Value>,
    event_type: Option<String>,
    expired_links: bool,
    wait: bool,
}

impl Default for Finish {
    fn default() -> Self {
        Self {
            overall: "APPROVED".to_owned(),
            is_final: true,
            non_final_first: false,
            first_overall: "REVIEWING".to_owned(),
            additional_steps: None,
            fraud_tags: Vec::new(),
            mismatch_tags: Vec::new(),
            overrides: None,
            event_type: None,
            expired_links: false,
            wait: true,
        }
    }
}

/// Keeps `null` apart from absence.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// Ends the customer's session or changes its result. Delivers the callbacks in order.
pub(crate) async fn finish(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    request: Request,
) -> Answer {
    let wanted: Finish = read(request).await?;
    let session = find(&state, &scan_ref)?;
    if matches!(session.state, SessionState::Deleted) {
        return Err(AdminError::conflict("the session's data have been deleted"));
    }
    let links = if wanted.expired_links {
        LinkAge::Expired
    } else {
        LinkAge::Fresh
    };
    let mut verdicts = Vec::new();
    if wanted.non_final_first {
        verdicts.push(Verdict {
            links,
            ..Verdict::not_final(&wanted.first_overall)
        });
    }
    let event = if wanted.is_final {
        Event::ManualFinished
    } else {
        Event::AutoFinished
    };
    verdicts.push(Verdict {
        event: wanted.event_type.map_or(event, Event::Named),
        is_final: wanted.is_final,
        overall: wanted.overall,
        additional_steps: step_verdict(&state.settings(), &session, wanted.additional_steps),
        tags: Tags {
            fraud: wanted.fraud_tags,
            mismatch: wanted.mismatch_tags,
        },
        overrides: wanted.overrides,
        links,
    });
    run(state, scan_ref, verdicts, wanted.wait).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Expire {
    overrides: Option<Value>,
    wait: bool,
}

impl Default for Expire {
    fn default() -> Self {
        Self {
            overrides: None,
            wait: true,
        }
    }
}

/// Ends an open session as if its time were over.
pub(crate) async fn expire(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    request: Request,
) -> Answer {
    let wanted: Expire = read(request).await?;
    {
        let mut sessions = state.sessions();
        let session = sessions
            .get_mut(&scan_ref)
            .ok_or_else(|| AdminError::not_found("session"))?;
        if !matches!(session.state, SessionState::Active | SessionState::Started) {
            return Err(AdminError::conflict(format!(
                "the session is {:?}",
                session.state
            )));
        }
        // Set under the lock: neither the deadline nor a submission comes in between.
        session.state = SessionState::Expired;
    }
    run(
        state,
        scan_ref,
        vec![Verdict::expired(wanted.overrides)],
        wanted.wait,
    )
    .await
}

async fn run(state: Shared, scan_ref: String, verdicts: Vec<Verdict>, wait: bool) -> Answer {
    let background = Shared::clone(&state);
    let deliveries = async move { announce_in_turn(&background, &scan_ref, verdicts).await };
    if wait {
        return Ok(Json(json!({"deliveries": deliveries.await})));
    }
    state.spawn(async move { drop(deliveries.await) });
    Ok(Json(json!({"deliveries": []})))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
struct Again {
    /// The callback, by its own number or by that of a delivery. Neither: the last.
    callback: Option<usize>,
    sequence: Option<u64>,
    overrides: Option<Value>,
    event_type: Option<String>,
    fresh_links: bool,
    expired_links: bool,
    count: u32,
    concurrent: bool,
}

impl Default for Again {
    fn default() -> Self {
        Self {
            callback: None,
            sequence: None,
            overrides: None,
            event_type: None,
            fresh_links: false,
            expired_links: false,
            count: 1,
            concurrent: false,
        }
    }
}

/// Sends a callback of the session again. Changes are not kept.
pub(crate) async fn send_again(
    Extracted(state): Extracted<Shared>,
    Path(scan_ref): Path<String>,
    request: Request,
) -> Answer {
    let wanted: Again = read(request).await?;
    let session = find(&state, &scan_ref)?;
    let links = match (wanted.expired_links, wanted.fresh_links) {
        (true, _) => Some(LinkAge::Expired),
        (false, true) => Some(LinkAge::Fresh),
        (false, false) => None,
    };
    let number = match (wanted.callback, wanted.sequence) {
        (Some(_), Some(_)) => {
            return Err(AdminError::bad_request(
                "callback and sequence exclude each other",
            ));
        }
        (Some(number), None) => Some(number),
        (None, Some(sequence)) => Some(callback_of_delivery(&state, &scan_ref, sequence)?),
        (None, None) => session.results.len().checked_sub(1),
    };
    let number = number.ok_or_else(|| AdminError::conflict("no callback has been sent yet"))?;
    let mut envelope = earlier_callback(&state, &session, number, links)
        .ok_or_else(|| AdminError::not_found("callback"))?;
    if wanted.overrides.is_some() || wanted.event_type.is_some() {
        envelope.number = None;
    }
    if let Some(overrides) = &wanted.overrides {
        let mut body: Value = serde_json::from_slice(&envelope.callback.body).unwrap_or_default();
        merge_patch(&mut body, overrides);
        envelope.callback.body = body.to_string().into();
    }
    if let Some(event_type) = wanted.event_type {
        envelope.callback.event_type = event_type;
    }
    let copies = (0..wanted.count.min(1000)).map(|_| deliver(&state, &envelope));
    let records: Vec<DeliveryRecord> = if wanted.concurrent {
        join_all(copies).await.into_iter().flatten().collect()
    } else {
        let mut records = Vec::new();
        for copy in copies {
            records.extend(copy.await);
        }
        records
    };
    Ok(Json(json!({"deliveries": records})))
}

/// The number of a delivery's callback.
fn callback_of_delivery(state: &State, scan_ref: &str, sequence: u64) -> Result<usize, AdminError> {
    let journal = state.journal();
    let delivery = journal
        .deliveries()
        .find(|delivery| delivery.sequence == sequence && delivery.scan_ref == scan_ref)
        .ok_or_else(|| AdminError::not_found("delivery of this session"))?;
    let changed = "the callback of this delivery was sent with changes, which are not kept";
    delivery
        .callback
        .ok_or_else(|| AdminError::conflict(changed))
}

fn find(state: &State, scan_ref: &str) -> Result<Session, AdminError> {
    state
        .sessions()
        .get(scan_ref)
        .cloned()
        .ok_or_else(|| AdminError::not_found("session"))
}
