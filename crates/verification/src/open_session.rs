//! Use case: an application wants a customer to be verified.

use std::sync::Arc;
use std::time::Duration;

use crate::change::Changes;
use crate::observation::Observation;
use crate::pairing::{ExpectedDocument, Pairing};
use crate::ports::{Clock, Observer, Pairings, ProviderError, Session, SessionRequest, Sessions, Unavailable};
use crate::time::Timestamp;
use crate::transition::Event;

#[derive(Clone)]
pub struct OpenSession {
    pub sessions: Arc<dyn Sessions>,
    pub pairings: Arc<dyn Pairings>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
}

/// A session that the customer can be sent to.
#[derive(Clone, Debug)]
pub struct Opened {
    pub session: Session,
    /// Until when the customer must have started.
    pub expires_at: Timestamp,
}

/// Why there is no session.
#[derive(Debug, thiserror::Error)]
pub enum NotOpened {
    #[error("the provider did not create the session")]
    Provider(#[source] ProviderError),
    /// A session may exist at the provider; it was shown to nobody and expires by itself.
    #[error("the session could not be recorded")]
    Unavailable(#[source] Unavailable),
}

/// What a session gets at the provider when its length is not named. (Source: the API description's default of `sessionLength`.)
const DEFAULT_SESSION_LENGTH: Duration = Duration::from_secs(600);

/// How long after a session's end its result may take before somebody looks.
const RESULT_MARGIN: Duration = Duration::from_secs(15 * 60);

impl OpenSession {
    /// Creates Token 1 and records the pairing. A callback that is faster than the record opens the pairing itself; the record is then added
    /// to it.
    ///
    /// # Errors
    /// Nothing was shown to anybody; the application may ask again.
    pub async fn open(&self, request: &SessionRequest, expected: ExpectedDocument) -> Result<Opened, NotOpened> {
        let session = self.sessions.create(request).await.map_err(NotOpened::Provider)?;
        let now = self.clock.now();
        let expires_at = now.plus(request.expiry);
        let until = expires_at
            .plus(request.session_length.unwrap_or(DEFAULT_SESSION_LENGTH))
            .plus(RESULT_MARGIN);
        let changes = Changes {
            pairings: self.pairings.as_ref(),
            queue: None,
            clock: self.clock.as_ref(),
            observer: self.observer.as_ref(),
        };
        let opened = Pairing::opened(session.scan_ref.clone(), Some(request.client_id.clone()), now, until);
        let event = |_: &Pairing| Event::SessionOpened {
            client_id: request.client_id.clone(),
            expected: expected.clone(),
            until,
        };
        changes.attempt(opened, None, event).await.map_err(NotOpened::Unavailable)?;
        self.observer.observe(Observation::SessionOpened);
        Ok(Opened { session, expires_at })
    }
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSession").finish_non_exhaustive()
    }
}
