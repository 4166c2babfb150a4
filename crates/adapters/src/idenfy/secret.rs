//! The secret: API credentials and signing keys.

use std::sync::Arc;

use aws_types::SdkConfig;
use bytes::Bytes;
use idenfy::{Credentials, SignatureError, SigningKey, SigningKeys, VerifiedBody};
use serde::Deserialize;
use verification::ports::Clock;

use crate::aws::{KeptSecret, SecretError};

/// The secret's content. Never printed.
#[derive(Clone, Debug)]
pub struct Secret {
    pub credentials: Credentials,
    pub signing_keys: SigningKeys,
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
        let malformed = |why| SecretError::Malformed {
            shape: r#"{"apiKey": "…", "apiSecret": "…", "signingKeys": ["…"]}"#,
            why,
        };
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

/// The secret as [`KeptSecret`] keeps it: read at first use, and again after five minutes.
///
/// Rotation needs no deployment. An unexplained signature or refused credentials cause an earlier
/// reading, at most once a minute.
#[derive(Debug)]
pub struct Secrets(KeptSecret<Secret>);

impl Secrets {
    pub fn new(
        http: reqwest::Client,
        sdk: &SdkConfig,
        arn: impl Into<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self(KeptSecret::new(http, sdk, arn, clock, Secret::parse))
    }

    /// The secret, at most five minutes old if it can be read.
    ///
    /// # Errors
    /// It was never read, and cannot be read now.
    pub async fn current(&self) -> Result<Arc<Secret>, SecretError> {
        self.0.current().await
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
        self.0.newer_than(stale).await
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
