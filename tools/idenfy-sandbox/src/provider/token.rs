//! `POST /api/v2/token`: opens a session and returns its token. The account's settings fill gaps:
//! its default steps and questionnaire apply unless the request replaces or suppresses them.

use std::collections::BTreeMap;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use time::Duration;
use uuid::Uuid;

use crate::provider::errors::ProviderError;
use crate::provider::token_rules::{self, FLAGS};
use crate::world::clock::now;
use crate::world::session::{
    ReturnUrls, Session, SessionState, TokenType, new_auth_token, step_types,
};
use crate::world::settings::Settings;
use crate::world::state::State;

const DEFAULT_DOCUMENTS: &[&str] = &["ID_CARD", "PASSPORT", "DRIVER_LICENSE", "RESIDENCE_PERMIT"];

/// Answers a token request; with the answer comes the new `scanRef`.
pub(crate) fn answer(state: &State, body: &[u8]) -> Result<(String, Response), ProviderError> {
    let request: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| ProviderError::unreadable(body, &error))?;
    token_rules::check(&request)?;
    let settings = state.settings();
    check_receiver(&settings, &request)?;
    let session = open(&settings, &request);
    let (scan_ref, answer) = (session.scan_ref.clone(), describe(&session, &request));
    store(state, &settings, session)?;
    let status = StatusCode::from_u16(settings.token_created_status).unwrap_or(StatusCode::CREATED);
    Ok((scan_ref, (status, Json(answer)).into_response()))
}

/// Opens a session with the account's defaults. Returns its `scanRef` and token.
///
/// # Errors
/// The same as for a request of that content.
pub(crate) fn create(
    state: &State,
    request: &Map<String, Value>,
) -> Result<(String, String), ProviderError> {
    token_rules::check(request)?;
    let settings = state.settings();
    let session = open(&settings, request);
    let created = (session.scan_ref.clone(), session.auth_token.clone());
    store(state, &settings, session)?;
    Ok(created)
}

fn check_receiver(settings: &Settings, request: &Map<String, Value>) -> Result<(), ProviderError> {
    let Some(receiver) = text(request, "callbackUrl") else {
        return Ok(());
    };
    if settings.callback_url.as_ref() == Some(&receiver)
        || settings.permitted_callback_urls.contains(&receiver)
    {
        return Ok(());
    }
    Err(ProviderError::bad_value(
        "This 'callbackUrl' is not permitted for the account.",
    ))
}

fn store(state: &State, settings: &Settings, session: Session) -> Result<(), ProviderError> {
    let mut sessions = state.sessions();
    if settings.conflict_on_active_session
        && sessions
            .of_client(Some(&session.client_id))
            .any(Session::is_open)
    {
        let message = "There is already an active session for this clientId.";
        return Err(ProviderError::with_status(
            StatusCode::CONFLICT,
            None,
            message,
        ));
    }
    sessions.insert(session);
    drop(sessions);
    state.deadlines_changed.notify_one();
    Ok(())
}

fn open(settings: &Settings, request: &Map<String, Value>) -> Session {
    let created_at = now();
    let token_type = match text(request, "tokenType").as_deref() {
        Some("DOCUMENT") => TokenType::Document,
        _ => TokenType::Identification,
    };
    let steps = request.get("additionalSteps").filter(|steps| {
        let is_given = steps.as_object().is_some_and(|steps| !steps.is_empty());
        is_given && (settings.honours_step_suppression || !step_types(steps).is_empty())
    });
    let questionnaire = match request.get("questionnaire") {
        None => settings.default_questionnaire.clone(),
        Some(given) => given.as_str().map(str::to_owned),
    };
    Session {
        scan_ref: Uuid::new_v4().to_string(),
        auth_token: new_auth_token(),
        client_id: text(request, "clientId").unwrap_or_default(),
        external_ref: text(request, "externalRef"),
        token_type,
        country: text(request, "country"),
        locale: text(request, "locale"),
        return_urls: ReturnUrls {
            success: text(request, "successUrl"),
            error: text(request, "errorUrl"),
            unverified: text(request, "unverifiedUrl"),
        },
        additional_steps: steps.unwrap_or(&settings.default_additional_steps).clone(),
        questionnaire,
        nfc_required: request
            .get("nfcRequired")
            .and_then(Value::as_bool)
            .unwrap_or(false),
        callback_url: text(request, "callbackUrl"),
        session_length: Duration::seconds(integer(request, "sessionLength", 600)),
        created_at,
        expires_at: created_at + Duration::seconds(integer(request, "expiryTime", 3600)),
        opened_at: None,
        processed_at: None,
        finished_at: None,
        state: SessionState::Active,
        token_used: false,
        document_type: None,
        files: BTreeMap::new(),
        has_new_files: false,
        uploads: Vec::new(),
        results: Vec::new(),
        deleted_as: None,
    }
}

/// The documented answer, with every member that the schema has.
fn describe(session: &Session, request: &Map<String, Value>) -> Value {
    let documents = request
        .get("documents")
        .cloned()
        .unwrap_or_else(|| json!(DEFAULT_DOCUMENTS));
    let digits = request
        .get("generateDigitString")
        .and_then(Value::as_bool)
        .unwrap_or(false);
    let digit_string = digits.then(|| format!("{:08}", Uuid::new_v4().as_u128() % 100_000_000));
    let country = session.country.clone().unwrap_or_else(|| "ALL".to_owned());
    let mut answer = json!({
        "message": "Token created successfully",
        "authToken": session.auth_token,
        "scanRef": session.scan_ref,
        "clientId": session.client_id,
        "personScanRef": session.client_id,
        "tokenType": session.token_type,
        "redirectUrl": null,
        "digitString": digit_string,
        "expiryTime": integer(request, "expiryTime", 3600),
        "sessionLength": session.session_length.whole_seconds(),
        "documents": documents,
        "allowedDocuments": {country: documents},
        "externalRef": session.external_ref,
        "questionnaire": session.questionnaire,
        "additionalSteps": session.additional_steps,
        "additionalData": request.get("additionalData").cloned().unwrap_or_else(|| json!({})),
        "utilityBill": null,
    });
    if let Value::Object(answer) = &mut answer {
        for flag in FLAGS {
            if let Some(value) = request.get(*flag) {
                answer.insert((*flag).to_owned(), value.clone());
            }
        }
    }
    answer
}

fn text(request: &Map<String, Value>, name: &str) -> Option<String> {
    request.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn integer(request: &Map<String, Value>, name: &str, otherwise: i64) -> i64 {
    request
        .get(name)
        .and_then(Value::as_i64)
        .unwrap_or(otherwise)
}
