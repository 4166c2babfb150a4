//! `POST /api/v2/process`: direct processing. The token is taken first and under one lock: of
//! several submissions with one token at most one is accepted. A setting decides whether a refused
//! one gives it back. Only digests of the submission are kept.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use serde::Deserialize;

use crate::provider::errors::ProviderError;
use crate::provider::images;
use crate::provider::outcome;
use crate::provider::token_rules::is_country_code;
use crate::world::clock::now;
use crate::world::journal::SubmissionRecord;
use crate::world::session::{Session, SessionState, TokenType, step_types};
use crate::world::settings::{ProcessTokenField, Settings};
use crate::world::state::{Shared, State};

/// Types that a submission may name.
const DOCUMENT_TYPES: &[&str] = &[
    "ID_CARD",
    "PASSPORT",
    "DRIVER_LICENSE",
    "RESIDENCE_PERMIT",
    "OTHER",
];
const SIDES: &[&str] = &["FRONT", "BACK", "FACE"];
/// The only additional steps whose images may come with a submission.
const SUBMITTABLE_STEPS: &[&str] = &["UTILITY_BILL", "SECOND_UTILITY_BILL"];

/// Text that borrows from the request if it has no escapes: images are long.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submission<'a> {
    #[serde(borrow)]
    token: Option<Text<'a>>,
    auth_token: Option<Text<'a>>,
    country: Option<Text<'a>>,
    document_type: Option<Text<'a>>,
    skip_analysis: Option<bool>,
    images: Option<BTreeMap<Text<'a>, Text<'a>>>,
}

impl Submission<'_> {
    /// The token, and the member that it came in.
    fn token(&self, field: ProcessTokenField) -> Option<(&'static str, &str)> {
        let token = self.token.as_ref().map(|text| ("token", text.0.as_ref()));
        let auth_token = self
            .auth_token
            .as_ref()
            .map(|text| ("authToken", text.0.as_ref()));
        match field {
            ProcessTokenField::Token => token,
            ProcessTokenField::AuthToken => auth_token,
            ProcessTokenField::Either => token.or(auth_token),
        }
    }

    fn image(&self, side: &str) -> Option<&str> {
        let images = self.images.as_ref()?;
        images
            .iter()
            .find(|(key, _)| key.0 == side)
            .map(|(_, image)| image.0.as_ref())
    }
}

/// The token of a submission, in either member. Names the request's subject before it is judged.
pub(crate) fn token_of(body: &[u8]) -> Option<String> {
    let submission: Submission<'_> = serde_json::from_slice(body).ok()?;
    submission
        .token(ProcessTokenField::Either)
        .map(|(_, token)| token.to_owned())
}

/// Answers a submission. The record has all that could be read, also of a refused one.
pub(crate) async fn answer(
    state: &Shared,
    body: Bytes,
) -> (SubmissionRecord, Result<Response, ProviderError>) {
    let judge = Arc::clone(state);
    let judged = tokio::task::spawn_blocking(move || judge_submission(&judge, &body)).await;
    let Ok((record, verdict)) = judged else {
        let error = ProviderError::with_status(
            StatusCode::INTERNAL_SERVER_ERROR,
            Some("INTERNAL_ERROR"),
            "Internal error.",
        );
        return (SubmissionRecord::default(), Err(error));
    };
    let answer = verdict.map(|scan_ref| {
        outcome::process_in_background(state, scan_ref);
        StatusCode::OK.into_response()
    });
    (record, answer)
}

/// Uses up the token of a submission without reading the rest, as a failing provider may do.
pub(crate) fn burn(state: &State, body: &[u8]) {
    if let Some(token) = token_of(body)
        && let Some(session) = state.sessions().by_token_mut(&token)
    {
        session.token_used = true;
    }
}

fn judge_submission(
    state: &State,
    body: &[u8],
) -> (SubmissionRecord, Result<String, ProviderError>) {
    let settings = state.settings();
    let mut record = SubmissionRecord {
        request_bytes: body.len() as u64,
        ..SubmissionRecord::default()
    };
    if record.request_bytes > settings.request_limit_bytes {
        return (
            record,
            Err(ProviderError::bad_value("Request is too large.")),
        );
    }
    let submission: Submission<'_> = match serde_json::from_slice(body) {
        Ok(submission) => submission,
        Err(error) => return (record, Err(ProviderError::unreadable(body, &error))),
    };
    let owned = |text: &Option<Text<'_>>| text.as_ref().map(|text| text.0.clone().into_owned());
    record.country = owned(&submission.country);
    record.document_type = owned(&submission.document_type);
    record.skip_analysis = submission.skip_analysis;
    let verdict = judge_parts(state, &settings, &submission, &mut record);
    (record, verdict)
}

