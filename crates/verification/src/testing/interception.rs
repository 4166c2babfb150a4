//! Intercepts every call of a port, before and after its effect.
//!
//! A test can wait there, let the call fail in either of two ways, or never return.
//! The last is what the end of a process looks like from inside.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use super::ports::Ports;
use crate::comparison::Subject;
use crate::identifiers::{ClientId, Digest256, ScanRef, SecondReference, UploadId};
use crate::pairing::Pairing;
use crate::pairing::document::{Plan, PlannedDocument, StoredDocument};
use crate::pairing::prepared::Preparation;
use crate::ports::{
    CallbackArchive, CaptureError, DeletedAtProvider, DocumentPreparation, Documents, FileRemoval,
    HistoryEntry, Overdue, Page, PageStart, PairingWrite, Pairings, PreparationError, Provider,
    ProviderError, RemovedFiles, Saved, SecondToken, SessionKeys, SessionRequest, Sessions,
    StatusSource, StoreUnavailable, SubmissionQueue, UnavailableKind,
};
use crate::result::{CallbackContent, Status, StepLinks};
use crate::secret::{AuthToken, FileLink};
use crate::session::Session;
use crate::session_key::SessionKey;
use crate::time::Timestamp;

/// A method of a port that can wait or fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    Find,
    Save,
    History,
    OfClient,
    Overdue,
    IsForgotten,
    Forget,
    FindKey,
    ClaimKey,
    ReleaseKey,
    ForgetAnswer,
    RemoveFiles,
    KeepCallback,
    ReadCallback,
    ReadSubject,
    Capture,
    Prepare,
    Enqueue,
    EnqueueLater,
    CreateSecondToken,
    Submit,
    Status,
    Files,
    CreateSession,
    DeleteSession,
}

impl Operation {
    /// Whether the provider is called, rather than a store of ours.
    pub const fn calls_provider(self) -> bool {
        matches!(
            self,
            Self::CreateSecondToken
                | Self::Submit
                | Self::Status
                | Self::Files
                | Self::CreateSession
                | Self::DeleteSession
        )
    }
}

/// What becomes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CallOutcome {
    Proceeds,
    /// It fails, and the caller knows that nothing was done.
    /// After the effect: the same as `AnswerLost`.
    Fails,
    /// It fails, and the caller cannot know whether it was done.
    /// Stores do not distinguish the two.
    AnswerLost,
}

#[async_trait]
pub trait Interceptor: Send + Sync {
    /// Nothing has been done yet.
    async fn before(&self, operation: Operation) -> CallOutcome;

    /// It has been done, and the caller does not know yet.
    async fn after(&self, operation: Operation) -> CallOutcome;
}

struct Intercepted {
    inner: Ports,
    interceptor: Arc<dyn Interceptor>,
}

impl Ports {
    /// The same ports with every call that can wait or fail going through `interceptor`.
    #[must_use]
    pub fn intercepted(self, interceptor: Arc<dyn Interceptor>) -> Self {
        let (clock, observer, apply) = (self.clock.clone(), self.observer.clone(), self.apply);
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
            apply,
        }
    }
}

/// The error of a port's interrupted call.
trait Interrupted {
    /// `is_certain`: the caller may know that nothing was done.
    fn interrupted(is_certain: bool) -> Self;
}

impl Interrupted for StoreUnavailable {
    fn interrupted(_is_certain: bool) -> Self {
        Self {
            what: "an intercepted call",
            source: None,
        }
    }
}

impl Interrupted for CaptureError {
    fn interrupted(is_certain: bool) -> Self {
        Self::Unavailable(StoreUnavailable::interrupted(is_certain))
    }
}

impl Interrupted for PreparationError {
    fn interrupted(is_certain: bool) -> Self {
        Self::Unavailable(StoreUnavailable::interrupted(is_certain))
    }
}

impl Interrupted for ProviderError {
    fn interrupted(is_certain: bool) -> Self {
        if is_certain {
            Self::Unavailable {
                kind: UnavailableKind::Other("intercepted"),
                retry_after: None,
            }
        } else {
            Self::InDoubt {
                kind: "intercepted",
            }
        }
    }
}

impl Intercepted {
    async fn call<T, E: Interrupted>(
        &self,
        operation: Operation,
        run: impl Future<Output = Result<T, E>> + Send,
    ) -> Result<T, E> {
        let fate = self.interceptor.before(operation).await;
        if fate != CallOutcome::Proceeds {
            return Err(E::interrupted(fate == CallOutcome::Fails));
        }
        let result = run.await;
        match self.interceptor.after(operation).await {
            CallOutcome::Proceeds => result,
            CallOutcome::Fails | CallOutcome::AnswerLost => Err(E::interrupted(false)),
        }
    }
}

#[async_trait]
impl Pairings for Intercepted {
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, StoreUnavailable> {
        self.call(Operation::Find, self.inner.pairings.find(scan_ref))
            .await
    }

    async fn save(&self, write: &PairingWrite) -> Result<Saved, StoreUnavailable> {
        self.call(Operation::Save, self.inner.pairings.save(write))
            .await
    }

    async fn history(
        &self,
        first: &ScanRef,
        limit: u16,
    ) -> Result<Vec<HistoryEntry>, StoreUnavailable> {
        self.call(
            Operation::History,
            self.inner.pairings.history(first, limit),
        )
        .await
    }

