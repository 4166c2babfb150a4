//! What the provider found out about one verification.

use serde_json::{Map, Value};

use super::{OverallWord, StepsVerdictWord};
use crate::selection::Members;

/// The verdicts of one verification.
/// Values that are no words are replaced, so a printed status shows nothing personal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// `None` in foreign bodies, such as document monitoring.
    pub overall: Option<OverallWord>,
    /// Always [`StepsVerdictWord::NotJudged`] from [`Client::status`](crate::Client::status), whose
    /// answer lacks it.
    pub additional_steps: StepsVerdictWord,
    /// `final` in an answer of [`Client::status`](crate::Client::status).
    /// The pages disagree about it.
    /// Always `None` in a callback, which has it beside the status.
    pub is_final: Option<bool>,
    /// Such as `DOC_VALIDATED`; an open set.
    pub auto_document: Option<String>,
    /// Such as `FACE_MATCH`; an open set.
    pub auto_face: Option<String>,
    /// Filled once a person has looked.
    pub manual_document: Option<String>,
    /// Filled once a person has looked.
    pub manual_face: Option<String>,
    /// An open set.
    pub fraud_tags: Vec<String>,
    /// An open set.
    pub mismatch_tags: Vec<String>,
}

impl Status {
    /// The object's members. The overall verdict's name differs between callback and retrieval.
    pub(crate) fn read(members: &Map<String, Value>, overall: &str) -> Self {
        Self {
            overall: members.text(overall).map(OverallWord::from),
            additional_steps: StepsVerdictWord::read(members.get("additionalSteps")),
            is_final: None,
            auto_document: members.word("autoDocument"),
            auto_face: members.word("autoFace"),
            manual_document: members.word("manualDocument"),
            manual_face: members.word("manualFace"),
            fraud_tags: members.words("fraudTags"),
            mismatch_tags: members.words("mismatchTags"),
        }
    }
}
