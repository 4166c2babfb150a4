//! The ends of sessions: by the admin API, after the processing time of a direct submission, or at
//! the deadline of an unused token. One callback announces each end, or a non-final one and a final
//! one.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use crate::provider::callback::{Event, Second, Tags, Verdict, body, implied_step_verdict};
use crate::provider::delivery::deliver;
use crate::provider::files::{Folder, LinkAge, link_maps};
use crate::world::clock::now;
use crate::world::first_answer::FirstAnswer;
use crate::world::journal::DeliveryRecord;
use crate::world::merge_patch::merge_patch;
use crate::world::records::{Callback, Envelope, Outcome};
use crate::world::session::{Announced, Session, SessionState};
use crate::world::settings::{EventNames, Settings};
use crate::world::state::{Shared, State};

/// Lets an accepted submission run its course.
pub(crate) fn process_in_background(state: &Shared, scan_ref: String) {
    let background = Arc::clone(state);
    state.spawn(async move {
        let client_id = background
            .sessions()
            .get(&scan_ref)
            .map(|session| session.client_id.clone())
            .unwrap_or_default();
        let outcome = background
            .outcomes()
            .get(&client_id)
            .cloned()
            .unwrap_or_default();
        let delay = outcome
            .delay_milliseconds
            .unwrap_or(background.settings().processing_milliseconds);
        sleep(Duration::from_millis(delay)).await;
        conclude(&background, &scan_ref, outcome).await;
    });
}

/// Announces the outcome of processing, unless the admin API has given the session a result or
/// deleted it.
async fn conclude(state: &State, scan_ref: &str, outcome: Outcome) {
    let state_now = state.sessions().get(scan_ref).map(|session| session.state);
    if state_now != Some(SessionState::Processing) {
        return;
    }
    let event = if outcome.non_final_first {
        announce(state, scan_ref, Verdict::not_final("REVIEWING")).await;
        Event::ManualFinished
    } else {
        Event::AutoFinished
    };
    let verdict = Verdict {
        event,
        is_final: true,
        overall: outcome.overall,
        additional_steps: Value::Null,
        tags: Tags {
            fraud: outcome.fraud_tags,
            mismatch: outcome.mismatch_tags,
        },
        overrides: outcome.overrides,
        links: LinkAge::Fresh,
    };
    announce(state, scan_ref, verdict).await;
}

impl Verdict {
    /// An automatic result with a review to follow. The review judges the steps.
    pub(crate) fn not_final(overall: &str) -> Self {
        Self {
            event: Event::AutoFinished,
            is_final: false,
            overall: overall.to_owned(),
            additional_steps: Value::Null,
            tags: Tags::default(),
            overrides: None,
            links: LinkAge::Fresh,
        }
    }

    /// The end of a session that nothing was submitted to.
    pub(crate) fn expired(overrides: Option<Value>) -> Self {
        Self {
            event: Event::Expired,
            is_final: true,
            overall: "EXPIRED".to_owned(),
            overrides,
            ..Self::not_final("")
        }
    }

    /// The end of a cancelled session. Its body is undocumented; this is that of a lapsed one.
    pub(crate) fn cancelled() -> Self {
        Self {
            event: Event::Cancelled,
            ..Self::expired(None)
        }
    }

    /// What a person found.
    pub(crate) fn reviewed(overall: &str, additional_steps: Value) -> Self {
        Self {
            event: Event::ManualFinished,
            is_final: true,
            additional_steps,
            ..Self::not_final(overall)
        }
    }
}

/// Moves the session on and delivers its callback; `None` if there is no such session.
pub(crate) async fn announce(
    state: &State,
    scan_ref: &str,
    verdict: Verdict,
) -> Option<Vec<DeliveryRecord>> {
    let envelope = settle(state, scan_ref, &verdict)?;
    Some(deliver(state, &envelope).await)
}

/// Announces several results in order. Each waits until the one before is delivered or given up.
pub(crate) async fn announce_in_turn(
    state: &State,
    scan_ref: &str,
    verdicts: Vec<Verdict>,
) -> Vec<DeliveryRecord> {
    let mut records = Vec::new();
    for verdict in verdicts {
        records.extend(announce(state, scan_ref, verdict).await.unwrap_or_default());
    }
    records
}