fn judge_parts(
    state: &State,
    settings: &Settings,
    submission: &Submission<'_>,
    record: &mut SubmissionRecord,
) -> Result<String, ProviderError> {
    if !settings.direct_processing {
        return Err(ProviderError::new(
            "PARTNER_CONTRACT_ERROR",
            "Direct processing is not part of the contract.",
        ));
    }
    let Some((member, token)) = submission.token(settings.process_token_field) else {
        let expected = if settings.process_token_field == ProcessTokenField::AuthToken {
            "authToken"
        } else {
            "token"
        };
        return Err(ProviderError::missing(expected));
    };
    record.token_member = Some(member);
    let session = take_token(state, token)?;

    let mut verdict = check_conditions(settings, submission, &session);
    // Every image is recorded, but the first complaint is the answer.
    for (side, text) in submission.images.iter().flatten() {
        let (image, looked) = images::look_at(settings, &side.0, &text.0);
        record.images.extend(image);
        verdict = verdict.and(looked);
    }

    let mut sessions = state.sessions();
    let Some(stored) = sessions.get_mut(&session.scan_ref) else {
        return Err(ProviderError::token_not_valid());
    };
    match verdict {
        Ok(()) => {
            stored.state = SessionState::Processing;
            let submitted_at = now();
            stored.processed_at = Some(submitted_at);
            stored.submit_files(submitted_at);
            stored.document_type.clone_from(&record.document_type);
            let country = record.country.as_deref().map(str::to_ascii_uppercase);
            stored.country = country;
            Ok(session.scan_ref)
        }
        Err(error) => {
            stored.token_used = settings.burn_token_on_error;
            Err(error)
        }
    }
}

/// Marks a token as used and returns its session as it was.
fn take_token(state: &State, token: &str) -> Result<Session, ProviderError> {
    let mut sessions = state.sessions();
    let session = sessions
        .by_token_mut(token)
        .ok_or_else(ProviderError::token_not_valid)?;
    if session.token_used || session.state != SessionState::Active || session.expires_at <= now() {
        return Err(ProviderError::token_not_valid());
    }
    session.token_used = true;
    Ok(session.clone())
}

fn check_conditions(
    settings: &Settings,
    submission: &Submission<'_>,
    session: &Session,
) -> Result<(), ProviderError> {
    if session.questionnaire.is_some() {
        return Err(ProviderError::bad_value(
            "Direct processing is not possible for a token with a questionnaire.",
        ));
    }
    if session.nfc_required {
        return Err(ProviderError::bad_value(
            "Direct processing is not possible for a token that requires NFC.",
        ));
    }
    let country = submission
        .country
        .as_ref()
        .ok_or_else(|| ProviderError::missing("country"))?;
    // The provider makes it upper case.
    if !is_country_code(&country.0.to_ascii_uppercase()) {
        return Err(ProviderError::bad_value(
            "Field 'country' must be an alpha-2 code.",
        ));
    }
    let document_type = submission
        .document_type
        .as_ref()
        .map(|text| text.0.as_ref());
    match document_type {
        None if settings.require_document_type => {
            return Err(ProviderError::missing("documentType"));
        }
        Some(other) if !DOCUMENT_TYPES.contains(&other) => {
            return Err(ProviderError::bad_value(
                "Field 'documentType' has a wrong value.",
            ));
        }
        _ => {}
    }
    check_sides(settings, submission, session, document_type)
}

fn check_sides(
    settings: &Settings,
    submission: &Submission<'_>,
    session: &Session,
    document_type: Option<&str>,
) -> Result<(), ProviderError> {
    let images = submission
        .images
        .as_ref()
        .ok_or_else(|| ProviderError::missing("images"))?;
    let steps = step_types(&session.additional_steps);
    for side in images.keys().map(|key| key.0.as_ref()) {
        let known = SIDES.contains(&side)
            || (SUBMITTABLE_STEPS.contains(&side) && steps.contains_key(side));
        if !known {
            return Err(ProviderError::bad_value(format!(
                "There is no step {side} in this verification."
            )));
        }
    }
    let mut required = vec!["FRONT"];
    if settings.require_back && document_type != Some("PASSPORT") {
        required.push("BACK");
    }
    if session.token_type == TokenType::Identification {
        required.push("FACE");
    }
    required.extend(steps.keys().map(String::as_str));
    match required
        .into_iter()
        .find(|step| submission.image(step).is_none())
    {
        Some(step) => Err(ProviderError::new(
            "MISSING_VALUE",
            format!("There is no image for step {step}."),
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::take_token;
    use crate::provider::token;
    use crate::world::settings::Settings;
    use crate::world::state::State;

    #[tokio::test]
    async fn a_token_ends_at_its_time_and_not_when_that_is_noticed() {
        // Nothing watches the deadlines of this state.
        let state = State::new("http://127.0.0.1:1".to_owned(), Settings::default()).unwrap();
        for (expiry_time, is_good) in [(0, false), (3600, true)] {
            let request = json!({"clientId": "client", "expiryTime": expiry_time});
            let (_, auth_token) = token::create(&state, request.as_object().unwrap()).unwrap();
            assert_eq!(take_token(&state, &auth_token).is_ok(), is_good);
        }
    }
}
