//! All ports of one world together, and the use cases on them.

use std::sync::Arc;

use super::interception::{Intercepted, Interceptor};
use super::memory::World;
use crate::policy::Policy;
use crate::ports::{
    CallbackArchive, Clock, DocumentPreparation, Documents, FileRemoval, Observer, Pairings,
    Provider, SessionKeys, Sessions, SubmissionQueue,
};
use crate::{
    AcceptCallback, Advance, EraseVerification, OpenSession, ParkVerification, Reconcile,
    RetryVerification,
};

/// One implementation of each port.
#[derive(Clone)]
pub struct Ports {
    pub pairings: Arc<dyn Pairings>,
    pub keys: Arc<dyn SessionKeys>,
    pub archive: Arc<dyn CallbackArchive>,
    pub documents: Arc<dyn Documents>,
    pub preparation: Arc<dyn DocumentPreparation>,
    pub files: Arc<dyn FileRemoval>,
    pub queue: Arc<dyn SubmissionQueue>,
    pub provider: Arc<dyn Provider>,
    pub sessions: Arc<dyn Sessions>,
    pub clock: Arc<dyn Clock>,
    pub observer: Arc<dyn Observer>,
}

impl Ports {
    pub fn in_memory(world: &Arc<World>) -> Self {
        Self {
            pairings: world.clone(),
            keys: world.clone(),
            archive: world.clone(),
            documents: world.clone(),
            preparation: world.clone(),
            files: world.clone(),
            queue: world.clone(),
            provider: world.clone(),
            sessions: world.clone(),
            clock: world.clone(),
            observer: world.clone(),
        }
    }

    /// The same ports, with every call that can wait or fail going through `interceptor`.
    #[must_use]
    pub fn intercepted(self, interceptor: Arc<dyn Interceptor>) -> Self {
        let (clock, observer) = (self.clock.clone(), self.observer.clone());
        let all = Arc::new(Intercepted {
            inner: self,
            interceptor,
        });
        Self {
            pairings: all.clone(),
            keys: all.clone(),
            archive: all.clone(),
            documents: all.clone(),
            preparation: all.clone(),
            files: all.clone(),
            queue: all.clone(),
            provider: all.clone(),
            sessions: all,
            clock,
            observer,
        }
    }

    pub fn accept_callback(&self, policy: Policy) -> AcceptCallback {
        AcceptCallback {
            pairings: self.pairings.clone(),
            archive: self.archive.clone(),
            documents: self.documents.clone(),
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
            policy,
        }
    }

    pub fn advance(&self, policy: Policy) -> Advance {
        Advance {
            pairings: self.pairings.clone(),
            archive: self.archive.clone(),
            documents: self.documents.clone(),
            preparation: self.preparation.clone(),
            queue: self.queue.clone(),
            provider: self.provider.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
            policy,
        }
    }

    pub fn erase(&self) -> EraseVerification {
        EraseVerification {
            pairings: self.pairings.clone(),
            keys: self.keys.clone(),
            files: self.files.clone(),
            sessions: self.sessions.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
        }
    }

    pub fn reconcile(&self) -> Reconcile {
        Reconcile {
            pairings: self.pairings.clone(),
            queue: self.queue.clone(),
            provider: self.provider.clone(),
            erase: self.erase(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
        }
    }

    pub fn retry(&self, policy: Policy) -> RetryVerification {
        RetryVerification {
            pairings: self.pairings.clone(),
            archive: self.archive.clone(),
            queue: self.queue.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
            policy,
        }
    }

    pub fn park(&self) -> ParkVerification {
        ParkVerification {
            pairings: self.pairings.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
        }
    }

    pub fn open_session(&self) -> OpenSession {
        OpenSession {
            sessions: self.sessions.clone(),
            pairings: self.pairings.clone(),
            keys: self.keys.clone(),
            clock: self.clock.clone(),
            observer: self.observer.clone(),
        }
    }
}

impl std::fmt::Debug for Ports {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}
