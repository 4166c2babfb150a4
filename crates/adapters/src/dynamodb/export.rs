//! Everything that the table keeps about one pairing, without credentials. No function does this.

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::{Map, Value};
use verification::Pairing;
use verification::ports::StoreUnavailable;

use super::items::{ALIAS, Item, READING, alias_key, pairing_key, text};
use super::pairings::DynamoPairings;
use super::session_key_item::{self, key_name};
use crate::aws::error::unavailable;

/// What stands in a credential's place.
const LEFT_OUT: &str = "left out: a credential";

/// Members that are credentials, wherever they stand.
const CREDENTIALS: [&str; 2] = ["auth_token", "redirect_url"];

/// Attributes that hold JSON.
const JSON: [&str; 3] = ["pairing", "session_key", "detail"];

impl DynamoPairings {
    /// The pairing, its history, its aliases and its session's stored answer, one object each.
    ///
    /// Credentials are left out: Token 1 with its link, and Token 2.
    ///
    /// # Errors
    /// The table is unavailable.
    pub async fn records(&self, pairing: &Pairing) -> Result<Vec<Value>, StoreUnavailable> {
        let mut items = Vec::new();
        let mut start = None;
        loop {
            let request = self
                .client
                .query()
                .table_name(&self.table)
                .consistent_read(true)
                .key_condition_expression("pk = :pk")
                .expression_attribute_values(":pk", text(pairing_key(&pairing.first)))
                .set_exclusive_start_key(start);
            let answer = request
                .send()
                .await
                .map_err(|error| unavailable(READING, error))?;
            items.extend(answer.items.unwrap_or_default());
            start = answer.last_evaluated_key;
            if start.is_none() {
                break;
            }
        }
        for second in pairing.scan_refs().iter().skip(1) {
            items.extend(self.item(alias_key(second), ALIAS).await?);
        }
        if let Some(key) = &pairing.session_key {
            items.extend(self.item(key_name(key), session_key_item::SK).await?);
        }
        Ok(items.iter().map(record).collect())
    }
}

fn record(item: &Item) -> Value {
    let mut record = Map::new();
    let mut names: Vec<&String> = item.keys().collect();
    names.sort();
    for name in names {
        let value = item.get(name).map_or(Value::Null, plain);
        let value = match value.as_str() {
            Some(json) if JSON.contains(&name.as_str()) => {
                // Text that is no JSON could hide anything.
                serde_json::from_str(json).unwrap_or_else(|_| Value::from(LEFT_OUT))
            }
            _ => value,
        };
        record.insert(name.clone(), value);
    }
    let mut record = Value::Object(record);
    leave_out_credentials(&mut record);
    record
}

/// The table has texts and numbers only.
fn plain(value: &AttributeValue) -> Value {
    match value {
        AttributeValue::S(text) => Value::from(text.as_str()),
        AttributeValue::N(number) => serde_json::from_str(number).unwrap_or(Value::Null),
        AttributeValue::Bool(truth) => Value::from(*truth),
        _ => Value::Null,
    }
}

fn leave_out_credentials(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                if CREDENTIALS.contains(&name.as_str()) {
                    *member = Value::from(LEFT_OUT);
                } else {
                    leave_out_credentials(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(leave_out_credentials),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use verification::identifiers::{Digest256, UploadId};
    use verification::pairing::{Resume, Standing};
    use verification::secret::{AuthToken, SessionLink};
    use verification::session::{Opened, Session};
    use verification::session_key::SessionKey;
    use verification::{State, Timestamp, document::Plan, reason::ParkReason};

    use super::super::items::{number, pairing_item};
    use super::*;

    const TOKEN: &str = "token-4711";
    const NOW: Timestamp = Timestamp::from_milliseconds(1_795_422_063_000);

    fn plan() -> Plan {
        let digest = Digest256::of(b"a callback");
        Plan {
            upload: UploadId::of(&digest),
            callback: digest.clone(),
            fingerprint: digest,
            are_links_replaced: false,
            client_id: "client".parse().unwrap(),
            documents: Vec::new(),
            images: Vec::new(),
            country: "LT".parse().unwrap(),
            document_type: None,
        }
    }

    #[test]
    fn no_state_s_token_is_exported() {
        let auth_token = || AuthToken::new(TOKEN);
        let authorized = || State::Authorized {
            plan: plan(),
            auth_token: auth_token(),
        };
        let submitting = State::Submitting {
            plan: plan(),
            auth_token: auth_token(),
            lease_until: NOW,
        };
        let displaced = State::Capturing {
            plan: plan(),
            lease_until: NOW,
            displaced: Some(Box::new(authorized())),
            waiting: None,
        };
        let parked = State::Parked {
            cause: ParkReason::SecondExpired,
            resume: Resume::Standing(Box::new(Standing {
                state: authorized(),
                first_question: None,
                second_question: None,
            })),
        };
        for state in [authorized(), submitting, displaced, parked] {
            let pairing = Pairing {
                state,
                ..Pairing::opened("first".parse().unwrap(), None, NOW, NOW)
            };
            let record = record(&pairing_item(&pairing, &number(1)).unwrap());
            assert!(!record.to_string().contains(TOKEN), "{record}");
            assert!(record.to_string().contains(LEFT_OUT), "{record}");
            assert_eq!(record["pairing"]["first"], "first");
            assert_eq!(record["expires_at"], 1);
        }
    }

    #[test]
    fn a_session_s_link_is_not_exported() {
        let key = SessionKey {
            key: Digest256::of(b"key"),
            body: Digest256::of(b"body"),
            lease_until: NOW,
            expires_at: NOW,
            answer: Some(Opened {
                session: Session {
                    scan_ref: "first".parse().unwrap(),
                    auth_token: AuthToken::new(TOKEN),
                    redirect_url: SessionLink::new(format!("https://provider.example/{TOKEN}")),
                    steps: None,
                },
                expires_at: NOW,
            }),
        };
        let record = record(&session_key_item::item(&key).unwrap());
        assert!(!record.to_string().contains(TOKEN), "{record}");
        assert_eq!(record["scan_ref"], "first");
    }

    #[test]
    fn json_that_cannot_be_read_is_not_exported() {
        let item = Item::from([(
            "pairing".to_owned(),
            text("{\"auth_token\": \"token-4711\""),
        )]);
        assert_eq!(record(&item)["pairing"], LEFT_OUT);
    }
}
