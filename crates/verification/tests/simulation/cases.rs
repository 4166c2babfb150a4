//! The simulated provider against the list of cases that iDenfy itself is held to.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provider_cases::{Key, Needs, Refusal, Subject, Token, TokenKind, WireAnswer, differences};
use verification::document::Plan;
use verification::identifiers::{Digest256, SecondReference, UploadId};
use verification::ports::{
    DeletedAtProvider, Provider, ProviderError, SessionRequest, Sessions, StatusSource,
};
use verification::secret::AuthToken;
use verification::testing::memory::World;

use super::invariants::Checks;
use super::provider::SimulatedProvider;
use super::random_faults::RandomFaults;
use super::timeline::Timeline;
use super::trouble::Trouble;

struct Simulated(SimulatedProvider);

fn refusal(error: &ProviderError) -> Refusal {
    match error {
        ProviderError::TokenNotValid => Refusal::TokenNotValid,
        ProviderError::Refused { .. } => Refusal::Rejected,
        other => Refusal::Other(other.to_string()),
    }
}

#[async_trait]
impl Subject for Simulated {
    async fn token(&self, kind: TokenKind, client_id: &str) -> Result<Token, Refusal> {
        let client_id = client_id.parse().unwrap();
        let created = match kind {
            TokenKind::First => {
                let request = SessionRequest {
                    client_id,
                    country: None,
                    locale: None,
                    documents: Vec::new(),
                    success_url: None,
                    error_url: None,
                    unverified_url: None,
                    external_ref: None,
                    expiry: Duration::from_secs(60),
                    session_length: None,
                    additional_steps: None,
                };
                let session = self.0.create(&request).await;
                session.map(|session| (session.scan_ref, session.auth_token, None))
            }
            TokenKind::Second => {
                let reference = SecondReference::of(&"first".parse().unwrap());
                let token = self.0.create_second_token(&client_id, &reference).await;
                token.map(|token| {
                    (
                        token.scan_ref,
                        token.auth_token,
                        Some(usize::from(token.has_steps_left)),
                    )
                })
            }
        };
        let (scan_ref, auth_token, steps) = created.map_err(|error| refusal(&error))?;
        Ok(Token {
            scan_ref: scan_ref.to_string(),
            auth_token: auth_token.expose().to_owned(),
            steps,
        })
    }

    async fn status(&self, scan_ref: &str) -> Result<String, Refusal> {
        let status = self.0.status(&scan_ref.parse().unwrap()).await;
        let status = status.map_err(|error| refusal(&error))?;
        Ok(status.overall.to_string().to_ascii_uppercase())
    }

    async fn files(&self, scan_ref: &str) -> Result<usize, Refusal> {
        let files = self.0.files(&scan_ref.parse().unwrap()).await;
        files
            .map(|links| links.len())
            .map_err(|error| refusal(&error))
    }

    async fn delete(&self, scan_ref: &str) -> Result<(), Refusal> {
        match self.0.delete(&scan_ref.parse().unwrap()).await {
            Ok(DeletedAtProvider::Deleted) => Ok(()),
            Ok(DeletedAtProvider::StillLive) => Err(Refusal::StillLive),
            Ok(DeletedAtProvider::Refused { .. }) => Err(Refusal::Rejected),
            Err(error) => Err(refusal(&error)),
        }
    }

    async fn submit(&self, auth_token: &str) -> Result<(), Refusal> {
        let digest = Digest256::of(b"a callback");
        let plan = Plan {
            upload: UploadId::of(&digest),
            callback: digest.clone(),
            fingerprint: digest,
            are_links_replaced: false,
            client_id: "client".parse().unwrap(),
            documents: Vec::new(),
            images: Vec::new(),
            country: "LT".parse().unwrap(),
            document_type: None,
        };
        let first = "first".parse().unwrap();
        let submitted = self
            .0
            .submit(&first, &AuthToken::new(auth_token), &plan, &[])
            .await;
        submitted.map_err(|error| refusal(&error))
    }

    async fn send(&self, _: &str, _: serde_json::Value, _: Key) -> Option<WireAnswer> {
        None
    }
}

#[tokio::test]
async fn the_simulated_provider_answers_as_idenfy_should() {
    let timeline = Arc::new(Timeline::new(1, false));
    let world = Arc::new(World::new());
    let provider = SimulatedProvider::new(
        timeline.clone(),
        // A trouble without any other fault; this one is at the links.
        RandomFaults::in_trouble(&timeline, Trouble::LinksDead),
        world.clone(),
        Arc::new(Checks::new(timeline, world, true)),
        None,
    );
    let able = [Needs::Calls, Needs::Submission];
    let found = differences(&Simulated(provider), &able).await;
    assert_eq!(found, Vec::<String>::new());
}
