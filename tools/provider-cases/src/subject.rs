//! A provider, or a model of one.

use async_trait::async_trait;
use serde_json::{Map, Value};

/// A provider under examination. Every case may make tokens of its own.
#[async_trait]
pub trait Subject: Sync {
    /// Creates a token for the client, as the flow does.
    async fn token(&self, kind: TokenKind, client_id: &str) -> Result<Token, Refusal>;

    /// The overall word.
    async fn status(&self, scan_ref: &str) -> Result<String, Refusal>;

    /// The number of links.
    async fn files(&self, scan_ref: &str) -> Result<usize, Refusal>;

    async fn delete(&self, scan_ref: &str) -> Result<(), Refusal>;

    /// Submits a document with FRONT and BACK.
    async fn submit(&self, auth_token: &str) -> Result<(), Refusal>;

    /// Sends JSON to `/api/v2/<operation>`. `None`: the subject has no HTTP.
    async fn send(&self, operation: &str, body: Value, key: Key) -> Option<WireAnswer>;
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenKind {
    /// Token 1: an identification with the account's steps.
    First,
    /// Token 2: a document, steps and questionnaire suppressed.
    Second,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    Right,
    Wrong,
}

/// A created token.
#[derive(Clone, Debug)]
pub struct Token {
    pub scan_ref: String,
    pub auth_token: String,
    /// How many steps the answer names. `None`: it does not say.
    pub steps: Option<usize>,
}

/// Why a call did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    TokenNotValid,
    /// The session can still be used.
    StillLive,
    /// For what was asked.
    Rejected,
    /// Anything else, such as no answer.
    Other(String),
}

/// An answer over HTTP.
#[derive(Clone, Debug)]
pub struct WireAnswer {
    pub status: u16,
    /// Empty if the body is no JSON object.
    pub members: Map<String, Value>,
}

impl WireAnswer {
    pub fn text(&self, name: &str) -> Option<&str> {
        self.members.get(name).and_then(Value::as_str)
    }

    pub fn is_success(&self) -> bool {
        (200..300).contains(&self.status) && self.text("identifier").is_none()
    }
}
