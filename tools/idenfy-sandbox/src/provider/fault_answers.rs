//! The effect of a scripted fault: it replaces the route's own code, or spoils its answer.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::time::sleep;

use crate::provider::call::Call;
use crate::provider::connection::Connection;
use crate::provider::errors::{ProviderError, expired_link, gateway_page};
use crate::provider::files::LinkAge;
use crate::provider::process;
use crate::provider::retrieval;
use crate::world::faults::{Fault, FaultKind};
use crate::world::route::Route;
use crate::world::state::Shared;

/// Pieces that a slow body comes in.
const DROPS: usize = 16;
/// What a truncated answer without a body pretends that would follow.
const PRETENDED_LENGTH: usize = 64;
/// Time for the first half of a truncated body to leave before the connection ends.
const FLUSH_PAUSE: Duration = Duration::from_millis(20);

/// Answers a request as the fault says. Does not return if the caller gets no answer.
pub(crate) async fn answer(
    state: &Shared,
    call: &Call,
    fault: &Fault,
    connection: &Connection,
) -> Response {
    match fault.kind {
        FaultKind::Status | FaultKind::Html | FaultKind::ErrorInSuccess => {
            burn_token(state, call, fault);
            with_retry_after(fault, refusal(fault))
        }
        FaultKind::Hang => {
            burn_token(state, call, fault);
            sleep(fault.duration()).await;
            connection.reset().await
        }
        FaultKind::Reset => {
            burn_token(state, call, fault);
            connection.reset().await
        }
        FaultKind::AcceptedThenReset => {
            call.answer(state, LinkAge::Fresh).await;
            connection.reset().await
        }
        FaultKind::AcceptedThenHang => {
            call.answer(state, LinkAge::Fresh).await;
            sleep(fault.duration()).await;
            connection.reset().await
        }
        FaultKind::ExpiredLink if call.route == Route::File => expired_link(),
        FaultKind::ExpiredLink => call.answer(state, LinkAge::Expired).await,
        FaultKind::FixedStatus | FaultKind::LaggingStatus => {
            retrieval::status(state, &call.body, Some(fault))
                .unwrap_or_else(IntoResponse::into_response)
        }
        FaultKind::Truncate => truncate(call.answer(state, LinkAge::Fresh).await).await,
        FaultKind::ShortContentLength => halve(call.answer(state, LinkAge::Fresh).await).await,
        FaultKind::Slow => {
            slow_down(call.answer(state, LinkAge::Fresh).await, fault.duration()).await
        }
        FaultKind::WrongContentType => {
            let mut response = call.answer(state, LinkAge::Fresh).await;
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
            response
        }
        // These happen to callbacks only, see `FaultKind::fits`.
        FaultKind::Drop
        | FaultKind::Duplicate
        | FaultKind::BadSignature
        | FaultKind::Unsigned
        | FaultKind::CutBody => call.answer(state, LinkAge::Fresh).await,
    }
}

fn status_or(fault: &Fault, otherwise: StatusCode) -> StatusCode {
    fault
        .status
        .and_then(|status| StatusCode::from_u16(status).ok())
        .unwrap_or(otherwise)
}

fn refusal(fault: &Fault) -> Response {
    let message = fault.message.as_deref();
    match fault.kind {
        FaultKind::Html => gateway_page(status_or(fault, StatusCode::BAD_GATEWAY)),
        FaultKind::ErrorInSuccess => {
            let identifier = fault.identifier.as_deref().unwrap_or("BAD_VALUE");
            let message = message.unwrap_or("Document was not found in the photo.");
            ProviderError::with_status(status_or(fault, StatusCode::OK), Some(identifier), message)
                .into_response()
        }
        _ => {
            let status = status_or(fault, StatusCode::INTERNAL_SERVER_ERROR);
            let usual = if status == StatusCode::TOO_MANY_REQUESTS {
                "TOO_MANY_REQUESTS"
            } else {
                "INTERNAL_ERROR"
            };
            let identifier = fault.identifier.as_deref().unwrap_or(usual);
            ProviderError::with_status(
                status,
                Some(identifier),
                message.unwrap_or("Scripted by the sandbox."),
            )
            .into_response()
        }
    }
}

fn with_retry_after(fault: &Fault, mut response: Response) -> Response {
    if let Some(seconds) = fault.retry_after_seconds {
        response
            .headers_mut()
            .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn burn_token(state: &Shared, call: &Call, fault: &Fault) {
    let own_error = match fault.kind {
        FaultKind::ErrorInSuccess => true,
        FaultKind::Status => fault
            .status
            .is_some_and(|status| status < 500 && status != 429),
        _ => false,
    };
    let burns = fault
        .burns_token
        .unwrap_or(own_error && state.settings().burn_token_on_error);
    if burns && call.route == Route::Process {
        process::burn(state, &call.body);
    }
}

async fn whole_body(response: Response) -> (axum::http::response::Parts, Bytes) {
    let (parts, body) = response.into_parts();
    (parts, to_bytes(body, usize::MAX).await.unwrap_or_default())
}

async fn truncate(response: Response) -> Response {
    let (mut parts, body) = whole_body(response).await;
    let announced = if body.is_empty() {
        PRETENDED_LENGTH
    } else {
        body.len()
    };
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(announced));
    let half = body.slice(..body.len() / 2);
    let pieces = stream::unfold(Some(half), |half| async move {
        match half {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            Some(_) => {
                sleep(FLUSH_PAUSE).await;
                Some((
                    Err(io::Error::other("scripted end of the connection")),
                    None,
                ))
            }
            None => None,
        }
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}

async fn halve(response: Response) -> Response {
    let (mut parts, body) = whole_body(response).await;
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(body.slice(..body.len() / 2)))
}

async fn slow_down(response: Response, duration: Duration) -> Response {
    let (mut parts, body) = whole_body(response).await;
    if body.is_empty() {
        sleep(duration).await;
        return Response::from_parts(parts, Body::empty());
    }
    parts
        .headers
        .insert(header::CONTENT_LENGTH, HeaderValue::from(body.len()));
    let drop_length = body.len().div_ceil(DROPS);
    let pause = duration / u32::try_from(body.len().div_ceil(drop_length)).unwrap_or(1);
    let pieces = stream::unfold(body, move |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        sleep(pause).await;
        let piece = rest.split_to(drop_length.min(rest.len()));
        Some((Ok::<_, Infallible>(piece), rest))
    });
    Response::from_parts(parts, Body::from_stream(pieces))
}