/// An earlier callback of the session, numbered from 0. Has new links to the same files if their
/// age is given. `None` if there is no such callback.
pub(crate) fn earlier_callback(
    state: &State,
    session: &Session,
    number: usize,
    links: Option<LinkAge>,
) -> Option<Envelope> {
    let announced = session.results.get(number)?;
    let mut callback = announced.callback.clone();
    if let (Some(age), Some(upload)) = (links, announced.upload) {
        let mut body: Value = serde_json::from_slice(&callback.body).unwrap_or_default();
        let (files, pdfs) = link_maps(
            state,
            &state.settings(),
            session,
            Folder::Upload(upload),
            age,
        );
        merge_patch(
            &mut body,
            &json!({"fileUrls": files, "additionalStepPdfUrls": pdfs}),
        );
        callback.body = body.to_string().into();
    }
    Some(Envelope {
        subject: session.subject(),
        receiver: session.callback_url.clone(),
        callback,
        number: links.is_none().then_some(number),
        first_answer: announced.first_answer.clone(),
    })
}

/// Moves the session on and returns its callback, not yet delivered; `None` if there is no such
/// session.
pub(crate) fn settle(state: &State, scan_ref: &str, verdict: &Verdict) -> Option<Envelope> {
    let settings = state.settings();
    let mut sessions = state.sessions();
    let client_id = sessions.get(scan_ref)?.client_id.clone();
    let second = Second {
        document: state
            .outcomes()
            .get(&client_id)
            .map(|outcome| outcome.second_document)
            .unwrap_or_default(),
        first_country: sessions.country_of_first_document(&client_id),
    };
    let session = sessions.get_mut(scan_ref)?;
    let at = now();
    let has_result = !verdict.event.is_without_result();
    if has_result {
        session.submit_files(at);
    }
    session.finished_at = Some(at);
    let mut body = body(state, &settings, session, &second, verdict);
    if let Some(overrides) = &verdict.overrides {
        merge_patch(&mut body, overrides);
    }
    session.state = match (verdict.is_final, &verdict.event) {
        (_, Event::Expired) => SessionState::Expired,
        (true, _) => SessionState::Finished,
        (false, _) => SessionState::Reviewing,
    };
    session.token_used = true;
    session.results.push(Announced {
        at,
        status: body.get("status").cloned().unwrap_or_default(),
        is_final: body
            .get("final")
            .and_then(Value::as_bool)
            .unwrap_or(verdict.is_final),
        upload: has_result.then_some(session.uploads.len()),
        callback: Callback {
            event_type: event_name(&settings, &verdict.event),
            body: body.to_string().into(),
        },
        first_answer: FirstAnswer::default(),
    });
    earlier_callback(state, session, session.results.len() - 1, None)
}

/// The value of the event header.
pub(crate) fn event_name(settings: &Settings, event: &Event) -> String {
    let suffix = match event {
        Event::Named(name) => return name.clone(),
        Event::AutoFinished => "AUTO_FINISHED",
        Event::ManualFinished => "MANUAL_FINISHED",
        Event::Expired => "EXPIRED",
        Event::Cancelled => "CANCELLED",
    };
    match settings.event_names {
        EventNames::Identification => format!("IDENTIFICATION_{suffix}"),
        EventNames::IdVerification => format!("ID_VERIFICATION_{suffix}"),
    }
}

/// Lets sessions lapse at their time while the sandbox runs.
pub(crate) async fn watch_deadlines(state: Shared) {
    loop {
        let lapsed = state.sessions().lapse(now());
        for scan_ref in lapsed {
            let background = Arc::clone(&state);
            state.spawn(async move {
                announce(&background, &scan_ref, Verdict::expired(None)).await;
            });
        }
        let next = state.sessions().next_deadline();
        let pause = next.map_or(Duration::from_secs(3600), |at| {
            (at - now()).try_into().unwrap_or_default()
        });
        tokio::select! {
            () = sleep(pause) => {}
            () = state.deadlines_changed.notified() => {}
        }
    }
}

/// The verdict on the steps of a customer's session: the given one, or that of its files.
pub(crate) fn step_verdict(settings: &Settings, session: &Session, given: Option<Value>) -> Value {
    given.unwrap_or_else(|| implied_step_verdict(settings, session))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::conclude;
    use crate::provider::token;
    use crate::world::records::Outcome;
    use crate::world::session::SessionState;
    use crate::world::settings::Settings;
    use crate::world::state::State;

    #[tokio::test]
    async fn a_result_given_by_hand_stands_in_place_of_processing() {
        let state = State::new("http://127.0.0.1:1".to_owned(), Settings::default()).unwrap();
        let request = json!({"clientId": "client", "tokenType": "DOCUMENT"});
        let (scan_ref, _) = token::create(&state, request.as_object().unwrap()).unwrap();
        for (session_state, announcements) in [
            (SessionState::Finished, 0),
            (SessionState::Deleted, 0),
            (SessionState::Processing, 1),
        ] {
            state.sessions().get_mut(&scan_ref).unwrap().state = session_state;
            conclude(&state, &scan_ref, Outcome::default()).await;
            assert_eq!(
                state.journal().deliveries().count(),
                announcements,
                "{session_state:?}"
            );
        }
    }
}
