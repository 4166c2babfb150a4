//! iDenfy as applications need it: sessions for customers, and deletion.

use async_trait::async_trait;
use idenfy::{AdditionalSteps, CreateToken, Error};
use verification::identifiers::ScanRef;
use verification::ports::{DeletedAtProvider, ProviderError, SessionRequest, Sessions};
use verification::secret::{AuthToken, SessionLink};
use verification::session::{MAXIMUM_STEPS, Session, SessionStep, StepKind};

use super::caller::{CallError, IdenfyCaller, classify};

pub struct IdenfySessions {
    caller: IdenfyCaller,
}

impl IdenfySessions {
    pub fn new(caller: IdenfyCaller) -> Self {
        Self { caller }
    }
}

/// A token's steps in the flow's terms. Leaves out unusable names, as callbacks do.
pub fn session_steps(steps: Vec<idenfy::Step>) -> Vec<SessionStep> {
    let step = |step: idenfy::Step| {
        Some(SessionStep {
            name: step.name.parse().ok()?,
            kind: match step.kind {
                idenfy::StepKind::Upload => StepKind::Upload,
                idenfy::StepKind::Extract => StepKind::Extract,
                idenfy::StepKind::Compare => StepKind::Compare,
                idenfy::StepKind::Unknown => StepKind::Unknown,
            },
        })
    };
    steps
        .into_iter()
        .filter_map(step)
        .take(MAXIMUM_STEPS)
        .collect()
}

/// The provider's identifier of a live session.
///
/// (Source: the example of the delete operation, "Token has not expired yet.")
const STILL_LIVE: &str = "PARTNER_ERROR";

#[async_trait]
impl Sessions for IdenfySessions {
    async fn create(&self, request: &SessionRequest) -> Result<Session, ProviderError> {
        let seconds =
            |duration: std::time::Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let token = CreateToken {
            external_ref: request.external_ref.clone(),
            expiry_seconds: seconds(request.expiry),
            session_seconds: request.session_length.map(seconds),
            additional_steps: request
                .additional_steps
                .clone()
                .map_or(AdditionalSteps::AccountDefault, AdditionalSteps::Given),
            locale: request.locale.clone(),
            country: request.country.as_ref().map(ToString::to_string),
            documents: request.documents.clone(),
            success_url: request.success_url.clone(),
            error_url: request.error_url.clone(),
            unverified_url: request.unverified_url.clone(),
            ..CreateToken::new(request.client_id.as_str())
        };
        let token = &token;
        let created = self.caller.call("CreateSession", |client| async move {
            let created = client
                .create_token(token)
                .await
                .map_err(CallError::Idenfy)?;
            let link = created
                .redirect_url
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_else(|| client.redirect_link(&created.auth_token));
            Ok((created, link))
        });
        let (created, link) = created.await.map_err(classify)?;
        let scan_ref = created
            .scan_ref
            .parse()
            .map_err(|_| ProviderError::InDoubt {
                kind: "scan_ref_unusable",
            })?;
        Ok(Session {
            scan_ref,
            auth_token: AuthToken::new(created.auth_token.expose()),
            redirect_url: SessionLink::new(link),
            steps: created.steps.map(session_steps),
        })
    }

    async fn delete(&self, scan_ref: &ScanRef) -> Result<DeletedAtProvider, ProviderError> {
        let deleted = self.caller.call("Delete", |client| async move {
            client
                .delete(scan_ref.as_str())
                .await
                .map_err(CallError::Idenfy)
        });
        match deleted.await {
            Ok(()) => Ok(DeletedAtProvider::Deleted),
            Err(CallError::Idenfy(Error::Rejected { identifier, .. }))
                if identifier == STILL_LIVE =>
            {
                Ok(DeletedAtProvider::StillLive)
            }
            // Deletion is idempotent, so a lost answer only means to ask again.
            Err(error) => match classify(error) {
                ProviderError::Refused { kind, identifier } => Ok(DeletedAtProvider::Refused {
                    kind: kind.as_str(),
                    identifier,
                }),
                ProviderError::TokenNotValid => Ok(DeletedAtProvider::Refused {
                    kind: "token_not_valid",
                    identifier: None,
                }),
                other => Err(other),
            },
        }
    }
}
