//! An application's side: it creates sessions, asks how they stand, and listens on the bus.

use anyhow::{Context, Result};
use harness::Stack;
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use verification::identifiers::ScanRef;

/// The event pattern of the rule: every event of this project.
pub const PATTERN: &str = r#"{"source": ["dual-verification"]}"#;

/// A session, as the API answers.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CreatedSession {
    pub scan_ref: String,
    pub redirect_url: String,
    pub expires_at: String,
}

/// The part of a verification that the demo looks at.
#[derive(Debug, Deserialize)]
pub struct Verification {
    pub state: String,
    pub verdict: Option<String>,
    /// `None` if the stack does not compare.
    pub comparison: Option<Comparison>,
}

/// The comparison of both results: of the person, and of the two documents.
#[derive(Debug, Deserialize)]
pub struct Comparison {
    pub person: String,
    pub document: String,
}

/// An event as EventBridge delivers it.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Event {
    #[serde(rename = "detail-type")]
    pub detail_type: String,
    pub detail: Map<String, Value>,
}

impl Event {
    /// # Errors
    /// It lacks a member.
    pub fn read(event: Value) -> Result<Self> {
        serde_json::from_value(event).context("an event that is none")
    }
}

/// Creates a session for a customer who is asked for `steps` besides the first document.
///
/// # Errors
/// The API does not answer 201.
pub async fn create_session(
    stack: &Stack,
    client_id: &str,
    steps: &[&str],
) -> Result<CreatedSession> {
    let step = json!({
        "type": "UPLOAD",
        "texts": {
            "en": {
                "name": "Second document",
                "description": "A photo or scan of your second document",
            },
        },
        "settings": { "canUpload": true, "canCapture": true, "canUploadPDF": true },
        "fields": [],
    });
    let steps: Map<String, Value> = steps
        .iter()
        .map(|&name| (name.to_owned(), step.clone()))
        .collect();
    let wanted = json!({ "clientId": client_id, "additionalSteps": { "ALL": { "ALL": steps } } });
    let body = wanted.to_string().into_bytes();
    ask(stack, Method::POST, "/sessions", body, 201).await
}

/// Asks how a verification stands, by either token's `scanRef`.
///
/// # Errors
/// The API does not answer 200.
pub async fn verification(stack: &Stack, scan_ref: &ScanRef) -> Result<Verification> {
    let path = format!("/verifications/{scan_ref}");
    ask(stack, Method::GET, &path, Vec::new(), 200).await
}

async fn ask<T: DeserializeOwned>(
    stack: &Stack,
    method: Method,
    path: &str,
    body: Vec<u8>,
    expected: u16,
) -> Result<T> {
    let what = format!("{method} {path}");
    let answer = stack.ask_api(method, path, HeaderMap::new(), body).await?;
    let body = answer.expect(expected).with_context(|| what.clone())?;
    serde_json::from_value(body)
        .with_context(|| format!("{what} answered something else than documented"))
}
