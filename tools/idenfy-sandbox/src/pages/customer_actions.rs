//! A customer's actions on a session: start, hand files in, submit. Looking changes nothing. Every
//! action is checked and done under one lock: of two submissions of a session one counts, and none
//! after its time.

use std::sync::Arc;
use std::time::Duration;

use crate::pages::final_page::FinalPage;
use crate::provider::callback::Verdict;
use crate::provider::delivery::deliver;
use crate::provider::outcome::{settle, step_verdict};
use crate::world::clock::now;
use crate::world::session::{Session, SessionState, StoredFile};
use crate::world::settings::ReviewMode;
use crate::world::state::{Shared, State};

/// Why a link leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Unknown,
    Expired,
    /// Submitted, ended or deleted.
    Used,
}

/// The current session of a token that a customer may still use.
pub(crate) fn look(state: &State, auth_token: &str) -> Result<Session, Refusal> {
    let sessions = state.sessions();
    let session = sessions.by_token(auth_token).ok_or(Refusal::Unknown)?;
    check(session).map(|()| session.clone())
}

fn check(session: &Session) -> Result<(), Refusal> {
    match session.state {
        SessionState::Expired => Err(Refusal::Expired),
        SessionState::Active | SessionState::Started if session.token_used => Err(Refusal::Used),
        // A session ends at its time and not when that is noticed.
        SessionState::Active | SessionState::Started if session.expires_at <= now() => {
            Err(Refusal::Expired)
        }
        SessionState::Active | SessionState::Started => Ok(()),
        SessionState::Processing
        | SessionState::Reviewing
        | SessionState::Finished
        | SessionState::Deleted => Err(Refusal::Used),
    }
}

/// Starts the session's own time. A second start changes nothing.
pub(crate) fn start(state: &State, auth_token: &str) -> Result<(), Refusal> {
    let mut sessions = state.sessions();
    let session = sessions.by_token_mut(auth_token).ok_or(Refusal::Unknown)?;
    check(session)?;
    if session.state == SessionState::Active {
        let opened_at = now();
        session.state = SessionState::Started;
        session.opened_at = Some(opened_at);
        let (scan_ref, ends_at) = (session.scan_ref.clone(), opened_at + session.session_length);
        sessions.set_deadline(&scan_ref, ends_at);
        state.deadlines_changed.notify_one();
    }
    Ok(())
}

/// Keeps files of a started session, replacing earlier ones of the same key.
pub(crate) fn hand_in(
    state: &State,
    auth_token: &str,
    files: Vec<(String, StoredFile)>,
) -> Result<(), Refusal> {
    let mut sessions = state.sessions();
    let session = sessions.by_token_mut(auth_token).ok_or(Refusal::Unknown)?;
    check(session)?;
    for (key, file) in files {
        session.put_file(key, file);
    }
    Ok(())
}

/// Submits the files. An automatic result is known at once; its callback is sent in the background.
pub(crate) fn submit(state: &Shared, auth_token: &str) -> Result<(), Refusal> {
    let session = {
        let mut sessions = state.sessions();
        let session = sessions.by_token_mut(auth_token).ok_or(Refusal::Unknown)?;
        check(session)?;
        session.state = SessionState::Processing;
        session.token_used = true;
        let submitted_at = now();
        session.processed_at = Some(submitted_at);
        session.submit_files(submitted_at);
        session.clone()
    };
    let settings = state.settings();
    if settings.review_mode == ReviewMode::Reviewer {
        return Ok(());
    }
    let verdict = Verdict::reviewed(
        &settings.automatic_overall,
        step_verdict(&settings, &session, None),
    );
    // The result is stored before the page asks for it; only its delivery takes time.
    if let Some(envelope) = settle(state, &session.scan_ref, &verdict) {
        let background = Arc::clone(state);
        state.spawn(async move { drop(deliver(&background, &envelope).await) });
    }
    Ok(())
}

/// The session of a token whose customer has submitted it.
pub(crate) fn submitted(state: &State, auth_token: &str) -> Option<Session> {
    let sessions = state.sessions();
    let session = sessions.by_token(auth_token)?;
    let is_over = matches!(
        session.state,
        SessionState::Processing | SessionState::Reviewing | SessionState::Finished
    );
    (is_over && session.opened_at.is_some()).then(|| session.clone())
}

/// How a submitted session ends for its customer. An approval waits for the answer to its callback.
pub(crate) async fn ending(state: &State, session: &Session) -> FinalPage {
    let ending = FinalPage::of_session(session);
    let Some(approval) = session
        .results
        .last()
        .filter(|_| ending == FinalPage::Approved)
    else {
        return ending;
    };
    let wait = Duration::from_millis(state.settings().acknowledgement_wait_milliseconds);
    let since = (now() - approval.at).try_into().unwrap_or_default();
    let rest = wait.saturating_sub(since);
    if approval.first_answer.is_acknowledged(rest).await {
        ending
    } else {
        FinalPage::Unacknowledged
    }
}
