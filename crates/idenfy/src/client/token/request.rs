//! What a token is asked for with.

use std::fmt;

use serde::{Serialize, Serializer};
use serde_json::{Value, json};
use url::Url;

/// A token request.
/// `None` members are not sent, so the account's defaults hold.
/// `Debug` hides what may identify the customer.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CreateToken {
    /// The integrator's opaque name for the customer: 1 to 100 ASCII characters.
    /// All verifications of one person share it.
    pub client_id: String,
    pub token_type: TokenType,
    /// Returned in the answer and in every callback. At most 40 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub external_ref: Option<String>,
    /// Time until the session must be started, 0 to 2,592,000 seconds.
    /// Always sent, because the documents disagree on the default.
    #[serde(rename = "expiryTime")]
    pub expiry_seconds: u32,
    /// Time for the session once started, 60 to 3,600 seconds.
    #[serde(rename = "sessionLength", skip_serializing_if = "Option::is_none")]
    pub session_seconds: Option<u32>,
    #[serde(skip_serializing_if = "AdditionalSteps::is_account_default")]
    pub additional_steps: AdditionalSteps,
    #[serde(skip_serializing_if = "Questionnaire::is_account_default")]
    pub questionnaire: Questionnaire,
    /// The language of the session, at most 7 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// Two letters.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// The document types on offer, such as `PASSPORT`. Not sent if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub documents: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub success_url: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_url: Option<Url>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unverified_url: Option<Url>,
    /// The receiver of this session's callbacks, instead of the account's.
    /// HTTPS, and allowed on the account.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<Url>,
}

impl CreateToken {
    /// An identification with the account's defaults, to be started within an hour.
    #[must_use]
    pub fn new(client_id: impl Into<String>) -> Self {
        Self {
            client_id: client_id.into(),
            token_type: TokenType::Identification,
            external_ref: None,
            expiry_seconds: 3_600,
            session_seconds: None,
            additional_steps: AdditionalSteps::AccountDefault,
            questionnaire: Questionnaire::AccountDefault,
            locale: None,
            country: None,
            documents: Vec::new(),
            success_url: None,
            error_url: None,
            unverified_url: None,
            callback_url: None,
        }
    }
}

impl fmt::Debug for CreateToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("CreateToken")
            .field("token_type", &self.token_type)
            .field("expiry_seconds", &self.expiry_seconds)
            .field("session_seconds", &self.session_seconds)
            .field("questionnaire", &self.questionnaire)
            .finish_non_exhaustive()
    }
}

/// What the session verifies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum TokenType {
    /// A person: document and face.
    Identification,
    /// A document only.
    Document,
}

/// Which additional steps the session has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AdditionalSteps {
    /// Those that the provider's staff configured for the account.
    #[default]
    AccountDefault,
    /// None, overriding the account's default.
    Suppressed,
    /// These: country, then document type, then step.
    Given(Value),
}

impl AdditionalSteps {
    fn is_account_default(&self) -> bool {
        *self == Self::AccountDefault
    }
}

impl Serialize for AdditionalSteps {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AccountDefault => serializer.serialize_none(),
            Self::Suppressed => json!({"ALL": {"ALL": {}}}).serialize(serializer),
            Self::Given(steps) => steps.serialize(serializer),
        }
    }
}

/// Which questionnaire the session has. Direct processing takes none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Questionnaire {
    /// The account's.
    #[default]
    AccountDefault,
    /// None, overriding the account's default: sent as null.
    None,
}

impl Questionnaire {
    fn is_account_default(&self) -> bool {
        *self == Self::AccountDefault
    }
}

impl Serialize for Questionnaire {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_left_to_the_account() {
        let expected =
            json!({"clientId": "user-123", "tokenType": "IDENTIFICATION", "expiryTime": 3600});
        assert_eq!(
            serde_json::to_value(CreateToken::new("user-123")).unwrap(),
            expected
        );
    }

    #[test]
    fn the_silent_token_suppresses_steps_and_questionnaire() {
        let request = CreateToken {
            token_type: TokenType::Document,
            external_ref: Some("dv2:abc".to_owned()),
            additional_steps: AdditionalSteps::Suppressed,
            questionnaire: Questionnaire::None,
            ..CreateToken::new("user-123")
        };
        let expected = json!({
            "clientId": "user-123", "tokenType": "DOCUMENT", "externalRef": "dv2:abc",
            "expiryTime": 3600,
            "additionalSteps": {"ALL": {"ALL": {}}}, "questionnaire": null,
        });
        assert_eq!(serde_json::to_value(request).unwrap(), expected);
    }

    #[test]
    fn everything_given_is_sent_under_the_provider_s_names() {
        let link = |path: &str| Some(Url::parse(&format!("https://app.example/{path}")).unwrap());
        let request = CreateToken {
            session_seconds: Some(900),
            additional_steps: AdditionalSteps::Given(
                json!({"ALL": {"ALL": {"POA2": {"type": "UPLOAD"}}}}),
            ),
            locale: Some("lt".to_owned()),
            country: Some("LT".to_owned()),
            documents: vec!["PASSPORT".to_owned()],
            success_url: link("s"),
            error_url: link("e"),
            unverified_url: link("u"),
            callback_url: link("c"),
            ..CreateToken::new("user-123")
        };
        let expected = json!({
            "clientId": "user-123", "tokenType": "IDENTIFICATION", "expiryTime": 3600,
            "sessionLength": 900,
            "additionalSteps": {"ALL": {"ALL": {"POA2": {"type": "UPLOAD"}}}}, "locale": "lt",
            "country": "LT",
            "documents": ["PASSPORT"], "successUrl": "https://app.example/s",
            "errorUrl": "https://app.example/e",
            "unverifiedUrl": "https://app.example/u", "callbackUrl": "https://app.example/c",
        });
        assert_eq!(serde_json::to_value(request).unwrap(), expected);
    }
}
