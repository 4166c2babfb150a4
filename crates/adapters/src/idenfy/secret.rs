//! The secret: API credentials and signing keys, in one secret or in two.

use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use bytes::Bytes;
use idenfy::{Credentials, SignatureError, SigningKey, SigningKeys, VerifiedBody};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use verification::Timestamp;
use verification::ports::{Clock, StoreUnavailable};

use crate::aws::ServiceCalls;

/// What a secret holds, at least one of the two. Never printed.
#[derive(Clone, Debug)]
pub struct Secret {
    pub credentials: Option<Credentials>,
    pub signing_keys: Option<SigningKeys>,
}

/// What a program needs of a secret.
///
/// A function reads one half and never keeps the other.
pub trait SecretContent: Sized {
    /// # Errors
    /// The secret's text does not hold it, or is malformed.
    fn parse(text: &str) -> Result<Self, SecretError>;
}

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Unavailable(StoreUnavailable),
    /// Names the member, never the value.
    #[error(
        "the secret must be JSON such as \
         {{\"apiKey\": \"…\", \"apiSecret\": \"…\", \"signingKeys\": [\"…\"]}}: {0}"
    )]
    Malformed(&'static str),
    /// The same, of the secret that pushed outcomes are signed with.
    #[error("the secret must be JSON such as {{\"signingSecrets\": [\"whsec_…\"]}}: {0}")]
    MalformedPush(&'static str),
}

/// Secrets Manager's answer. A binary secret has no text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSecret {
    secret_string: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct SecretJson {
    api_key: Option<String>,
    api_secret: Option<String>,
    signing_keys: Option<Vec<String>>,
}

impl SecretContent for Secret {
    fn parse(text: &str) -> Result<Self, SecretError> {
        let malformed = SecretError::Malformed;
        let secret: SecretJson =
            serde_json::from_str(text).map_err(|_| malformed("it is not such a JSON object"))?;
        let filled = |value: Option<String>| value.filter(|value| !value.trim().is_empty());
        let credentials = match (secret.api_key, secret.api_secret) {
            (None, None) => None,
            (key, secret) => Some(Credentials::new(
                filled(key).ok_or(malformed("apiKey is missing or empty"))?,
                filled(secret).ok_or(malformed("apiSecret is missing or empty"))?,
            )),
        };
        let keys = secret.signing_keys.map(|keys| {
            let keys = keys.into_iter().map(SigningKey::new);
            let keys = keys.collect::<Result<Vec<_>, _>>();
            let keys = keys.map_err(|_| malformed("a signing key is empty"))?;
            SigningKeys::new(keys).map_err(|_| malformed("signingKeys is empty"))
        });
        let signing_keys = keys.transpose()?;
        if credentials.is_none() && signing_keys.is_none() {
            return Err(malformed("it has none of these members"));
        }
        Ok(Self {
            credentials,
            signing_keys,
        })
    }
}

impl SecretContent for Credentials {
    fn parse(text: &str) -> Result<Self, SecretError> {
        let credentials = Secret::parse(text)?.credentials;
        credentials.ok_or(SecretError::Malformed("apiKey and apiSecret are missing"))
    }
}

impl SecretContent for SigningKeys {
    fn parse(text: &str) -> Result<Self, SecretError> {
        let keys = Secret::parse(text)?.signing_keys;
        keys.ok_or(SecretError::Malformed("signingKeys is missing"))
    }
}

/// Reads a secret at first use and keeps what is needed of it for five minutes. So a removed key
/// dies.
///
/// Rotation needs no deployment. An unexplained signature or refused credentials cause an earlier
/// reading, at most once a minute.
pub struct Secrets<Content> {
    calls: ServiceCalls,
    arn: String,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known<Content>>>,
}

struct Known<Content> {
    content: Arc<Content>,
    read_at: Timestamp,
    /// When it must be read again.
    due_at: Timestamp,
}

/// Shortest time between readings.
///
/// A flood of wrong signatures must not become one of readings.
const REFRESH_PAUSE: Duration = Duration::from_secs(60);

/// Age at which the secret is read again.
///
/// If that fails, the old one stays in force. Reading is tried again once a minute.
const MAXIMUM_AGE: Duration = Duration::from_secs(5 * 60);

impl<Content: SecretContent> Secrets<Content> {
    pub fn new(
        http: reqwest::Client,
        sdk: &SdkConfig,
        arn: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            calls: ServiceCalls::new(http, sdk, "secretsmanager"),
            arn: arn.into(),
            clock,
            known: Mutex::new(None),
        }
    }

    /// The secret's content, at most five minutes old if it can be read.
    ///
    /// # Errors
    /// It was never read, and cannot be read now.
    pub async fn current(&self) -> Result<Arc<Content>, SecretError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = known.as_ref()
            && now < known.due_at
        {
            return Ok(known.content.clone());
        }
        let renewed = self.read(&mut known).await;
        match (renewed, known.as_mut()) {
            (Err(error), Some(old)) => {
                tracing::warn!(
                    event = "secret_not_renewed",
                    error = %error,
                    "the last one stays in force"
                );
                old.due_at = now.plus(REFRESH_PAUSE);
                Ok(old.content.clone())
            }
            (renewed, _) => renewed,
        }
    }

    /// Newer content than `stale`.
    ///
    /// `None`: the last reading is less than a minute old, or brought the same.
    ///
    /// # Errors
    /// It cannot be read now.
    pub async fn newer_than(
        &self,
        stale: &Arc<Content>,
    ) -> Result<Option<Arc<Content>>, SecretError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref() {
            if !Arc::ptr_eq(&known.content, stale) {
                return Ok(Some(known.content.clone()));
            }
            if self.clock.now().since(known.read_at) < REFRESH_PAUSE {
                return Ok(None);
            }
        }
        self.read(&mut known).await.map(Some)
    }

    async fn read(&self, known: &mut Option<Known<Content>>) -> Result<Arc<Content>, SecretError> {
        let request = json!({"SecretId": self.arn});
        let answer = self.calls.json("secretsmanager.GetSecretValue", &request);
        let answer: StoredSecret = answer.await.map_err(|error| {
            SecretError::Unavailable(StoreUnavailable::new("reading the secret", error))
        })?;
        let text = answer
            .secret_string
            .ok_or(SecretError::Malformed("it has no text"))?;
        let content = Arc::new(Content::parse(&text)?);
        *known = Some(Known {
            content: content.clone(),
            read_at: self.clock.now(),
            due_at: self.clock.now().plus(MAXIMUM_AGE),
        });
        Ok(content)
    }
}

