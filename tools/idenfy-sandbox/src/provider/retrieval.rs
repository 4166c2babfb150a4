//! A session's data afterwards, and its deletion: `/api/v2/status`, `/data`, `/files`, `/delete`
//! and the list of a client's sessions.

use std::collections::HashMap;

use axum::Json;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::provider::errors::ProviderError;
use crate::provider::files::{Folder, LinkAge, link_maps};
use crate::world::clock::now;
use crate::world::faults::{Fault, FaultKind};
use crate::world::invented_person;
use crate::world::merge_patch::merge_patch;
use crate::world::route::query_members;
use crate::world::session::{Announced, Session, SessionState};
use crate::world::settings::{FilesPaths, FilesShape, StatusFinal};
use crate::world::state::State;

const STATUS_MEMBERS: [&str; 6] = [
    "autoDocument",
    "autoFace",
    "manualDocument",
    "manualFace",
    "fraudTags",
    "mismatchTags",
];

/// The `scanRef` of a request that has nothing else.
pub(crate) fn scan_ref_of(body: &[u8]) -> Result<String, ProviderError> {
    let request: Map<String, Value> =
        serde_json::from_slice(body).map_err(|error| ProviderError::unreadable(body, &error))?;
    match request.get("scanRef") {
        None => Err(ProviderError::missing("scanRef")),
        Some(Value::String(scan_ref)) => Ok(scan_ref.clone()),
        Some(_) => Err(ProviderError::new(
            "VALIDATION_ERROR",
            "Field 'scanRef' has a value of the wrong type.",
        )),
    }
}

fn session_of(state: &State, body: &[u8]) -> Result<Session, ProviderError> {
    let scan_ref = scan_ref_of(body)?;
    state
        .sessions()
        .get(&scan_ref)
        .cloned()
        .ok_or_else(ProviderError::unknown_scan_ref)
}

/// Answers `POST /api/v2/status` with the newest result, or as the fault says. It has no verdict on
/// additional steps.
pub(crate) fn status(
    state: &State,
    body: &[u8],
    fault: Option<&Fault>,
) -> Result<Response, ProviderError> {
    let mut session = session_of(state, body)?;
    let settings = state.settings();
    if let Some(fault) = fault.filter(|fault| fault.kind == FaultKind::LaggingStatus) {
        let is_new = |newest: &mut Announced| now() - newest.at < fault.duration();
        if session.results.pop_if(is_new).is_some() && session.results.is_empty() {
            let was_submitted = !session.uploads.is_empty();
            session.state = if was_submitted {
                SessionState::Processing
            } else {
                SessionState::Active
            };
        }
    }
    let newest = session.results.last();
    let mut answer = json!({
        "status": session.overall(&settings.status_while_processing),
        "scanRef": session.scan_ref,
        "clientId": session.client_id,
    });
    if settings.status_final == StatusFinal::Present {
        let is_final = newest.map_or(!session.is_open(), |newest| newest.is_final);
        merge_patch(&mut answer, &json!({"final": is_final}));
    }
    if let Value::Object(answer) = &mut answer {
        for member in STATUS_MEMBERS {
            let otherwise = if member.ends_with("Tags") {
                json!([])
            } else {
                Value::Null
            };
            let known = newest.and_then(|newest| newest.status.get(member)).cloned();
            answer.insert(member.to_owned(), known.unwrap_or(otherwise));
        }
    }
    if let Some(Fault {
        overall: Some(overall),
        ..
    }) = fault
    {
        merge_patch(&mut answer, &json!({"status": overall}));
    }
    if let Some(Fault {
        is_final: Some(is_final),
        ..
    }) = fault
    {
        merge_patch(&mut answer, &json!({"final": is_final}));
    }
    Ok(Json(answer).into_response())
}

/// Answers `POST /api/v2/data`: the callback's `data`, flat, with the two references.
pub(crate) fn data(state: &State, body: &[u8]) -> Result<Response, ProviderError> {
    let session = session_of(state, body)?;
    let newest = session.results.last();
    let announced =
        newest.and_then(|newest| serde_json::from_slice::<Value>(&newest.callback.body).ok());
    let mut answer = announced
        .and_then(|body| body.get("data").cloned())
        .unwrap_or_else(invented_person::no_data);
    merge_patch(
        &mut answer,
        &json!({"scanRef": session.scan_ref, "clientId": session.client_id}),
    );
    Ok(Json(answer).into_response())
}

