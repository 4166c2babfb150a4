//! The use cases' doors to the outside, in the domain's words.
//!
//! All implementations pass the same conformance suite (`testing::conformance`).

use std::time::Duration;

use async_trait::async_trait;
use url::Url;

use crate::announcement::Announcement;
use crate::circuit::Circuit;
use crate::comparison::Subject;
use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, SecondReference, UploadId};
use crate::observation::Observation;
use crate::pairing::Pairing;
use crate::pairing::document::{Plan, PlannedDocument, StoredDocument};
use crate::pairing::prepared::Preparation;
use crate::pairing::reason::ParkReason;
use crate::result::{CallbackContent, Status, StepLinks};
use crate::secret::{AuthToken, FileLink};
use crate::session::Session;
use crate::session_key::SessionKey;
use crate::time::Timestamp;

/// A service of ours did not do what was asked, and may do it later.
/// Never carries anything personal.
#[derive(Debug, thiserror::Error)]
#[error("{what} failed")]
pub struct StoreUnavailable {
    /// The port and operation, for logs.
    pub what: &'static str,
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl StoreUnavailable {
    pub fn new(
        what: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            what,
            source: Some(source.into()),
        }
    }
}

/// What a conditional write came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    Won,
    /// The stored version has changed since it was read.
    /// Read again and decide again.
    Lost,
}

/// One line of a pairing's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    pub at: Timestamp,
    /// What was decided, a stable word.
    pub what: String,
    /// The state that it led to.
    pub state: String,
    /// Why the pairing waits, was declined or is parked in that state, a stable word.
    /// Lines of earlier versions have none.
    pub reason: Option<String>,
    /// The archived callback that caused it, if one did.
    pub callback: Option<Digest256>,
}

impl HistoryEntry {
    /// The line about a change that led to `pairing`.
    pub fn of(what: &str, pairing: &Pairing, at: Timestamp, callback: Option<Digest256>) -> Self {
        Self {
            at,
            what: what.to_owned(),
            state: pairing.state.name().to_owned(),
            reason: pairing.state.reason().map(str::to_owned),
            callback,
        }
    }
}

/// A pairing whose `attention_at` has passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overdue {
    pub first: ScanRef,
    pub attention_at: Timestamp,
}

/// One page of a client's pairings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    pub pairings: Vec<PairingSummary>,
    /// Where the next page starts; `None`: there is none.
    pub next: Option<PageStart>,
}

/// What a list shows of a pairing.
/// May lag behind the pairing for a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PairingSummary {
    pub first: ScanRef,
    pub state: String,
    pub reason: Option<String>,
    pub verdict: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// The last pairing of the page before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageStart {
    pub first: ScanRef,
    pub created_at: Timestamp,
}

/// A pairing to store, with what belongs to the same transaction.
#[derive(Clone, Debug)]
pub struct PairingWrite {
    /// Its `version` is one more than the stored one's (1 for a new pairing).
    /// That is the condition.
    pub pairing: Pairing,
    pub history: HistoryEntry,
    /// The announcement of the change: stored with it, published from there.
    pub announcement: Option<Announcement>,
    /// The session's answer, in place of its claim.
    /// The write is lost if the claim is not held any more.
    pub answered: Option<SessionKey>,
}

/// The pairings. Reads see every write that was won before.
#[async_trait]
pub trait Pairings: Send + Sync {
    /// By either token's `scanRef`. `None` if no pairing uses this `scanRef`.
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, StoreUnavailable>;

    /// Writes the pairing, its history and the alias of its current Token 2, all or nothing.
    /// May be repeated: a repeat of a won write is `Lost`.
    async fn save(&self, write: &PairingWrite) -> Result<Saved, StoreUnavailable>;

    /// The history, oldest first, at most `limit` entries.
    async fn history(
        &self,
        first: &ScanRef,
        limit: u16,
    ) -> Result<Vec<HistoryEntry>, StoreUnavailable>;