    async fn of_client(
        &self,
        client_id: &ClientId,
        start: Option<&PageStart>,
        limit: u16,
    ) -> Result<Page, StoreUnavailable> {
        self.call(
            Operation::OfClient,
            self.inner.pairings.of_client(client_id, start, limit),
        )
        .await
    }

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, StoreUnavailable> {
        self.call(Operation::Overdue, self.inner.pairings.overdue(now, limit))
            .await
    }

    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, StoreUnavailable> {
        self.call(
            Operation::IsForgotten,
            self.inner.pairings.is_forgotten(scan_ref),
        )
        .await
    }

    async fn forget(&self, pairing: &Pairing) -> Result<u64, StoreUnavailable> {
        self.call(Operation::Forget, self.inner.pairings.forget(pairing))
            .await
    }
}

#[async_trait]
impl SessionKeys for Intercepted {
    async fn find_key(&self, key: &Digest256) -> Result<Option<SessionKey>, StoreUnavailable> {
        self.call(Operation::FindKey, self.inner.keys.find_key(key))
            .await
    }

    async fn claim_key(
        &self,
        known: Option<&SessionKey>,
        claim: &SessionKey,
    ) -> Result<Saved, StoreUnavailable> {
        self.call(Operation::ClaimKey, self.inner.keys.claim_key(known, claim))
            .await
    }

    async fn release_key(&self, claim: &SessionKey) -> Result<(), StoreUnavailable> {
        self.call(Operation::ReleaseKey, self.inner.keys.release_key(claim))
            .await
    }

    async fn forget_answer(
        &self,
        key: &Digest256,
        first: &ScanRef,
    ) -> Result<u64, StoreUnavailable> {
        self.call(
            Operation::ForgetAnswer,
            self.inner.keys.forget_answer(key, first),
        )
        .await
    }
}

#[async_trait]
impl FileRemoval for Intercepted {
    async fn remove(&self, scan_ref: &ScanRef) -> Result<RemovedFiles, StoreUnavailable> {
        self.call(Operation::RemoveFiles, self.inner.files.remove(scan_ref))
            .await
    }
}

#[async_trait]
impl CallbackArchive for Intercepted {
    async fn keep(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
        body: &[u8],
    ) -> Result<(), StoreUnavailable> {
        self.call(
            Operation::KeepCallback,
            self.inner.archive.keep(scan_ref, digest, body),
        )
        .await
    }

    async fn read(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<CallbackContent>, StoreUnavailable> {
        self.call(
            Operation::ReadCallback,
            self.inner.archive.read(scan_ref, digest),
        )
        .await
    }

    async fn subject(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<Subject>, StoreUnavailable> {
        self.call(
            Operation::ReadSubject,
            self.inner.archive.subject(scan_ref, digest),
        )
        .await
    }
}

#[async_trait]
impl Documents for Intercepted {
    async fn capture(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
        until: Timestamp,
    ) -> Result<StoredDocument, CaptureError> {
        self.call(
            Operation::Capture,
            self.inner
                .documents
                .capture(first, upload, planned, link, until),
        )
        .await
    }
}

#[async_trait]
impl DocumentPreparation for Intercepted {
    async fn inspect(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        until: Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        self.inner
            .preparation
            .inspect(first, documents, until)
            .await
    }

    async fn prepare(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        must_change: &[bool],
        until: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError> {
        let prepared = self
            .inner
            .preparation
            .prepare(first, documents, must_change, until);
        self.call(Operation::Prepare, prepared).await
    }
}

#[async_trait]
impl SubmissionQueue for Intercepted {
    async fn enqueue(&self, first: &ScanRef) -> Result<(), StoreUnavailable> {
        self.call(Operation::Enqueue, self.inner.queue.enqueue(first))
            .await
    }

    async fn enqueue_later(
        &self,
        first: &ScanRef,
        delay: Duration,
    ) -> Result<(), StoreUnavailable> {
        let enqueued = self.inner.queue.enqueue_later(first, delay);
        self.call(Operation::EnqueueLater, enqueued).await
    }
}

#[async_trait]
impl StatusSource for Intercepted {
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError> {
        self.call(Operation::Status, self.inner.provider.status(scan_ref))
            .await
    }

    /// Nothing comes between: it cannot fail, and has no effect.
    async fn circuit_open_until(&self, scan_ref: &ScanRef) -> Option<Timestamp> {
        self.inner.provider.circuit_open_until(scan_ref).await
    }
}

#[async_trait]
impl Provider for Intercepted {
    async fn create_second_token(
        &self,
        client_id: &ClientId,
        reference: &SecondReference,
    ) -> Result<SecondToken, ProviderError> {
        let run = self
            .inner
            .provider
            .create_second_token(client_id, reference);
        self.call(Operation::CreateSecondToken, run).await
    }

    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError> {
        let run = self
            .inner
            .provider
            .submit(first, auth_token, plan, documents);
        self.call(Operation::Submit, run).await
    }

    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError> {
        self.call(Operation::Files, self.inner.provider.files(scan_ref))
            .await
    }
}

#[async_trait]
impl Sessions for Intercepted {
    async fn create(&self, request: &SessionRequest) -> Result<Session, ProviderError> {
        self.call(
            Operation::CreateSession,
            self.inner.sessions.create(request),
        )
        .await
    }

    async fn delete(&self, scan_ref: &ScanRef) -> Result<DeletedAtProvider, ProviderError> {
        self.call(
            Operation::DeleteSession,
            self.inner.sessions.delete(scan_ref),
        )
        .await
    }
}