/// Answers `POST /api/v2/files` with new links to the newest upload until the data is deleted.
pub(crate) fn files(state: &State, body: &[u8], age: LinkAge) -> Result<Response, ProviderError> {
    let session = session_of(state, body)?;
    if session.state == SessionState::Deleted {
        return Err(ProviderError::bad_value(
            "The data of this verification have been deleted.",
        ));
    }
    let settings = state.settings();
    let newest = session.uploads.len();
    let folder = match settings.files_paths {
        FilesPaths::Same => Folder::Upload(newest),
        FilesPaths::Other => Folder::Copy(newest),
    };
    let (mut file_urls, pdf_urls) = link_maps(state, &settings, &session, folder, age);
    let answer = match settings.files_shape {
        FilesShape::Nested => json!({"fileUrls": file_urls, "additionalStepPdfUrls": pdf_urls}),
        FilesShape::Flat => {
            merge_patch(&mut file_urls, &pdf_urls);
            file_urls
        }
    };
    Ok(Json(answer).into_response())
}

/// Answers `POST /api/v2/delete`: removes personal data, unless the session is open.
pub(crate) fn delete(state: &State, body: &[u8]) -> Result<Response, ProviderError> {
    let scan_ref = scan_ref_of(body)?;
    let mut sessions = state.sessions();
    let session = sessions
        .get_mut(&scan_ref)
        .ok_or_else(ProviderError::unknown_scan_ref)?;
    if session.is_open() {
        return Err(ProviderError::new(
            "PARTNER_ERROR",
            "Token has not expired yet.",
        ));
    }
    let deleted_as = if session.state == SessionState::Expired {
        "EXPIRED-DELETED"
    } else {
        "DELETED"
    };
    session.deleted_as.get_or_insert(deleted_as);
    session.state = SessionState::Deleted;
    session.finished_at.get_or_insert_with(now);
    session.files.clear();
    session.uploads.clear();
    session.results.clear();
    Ok(StatusCode::OK.into_response())
}

/// Answers `GET /kyc/identifications/?clientId=&page=&perPage=`: newest first, pages counted from
/// 1, 1 to 100 per page.
pub(crate) fn identifications(state: &State, uri: &Uri) -> Result<Response, ProviderError> {
    let query = query_members(uri.query());
    let (page, per_page) = (
        number(&query, "page", 1)?,
        number(&query, "perPage", 20)?.min(100),
    );
    let client_id = query.get("clientId").map(String::as_str);
    let settings = state.settings();
    let (origin, while_processing) = (
        state.public_url(&settings),
        &settings.status_while_processing,
    );
    let sessions = state.sessions();
    let count = sessions.of_client(client_id).count();
    let results: Vec<Value> = sessions
        .of_client(client_id)
        .rev()
        .skip((page - 1).saturating_mul(per_page))
        .take(per_page)
        .map(|session| {
            let overall = session.overall(while_processing);
            json!({"scanRef": session.scan_ref, "status": overall,
                "suspected": overall == "SUSPECTED"})
        })
        .collect();
    let link = |page: usize| {
        let mut members = url::form_urlencoded::Serializer::new(String::new());
        client_id.map(|client_id| members.append_pair("clientId", client_id));
        members
            .append_pair("page", &page.to_string())
            .append_pair("perPage", &per_page.to_string());
        format!("{origin}/kyc/identifications/?{}", members.finish())
    };
    Ok(Json(json!({
        "count": count,
        "next": (page.saturating_mul(per_page) < count).then(|| link(page + 1)),
        "previous": (page > 1).then(|| link(page - 1)),
        "results": results,
    }))
    .into_response())
}

/// A number of at least 1.
fn number(
    query: &HashMap<String, String>,
    name: &str,
    otherwise: usize,
) -> Result<usize, ProviderError> {
    match query.get(name).map(|text| text.parse()) {
        None => Ok(otherwise),
        Some(Ok(number @ 1..)) => Ok(number),
        Some(_) => Err(ProviderError::bad_value(format!(
            "Parameter '{name}' has a wrong value."
        ))),
    }
}
