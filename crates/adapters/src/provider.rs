//! iDenfy as the flow needs it.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use idenfy::{AdditionalSteps, CreateToken, Error, Image, Questionnaire, Submission, TokenField, TokenType};
use url::Url;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{ClientId, ScanRef, SecondReference};
use verification::observation::Observation;
use verification::ports::{Clock, Observer, Provider, ProviderError, SecondToken};
use verification::reason::ParkReason;
use verification::result::{Overall, StepLinks};
use verification::secret::AuthToken;

use crate::documents::{read_object, s3_client};
use crate::measured_body::{MeasuredBody, NotAsPromised, Outcome};
use crate::secret::{Secret, SecretError, Secrets};
use crate::translate::{links, overall};

/// How long Token 2 may wait for its submission, in seconds: an hour, so that a queue that is behind does not use tokens up.
/// (Bounds: 0 to 2,592,000, "Create Verification Session".)
const SECOND_TOKEN_EXPIRY_SECONDS: u32 = 3_600;

pub struct IdenfyProvider {
    http: reqwest::Client,
    base_url: Url,
    token_field: TokenField,
    secrets: Arc<Secrets>,
    bucket_client: Client,
    bucket: String,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl IdenfyProvider {
    #[expect(clippy::too_many_arguments, reason = "wiring, called once per process")]
    pub fn new(
        http: reqwest::Client,
        base_url: Url,
        token_field: TokenField,
        secrets: Arc<Secrets>,
        sdk: &SdkConfig,
        bucket: impl Into<String>,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            http,
            base_url,
            token_field,
            secrets,
            bucket_client: s3_client(sdk),
            bucket: bucket.into(),
            clock,
            observer,
        }
    }

    /// Runs one call with the known credentials, and with newer ones if the provider refuses them. A refused call did nothing, so this
    /// repeats nothing.
    async fn call<T, F>(&self, operation: &'static str, call: impl Fn(idenfy::Client) -> F + Send + Sync) -> Result<T, CallError>
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

    /// The documents as streams, and what will have become of each.
    async fn images(&self, first: &ScanRef, documents: &[StoredDocument]) -> Result<(Vec<Image>, Vec<(ParkReason, Outcome)>), CallError> {
        let mut images = Vec::new();
        let mut outcomes = Vec::new();
        for document in documents {
            let changed = ParkReason::FileChanged {
                step: document.step.clone(),
            };
            let (length, chunks) = read_object(&self.bucket_client, &self.bucket, &document.key(first)).await.map_err(|unavailable| {
                tracing::warn!(event = "document_unreadable", scan_ref = %first, error = %unavailable, "a captured document cannot be read");
                CallError::Ours(ProviderError::Unavailable { kind: "document_unreadable", retry_after: None })
            })?;
            if length != document.bytes {
                return Err(CallError::Ours(ProviderError::Documents(changed)));
            }
            let (body, outcome) = MeasuredBody::new(chunks, length, Some(document.sha256.clone()));
            images.push(Image {
                step: document.side.as_str().to_owned(),
                length,
                content: Box::pin(body),
            });
            outcomes.push((changed, outcome));
        }
        Ok((images, outcomes))
    }

    async fn post(
        &self,
        client: idenfy::Client,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), CallError> {
        let (images, outcomes) = self.images(first, documents).await?;
        let submission = Submission {
            token: idenfy::AuthToken::new(auth_token.expose()),
            token_field: self.token_field,
            country: plan.country.to_string(),
            document_type: None,
            images,
        };
        client.process(submission).await.map_err(|error| {
            let changed = outcomes
                .into_iter()
                .find(|(_, outcome)| matches!(outcome.get(), Some(Err(NotAsPromised::Different))));
            match (changed, &error) {
                (Some((reason, _)), Error::Source(_) | Error::NotSent(_)) => CallError::Ours(ProviderError::Documents(reason)),
                _ => CallError::Idenfy(error),
            }
        })
    }
}

/// What can go wrong in a call: on the provider's side, or before it on ours.
enum CallError {
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
fn classify(error: CallError) -> ProviderError {
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

#[async_trait]
impl Provider for IdenfyProvider {
    async fn create_second_token(&self, client_id: &ClientId, reference: &SecondReference) -> Result<SecondToken, ProviderError> {
        let request = CreateToken {
            token_type: TokenType::Document,
            external_ref: Some(reference.as_str().to_owned()),
            expiry_seconds: SECOND_TOKEN_EXPIRY_SECONDS,
            additional_steps: AdditionalSteps::Suppressed,
            questionnaire: Questionnaire::None,
            ..CreateToken::new(client_id.as_str())
        };
        let request = &request;
        let created = self.call("CreateToken", |client| async move {
            client.create_token(request).await.map_err(CallError::Idenfy)
        });
        let token = created.await.map_err(classify)?;
        let Ok(scan_ref) = token.scan_ref.parse() else {
            // A token exists, and nothing can be stored under its name.
            return Err(ProviderError::InDoubt { kind: "scan_ref_unusable" });
        };
        Ok(SecondToken {
            scan_ref,
            auth_token: AuthToken::new(token.auth_token.expose()),
            has_steps_left: !token.remaining_steps.is_empty(),
        })
    }

    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError> {
        self.call("Process", |client| self.post(client, first, auth_token, plan, documents))
            .await
            .map_err(classify)
    }

    async fn status(&self, scan_ref: &ScanRef) -> Result<Overall, ProviderError> {
        let status = self
            .call("Status", |client| async move {
                client.status(scan_ref.as_str()).await.map_err(CallError::Idenfy)
            })
            .await;
        Ok(status.map_err(classify)?.overall.as_ref().map_or(Overall::Unknown, overall))
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        let files = self
            .call("Files", |client| async move {
                client.files(scan_ref.as_str()).await.map_err(CallError::Idenfy)
            })
            .await;
        let files = files.map_err(classify)?;
        Ok(links([&files.file_urls, &files.additional_step_pdf_urls]))
    }
}

impl std::fmt::Debug for IdenfyProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("IdenfyProvider")
            .field("base_url", &self.base_url.as_str())
            .field("token_field", &self.token_field)
            .finish_non_exhaustive()
    }
}
