//! One outcome as a message of Standard Webhooks.

use serde::{Deserialize, Serialize};
use verification::announcement::Detail;
use verification::identifiers::Digest256;
use verification::{Announcement, Outcome, Timestamp};

/// A message: its body, and the id that all attempts and repeats of it share.
#[derive(Clone)]
pub struct OutcomeMessage {
    pub announcement: Announcement,
    pub(super) id: String,
    pub(super) body: Vec<u8>,
}

/// The text is no outcome's event. Shows nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is not the event of a known outcome")]
pub struct UnreadableOutcome;

/// What EventBridge hands on. Of the rest, nothing is sent.
#[derive(Deserialize)]
struct Event {
    #[serde(rename = "detail-type")]
    outcome: Outcome,
    detail: Detail,
}

/// (Source: "Payload structure", Standard Webhooks.)
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    outcome: &'static str,
    timestamp: Timestamp,
    data: &'a Detail,
}

impl OutcomeMessage {
    /// Reads an event of the bus.
    ///
    /// # Errors
    /// It is not the event of an outcome.
    pub fn read(event: &str) -> Result<Self, UnreadableOutcome> {
        let Event { outcome, detail } =
            serde_json::from_str(event).map_err(|_| UnreadableOutcome)?;
        Self::of(Announcement { outcome, detail })
    }

    /// Writes the body anew, member by member. Nothing else of an event can leave.
    fn of(announcement: Announcement) -> Result<Self, UnreadableOutcome> {
        let body = serde_json::to_vec(&Body {
            outcome: announcement.outcome.as_str(),
            timestamp: announcement.detail.occurred_at,
            data: &announcement.detail,
        });
        Ok(Self {
            body: body.map_err(|_| UnreadableOutcome)?,
            id: id(&announcement),
            announcement,
        })
    }
}

/// The outcome's identity, as a digest.
///
/// Not EventBridge's id of the event: an outcome that is announced again has a new one, and the
/// receiver could not tell the repeat. A digest has no full stop, as signing requires.
fn id(announcement: &Announcement) -> String {
    let detail = &announcement.detail;
    let outcome = announcement.outcome.as_str();
    let identity = format!("{}\n{outcome}\n{}", detail.scan_ref, detail.occurred_at);
    let digest = Digest256::of(identity.as_bytes()).to_string();
    // 128 bits.
    format!("msg_{}", digest.get(..32).unwrap_or(&digest))
}

impl std::fmt::Debug for OutcomeMessage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutcomeMessage")
            .field("id", &self.id)
            .field("scan_ref", &self.announcement.detail.scan_ref)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn event(id: &str, outcome: &str, occurred_at: &str) -> Value {
        json!({
            "version": "0", "id": id, "source": "dual-verification", "account": "123456789012",
            "time": "2026-11-23T10:00:01Z", "region": "eu-west-1", "resources": [],
            "detail-type": outcome,
            "detail": {"scanRef": "first", "clientId": "customer", "verdict": "Approved",
                "occurredAt": occurred_at, "name": "PERSONAL"},
        })
    }

    fn read(event: &Value) -> OutcomeMessage {
        OutcomeMessage::read(&event.to_string()).unwrap()
    }

    const AT: &str = "2026-11-23T10:00:00.123Z";

    #[test]
    fn the_body_has_type_time_and_the_known_members_of_the_detail() {
        let message = read(&event("1", "DualVerificationSettled", AT));
        let body: Value = serde_json::from_slice(&message.body).unwrap();
        let data = json!({"scanRef": "first", "clientId": "customer", "verdict": "Approved",
            "occurredAt": AT});
        assert_eq!(
            body,
            json!({"type": "DualVerificationSettled", "timestamp": AT, "data": data})
        );
    }

    #[test]
    fn an_outcome_that_is_announced_again_has_the_same_id_and_body() {
        let first = read(&event("1", "DualVerificationSettled", AT));
        let again = read(&event("2", "DualVerificationSettled", AT));
        assert_eq!((&first.id, &first.body), (&again.id, &again.body));
        assert!(first.id.starts_with("msg_") && first.id.len() == 36);
        assert!(!first.id.contains('.'));
        for other in [
            event("1", "DualVerificationReinstated", AT),
            event("1", "DualVerificationSettled", "2026-11-23T10:00:00.124Z"),
        ] {
            assert_ne!(read(&other).id, first.id);
        }
    }

    #[test]
    fn other_texts_are_no_outcomes() {
        let mut without_time = event("1", "DualVerificationSettled", AT);
        without_time["detail"]
            .as_object_mut()
            .unwrap()
            .remove("occurredAt");
        for text in [
            "PERSONAL".to_owned(),
            "{}".to_owned(),
            event("1", "SomethingElse", AT).to_string(),
            without_time.to_string(),
        ] {
            let error = OutcomeMessage::read(&text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("PERSONAL"));
        }
    }
}
