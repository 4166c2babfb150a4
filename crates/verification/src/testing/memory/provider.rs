//! The provider in memory: tokens are valid once, and answers are lost on demand.

use std::time::Duration;

use async_trait::async_trait;

use super::{Fault, TokenState, World, WorldState};
use crate::identifiers::{ClientId, ScanRef, SecondReference};
use crate::pairing::document::{Plan, StoredDocument};
use crate::ports::{
    Clock, DeletedAtProvider, Provider, ProviderError, RefusalKind, SecondToken, SessionRequest,
    Sessions, StatusSource, UnavailableKind,
};
use crate::result::{Overall, Status, StepLinks};
use crate::secret::{AuthToken, SessionLink};
use crate::session::Session;
use crate::time::Timestamp;

#[async_trait]
impl Sessions for World {
    async fn create(&self, _request: &SessionRequest) -> Result<Session, ProviderError> {
        let fault = self.fault_of("session");
        if matches!(fault, Some(Fault::Unavailable | Fault::Refused)) {
            return Err(ProviderError::Unavailable {
                kind: UnavailableKind::Other("server_error"),
                retry_after: None,
            });
        }
        let mut state = self.lock();
        let scan_ref: ScanRef = format!("session-{}", state.live_sessions.len() + 1)
            .parse()
            .unwrap();
        state.live_sessions.insert(scan_ref.clone());
        if fault.is_some() {
            return Err(ProviderError::InDoubt {
                kind: "connection_lost",
            });
        }
        Ok(Session {
            scan_ref,
            auth_token: AuthToken::new("session-secret"),
            redirect_url: SessionLink::new("https://provider.example/session-secret"),
            steps: state.session_steps.clone(),
        })
    }

    async fn delete(&self, scan_ref: &ScanRef) -> Result<DeletedAtProvider, ProviderError> {
        match self.fault_of("delete") {
            Some(Fault::Refused) => {
                return Ok(DeletedAtProvider::Refused {
                    kind: "rejected",
                    identifier: None,
                });
            }
            Some(_) => {
                return Err(ProviderError::Unavailable {
                    kind: UnavailableKind::Other("server_error"),
                    retry_after: None,
                });
            }
            None => {}
        }
        let mut state = self.lock();
        if state.live_sessions.contains(scan_ref) {
            return Ok(DeletedAtProvider::StillLive);
        }
        state.deleted_at_provider.push(scan_ref.clone());
        Ok(DeletedAtProvider::Deleted)
    }
}

#[async_trait]
impl StatusSource for World {
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        if self.fault_of("status").is_some() {
            return Err(ProviderError::Unavailable {
                kind: UnavailableKind::Other("server_error"),
                retry_after: None,
            });
        }
        if let Some(overall) = self.lock().statuses.get(scan_ref) {
            return Ok(overall.clone());
        }
        if let Some(status) = self.lock().served.get(scan_ref) {
            return Ok(status.clone());
        }
        match self.lock().tokens.get(scan_ref) {
            Some(TokenState::Active(_)) => Ok(Status::of(Overall::Active)),
            Some(TokenState::Accepted) => Ok(Status::of(Overall::Reviewing)),
            Some(TokenState::Expired) => Ok(Status::of(Overall::Expired)),
            None => Err(ProviderError::TokenNotValid),
        }
    }

    async fn circuit_open_until(&self, _scan_ref: &ScanRef) -> Option<Timestamp> {
        let now = self.now();
        self.lock().circuit_open_until.filter(|until| *until > now)
    }
}

#[async_trait]
impl Provider for World {
    async fn create_second_token(
        &self,
        _client_id: &ClientId,
        _reference: &SecondReference,
    ) -> Result<SecondToken, ProviderError> {
        let fault = self.fault_of("token");
        let mut state = self.lock();
        let create = |state: &mut WorldState| {
            let number = state.tokens.len() + 1;
            let scan_ref: ScanRef = format!("second-{number}").parse().unwrap();
            let secret = format!("secret-{number}");
            state
                .tokens
                .insert(scan_ref.clone(), TokenState::Active(secret.clone()));
            SecondToken {
                scan_ref,
                auth_token: AuthToken::new(secret),
                has_steps_left: false,
            }
        };
        match fault {
            None => Ok(create(&mut state)),
            Some(Fault::DoneThenLost) => {
                create(&mut state);
                Err(ProviderError::InDoubt {
                    kind: "connection_lost",
                })
            }
            Some(Fault::LostBeforeDone) => Err(ProviderError::InDoubt {
                kind: "connection_lost",
            }),
            Some(Fault::Unavailable) => Err(ProviderError::Unavailable {
                kind: UnavailableKind::RateLimited,
                retry_after: Some(Duration::from_secs(7)),
            }),
            Some(Fault::Refused) => Err(ProviderError::Refused {
                kind: RefusalKind::Account("out_of_funds"),
                identifier: None,
            }),
        }
    }

    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        _plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError> {
        let fault = self.fault_of("process");
        let mut state = self.lock();
        let accept = |state: &mut WorldState| {
            let token = state
                .tokens
                .values_mut()
                .find(|token| **token == TokenState::Active(auth_token.expose().to_owned()));
            let Some(token) = token else {
                return Err(ProviderError::TokenNotValid);
            };
            *token = TokenState::Accepted;
            state.submissions.push((first.clone(), documents.to_vec()));
            Ok(())
        };
        match fault {
            None => accept(&mut state),
            Some(Fault::DoneThenLost) => {
                accept(&mut state)?;
                Err(ProviderError::InDoubt {
                    kind: "connection_lost",
                })
            }
            Some(Fault::LostBeforeDone) => Err(ProviderError::InDoubt { kind: "timed_out" }),
            Some(Fault::Unavailable) => Err(ProviderError::Unavailable {
                kind: UnavailableKind::RateLimited,
                retry_after: Some(Duration::from_secs(7)),
            }),
            Some(Fault::Refused) => Err(ProviderError::Refused {
                kind: RefusalKind::Other("rejected"),
                identifier: Some("BAD_VALUE".to_owned()),
            }),
        }
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        if self.fault_of("files").is_some() {
            return Err(ProviderError::Unavailable {
                kind: UnavailableKind::Other("server_error"),
                retry_after: None,
            });
        }
        Ok(self
            .lock()
            .fresh_links
            .get(scan_ref)
            .cloned()
            .unwrap_or_default())
    }
}
