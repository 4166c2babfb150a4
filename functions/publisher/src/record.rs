//! One record of the table's stream.
//!
//! It is read alone, so that an odd record does not fail the batch.
//!
//! (Source: "Using AWS Lambda with Amazon DynamoDB", AWS Lambda developer guide.)

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use verification::Announcement;

/// Records of one shard, oldest first.
#[derive(Debug, Deserialize)]
pub struct StreamBatch {
    #[serde(rename = "Records")]
    pub records: Vec<Value>,
}

/// Lambda repeats from the reported record. An empty list: all is done.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct StreamBatchResponse {
    #[serde(rename = "batchItemFailures")]
    pub failures: Vec<FailedRecord>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct FailedRecord {
    #[serde(rename = "itemIdentifier")]
    pub sequence_number: String,
}

/// Why a record is not an outcome. Shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    #[error("it does not say what was written")]
    NoImage,
    #[error("its outcome is not one that is known")]
    Outcome,
    #[error("its detail is missing or not an announcement's")]
    Detail,
}

/// Position in the shard.
pub fn sequence_number(record: &Value) -> Option<&str> {
    record
        .pointer("/dynamodb/SequenceNumber")
        .and_then(Value::as_str)
        .filter(|number| !number.is_empty())
}

/// The record's announcement. `None`: the change is not an outcome, such as a removal.
///
/// The event source's filter drops those. A lost filter must not make them failures.
pub fn announcement(record: &Value) -> Result<Option<Announcement>, Unreadable> {
    match record.get("eventName").and_then(Value::as_str) {
        Some("MODIFY" | "REMOVE") => return Ok(None),
        Some("INSERT") => {}
        _ => return Err(Unreadable::NoImage),
    }
    let image = record
        .pointer("/dynamodb/NewImage")
        .and_then(Value::as_object)
        .ok_or(Unreadable::NoImage)?;
    let Some(outcome) = image.get("outcome") else {
        return Ok(None);
    };
    let outcome = outcome
        .get("S")
        .and_then(parse_word)
        .ok_or(Unreadable::Outcome)?;
    let detail = image
        .get("detail")
        .and_then(|detail| detail.get("S"))
        .and_then(parse_json);
    Ok(Some(Announcement {
        outcome,
        detail: detail.ok_or(Unreadable::Detail)?,
    }))
}

fn parse_word<T: DeserializeOwned>(value: &Value) -> Option<T> {
    T::deserialize(value).ok()
}

fn parse_json<T: DeserializeOwned>(value: &Value) -> Option<T> {
    serde_json::from_str(value.as_str()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use verification::Outcome;

    fn inserted(image: &Value) -> Value {
        json!({"eventName": "INSERT", "dynamodb": {"SequenceNumber": "1", "NewImage": image}})
    }

    const DETAIL: &str = concat!(
        r#"{"scanRef":"first","clientId":"customer","reason":"StepInvalid","#,
        r#""occurredAt":"2026-11-23T10:00:00.000Z"}"#,
    );

    #[test]
    fn an_outcome_is_read_whole() {
        let record = inserted(&json!({
            "outcome": {"S": "DualVerificationDeclined"},
            "detail": {"S": DETAIL},
            "pk": {"S": "PAIRING#first"},
        }));
        let announcement = announcement(&record).unwrap().unwrap();
        assert_eq!(announcement.outcome, Outcome::DualVerificationDeclined);
        assert_eq!(serde_json::to_string(&announcement.detail).unwrap(), DETAIL);
    }

    #[test]
    fn what_is_no_outcome_is_nothing_to_announce() {
        let outcome = json!({"outcome": {"S": "DualVerificationSettled"}, "detail": {"S": DETAIL}});
        for record in [
            inserted(&json!({"what": {"S": "Captured"}})),
            json!({
                "eventName": "REMOVE",
                "dynamodb": {"SequenceNumber": "1", "OldImage": outcome.clone()},
            }),
            json!({
                "eventName": "MODIFY",
                "dynamodb": {"SequenceNumber": "1", "NewImage": outcome},
            }),
        ] {
            assert_eq!(announcement(&record), Ok(None), "{record}");
        }
    }

    #[test]
    fn an_outcome_that_cannot_be_read_is_said_to_be_one() {
        let settled = json!({"S": "DualVerificationSettled"});
        for (record, why) in [
            (json!({}), Unreadable::NoImage),
            (json!("text"), Unreadable::NoImage),
            (json!({"eventName": "INSERT"}), Unreadable::NoImage),
            (
                inserted(&json!({"outcome": {"S": "Splendid"}, "detail": {"S": DETAIL}})),
                Unreadable::Outcome,
            ),
            (
                inserted(&json!({"outcome": {"N": "1"}, "detail": {"S": DETAIL}})),
                Unreadable::Outcome,
            ),
            (inserted(&json!({"outcome": settled})), Unreadable::Detail),
            (
                inserted(&json!({"outcome": settled, "detail": {"S": "{\"scanRef\":\"first\"}"}})),
                Unreadable::Detail,
            ),
            (
                inserted(&json!({"outcome": settled, "detail": {"S": "not JSON"}})),
                Unreadable::Detail,
            ),
        ] {
            assert_eq!(announcement(&record), Err(why), "{record}");
        }
    }
}
