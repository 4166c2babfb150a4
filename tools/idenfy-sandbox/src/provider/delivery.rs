//! Sends callbacks. A callback is signed over the bytes that go out, and repeated with the same
//! bytes until the receiver answers 200 or the repeats are used up. Every attempt is recorded.
//! Redirects are not followed; anything but 200 is a failure.

use std::time::{Duration, Instant};

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use serde_json::Value;
use tokio::time::sleep;

use crate::provider::callback::escape_non_ascii;
use crate::world::clock::{now, timestamp};
use crate::world::faults::{Fault, FaultKind};
use crate::world::journal::DeliveryRecord;
use crate::world::records::Envelope;
use crate::world::route::Route;
use crate::world::settings::Settings;
use crate::world::signature::{hex_hmac, hex_sha256};
use crate::world::state::State;

/// Delivers a callback and returns the record of every attempt.
pub(crate) async fn deliver(state: &State, envelope: &Envelope) -> Vec<DeliveryRecord> {
    let settings = state.settings();
    let fault = state.faults().take(Route::Callback, &envelope.subject);
    match fault.as_ref().map(|fault| fault.kind) {
        Some(FaultKind::Drop) => {
            envelope.first_answer.decide(false);
            let lost = Prepared::new(&settings, envelope, fault);
            vec![state.journal().deliver(DeliveryRecord {
                error: Some("dropped"),
                ..lost.record(1)
            })]
        }
        Some(FaultKind::Duplicate) => {
            let prepared = Prepared::new(&settings, envelope, fault);
            let (mut first, second) = tokio::join!(
                repeat(state, &settings, &prepared),
                repeat(state, &settings, &prepared)
            );
            first.extend(second);
            first
        }
        kind => {
            if let (Some(FaultKind::Slow), Some(fault)) = (kind, &fault) {
                sleep(fault.duration()).await;
            }
            repeat(state, &settings, &Prepared::new(&settings, envelope, fault)).await
        }
    }
}

/// A callback down to its bytes, its signature and its event header.
struct Prepared<'a> {
    envelope: &'a Envelope,
    body: Bytes,
    signature: Option<String>,
    fault: Option<FaultKind>,
}

impl<'a> Prepared<'a> {
    fn new(settings: &Settings, envelope: &'a Envelope, fault: Option<Fault>) -> Self {
        let fault = fault.map(|fault| fault.kind);
        let mut body = envelope.callback.body.clone();
        if settings.callback_escape_non_ascii {
            body = escape_non_ascii(&String::from_utf8_lossy(&body)).into();
        }
        if fault == Some(FaultKind::CutBody) {
            body.truncate(body.len() / 2);
        }
        let key = settings.signing_key.reveal();
        let signature = match fault {
            Some(FaultKind::Unsigned) => None,
            Some(FaultKind::BadSignature) => Some(hex_hmac(b"a key that nobody configured", &body)),
            _ if key.is_empty() => None,
            _ => Some(hex_hmac(key.as_bytes(), &body)),
        };
        Self {
            envelope,
            body,
            signature,
            fault,
        }
    }

    fn record(&self, attempt: u32) -> DeliveryRecord {
        let body: Value = serde_json::from_slice(&self.envelope.callback.body).unwrap_or_default();
        DeliveryRecord {
            sequence: 0,
            at: timestamp(now()),
            scan_ref: self.envelope.subject.scan_ref.clone().unwrap_or_default(),
            client_id: self.envelope.subject.client_id.clone().unwrap_or_default(),
            event_type: self.envelope.callback.event_type.clone(),
            callback: self.envelope.number,
            is_final: body.get("final").and_then(Value::as_bool),
            overall: body
                .pointer("/status/overall")
                .and_then(Value::as_str)
                .map(str::to_owned),
            body_sha256: hex_sha256(&self.body),
            attempt,
            status: None,
            error: None,
            fault: self.fault,
            milliseconds: 0,
        }
    }
}

async fn repeat(
    state: &State,
    settings: &Settings,
    prepared: &Prepared<'_>,
) -> Vec<DeliveryRecord> {
    let mut records = Vec::new();
    for attempt in 1..=settings.callback_retries.saturating_add(1) {
        if attempt > 1 {
            sleep(Duration::from_millis(
                settings.callback_retry_pause_milliseconds,
            ))
            .await;
        }
        let record = attempt_once(state, settings, prepared, attempt).await;
        if attempt == 1 {
            prepared
                .envelope
                .first_answer
                .decide(is_acknowledged(&record));
        }
        let done = record.status == Some(200) || record.error == Some("no receiver");
        records.push(state.journal().deliver(record));
        if done {
            break;
        }
    }
    records
}

/// Whether a delivery leaves the customer on their way. Without a receiver no answer is missed.
fn is_acknowledged(record: &DeliveryRecord) -> bool {
    matches!(record.status, Some(200..=299)) || record.error == Some("no receiver")
}

async fn attempt_once(
    state: &State,
    settings: &Settings,
    prepared: &Prepared<'_>,
    attempt: u32,
) -> DeliveryRecord {
    let mut record = prepared.record(attempt);
    let Some(receiver) = prepared
        .envelope
        .receiver
        .as_ref()
        .or(settings.callback_url.as_ref())
    else {
        record.error = Some("no receiver");
        return record;
    };
    let mut request = state
        .client
        .post(receiver)
        .timeout(Duration::from_millis(
            settings.callback_timeout_milliseconds,
        ))
        .header(CONTENT_TYPE, "application/json")
        .header("Idenfy-Event-Type", &prepared.envelope.callback.event_type)
        .body(prepared.body.clone());
    if let Some(signature) = &prepared.signature {
        request = request.header("Idenfy-Signature", signature);
    }
    let started = Instant::now();
    match request.send().await {
        Ok(response) => record.status = Some(response.status().as_u16()),
        Err(error) if error.is_timeout() => record.error = Some("timeout"),
        Err(error) if error.is_connect() => record.error = Some("no connection"),
        Err(error) if error.is_builder() => record.error = Some("receiver is not a URL"),
        Err(_) => record.error = Some("no answer"),
    }
    record.milliseconds = started.elapsed().as_millis() as u64;
    tracing::info!(
        event = %record.event_type, scan_ref = %record.scan_ref, attempt, status = record.status,
            error = record.error,
        duration_ms = record.milliseconds, "callback"
    );
    record
}
