//! One implementation of each port, and the use cases on them.

use std::sync::Arc;

use super::memory::World;
use crate::policy::Policy;
use crate::ports::{
    CallbackArchive, Clock, DocumentPreparation, Documents, FileRemoval, Observer, Pairings,
    Provider, SessionKeys, Sessions, SubmissionQueue,
};
use crate::{
    AcceptCallback, Advance, Apply, EraseVerification, OpenSession, PairingChanger,
    ParkVerification, Reconcile, RetryVerification, transition,
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
    /// The state machine.
    /// Tests of the tests replace it by a wrong one.
    pub apply: Apply,
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
            apply: transition::apply,
        }
    }

    pub fn changer(&self) -> PairingChanger {
        PairingChanger::new(
            self.pairings.clone(),
            self.clock.clone(),
            self.observer.clone(),
        )
        .with_state_machine(self.apply)
    }

    pub fn accept_callback(&self, policy: Policy) -> AcceptCallback {
        AcceptCallback {
            changer: self.changer(),
            archive: self.archive.clone(),
            documents: self.documents.clone(),
            queue: self.queue.clone(),
            policy,
        }
    }

    pub fn advance(&self, policy: Policy) -> Advance {
        Advance {
            changer: self.changer(),
            archive: self.archive.clone(),
            documents: self.documents.clone(),
            preparation: self.preparation.clone(),
            provider: self.provider.clone(),
            policy,
        }
    }

    pub fn erase(&self) -> EraseVerification {
        EraseVerification {
            changer: self.changer(),
            keys: self.keys.clone(),
            files: self.files.clone(),
            sessions: self.sessions.clone(),
        }
    }

    pub fn reconcile(&self) -> Reconcile {
        Reconcile {
            changer: self.changer(),
            queue: self.queue.clone(),
            status: self.provider.clone(),
            erase: self.erase(),
        }
    }

    pub fn retry(&self, policy: Policy) -> RetryVerification {
        RetryVerification {
            changer: self.changer(),
            archive: self.archive.clone(),
            queue: self.queue.clone(),
            policy,
        }
    }

    pub fn park(&self) -> ParkVerification {
        ParkVerification {
            changer: self.changer(),
        }
    }

    pub fn open_session(&self) -> OpenSession {
        OpenSession {
            sessions: self.sessions.clone(),
            changer: self.changer(),
            keys: self.keys.clone(),
        }
    }
}