impl Secrets<SigningKeys> {
    /// Verifies a body with the known keys, then with newer ones.
    ///
    /// # Errors
    /// Outer: there are no keys. Inner: the body is not the provider's.
    pub async fn verify(
        &self,
        body: Bytes,
        signature: Option<&[u8]>,
    ) -> Result<Result<VerifiedBody, SignatureError>, SecretError> {
        let keys = self.current().await?;
        let verified = keys.verify(body.clone(), signature);
        if !matches!(verified, Err(SignatureError::Mismatch)) {
            return Ok(verified);
        }
        match self.newer_than(&keys).await {
            Ok(Some(newer)) => Ok(newer.verify(body, signature)),
            // The known keys are the best there is. A wrong signature must not cause another
            // delivery.
            Ok(None) | Err(_) => Ok(verified),
        }
    }
}

impl<Content> std::fmt::Debug for Secrets<Content> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documented_secret_is_read_and_not_printed() {
        let secret = Secret::parse(
            r#"{"apiKey": "key-1", "apiSecret": "secret-1", "signingKeys": ["sign-1", "sign-2"]}"#,
        )
        .unwrap();
        let printed = format!("{secret:?}");
        assert!(
            !printed.contains("-1") && !printed.contains("-2"),
            "{printed}"
        );
    }

    const API: &str = r#"{"apiKey": "hidden", "apiSecret": "hidden"}"#;
    const SIGNING: &str = r#"{"signingKeys": ["hidden"]}"#;

    #[test]
    fn each_half_may_be_a_secret_of_its_own() {
        assert!(Credentials::parse(API).is_ok());
        assert!(SigningKeys::parse(SIGNING).is_ok());
        let missing = Credentials::parse(SIGNING).unwrap_err().to_string();
        assert!(
            missing.contains("apiKey and apiSecret are missing"),
            "{missing}"
        );
        let missing = SigningKeys::parse(API).unwrap_err().to_string();
        assert!(missing.contains("signingKeys is missing"), "{missing}");
    }

    #[test]
    fn an_incomplete_secret_names_what_is_missing() {
        for (text, named) in [
            ("not json", "JSON object"),
            ("{}", "none of these members"),
            (
                r#"{"apiSecret": "hidden", "signingKeys": ["hidden"]}"#,
                "apiKey",
            ),
            (
                r#"{"apiKey": "hidden", "apiSecret": " ", "signingKeys": ["hidden"]}"#,
                "apiSecret",
            ),
            (
                r#"{"apiKey": "hidden", "apiSecret": "hidden", "signingKeys": []}"#,
                "signingKeys is empty",
            ),
            (
                r#"{"apiKey": "hidden", "apiSecret": "hidden", "signingKeys": [""]}"#,
                "a signing key is empty",
            ),
        ] {
            let message = Secret::parse(text).unwrap_err().to_string();
            assert!(
                message.contains(named) && !message.contains("hidden"),
                "{message}"
            );
        }
    }
}
