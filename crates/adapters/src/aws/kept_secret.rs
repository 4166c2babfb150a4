//! A secret of Secrets Manager, kept for five minutes.

use std::sync::Arc;
use std::time::Duration;

use aws_types::SdkConfig;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::Mutex;
use verification::Timestamp;
use verification::ports::{Clock, StoreUnavailable};

use super::service_calls::ServiceCalls;

/// Why there is no secret.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    #[error(transparent)]
    Unavailable(StoreUnavailable),
    #[error("the secret has no text")]
    NoText,
    /// Names the member, never the value.
    #[error("the secret must be JSON such as {shape}: {why}")]
    Malformed {
        shape: &'static str,
        why: &'static str,
    },
}

/// Secrets Manager's answer. A binary secret has no text.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct StoredSecret {
    secret_string: Option<String>,
}

/// Reads a secret at first use and keeps it for five minutes. So a removed key dies.
///
/// Rotation needs no deployment.
pub struct KeptSecret<T> {
    calls: ServiceCalls,
    arn: String,
    clock: Arc<dyn Clock>,
    parse: fn(&str) -> Result<T, SecretError>,
    known: Mutex<Option<Known<T>>>,
}

struct Known<T> {
    secret: Arc<T>,
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

impl<T> KeptSecret<T> {
    pub fn new(
        http: reqwest::Client,
        sdk: &SdkConfig,
        arn: impl Into<String>,
        clock: Arc<dyn Clock>,
        parse: fn(&str) -> Result<T, SecretError>,
    ) -> Self {
        Self {
            calls: ServiceCalls::new(http, sdk, "secretsmanager"),
            arn: arn.into(),
            clock,
            parse,
            known: Mutex::new(None),
        }
    }

    /// The secret, at most five minutes old if it can be read.
    ///
    /// # Errors
    /// It was never read, and cannot be read now.
    pub async fn current(&self) -> Result<Arc<T>, SecretError> {
        let mut known = self.known.lock().await;
        let now = self.clock.now();
        let (secret, read_at) = match known.as_ref() {
            Some(known) if now < known.due_at => return Ok(known.secret.clone()),
            Some(old) => (old.secret.clone(), old.read_at),
            None => return self.read(&mut known).await,
        };
        let renewed = self.read(&mut known).await;
        renewed.or_else(|error| {
            tracing::warn!(
                event = "secret_not_renewed",
                error = %error,
                "the last one stays in force"
            );
            *known = Some(Known {
                secret: secret.clone(),
                read_at,
                due_at: now.plus(REFRESH_PAUSE),
            });
            Ok(secret)
        })
    }

    /// A newer secret than `stale`.
    ///
    /// `None`: the last reading is less than a minute old, or brought the same.
    ///
    /// # Errors
    /// It cannot be read now.
    pub async fn newer_than(&self, stale: &Arc<T>) -> Result<Option<Arc<T>>, SecretError> {
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

    async fn read(&self, known: &mut Option<Known<T>>) -> Result<Arc<T>, SecretError> {
        let request = json!({"SecretId": self.arn});
        let answer = self.calls.json("secretsmanager.GetSecretValue", &request);
        let answer: StoredSecret = answer.await.map_err(|error| {
            SecretError::Unavailable(StoreUnavailable::new("reading the secret", error))
        })?;
        let text = answer.secret_string.ok_or(SecretError::NoText)?;
        let secret = Arc::new((self.parse)(&text)?);
        *known = Some(Known {
            secret: secret.clone(),
            read_at: self.clock.now(),
            due_at: self.clock.now().plus(MAXIMUM_AGE),
        });
        Ok(secret)
    }
}

impl<T> std::fmt::Debug for KeptSecret<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeptSecret")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}
