//! The customer's way through a session. Getting a page changes nothing: link previews do it, too.
//! Starting, uploading and submitting are forms, each answered by a redirect to the next page.
//! Forms carry the token: there are no cookies.
//!
//! The same pages serve two links: `/api/v2/redirect?authToken=`, which ends at the session's
//! `successUrl`, `errorUrl` or `unverifiedUrl`, and `/?authToken=&lang=` for an iFrame, which ends
//! with a message to the surrounding page.

use axum::Router;
use axum::extract::{DefaultBodyLimit, Form, Multipart, Query, State as Extracted};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::{get, post};

use crate::pages::customer_actions::{self, Refusal};
use crate::pages::customer_views::{self as views, Visit};
use crate::pages::final_page::FinalPage;
use crate::pages::layout::{Complaint, Page};
use crate::pages::steps::{self, Step};
use crate::pages::upload::{self, FORM_LIMIT};
use crate::world::picture;
use crate::world::route::query_members;
use crate::world::session::{Session, SessionState, StoredFile};
use crate::world::state::{Shared, State};

pub(crate) fn router() -> Router<Shared> {
    Router::new()
        .route("/verification/start", post(start))
        .route(
            "/verification/documents",
            post(documents).layer(DefaultBodyLimit::max(FORM_LIMIT)),
        )
        .route("/verification/submit", post(submit))
        .route("/verification/result", get(result))
}

/// The page of a link: the start, the first undone step or the asked one, or why there is nothing
/// to do.
pub(crate) fn show(state: &State, uri: &Uri) -> Response {
    let mut query = query_members(uri.query());
    let mut member = |name: &str| query.remove(name).unwrap_or_default();
    let asked: Option<usize> = member("step").parse().ok();
    let visit = Visit {
        auth_token: member("authToken"),
        lang: member("lang"),
        frame: if uri.path() == "/" {
            "1".to_owned()
        } else {
            String::new()
        },
    };
    if visit.is_framed() && visit.auth_token.is_empty() {
        return views::home().into_response();
    }
    let session = match customer_actions::look(state, &visit.auth_token) {
        Ok(session) => session,
        Err(refusal) => return refused(&visit, refusal),
    };
    let steps = steps::of(&session, visit.language());
    if session.state == SessionState::Active {
        return framed(&visit, views::start(&visit, &session, &steps)).into_response();
    }
    let undone = steps
        .iter()
        .position(|step| !step.is_done(&session))
        .unwrap_or(steps.len());
    // No way past an undone step.
    let index = asked.map_or(undone, |number| number.saturating_sub(1).min(undone));
    let page = match steps.get(index) {
        Some(step) => views::step(&visit, &session, &steps, (index, step), &[]),
        None => views::check(&visit, &session, &steps),
    };
    framed(&visit, page).into_response()
}

async fn start(Extracted(state): Extracted<Shared>, Form(visit): Form<Visit>) -> Response {
    match customer_actions::start(&state, &visit.auth_token) {
        Ok(()) => Redirect::to(&visit.page(None)).into_response(),
        Err(refusal) => refused(&visit, refusal),
    }
}

/// Keeps the good files of one step and complains of the others.
async fn documents(Extracted(state): Extracted<Shared>, multipart: Multipart) -> Response {
    let mut form = match upload::Form::read(multipart).await {
        Ok(form) => form,
        Err(error) => return views::unreadable(error.status()).into_response(),
    };
    let text = |name: &str| form.text(name).unwrap_or_default().to_owned();
    let (number, wants_specimens) = (
        text("step").parse::<usize>().unwrap_or_default(),
        form.text("specimen").is_some(),
    );
    let visit = Visit {
        auth_token: text("authToken"),
        lang: text("lang"),
        frame: text("frame"),
    };
    let session = match customer_actions::look(&state, &visit.auth_token) {
        Ok(session) => session,
        Err(refusal) => return refused(&visit, refusal),
    };
    let steps = steps::of(&session, visit.language());
    let index = number.saturating_sub(1);
    let Some(step) = steps
        .get(index)
        .filter(|_| session.state == SessionState::Started)
    else {
        return Redirect::to(&visit.page(None)).into_response();
    };
    let (files, complaints) = judge(step, &session, &mut form, wants_specimens);
    if let Err(refusal) = customer_actions::hand_in(&state, &visit.auth_token, files) {
        return refused(&visit, refusal);
    }
    if complaints.is_empty() {
        // Back to the last look after a correction there, else on to the next step.
        let is_last = steps.iter().all(|other| other.is_done(&session));
        let next = if is_last { steps.len() + 1 } else { index + 2 };
        return Redirect::to(&visit.page(Some(next))).into_response();
    }
    let session = customer_actions::look(&state, &visit.auth_token).unwrap_or(session);
    let mut page = framed(
        &visit,
        views::step(&visit, &session, &steps, (index, step), &complaints),
    );
    page.status = StatusCode::UNPROCESSABLE_ENTITY;
    page.into_response()
}

