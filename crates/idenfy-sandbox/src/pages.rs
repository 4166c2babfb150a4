//! The page behind a session's link: what the session is and where it stands.

use axum::http::StatusCode;
use axum::response::{Html, IntoResponse, Response};

use crate::errors::ProviderError;
use crate::session::SessionState;
use crate::state::{State, now};

/// Opens the session if its token is still good, which starts the session's own time.
pub(crate) fn redirect(state: &State, auth_token: &str) -> Response {
    let mut sessions = state.sessions();
    let Some(session) = sessions.by_token_mut(auth_token) else {
        return ProviderError::token_not_valid().into_response();
    };
    let opened_at = now();
    let opens = session.state == SessionState::Active && !session.token_used && session.expires_at > opened_at;
    if opens {
        session.state = SessionState::Started;
        session.opened_at = Some(opened_at);
    }
    let (scan_ref, stands, ends_at) = (session.scan_ref.clone(), session.state, opened_at + session.session_length);
    if opens {
        sessions.set_deadline(&scan_ref, ends_at);
        state.deadlines_changed.notify_one();
    }
    let page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>Verification sandbox</title>\n\
         <h1>Verification sandbox</h1>\n<p>Session <code>{scan_ref}</code>: {stands:?}</p>\n</html>\n"
    );
    (StatusCode::OK, Html(page)).into_response()
}
