//! Plain data that several parts of the sandbox keep and hand on.

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::world::first_answer::FirstAnswer;
use crate::world::invented_person::SecondDocument;
use crate::world::route::Subject;

/// A callback as it was announced, kept to be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Callback {
    /// Value of `Idenfy-Event-Type`.
    pub event_type: String,
    /// The JSON text, not yet escaped or signed.
    pub body: Bytes,
}

/// Whom a callback is about and where it goes.
#[derive(Clone, Debug)]
pub(crate) struct Envelope {
    pub subject: Subject,
    pub receiver: Option<String>,
    pub callback: Callback,
    /// Its number among the session's callbacks, from 0; `None` if it is sent with changes.
    pub number: Option<usize>,
    /// Takes the answer to the first delivery of all.
    pub first_answer: FirstAnswer,
}

/// What direct processing comes to for one client.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Outcome {
    pub overall: String,
    pub fraud_tags: Vec<String>,
    pub mismatch_tags: Vec<String>,
    /// The owner and kind of the document, for every result of the client's DOCUMENT tokens.
    pub second_document: SecondDocument,
    /// First a callback that is not final, REVIEWING, then the final one.
    pub non_final_first: bool,
    /// In place of the setting `processingMilliseconds`.
    pub delay_milliseconds: Option<u64>,
    /// JSON merge patch on the body of the last callback.
    pub overrides: Option<Value>,
}

impl Default for Outcome {
    fn default() -> Self {
        Self {
            overall: "APPROVED".to_owned(),
            fraud_tags: Vec::new(),
            mismatch_tags: Vec::new(),
            second_document: SecondDocument::default(),
            non_final_first: false,
            delay_milliseconds: None,
            overrides: None,
        }
    }
}
