//! Use case: an application wants a customer to be verified.

use std::sync::Arc;
use std::time::Duration;

use crate::observation::Observation;
use crate::pairing::{ExpectedDocument, Pairing};
use crate::ports::{ProviderError, Saved, SessionKeys, SessionRequest, Sessions, StoreUnavailable};
use crate::session::Opened;
use crate::session_key::{IdempotentRequest, SessionKey, Standing};
use crate::transition::Event;
use crate::use_cases::change::PairingChanger;

pub struct OpenSession {
    pub sessions: Arc<dyn Sessions>,
    pub changer: PairingChanger,
    pub keys: Arc<dyn SessionKeys>,
}

/// What a request under an idempotency key got.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OpenedOnce {
    Created(Opened),
    /// The answer to an earlier request under the key.
    Replayed(Opened),
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("the provider did not create the session")]
    Provider(#[source] ProviderError),
    /// A session may exist at the provider.
    /// It was not returned, and expires by itself.
    #[error("the session could not be recorded")]
    Unavailable(#[source] StoreUnavailable),
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    #[error("another request under the idempotency key is being worked on")]
    InProgress,
}

/// How often a key is read and claimed.
/// A lost claim means that another request has the key.
const MAXIMUM_CLAIMS: u32 = 2;

/// The provider's default session length.
/// (Source: the API description's default of `sessionLength`.)
const DEFAULT_SESSION_LENGTH: Duration = Duration::from_secs(600);

/// How long after a session's end its result may take.
const RESULT_MARGIN: Duration = Duration::from_secs(15 * 60);

impl OpenSession {
    /// Creates Token 1 and records the pairing.
    /// If a callback was faster, it opened the pairing, and the record is added.
    ///
    /// # Errors
    /// No session was returned. The application may ask again.
    pub async fn open(
        &self,
        request: &SessionRequest,
        expected: ExpectedDocument,
    ) -> Result<Opened, NotOpened> {
        let opened = self.create(request).await?;
        self.record(request, expected, &opened, None).await?;
        Ok(opened)
    }

    /// The same, once per key.
    /// A repeat gets the stored answer until the customer must have started.
    ///
    /// A claim with a lease is stored before Token 1 is created.
    /// The answer is stored with the pairing, so a crash leaves both or a claim that lapses.
    /// A repeat then creates another session, which iDenfy may refuse while the lost one lives.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    /// The claim is released, so a repeat may try at once.
    pub async fn open_once(
        &self,
        id: &IdempotentRequest,
        request: &SessionRequest,
        expected: ExpectedDocument,
    ) -> Result<OpenedOnce, NotOpened> {
        for _ in 0..MAXIMUM_CLAIMS {
            let now = self.changer.clock.now();
            let known = self
                .keys
                .find_key(&id.key)
                .await
                .map_err(NotOpened::Unavailable)?;
            match known
                .as_ref()
                .map_or(Standing::Free, |known| known.standing(&id.body, now))
            {
                Standing::Answered(opened) => return Ok(OpenedOnce::Replayed(opened)),
                Standing::Reused => return Err(NotOpened::KeyReused),
                Standing::InProgress => return Err(NotOpened::InProgress),
                Standing::Free => {}
            }
            let claim = SessionKey::claim(id, request.expiry, now);
            let claimed = self.keys.claim_key(known.as_ref(), &claim).await;
            if claimed.map_err(NotOpened::Unavailable)? == Saved::Won {
                return self
                    .open_claimed(&claim, request, expected)
                    .await
                    .map(OpenedOnce::Created);
            }
        }
        Err(NotOpened::InProgress)
    }

    async fn open_claimed(
        &self,
        claim: &SessionKey,
        request: &SessionRequest,
        expected: ExpectedDocument,
    ) -> Result<Opened, NotOpened> {
        let opened = async {
            let opened = self.create(request).await?;
            let recorded = self
                .record(request, expected, &opened, Some(claim.answered(&opened)))
                .await?;
            Ok((opened, recorded.session_key.as_ref() == Some(&claim.key)))
        };
        let opened = opened.await;
        // Not stored: the customer was erased meanwhile.
        let is_stored = matches!(opened, Ok((_, true)));
        if !is_stored {
            // A claim that cannot be given back lapses with its lease.
            drop(self.keys.release_key(claim).await);
        }
        opened.map(|(opened, _)| opened)
    }

    async fn create(&self, request: &SessionRequest) -> Result<Opened, NotOpened> {
        let session = self
            .sessions
            .create(request)
            .await
            .map_err(NotOpened::Provider)?;
        let expires_at = self.changer.clock.now().plus(request.expiry);
        Ok(Opened {
            session,
            expires_at,
        })
    }

    async fn record(
        &self,
        request: &SessionRequest,
        expected: ExpectedDocument,
        opened: &Opened,
        answered: Option<SessionKey>,
    ) -> Result<Box<Pairing>, NotOpened> {
        let until = opened
            .expires_at
            .plus(request.session_length.unwrap_or(DEFAULT_SESSION_LENGTH))
            .plus(RESULT_MARGIN);
        let client_id = request.client_id.clone();
        let pairing = Pairing::opened(
            opened.session.scan_ref.clone(),
            Some(client_id.clone()),
            self.changer.clock.now(),
            until,
        );
        let event = |_: &Pairing| Event::SessionOpened {
            client_id: client_id.clone(),
            expected: expected.clone(),
            until,
            key: answered.as_ref().map(|answered| answered.key.clone()),
            steps: opened.session.steps.clone(),
        };
        let recorded = self
            .changer
            .change_and_answer(pairing, answered.as_ref(), event)
            .await;
        let recorded = recorded.map_err(NotOpened::Unavailable)?;
        self.changer.observer.observe(Observation::SessionOpened);
        Ok(recorded.into_pairing())
    }
}