fn judge(
    step: &Step,
    session: &Session,
    form: &mut upload::Form,
    wants_specimens: bool,
) -> (Vec<(String, StoredFile)>, Vec<Complaint>) {
    let (mut files, mut complaints) = (Vec::new(), Vec::new());
    for slot in &step.slots {
        let judged = match form.take_file(&slot.key) {
            Some(upload) => upload::accept(slot, upload).map(Some),
            None if session.files.contains_key(&slot.key) => Ok(None),
            None if wants_specimens => Ok(Some(specimen(session, &slot.key))),
            None if slot.required => Err(format!("Choose {} file.", upload::formats(slot))),
            None => Ok(None),
        };
        match judged {
            Ok(file) => files.extend(file.map(|file| (slot.key.clone(), file))),
            Err(text) => complaints.push(Complaint {
                field: views::field_id(slot),
                label: slot.label.clone(),
                text,
            }),
        }
    }
    (files, complaints)
}

/// A generated picture in place of a photo, to see the flow without files.
fn specimen(session: &Session, key: &str) -> StoredFile {
    StoredFile {
        bytes: picture::png(&format!("{} {key}", session.scan_ref)),
        content_type: "image/png".to_owned(),
        name: Some("specimen.png".to_owned()),
    }
}

async fn submit(Extracted(state): Extracted<Shared>, Form(visit): Form<Visit>) -> Response {
    let session = match customer_actions::look(&state, &visit.auth_token) {
        Ok(session) => session,
        Err(refusal) => return refused(&visit, refusal),
    };
    if steps::of(&session, None)
        .iter()
        .any(|step| !step.is_done(&session))
    {
        return Redirect::to(&visit.page(None)).into_response();
    }
    match customer_actions::submit(&state, &visit.auth_token) {
        Ok(()) => lead_on(&state, &visit).await,
        Err(refusal) => refused(&visit, refusal),
    }
}

/// Redirects to the session's own link once there is a result, else to the result page.
async fn lead_on(state: &State, visit: &Visit) -> Response {
    let session = customer_actions::submitted(state, &visit.auth_token);
    if let Some(session) = session.filter(|_| !visit.is_framed()) {
        let ending = customer_actions::ending(state, &session).await;
        if let Some(link) = ending.link(&session)
            && ending != FinalPage::Waiting
        {
            return Redirect::to(link.as_str()).into_response();
        }
    }
    Redirect::to(&visit.result_page()).into_response()
}

async fn result(Extracted(state): Extracted<Shared>, Query(visit): Query<Visit>) -> Response {
    let Some(session) = customer_actions::submitted(&state, &visit.auth_token) else {
        return Redirect::to(&visit.page(None)).into_response();
    };
    let ending = customer_actions::ending(&state, &session).await;
    let link = ending.link(&session).filter(|_| !visit.is_framed());
    match link {
        Some(link) if ending != FinalPage::Waiting => Redirect::to(link.as_str()).into_response(),
        link => framed(&visit, views::result(&visit, ending, link.as_ref())).into_response(),
    }
}

fn refused(visit: &Visit, refusal: Refusal) -> Response {
    framed(visit, views::refused(refusal)).into_response()
}

fn framed(visit: &Visit, page: Page) -> Page {
    Page {
        framed: visit.is_framed(),
        ..page
    }
}
