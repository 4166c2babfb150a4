//! The secret: API credentials and signing keys.

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

/// The secret's content. Never printed.
#[derive(Clone, Debug)]
pub struct Secret {
    pub credentials: Credentials,
    pub signing_keys: SigningKeys,
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

impl Secret {
    /// # Errors
    /// A member is missing or empty, or the text is no JSON object.
    pub fn parse(text: &str) -> Result<Self, SecretError> {
        let malformed = SecretError::Malformed;
        let secret: SecretJson =
            serde_json::from_str(text).map_err(|_| malformed("it is not such a JSON object"))?;
        let filled = |value: Option<String>| value.filter(|value| !value.trim().is_empty());
        let key = filled(secret.api_key).ok_or(malformed("apiKey is missing or empty"))?;
        let api_secret =
            filled(secret.api_secret).ok_or(malformed("apiSecret is missing or empty"))?;
        let keys = secret
            .signing_keys
            .ok_or(malformed("signingKeys is missing"))?;
        let keys = keys
            .into_iter()
            .map(SigningKey::new)
            .collect::<Result<Vec<_>, _>>();
        let keys = keys.map_err(|_| malformed("a signing key is empty"))?;
        let signing_keys = SigningKeys::new(keys).map_err(|_| malformed("signingKeys is empty"))?;
        Ok(Self {
            credentials: Credentials::new(key, api_secret),
            signing_keys,
        })
    }
}

/// Reads the secret at first use and keeps it for five minutes. So a removed key dies.
///
/// Rotation needs no deployment. An unexplained signature or refused credentials cause an earlier
/// reading, at most once a minute.
pub struct Secrets {
    calls: ServiceCalls,
    arn: String,
    clock: Arc<dyn Clock>,
    known: Mutex<Option<Known>>,
}

#[derive(Clone)]
struct Known {
    secret: Arc<Secret>,
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

impl Secrets {
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

    /// The secret, at most five minutes old if it can be read.
    ///
    /// # Errors
    /// It was never read, and cannot be read now.
    pub async fn current(&self) -> Result<Arc<Secret>, SecretError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        let old = match known.as_ref() {
            Some(known) if now < known.due_at => return Ok(known.secret.clone()),
            Some(old) => old.clone(),
            None => return self.read(&mut known).await,
        };
        let renewed = self.read(&mut known).await;
        renewed.or_else(|error| {
            tracing::warn!(
                event = "secret_not_renewed",
                error = %error,
                "the last one stays in force"
            );
            let secret = old.secret.clone();
            let due_at = now.plus(REFRESH_PAUSE);
            *known = Some(Known { due_at, ..old });
            Ok(secret)
        })
    }

    /// A newer secret than `stale`.
    ///
    /// `None`: the last reading is less than a minute old, or brought the same.
    ///
    /// # Errors
    /// It cannot be read now.
    pub async fn newer_than(
        &self,
        stale: &Arc<Secret>,
    ) -> Result<Option<Arc<Secret>>, SecretError> {
        let mut known = self.known.lock().await;
        if let Some(known) = known.as_ref() {
            if !Arc::ptr_eq(&known.secret, stale) {
                return Ok(Some(known.secret.clone()));
            }
            if self.clock.now().since(known.read_at) < REFRESH_PAUSE {
                return Ok(None);
            }
        }
        self.read(&mut known).await.map(Some)
    }

    /// Verifies a body with the known keys, then with newer ones.
    ///
    /// # Errors
    /// Outer: there are no keys. Inner: the body is not the provider's.
    pub async fn verify(
        &self,
        body: Bytes,
        signature: Option<&[u8]>,
    ) -> Result<Result<VerifiedBody, SignatureError>, SecretError> {
        let secret = self.current().await?;
        let verified = secret.signing_keys.verify(body.clone(), signature);
        if !matches!(verified, Err(SignatureError::Mismatch)) {
            return Ok(verified);
        }
        match self.newer_than(&secret).await {
            Ok(Some(newer)) => Ok(newer.signing_keys.verify(body, signature)),
            // The known keys are the best there is. A wrong signature must not cause another
            // delivery.
            Ok(None) | Err(_) => Ok(verified),
        }
    }

    async fn read(&self, known: &mut Option<Known>) -> Result<Arc<Secret>, SecretError> {
        let request = json!({"SecretId": self.arn});
        let answer = self.calls.json("secretsmanager.GetSecretValue", &request);
        let answer: StoredSecret = answer.await.map_err(|error| {
            SecretError::Unavailable(StoreUnavailable::new("reading the secret", error))
        })?;
        let text = answer
            .secret_string
            .ok_or(SecretError::Malformed("it has no text"))?;
        let secret = Arc::new(Secret::parse(&text)?);
        *known = Some(Known {
            secret: secret.clone(),
            read_at: self.clock.now(),
            due_at: self.clock.now().plus(MAXIMUM_AGE),
        });
        Ok(secret)
    }
}

impl std::fmt::Debug for Secrets {
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

    #[test]
    fn an_incomplete_secret_names_what_is_missing() {
        for (text, named) in [
            ("not json", "JSON object"),
            (
                r#"{"apiSecret": "hidden", "signingKeys": ["hidden"]}"#,
                "apiKey",
            ),
            (
                r#"{"apiKey": "hidden", "apiSecret": " ", "signingKeys": ["hidden"]}"#,
                "apiSecret",
            ),
            (
                r#"{"apiKey": "hidden", "apiSecret": "hidden"}"#,
                "signingKeys is missing",
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
