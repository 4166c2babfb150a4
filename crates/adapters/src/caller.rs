//! One call to iDenfy: with the right credentials, measured, and its errors classified for calls that must not be repeated blindly.

use std::sync::Arc;
use std::time::Duration;

use idenfy::Error;
use url::Url;
use verification::observation::Observation;
use verification::ports::{Clock, Observer, ProviderError};
use verification::reason::ParkReason;

use crate::secret::{Secret, SecretError, Secrets};

/// Everything that a call needs. Cheap to clone.
#[derive(Clone)]
pub struct IdenfyCaller {
    http: reqwest::Client,
    base_url: Url,
    secrets: Arc<Secrets>,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl IdenfyCaller {
    pub fn new(http: reqwest::Client, base_url: Url, secrets: Arc<Secrets>, clock: Arc<dyn Clock>, observer: Arc<dyn Observer>) -> Self {
        Self {
            http,
            base_url,
            secrets,
            clock,
            observer,
        }
    }

    /// Runs one call with the known credentials, and with newer ones if the provider refuses them. A refused call did nothing, so this
    /// repeats nothing.
    pub(crate) async fn call<T, F>(&self, operation: &'static str, call: impl Fn(idenfy::Client) -> F + Send + Sync) -> Result<T, CallError>
    where
        F: Future<Output = Result<T, CallError>> + Send,
        T: Send,
    {
        let secret = self.secrets.current().await.map_err(no_secret)?;
        let answer = self.observed(operation, call(self.client(&secret))).await;
        if !matches!(answer, Err(CallError::Idenfy(Error::Unauthorized))) {
            return answer;
        }
        match self.secrets.newer_than(&secret).await {
            Ok(Some(newer)) => self.observed(operation, call(self.client(&newer))).await,
            Ok(None) | Err(_) => answer,
        }
    }

    fn client(&self, secret: &Secret) -> idenfy::Client {
        idenfy::Client::new(self.http.clone(), self.base_url.clone(), secret.credentials.clone())
    }

    async fn observed<T>(&self, operation: &'static str, call: impl Future<Output = Result<T, CallError>>) -> Result<T, CallError> {
        let started = self.clock.now();
        let answer = call.await;
        let error = match &answer {
            Ok(_) => None,
            Err(CallError::Idenfy(error)) => Some(error.kind()),
            Err(CallError::Ours(_)) => return answer,
        };
        self.observer.observe(Observation::ProviderCall {
            operation,
            took: self.clock.now().since(started),
            error,
        });
        answer
    }
}

impl std::fmt::Debug for IdenfyCaller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdenfyCaller")
            .field("base_url", &self.base_url.as_str())
            .finish_non_exhaustive()
    }
}

/// What can go wrong in a call: on the provider's side, or before it on ours.
pub(crate) enum CallError {
    Idenfy(Error),
    Ours(ProviderError),
}

fn no_secret(error: SecretError) -> CallError {
    let kind = match &error {
        SecretError::Unavailable(_) => "secret_unavailable",
        SecretError::Malformed(_) => "secret_malformed",
    };
    tracing::error!(event = "secret_unusable", error = %error, "iDenfy cannot be called without the secret");
    CallError::Ours(ProviderError::Unavailable { kind, retry_after: None })
}

/// What an error means for a call that must not be repeated blindly. Unknown means in doubt.
pub(crate) fn classify(error: CallError) -> ProviderError {
    let error = match error {
        CallError::Idenfy(error) => error,
        CallError::Ours(error) => return error,
    };
    let kind = error.kind();
    match error {
        Error::TokenNotValid => ProviderError::TokenNotValid,
        Error::RequestTooLarge { .. } => ProviderError::Documents(ParkReason::DocumentsTooLarge),
        error if error.may_have_been_carried_out() => ProviderError::InDoubt { kind },
        Error::RateLimited { retry_after } => ProviderError::Unavailable { kind, retry_after },
        // The customer has another session open, which ends within minutes.
        Error::ActiveSession => ProviderError::Unavailable {
            kind,
            retry_after: Some(Duration::from_secs(60)),
        },
        error if error.is_retryable() => ProviderError::Unavailable { kind, retry_after: None },
        Error::Rejected { identifier, .. } => ProviderError::Refused {
            kind,
            identifier: Some(identifier),
        },
        _ => ProviderError::Refused { kind, identifier: None },
    }
}