    /// One page of a client's pairings, newest first, at most `limit`.
    /// Costs one bounded read, however many there are.
    async fn of_client(
        &self,
        client_id: &ClientId,
        start: Option<&PageStart>,
        limit: u16,
    ) -> Result<Page, StoreUnavailable>;

    /// Pairings whose `attention_at` has passed, longest overdue first, at most `limit`.
    /// Reads only the index, which may lag behind.
    /// Read a pairing again before acting on it.
    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, StoreUnavailable>;

    /// Whether [`forget`](Self::forget) was called for a pairing of this verification.
    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, StoreUnavailable>;

    /// Removes the pairing with its history and aliases.
    /// Returns the number of removed records.
    /// Its verifications stay known only as to be ignored.
    /// May be repeated.
    async fn forget(&self, pairing: &Pairing) -> Result<u64, StoreUnavailable>;
}

/// The store of idempotency keys.
/// [`Pairings::save`] stores the answers.
/// Reads see every write that was won before.
#[async_trait]
pub trait SessionKeys: Send + Sync {
    /// What is stored under the key, which may have expired.
    async fn find_key(&self, key: &Digest256) -> Result<Option<SessionKey>, StoreUnavailable>;

    /// Stores the claim in place of `known`, which [`find_key`](Self::find_key) returned.
    /// `Lost`: it has changed since.
    async fn claim_key(
        &self,
        known: Option<&SessionKey>,
        claim: &SessionKey,
    ) -> Result<Saved, StoreUnavailable>;

    /// Removes the claim, unless it was answered or replaced. May be repeated.
    async fn release_key(&self, claim: &SessionKey) -> Result<(), StoreUnavailable>;

    /// Removes the key's answer if it is this session's, and returns 1 then.
    /// The key may serve another session by now.
    /// May be repeated.
    async fn forget_answer(
        &self,
        key: &Digest256,
        first: &ScanRef,
    ) -> Result<u64, StoreUnavailable>;
}

/// Removes files for good, all versions of them.
#[async_trait]
pub trait FileRemoval: Send + Sync {
    /// Everything that is stored under the verification's name. May be repeated.
    async fn remove(&self, scan_ref: &ScanRef) -> Result<RemovedFiles, StoreUnavailable>;
}

/// How many objects were removed, all versions counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RemovedFiles {
    pub documents: u64,
    pub callbacks: u64,
}

impl RemovedFiles {
    pub(crate) const fn add(&mut self, more: &Self) {
        self.documents = self.documents.saturating_add(more.documents);
        self.callbacks = self.callbacks.saturating_add(more.callbacks);
    }
}

/// The archive of callbacks as they were signed, until the bucket's lifecycle removes them.
#[async_trait]
pub trait CallbackArchive: Send + Sync {
    /// Keeps the body.
    /// Written once: a repeat changes nothing.
    /// `scan_ref` is `None` for an unreadable body.
    async fn keep(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
        body: &[u8],
    ) -> Result<(), StoreUnavailable>;

