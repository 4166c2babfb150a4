//! The ports in memory, for tests without any service.

mod documents;
mod preparation;
mod provider;
mod session_keys;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use async_trait::async_trait;

use crate::announcement::Announcement;
use crate::circuit::Circuit;
use crate::comparison::Subject;
use crate::identifiers::{ClientId, Digest256, ScanRef, StepName};
use crate::observation::Observation;
use crate::pairing::Pairing;
use crate::pairing::document::StoredDocument;
use crate::pairing::prepared::PreparedFile;
use crate::pairing::reason::ParkReason;
use crate::ports::{
    CallbackArchive, Circuits, Clock, FileRemoval, HistoryEntry, Observer, Overdue, Page,
    PageStart, PairingSummary, PairingWrite, Pairings, RemovedFiles, Saved, StoreUnavailable,
    SubmissionQueue,
};
use crate::result::{CallbackContent, Overall, Status, StepLinks};
use crate::session::SessionStep;
use crate::session_key::SessionKey;
use crate::time::Timestamp;

/// All ports behind one lock: one world per test.
#[derive(Debug, Default)]
pub struct World {
    state: Mutex<WorldState>,
}

#[derive(Debug, Default)]
struct WorldState {
    now: i64,
    pairings: BTreeMap<ScanRef, Pairing>,
    aliases: BTreeMap<ScanRef, ScanRef>,
    history: BTreeMap<ScanRef, Vec<HistoryEntry>>,
    archive: BTreeMap<(String, String), Vec<u8>>,
    callbacks: BTreeMap<(ScanRef, Digest256), CallbackContent>,
    forgotten: BTreeSet<ScanRef>,
    session_keys: BTreeMap<Digest256, SessionKey>,
    announcements: Vec<Announcement>,
    live_sessions: BTreeSet<ScanRef>,
    session_steps: Option<Vec<SessionStep>>,
    statuses: BTreeMap<ScanRef, Status>,
    /// What the newest callback says.
    served: BTreeMap<ScanRef, Status>,
    subjects: BTreeMap<Digest256, Subject>,
    deleted_at_provider: Vec<ScanRef>,
    objects: BTreeMap<String, StoredDocument>,
    files: BTreeMap<String, FileBehaviour>,
    messages: Vec<ScanRef>,
    /// Each with the time at which it arrives.
    delayed_messages: Vec<(Timestamp, ScanRef)>,
    observations: Vec<Observation>,
    tokens: BTreeMap<ScanRef, TokenState>,
    fresh_links: BTreeMap<ScanRef, StepLinks>,
    submissions: Vec<(ScanRef, Vec<StoredDocument>)>,
    preparations: BTreeMap<(ScanRef, StepName), Result<PreparedFile, ParkReason>>,
    faults: BTreeMap<&'static str, Vec<Fault>>,
    save_losses: u32,
    circuit: Circuit,
    circuit_open_until: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TokenState {
    Active(String),
    Accepted,
    Expired,
}

/// How a link behaves.
#[derive(Clone, Debug)]
pub enum FileBehaviour {
    /// A JPEG of so many bytes.
    Serves(u64),
    /// A PDF of so many bytes.
    ServesPdf(u64),
    /// A JPEG with this content, for any link.
    ServesContent(&'static str),
    /// An answer that is neither a file nor an end.
    NotAFile,
    Dead,
    Truncated,
    Down,
    Refused(ParkReason),
}

/// What an operation does next instead of its work.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Nothing is done, and the caller knows.
    Unavailable,
    /// It is done, and the answer is lost.
    DoneThenLost,
    /// Nothing is done, and the caller cannot know.
    LostBeforeDone,
    Refused,
}

impl World {
    pub fn new() -> Self {
        let world = Self::default();
        world.lock().now = 1_795_422_063_000;
        world
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, WorldState> {
        self.state
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    pub fn wait(&self, duration: Duration) {
        self.lock().now += i64::try_from(duration.as_millis()).unwrap();
    }

    /// The provider comes to this result.
    /// It serves every link of the callback and confirms it.
    pub fn serve(&self, content: &CallbackContent) {
        let mut state = self.lock();
        state.callbacks.insert(
            (content.scan_ref.clone(), content.digest.clone()),
            content.clone(),
        );
        if let Some(overall) = content.overall {
            let status = Status {
                is_final: None,
                overall,
                tags: content.tags.clone(),
            };
            state.served.insert(content.scan_ref.clone(), status);
        }
        for link in content.links.values().flatten() {
            state
                .files
                .entry(link.expose().to_owned())
                .or_insert(FileBehaviour::Serves(1_000));
        }
    }

    /// The callback's person and document, once it is archived.
    pub fn tells(&self, digest: &Digest256, subject: Subject) {
        self.lock().subjects.insert(digest.clone(), subject);
    }

    pub fn file(&self, link: &str, behaviour: FileBehaviour) {
        self.lock().files.insert(link.to_owned(), behaviour);
    }

    pub fn fresh_links(&self, first: &ScanRef, links: StepLinks) {
        self.lock().fresh_links.insert(first.clone(), links);
    }

    pub fn fault(&self, operation: &'static str, fault: Fault) {
        self.lock().faults.entry(operation).or_default().push(fault);
    }

    pub fn lose_next_saves(&self, count: u32) {
        self.lock().save_losses = count;
    }

    pub fn expire_tokens(&self) {
        for token in self.lock().tokens.values_mut() {
            if matches!(token, TokenState::Active(_)) {
                *token = TokenState::Expired;
            }
        }
    }

    pub fn take_messages(&self) -> Vec<ScanRef> {
        let mut state = self.lock();
        let now = Timestamp::from_milliseconds(state.now);
        let due = state
            .delayed_messages
            .extract_if(.., |(due, _)| *due <= now)
            .map(|(_, first)| first)
            .collect::<Vec<_>>();
        let mut messages = std::mem::take(&mut state.messages);
        messages.extend(due);
        messages
    }

    pub fn pairing(&self, first: &str) -> Pairing {
        self.lock()
            .pairings
            .get(&first.parse().unwrap())
            .cloned()
            .expect("the pairing is there")
    }

    /// The stored pairing, by its first verification. `None`: there is none.
    pub fn stored(&self, first: &ScanRef) -> Option<Pairing> {
        self.lock().pairings.get(first).cloned()
    }

    /// Has every pairing looked at, without copies.
    pub fn for_each_pairing(&self, mut look: impl FnMut(&Pairing)) {
        self.lock().pairings.values().for_each(&mut look);
    }

    /// The file that is stored under this key.
    pub fn object(&self, key: &str) -> Option<StoredDocument> {
        self.lock().objects.get(key).cloned()
    }

    /// Removes a file from the bucket, as nothing that ships would.
    pub fn lose_object(&self, key: &str) {
        self.lock().objects.remove(key);
    }

    /// Whether the callback is in the archive.
    pub fn has_archived(&self, scan_ref: &ScanRef, digest: &Digest256) -> bool {
        self.lock()
            .archive
            .contains_key(&(scan_ref.to_string(), digest.to_string()))
    }

    pub fn pairing_count(&self) -> usize {
        self.lock().pairings.len()
    }

    pub fn object_keys(&self) -> Vec<String> {
        self.lock().objects.keys().cloned().collect()
    }

    pub fn archived(&self) -> Vec<String> {
        self.lock()
            .archive
            .keys()
            .map(|(folder, digest)| format!("{folder}/{digest}"))
            .collect()
    }

    /// The Token 2s of accepted submissions, in no particular order.
    pub fn accepted_tokens(&self) -> Vec<ScanRef> {
        let state = self.lock();
        let accepted = state
            .tokens
            .iter()
            .filter(|(_, token)| **token == TokenState::Accepted);
        accepted.map(|(scan_ref, _)| scan_ref.clone()).collect()
    }

    /// The Token 2s that could still be used.
    pub fn active_token_count(&self) -> usize {
        let is_active = |token: &&TokenState| matches!(token, TokenState::Active(_));
        self.lock().tokens.values().filter(is_active).count()
    }

    pub fn token_count(&self) -> usize {
        self.lock().tokens.len()
    }

    pub fn submissions(&self) -> Vec<(ScanRef, Vec<StoredDocument>)> {
        self.lock().submissions.clone()
    }

    pub fn observations(&self) -> Vec<Observation> {
        self.lock().observations.clone()
    }

    fn fault_of(&self, operation: &'static str) -> Option<Fault> {
        let mut state = self.lock();
        let faults = state.faults.get_mut(operation)?;
        if faults.is_empty() {
            None
        } else {
            Some(faults.remove(0))
        }
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        Timestamp::from_milliseconds(self.lock().now)
    }
}

impl Observer for World {
    fn observe(&self, observation: Observation) {
        self.lock().observations.push(observation);
    }
}

#[async_trait]
impl Pairings for World {
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, StoreUnavailable> {
        self.plain_fault("find")?;
        let state = self.lock();
        let first = state.aliases.get(scan_ref).unwrap_or(scan_ref);
        Ok(state.pairings.get(first).cloned())
    }

    async fn save(&self, write: &PairingWrite) -> Result<Saved, StoreUnavailable> {
        self.plain_fault("save")?;
        let mut state = self.lock();
        if state.save_losses > 0 {
            state.save_losses -= 1;
            return Ok(Saved::Lost);
        }
        let pairing = &write.pairing;
        let stored = state
            .pairings
            .get(&pairing.first)
            .map_or(0, |stored| stored.version);
        if pairing.version != stored + 1 {
            return Ok(Saved::Lost);
        }
        if let Some(answered) = &write.answered {
            if !session_keys::is_held(&state.session_keys, answered) {
                return Ok(Saved::Lost);
            }
            state
                .session_keys
                .insert(answered.key.clone(), answered.clone());
        }
        if let Some(second) = &pairing.second {
            state
                .aliases
                .insert(second.scan_ref.clone(), pairing.first.clone());
        }
        state
            .history
            .entry(pairing.first.clone())
            .or_default()
            .push(write.history.clone());
        state.announcements.extend(write.announcement.clone());
        state
            .pairings
            .insert(pairing.first.clone(), pairing.clone());
        Ok(Saved::Won)
    }

    async fn history(
        &self,
        first: &ScanRef,
        limit: u16,
    ) -> Result<Vec<HistoryEntry>, StoreUnavailable> {
        let state = self.lock();
        Ok(state
            .history
            .get(first)
            .map(|entries| entries.iter().take(usize::from(limit)).cloned().collect())
            .unwrap_or_default())
    }

    async fn of_client(
        &self,
        client_id: &ClientId,
        start: Option<&PageStart>,
        limit: u16,
    ) -> Result<Page, StoreUnavailable> {
        let state = self.lock();
        let mut all: Vec<&Pairing> = state
            .pairings
            .values()
            .filter(|pairing| pairing.client_id.as_ref() == Some(client_id))
            .collect();
        all.sort_by(|a, b| (b.created_at, &b.first).cmp(&(a.created_at, &a.first)));
        let is_after = |pairing: &&Pairing| {
            start.is_none_or(|start| {
                (pairing.created_at, &pairing.first) < (start.created_at, &start.first)
            })
        };
        let mut rest = all.into_iter().filter(is_after);
        let pairings: Vec<PairingSummary> = rest
            .by_ref()
            .take(usize::from(limit))
            .map(summary)
            .collect();
        let last = pairings.last().map(|last| PageStart {
            first: last.first.clone(),
            created_at: last.created_at,
        });
        Ok(Page {
            next: rest.next().and(last),
            pairings,
        })
    }

    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, StoreUnavailable> {
        self.plain_fault("overdue")?;
        let state = self.lock();
        let due = |pairing: &Pairing| {
            let attention_at = pairing
                .attention_at()
                .filter(|attention_at| *attention_at <= now)?;
            Some(Overdue {
                first: pairing.first.clone(),
                attention_at,
            })
        };
        let mut overdue: Vec<Overdue> = state.pairings.values().filter_map(due).collect();
        overdue.sort_by(|a, b| (a.attention_at, &a.first).cmp(&(b.attention_at, &b.first)));
        overdue.truncate(usize::from(limit));
        Ok(overdue)
    }

    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, StoreUnavailable> {
        Ok(self.lock().forgotten.contains(scan_ref))
    }

    async fn forget(&self, pairing: &Pairing) -> Result<u64, StoreUnavailable> {
        let mut state = self.lock();
        let mut removed = u64::from(state.pairings.remove(&pairing.first).is_some());
        removed += state
            .history
            .remove(&pairing.first)
            .map_or(0, |entries| entries.len() as u64);
        for scan_ref in pairing.scan_refs() {
            removed += u64::from(state.aliases.remove(&scan_ref).is_some());
            state.forgotten.insert(scan_ref);
        }
        Ok(removed)
    }
}

fn summary(pairing: &Pairing) -> PairingSummary {
    PairingSummary {
        first: pairing.first.clone(),
        state: pairing.state.name().to_owned(),
        reason: pairing.reason().map(str::to_owned),
        verdict: pairing
            .state
            .verdict()
            .map(|verdict| verdict.as_str().to_owned()),
        created_at: pairing.created_at,
        updated_at: pairing.updated_at,
    }
}

#[async_trait]
impl FileRemoval for World {
    async fn remove(&self, scan_ref: &ScanRef) -> Result<RemovedFiles, StoreUnavailable> {
        self.plain_fault("remove")?;
        let mut state = self.lock();
        let (objects, archive) = (state.objects.len(), state.archive.len());
        state
            .objects
            .retain(|key, _| !key.starts_with(&format!("documents/{scan_ref}/")));
        state
            .archive
            .retain(|(folder, _), _| folder != scan_ref.as_str());
        Ok(RemovedFiles {
            documents: (objects - state.objects.len()) as u64,
            callbacks: (archive - state.archive.len()) as u64,
        })
    }
}

impl World {
    /// What the provider says when asked.
    pub fn status_of(&self, scan_ref: &str, overall: Overall) {
        self.answers(scan_ref, Status::of(overall));
    }

    /// What the provider answers when asked.
    pub fn answers(&self, scan_ref: &str, status: Status) {
        self.lock()
            .statuses
            .insert(scan_ref.parse().unwrap(), status);
    }

    pub fn announcements(&self) -> Vec<Announcement> {
        self.lock().announcements.clone()
    }

    pub fn deleted_at_provider(&self) -> Vec<ScanRef> {
        self.lock().deleted_at_provider.clone()
    }

    /// The steps that the provider tells of new sessions.
    pub fn session_steps(&self, steps: Vec<SessionStep>) {
        self.lock().session_steps = Some(steps);
    }

    /// The customer's session ends.
    pub fn end_session(&self, scan_ref: &ScanRef) {
        self.lock().live_sessions.remove(scan_ref);
    }

    pub fn record_count(&self) -> usize {
        let state = self.lock();
        state.pairings.len() + state.history.len() + state.aliases.len() + state.session_keys.len()
    }
}

impl World {
    fn plain_fault(&self, operation: &'static str) -> Result<(), StoreUnavailable> {
        match self.fault_of(operation) {
            Some(_) => Err(StoreUnavailable {
                what: operation,
                source: None,
            }),
            None => Ok(()),
        }
    }
}

#[async_trait]
impl CallbackArchive for World {
    async fn keep(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
        body: &[u8],
    ) -> Result<(), StoreUnavailable> {
        self.plain_fault("keep")?;
        let folder = scan_ref.map_or("unreadable", ScanRef::as_str).to_owned();
        self.lock()
            .archive
            .entry((folder, digest.to_string()))
            .or_insert_with(|| body.to_vec());
        Ok(())
    }

    async fn read(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<CallbackContent>, StoreUnavailable> {
        let state = self.lock();
        let kept = state
            .archive
            .contains_key(&(scan_ref.to_string(), digest.to_string()));
        Ok(state
            .callbacks
            .get(&(scan_ref.clone(), digest.clone()))
            .filter(|_| kept)
            .cloned())
    }

    async fn subject(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<Subject>, StoreUnavailable> {
        self.plain_fault("subject")?;
        let state = self.lock();
        let kept = state
            .archive
            .contains_key(&(scan_ref.to_string(), digest.to_string()));
        Ok(state.subjects.get(digest).filter(|_| kept).cloned())
    }
}

#[async_trait]
impl SubmissionQueue for World {
    async fn enqueue(&self, first: &ScanRef) -> Result<(), StoreUnavailable> {
        self.plain_fault("enqueue")?;
        self.lock().messages.push(first.clone());
        Ok(())
    }

    async fn enqueue_later(
        &self,
        first: &ScanRef,
        delay: Duration,
    ) -> Result<(), StoreUnavailable> {
        self.plain_fault("enqueue_later")?;
        let mut state = self.lock();
        let due = Timestamp::from_milliseconds(state.now).plus(delay);
        state.delayed_messages.push((due, first.clone()));
        Ok(())
    }
}

impl World {
    /// The circuit is open until then.
    pub fn leave_provider_alone(&self, until: Timestamp) {
        self.lock().circuit_open_until = Some(until);
    }
}

#[async_trait]
impl Circuits for World {
    async fn circuit(&self) -> Result<Circuit, StoreUnavailable> {
        self.plain_fault("circuit")?;
        Ok(self.lock().circuit.clone())
    }

    async fn replace_circuit(&self, circuit: &Circuit) -> Result<Saved, StoreUnavailable> {
        self.plain_fault("replace_circuit")?;
        let mut state = self.lock();
        if state.circuit.version + 1 != circuit.version {
            return Ok(Saved::Lost);
        }
        state.circuit = circuit.clone();
        Ok(Saved::Won)
    }
}
