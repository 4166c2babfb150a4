//! The one entry of every provider route. Reads the body up to its limit, checks the key, records
//! the request, takes a scripted fault, runs the route's code, and records the answer's status.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::Value;

use crate::provider::call::{Call, file_path};
use crate::provider::connection::Connection;
use crate::provider::errors::{ProviderError, gateway_page};
use crate::provider::fault_answers;
use crate::provider::files::LinkAge;
use crate::provider::{process, retrieval};
use crate::world::clock::{now, timestamp};
use crate::world::route::{Route, Subject, query_members};
use crate::world::session::Session;
use crate::world::settings::Settings;
use crate::world::signature::same;
use crate::world::state::{Shared, State};

/// Largest body outside the admin API, in bytes: a little over the documented 20 MB, as proxies
/// have it.
const BODY_LIMIT: usize = 21_000_000;
/// Bytes of a too large body that are read before the answer: closing at once would lose the
/// answer.
const DRAIN_LIMIT: usize = 200_000_000;

/// Lets a request through to its route, or not.
pub(crate) async fn pass(state: Shared, route: Route, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Some(body) = read(&parts, body).await else {
        let sequence = state
            .journal()
            .begin(timestamp(now()), route, Subject::default());
        state
            .journal()
            .amend(sequence, |record| record.status = Some(413));
        return gateway_page(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let subject = subject(&state, route, &parts, &body);
    let sequence = state
        .journal()
        .begin(timestamp(now()), route, subject.clone());
    let call = Call {
        route,
        parts,
        body,
        sequence,
    };
    let response = if route.needs_key() && !has_key(&state.settings(), &call.parts.headers) {
        unauthorized(route).into_response()
    } else {
        let fault = state.faults().take(route, &subject);
        match fault {
            None => call.answer(&state, LinkAge::Fresh).await,
            Some(fault) => {
                state
                    .journal()
                    .amend(sequence, |record| record.fault = Some(fault.kind));
                tracing::info!(?route, kind = ?fault.kind, scan_ref = subject.scan_ref, "fault");
                let connection = call
                    .parts
                    .extensions
                    .get::<Connection>()
                    .cloned()
                    .unwrap_or_default();
                fault_answers::answer(&state, &call, &fault, &connection).await
            }
        }
    };
    state.journal().amend(sequence, |record| {
        record.status = Some(response.status().as_u16())
    });
    response
}

/// The body; `None` if it is too large. The rest has then been read and dropped.
async fn read(parts: &Parts, body: Body) -> Option<Bytes> {
    let declared = parts
        .headers
        .get(header::CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if declared.is_none_or(|length| length <= BODY_LIMIT) {
        return to_bytes(body, BODY_LIMIT).await.ok();
    }
    let mut pieces = body.into_data_stream();
    let mut drained = 0_usize;
    while let Some(Ok(piece)) = pieces.next().await {
        drained = drained.saturating_add(piece.len());
        if drained > DRAIN_LIMIT {
            break;
        }
    }
    None
}

fn has_key(settings: &Settings, headers: &HeaderMap) -> bool {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("basic"))
        .and_then(|(_, credentials)| STANDARD.decode(credentials.trim()).ok())
        .unwrap_or_default();
    let expected = format!(
        "{}:{}",
        settings.api_key.reveal(),
        settings.api_secret.reveal()
    );
    same(&expected, &String::from_utf8_lossy(&given))
}

/// The token endpoint's early errors have no identifier.
fn unauthorized(route: Route) -> ProviderError {
    let identifier = (route != Route::Token).then_some("UNAUTHORIZED");
    ProviderError::with_status(
        StatusCode::UNAUTHORIZED,
        identifier,
        "API key or secret is wrong or missing.",
    )
}

/// The subject of the request. Unreadable parts are left out: the route's own code complains of
/// them.
fn subject(state: &State, route: Route, parts: &Parts, body: &[u8]) -> Subject {
    let by_scan_ref = |scan_ref: String| {
        let known = state.sessions().get(&scan_ref).map(Session::subject);
        known.unwrap_or_else(|| Subject {
            scan_ref: Some(scan_ref),
            ..Subject::default()
        })
    };
    let by_token = |token: &str| {
        state
            .sessions()
            .by_token(token)
            .map(Session::subject)
            .unwrap_or_default()
    };
    match route {
        Route::Token => requested_subject(body),
        Route::Process => process::token_of(body)
            .map(|token| by_token(&token))
            .unwrap_or_default(),
        Route::Redirect => by_token(&auth_token(parts)),
        Route::File => {
            let [scan_ref, ..] = file_path(parts);
            by_scan_ref(scan_ref)
        }
        Route::Identifications => Subject {
            client_id: query_members(parts.uri.query()).remove("clientId"),
            ..Subject::default()
        },
        _ => retrieval::scan_ref_of(body)
            .map(by_scan_ref)
            .unwrap_or_default(),
    }
}

fn requested_subject(body: &[u8]) -> Subject {
    let request: Value = serde_json::from_slice(body).unwrap_or_default();
    let text = |name: &str| request.get(name).and_then(Value::as_str).map(str::to_owned);
    Subject {
        scan_ref: None,
        client_id: text("clientId"),
        external_ref: text("externalRef"),
        token_type: text("tokenType").or_else(|| Some("IDENTIFICATION".to_owned())),
    }
}

fn auth_token(parts: &Parts) -> String {
    query_members(parts.uri.query())
        .remove("authToken")
        .unwrap_or_default()
}