    /// An archived callback. `None`: gone or unreadable.
    async fn read(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<CallbackContent>, StoreUnavailable>;

    /// The person and document of an archived callback. `None`: gone or unreadable.
    async fn subject(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<Subject>, StoreUnavailable>;
}

/// Why a file is not in the bucket.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// Never will be.
    #[error("the file is refused: {}", .0.as_str())]
    Refused(ParkReason),
    /// The link is expired or gone; a fresh one may do.
    #[error("the link is dead")]
    LinkDead,
    /// Fewer bytes came than were promised.
    #[error("the file is shorter than promised")]
    Truncated,
    /// Neither a file, nor a word that there is none.
    #[error("the link leads to neither a file nor an end")]
    NotAFile,
    #[error("the file cannot be copied now")]
    Unavailable(#[source] StoreUnavailable),
}

/// The files of second documents.
#[async_trait]
pub trait Documents: Send + Sync {
    /// Streams the file into the bucket, whole or not at all.
    /// Written once: an earlier copy is described instead.
    /// Gives up at `until`.
    /// May be dropped at any point.
    async fn capture(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
        until: Timestamp,
    ) -> Result<StoredDocument, CaptureError>;
}

/// Why documents are not ready to be submitted.
#[derive(Debug, thiserror::Error)]
pub enum PreparationError {
    /// The provider would refuse them, and no accepted copy can be made.
    #[error("a document is refused: {}", .0.as_str())]
    Refused(ParkReason),
    /// For a reason outside of the documents.
    #[error("the documents cannot be prepared now")]
    Unavailable(#[source] StoreUnavailable),
    /// Nothing is known of why: it may be the documents.
    #[error("preparing the documents took too long")]
    OutOfTime,
}

/// Makes of captured documents what the provider takes.
#[async_trait]
pub trait DocumentPreparation: Send + Sync {
    /// Whether each document must be changed, size aside.
    /// Reads the start of a picture or the whole of a PDF, in constant memory.
    /// Decodes nothing.
    async fn inspect(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        until: Timestamp,
    ) -> Result<Vec<bool>, PreparationError>;

    /// Stores a converted copy of each document that the provider would refuse.
    /// Empty: none needs one.
    /// The originals are never changed.
    /// May be repeated and run concurrently.
    /// An unrecorded copy of an earlier run is found again, or stays under a name of its own.
    /// Gives up at `until`.
    ///
    /// `must_change` is the answer of [`inspect`](Self::inspect).
    async fn prepare(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        must_change: &[bool],
        until: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError>;
}

/// Tells the processor to look at a pairing.
/// At least once, in any order.
#[async_trait]
pub trait SubmissionQueue: Send + Sync {
    async fn enqueue(&self, first: &ScanRef) -> Result<(), StoreUnavailable>;

    /// The same, delivered after `delay`: rounded up to whole seconds, at most 15 minutes.
    async fn enqueue_later(&self, first: &ScanRef, delay: Duration)
    -> Result<(), StoreUnavailable>;
}

/// The store of the one circuit that all processes share.
#[async_trait]
pub trait Circuits: Send + Sync {
    /// The current circuit, or the default if none is stored.
    /// Sees every write that was won before.
    async fn circuit(&self) -> Result<Circuit, StoreUnavailable>;

    /// Stores the circuit if the stored `version` is one less (none before version 1).
    /// May be repeated: a repeat of a won write is `Lost`.
    async fn replace_circuit(&self, circuit: &Circuit) -> Result<Saved, StoreUnavailable>;
}

/// Why the provider is unavailable.
/// Displayed as a stable word for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnavailableKind {
    RateLimited,
    /// The client has a session that is still live.
    ActiveSession,
    SecretUnavailable,
    SecretMalformed,
    Other(&'static str),
}

/// Why the provider refuses.
/// Displayed as a stable word for metrics and logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RefusalKind {
    /// Our account may not: its key, its credits or its contract.
    Account(&'static str),
    Other(&'static str),
}

impl UnavailableKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RateLimited => "rate_limited",
            Self::ActiveSession => "active_session",
            Self::SecretUnavailable => "secret_unavailable",
            Self::SecretMalformed => "secret_malformed",
            Self::Other(word) => word,
        }
    }
}

impl RefusalKind {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Account(word) | Self::Other(word) => word,
        }
    }
}

impl std::fmt::Display for UnavailableKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for RefusalKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why the provider did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    /// Not called: the circuit is open until then.
    #[error("the circuit is open")]
    CircuitOpen { until: Timestamp },
    /// It certainly did nothing, and may do it later.
    #[error("the provider is unavailable ({kind})")]
    Unavailable {
        kind: UnavailableKind,
        retry_after: Option<Duration>,
    },
    /// It may have done it.
    #[error("the provider's answer is lost ({kind})")]
    InDoubt { kind: &'static str },
    /// The token is expired, used or unknown.
    #[error("the token is not valid")]
    TokenNotValid,
    /// It will not do it, however often it is asked.
    #[error("the provider refuses ({kind})")]
    Refused {
        kind: RefusalKind,
        identifier: Option<String>,
    },
    /// A document in the bucket differs from the record, or does not fit into a request.
    #[error("the documents cannot be sent: {}", .0.as_str())]
    Documents(ParkReason),
}

