//! iDenfy as the flow needs it.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use idenfy::{
    AdditionalSteps, CreateToken, Error, Image, Questionnaire, Submission, TokenField, TokenType,
};
use verification::Timestamp;
use verification::document::{Plan, StoredDocument};
use verification::identifiers::{ClientId, ScanRef, SecondReference};
use verification::ports::{Provider, ProviderError, SecondToken, StatusSource, UnavailableKind};
use verification::reason::ParkReason;
use verification::result::{Overall, Status, StepLinks};
use verification::secret::AuthToken;

use super::caller::{CallError, IdenfyCaller, classify};
use crate::callback::{links, overall, tags};
use crate::s3::measured_body::{MeasuredBody, NotAsPromised, Outcome};
use crate::s3::objects::{read_object, s3_client};

/// Life of Token 2 in seconds: an hour, so that a late queue wastes no tokens.
///
/// (Bounds: 0 to 2,592,000, "Create Verification Session".)
const SECOND_TOKEN_EXPIRY_SECONDS: u32 = 3_600;

pub struct IdenfyProvider {
    caller: IdenfyCaller,
    token_field: TokenField,
    bucket_client: Client,
    bucket: String,
}

impl IdenfyProvider {
    pub fn new(
        caller: IdenfyCaller,
        token_field: TokenField,
        sdk: &SdkConfig,
        bucket: impl Into<String>,
    ) -> Self {
        Self {
            caller,
            token_field,
            bucket_client: s3_client(sdk),
            bucket: bucket.into(),
        }
    }

    /// The documents as streams, and the outcome of each.
    async fn images(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
    ) -> Result<(Vec<Image>, Vec<(ParkReason, Outcome)>), CallError> {
        let mut images = Vec::new();
        let mut outcomes = Vec::new();
        for document in documents {
            // Never posted.
            let side = document
                .side
                .ok_or(CallError::Ours(ProviderError::Documents(
                    ParkReason::SidesUnclear,
                )))?;
            let changed = ParkReason::FileChanged {
                step: document.step.clone(),
            };
            let key = document.submitted_key(first);
            let object = read_object(&self.bucket_client, &self.bucket, &key).await;
            let (length, chunks) = object.map_err(|unavailable| {
                tracing::warn!(
                    event = "document_unreadable",
                    scan_ref = %first,
                    error = %unavailable,
                    "a captured document cannot be read"
                );
                CallError::Ours(ProviderError::Unavailable {
                    kind: UnavailableKind::Other("document_unreadable"),
                    retry_after: None,
                })
            })?;
            if length != document.submitted_bytes() {
                return Err(CallError::Ours(ProviderError::Documents(changed)));
            }
            let (body, outcome) =
                MeasuredBody::new(chunks, length, Some(document.submitted_sha256().clone()));
            images.push(Image {
                step: side.as_str().to_owned(),
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
            document_type: plan
                .document_type
                .map(|document_type| document_type.as_str().to_owned()),
            images,
        };
        client.process(submission).await.map_err(|error| {
            let changed = outcomes
                .into_iter()
                .find(|(_, outcome)| matches!(outcome.get(), Some(Err(NotAsPromised::Different))));
            match (changed, &error) {
                (Some((reason, _)), Error::Source(_) | Error::NotSent(_)) => {
                    CallError::Ours(ProviderError::Documents(reason))
                }
                _ => CallError::Idenfy(error),
            }
        })
    }
}

#[async_trait]
impl StatusSource for IdenfyCaller {
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        let status = self
            .call("Status", |client| async move {
                client
                    .status(scan_ref.as_str())
                    .await
                    .map_err(CallError::Idenfy)
            })
            .await;
        let answer = status.map_err(classify)?;
        Ok(Status {
            overall: answer.overall.as_ref().map_or(Overall::Unknown, overall),
            is_final: answer.is_final,
            tags: tags(&answer),
        })
    }

    async fn circuit_open_until(&self, scan_ref: &ScanRef) -> Option<Timestamp> {
        // What the status is does not matter; that there is an answer does, and the circuit has
        // seen it.
        IdenfyCaller::circuit_open_until(self, || async { drop(self.status(scan_ref).await) }).await
    }
}

#[async_trait]
impl StatusSource for IdenfyProvider {
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        self.caller.status(scan_ref).await
    }

    async fn circuit_open_until(&self, scan_ref: &ScanRef) -> Option<Timestamp> {
        StatusSource::circuit_open_until(&self.caller, scan_ref).await
    }
}

#[async_trait]
impl Provider for IdenfyProvider {
    async fn create_second_token(
        &self,
        client_id: &ClientId,
        reference: &SecondReference,
    ) -> Result<SecondToken, ProviderError> {
        let request = CreateToken {
            token_type: TokenType::Document,
            external_ref: Some(reference.as_str().to_owned()),
            expiry_seconds: SECOND_TOKEN_EXPIRY_SECONDS,
            additional_steps: AdditionalSteps::Suppressed,
            questionnaire: Questionnaire::None,
            ..CreateToken::new(client_id.as_str())
        };
        let request = &request;
        let created = self.caller.call("CreateToken", |client| async move {
            client
                .create_token(request)
                .await
                .map_err(CallError::Idenfy)
        });
        let token = created.await.map_err(classify)?;
        let Ok(scan_ref) = token.scan_ref.parse() else {
            // A token exists, but nothing can be stored under its name.
            return Err(ProviderError::InDoubt {
                kind: "scan_ref_unusable",
            });
        };
        Ok(SecondToken {
            scan_ref,
            auth_token: AuthToken::new(token.auth_token.expose()),
            has_steps_left: token.steps.is_some_and(|steps| !steps.is_empty()),
        })
    }

    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError> {
        self.caller
            .call("Process", |client| {
                self.post(client, first, auth_token, plan, documents)
            })
            .await
            .map_err(classify)
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        let files = self
            .caller
            .call("Files", |client| async move {
                client
                    .files(scan_ref.as_str())
                    .await
                    .map_err(CallError::Idenfy)
            })
            .await;
        let files = files.map_err(classify)?;
        Ok(links([&files.file_urls, &files.additional_step_pdf_urls]))
    }
}
