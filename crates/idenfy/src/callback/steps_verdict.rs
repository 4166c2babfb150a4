//! The provider's verdict on the additional steps, in every documented spelling.

use serde_json::Value;

use crate::word::normalised;

/// `status.additionalSteps` of a callback.
///
/// The OpenAPI file has one of three words here, a guide shows a sentence, and an integration
/// received an object.
/// All are read.
/// Anything else is [`StepsVerdictWord::Unknown`], which never counts as positive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepsVerdictWord {
    /// `VALID`, "Additional step is valid".
    Valid,
    /// `INVALID`, "Additional step is invalid".
    Invalid,
    /// `NOT_FOUND`, "Additional step was not found".
    NotFound,
    /// Null or absent: not judged, or not yet.
    /// Steps of type UPLOAD are documented as stored only.
    NotJudged,
    /// Something was said that is not understood.
    Unknown,
}

impl StepsVerdictWord {
    pub(crate) fn read(value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::NotJudged,
            Some(Value::String(text)) => Self::of_text(text),
            Some(Value::Object(members)) => match members.get("status") {
                Some(status) => Self::of_item(status),
                // Several steps are as good as the worst of them.
                None => members
                    .values()
                    .map(Self::of_step)
                    .max_by_key(|verdict| verdict.badness())
                    .unwrap_or(Self::NotJudged),
            },
            Some(_) => Self::Unknown,
        }
    }

    /// One step of an object of steps: the verdict itself, or an object with it.
    fn of_step(value: &Value) -> Self {
        match value {
            Value::Object(members) => members.get("status").map_or(Self::Unknown, Self::of_item),
            other => Self::of_item(other),
        }
    }

    fn of_item(value: &Value) -> Self {
        match value {
            Value::Null => Self::NotJudged,
            Value::String(text) => Self::of_text(text),
            _ => Self::Unknown,
        }
    }

    fn of_text(text: &str) -> Self {
        match normalised(text.trim().trim_end_matches('.')).as_str() {
            "VALID" | "ADDITIONAL_STEP_IS_VALID" => Self::Valid,
            "INVALID" | "ADDITIONAL_STEP_IS_INVALID" => Self::Invalid,
            "NOT_FOUND" | "ADDITIONAL_STEP_WAS_NOT_FOUND" => Self::NotFound,
            _ => Self::Unknown,
        }
    }

    fn badness(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::NotJudged => 1,
            Self::NotFound => 2,
            Self::Invalid => 3,
            Self::Unknown => 4,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[track_caller]
    fn reads(value: Value, expected: StepsVerdictWord) {
        assert_eq!(StepsVerdictWord::read(Some(&value)), expected, "{value}");
    }

    #[test]
    fn words_and_sentences_mean_the_same() {
        for text in [
            "VALID",
            " valid ",
            "Additional step is valid",
            "ADDITIONAL STEP IS VALID.",
        ] {
            reads(json!(text), StepsVerdictWord::Valid);
        }
        for text in ["INVALID", "Additional step is invalid."] {
            reads(json!(text), StepsVerdictWord::Invalid);
        }
        for text in ["NOT_FOUND", "not found", "Additional step was not found"] {
            reads(json!(text), StepsVerdictWord::NotFound);
        }
    }

    #[test]
    fn nothing_said_is_not_judged() {
        assert_eq!(StepsVerdictWord::read(None), StepsVerdictWord::NotJudged);
        reads(Value::Null, StepsVerdictWord::NotJudged);
        reads(json!({}), StepsVerdictWord::NotJudged);
    }

    #[test]
    fn an_object_is_read_by_its_status_or_as_the_worst_of_its_steps() {
        reads(json!({"status": "VALID"}), StepsVerdictWord::Valid);
        reads(json!({"status": null}), StepsVerdictWord::NotJudged);
        reads(
            json!({"POA2": "VALID", "SELFIE_WITH_CARD": {"status": "VALID"}}),
            StepsVerdictWord::Valid,
        );
        reads(
            json!({"POA2": "VALID", "SELFIE_WITH_CARD": "INVALID"}),
            StepsVerdictWord::Invalid,
        );
        reads(
            json!({"POA2": "VALID", "SELFIE_WITH_CARD": null}),
            StepsVerdictWord::NotJudged,
        );
        reads(
            json!({"POA2": {"type": "UPLOAD"}}),
            StepsVerdictWord::Unknown,
        );
    }

    #[test]
    fn anything_else_is_unknown() {
        for value in [
            json!(""),
            json!("fine"),
            json!("not valid"),
            json!(true),
            json!(1),
            json!(["VALID"]),
            json!({"status": {}}),
        ] {
            reads(value, StepsVerdictWord::Unknown);
        }
    }

    #[test]
    fn of_two_steps_the_worse_one_counts_whichever_comes_first() {
        use StepsVerdictWord::{Invalid, NotFound, NotJudged, Unknown, Valid};
        let words = [
            (json!("VALID"), Valid),
            (json!(null), NotJudged),
            (json!("NOT_FOUND"), NotFound),
            (json!("INVALID"), Invalid),
            (json!("fine"), Unknown),
        ];
        for (place, (better, _)) in words.iter().enumerate() {
            for (worse, verdict) in words.iter().skip(place) {
                reads(json!({"A": better, "B": worse}), *verdict);
                reads(json!({"A": worse, "B": better}), *verdict);
            }
        }
    }
}