/// A new Token 2.
#[derive(Clone, Debug)]
pub struct SecondToken {
    pub scan_ref: ScanRef,
    pub auth_token: AuthToken,
    /// The token still has additional steps, although they were suppressed.
    /// The account's set-up differs from the documentation.
    pub has_steps_left: bool,
}

/// The status of verifications, and the circuit.
#[async_trait]
pub trait StatusSource: Send + Sync {
    /// The status of one verification.
    /// The provider dislikes polling: ask only when something is overdue, in doubt, or about to be
    /// decided.
    async fn status(&self, scan_ref: &ScanRef) -> Result<Status, ProviderError>;

    /// The end of the open circuit's pause.
    /// `None`: call.
    /// Ask before writing the intent of a call.
    /// May ask for the status of `scan_ref` as a probe, which costs nothing.
    async fn circuit_open_until(&self, scan_ref: &ScanRef) -> Option<Timestamp>;
}

/// The calls of the second verification.
/// None of them has an idempotency key.
#[async_trait]
pub trait Provider: StatusSource {
    /// Creates a silent token for the same client: no additional steps, no questionnaire.
    /// Must not be repeated blindly.
    async fn create_second_token(
        &self,
        client_id: &ClientId,
        reference: &SecondReference,
    ) -> Result<SecondToken, ProviderError>;

    /// Posts the documents with Token 2, which uses it up.
    /// Must not be repeated blindly.
    async fn submit(
        &self,
        first: &ScanRef,
        auth_token: &AuthToken,
        plan: &Plan,
        documents: &[StoredDocument],
    ) -> Result<(), ProviderError>;

    /// Fresh links to the files of one verification.
    async fn files(&self, scan_ref: &ScanRef) -> Result<StepLinks, ProviderError>;
}

/// A Token 1 for the application.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRequest {
    pub client_id: ClientId,
    pub country: Option<CountryCode>,
    pub locale: Option<String>,
    pub documents: Vec<String>,
    pub success_url: Option<Url>,
    pub error_url: Option<Url>,
    pub unverified_url: Option<Url>,
    pub external_ref: Option<String>,
    /// Until the customer must have started.
    pub expiry: Duration,
    /// From starting to finishing. `None`: the provider's default, 600 s.
    pub session_length: Option<Duration>,
    /// In the provider's form: country, document type, step. `None`: the account's.
    pub additional_steps: Option<serde_json::Value>,
}

/// What deleting at the provider came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeletedAtProvider {
    Deleted,
    /// The session can still be used. The provider deletes only finished ones.
    StillLive,
    /// The provider will not, however often it is asked.
    Refused {
        kind: &'static str,
        identifier: Option<String>,
    },
}

/// The provider's calls that applications cause.
#[async_trait]
pub trait Sessions: Send + Sync {
    async fn create(&self, request: &SessionRequest) -> Result<Session, ProviderError>;

    /// Deletes one verification with all its data. May be repeated.
    async fn delete(&self, scan_ref: &ScanRef) -> Result<DeletedAtProvider, ProviderError>;
}

pub trait Clock: Send + Sync {
    fn now(&self) -> Timestamp;
}

/// Is told what happened, for metrics. Must not block or fail.
pub trait Observer: Send + Sync {
    fn observe(&self, observation: Observation);
}

/// Tells the world about outcomes.
#[async_trait]
pub trait Announcer: Send + Sync {
    /// Announces all of them, and reports for each, in the same order, whether it was accepted.
    /// A failed or uncertain one may be announced again.
    /// Consumers recognise a repeat by its `scan_ref`, `outcome` and `occurred_at`.
    async fn announce(&self, announcements: &[Announcement]) -> Vec<Result<(), StoreUnavailable>>;
}
