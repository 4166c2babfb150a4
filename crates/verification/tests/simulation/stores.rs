//! The stores, watched: every call goes to the store and then to the checks, with nothing in
//! between.
//! Some are broken on purpose.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use verification::Pairing;
use verification::Timestamp;
use verification::document::{FileType, PlannedDocument, StoredDocument, document_key};
use verification::file_number::FileNumber;
use verification::identifiers::{ClientId, Digest256, ScanRef, StepName, UploadId};
use verification::ports::{
    CaptureError, DocumentPreparation, Documents, FileRemoval, HistoryEntry, Overdue, Page,
    PageStart, PairingWrite, Pairings, PreparationError, RemovedFiles, Saved, StoreUnavailable,
};
use verification::prepared::{Preparation, PreparationChange, PreparedFile};
use verification::reason::ParkReason;
use verification::secret::FileLink;
use verification::testing::memory::{FileBehaviour, World};

use super::broken::Broken;
use super::invariants::Checks;
use super::provider::SimulatedProvider;
use super::random_faults::RandomFaults;
use super::timeline::Timeline;

pub struct WatchedPairings {
    pub timeline: Arc<Timeline>,
    pub random_faults: RandomFaults,
    pub world: Arc<World>,
    pub checks: Arc<Checks>,
    pub broken: Option<Broken>,
}

#[async_trait]
impl Pairings for WatchedPairings {
    async fn find(&self, scan_ref: &ScanRef) -> Result<Option<Pairing>, StoreUnavailable> {
        let found = self.world.find(scan_ref).await?;
        if self.broken == Some(Broken::AliasMissing) {
            return Ok(found.filter(|pairing| pairing.first == *scan_ref));
        }
        Ok(found)
    }

    async fn save(&self, write: &PairingWrite) -> Result<Saved, StoreUnavailable> {
        let first = &write.pairing.first;
        let before = self.world.stored(first);
        let saved = if self.broken == Some(Broken::VersionIgnored) {
            let mut careless = write.clone();
            careless.pairing.version = before.as_ref().map_or(0, |before| before.version) + 1;
            self.world.save(&careless).await?
        } else {
            self.world.save(write).await?
        };
        let after = self.world.stored(first);
        self.checks
            .saved(before.as_ref(), write, after.as_ref(), saved);
        Ok(saved)
    }

    async fn history(
        &self,
        first: &ScanRef,
        limit: u16,
    ) -> Result<Vec<HistoryEntry>, StoreUnavailable> {
        self.world.history(first, limit).await
    }

    async fn of_client(
        &self,
        client_id: &ClientId,
        start: Option<&PageStart>,
        limit: u16,
    ) -> Result<Page, StoreUnavailable> {
        self.world.of_client(client_id, start, limit).await
    }

    /// The index may not show a pairing yet, or still show one that has moved on.
    async fn overdue(&self, now: Timestamp, limit: u16) -> Result<Vec<Overdue>, StoreUnavailable> {
        let mut overdue = self.world.overdue(now, limit).await?;
        if self.timeline.elapsed() < self.random_faults.calm_after
            && self.timeline.chance(self.random_faults.index_lags)
        {
            self.timeline.count("index lagged behind");
            overdue.retain(|_| self.timeline.chance(0.5));
            self.world.for_each_pairing(|pairing| {
                if self.timeline.chance(0.3) {
                    overdue.push(Overdue {
                        first: pairing.first.clone(),
                        attention_at: now,
                    });
                }
            });
        }
        Ok(overdue)
    }

    async fn is_forgotten(&self, scan_ref: &ScanRef) -> Result<bool, StoreUnavailable> {
        self.world.is_forgotten(scan_ref).await
    }

    async fn forget(&self, pairing: &Pairing) -> Result<u64, StoreUnavailable> {
        let removed = self.world.forget(pairing).await?;
        self.checks.forgotten(&pairing.first);
        Ok(removed)
    }
}

/// Says that it has removed everything, and has not.
pub struct NothingRemoved;

#[async_trait]
impl FileRemoval for NothingRemoved {
    async fn remove(&self, _scan_ref: &ScanRef) -> Result<RemovedFiles, StoreUnavailable> {
        Ok(RemovedFiles::default())
    }
}

pub struct WatchedDocuments {
    pub provider: Arc<SimulatedProvider>,
    pub broken: Option<Broken>,
    /// The file that a broken bucket returns, from any upload.
    pub earlier: Mutex<BTreeMap<(ScanRef, StepName, FileNumber), String>>,
}

#[async_trait]
impl Documents for WatchedDocuments {
    async fn capture(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
        until: Timestamp,
    ) -> Result<StoredDocument, CaptureError> {
        let (timeline, random_faults) = (&self.provider.timeline, &self.provider.random_faults);
        let is_calm = self.provider.is_calm();
        let trouble = |part: f64| !is_calm && timeline.chance(random_faults.link_trouble * part);
        let Some(content) = self.provider.content(link) else {
            timeline.count("dead link");
            return Err(CaptureError::LinkDead);
        };
        let content = if self.broken == Some(Broken::UploadsMixed) {
            let place = (first.clone(), planned.step.clone(), planned.file);
            let mut earlier = self.earlier.lock().unwrap_or_else(PoisonError::into_inner);
            earlier.entry(place).or_insert(content).clone()
        } else {
            content
        };
        let behaviour = if timeline.milliseconds() > until.milliseconds() || trouble(0.3) {
            timeline.count("file not to be had now");
            FileBehaviour::Down
        } else if trouble(0.3) {
            timeline.count("file cut short");
            FileBehaviour::Truncated
        } else if self.provider.is_refused(&content) {
            timeline.count("file refused");
            let step = planned.step.clone();
            FileBehaviour::Refused(ParkReason::FileTypeNotAccepted { step })
        } else {
            FileBehaviour::Serves(if trouble(0.05) { 9_000_000 } else { 1_000_000 })
        };
        let world = &self.provider.world;
        world.file(&content, behaviour);
        let key = document_key(first, upload, &planned.step, planned.file, FileType::Jpeg);
        let before = world.object(&key);
        if self.broken == Some(Broken::WriteOnceIgnored) {
            world.lose_object(&key);
        }
        let captured = world
            .capture(first, upload, planned, &FileLink::new(content), until)
            .await;
        if let Ok(document) = &captured {
            self.provider
                .checks
                .captured(first, before.as_ref(), Some(document));
        }
        captured
    }
}

/// Some photos are not upright. Which ones follows from their content.
pub struct WatchedPreparation {
    pub timeline: Arc<Timeline>,
    pub world: Arc<World>,
    pub are_all_lying: bool,
}

impl WatchedPreparation {
    fn is_lying(&self, document: &StoredDocument) -> bool {
        self.are_all_lying || document.sha256.as_str().starts_with('7')
    }
}

#[async_trait]
impl DocumentPreparation for WatchedPreparation {
    async fn inspect(
        &self,
        _: &ScanRef,
        documents: &[StoredDocument],
        _: Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        Ok(documents
            .iter()
            .map(|document| document.prepared.is_none() && self.is_lying(document))
            .collect())
    }

    async fn prepare(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        must_change: &[bool],
        until: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError> {
        let mut preparations = Vec::new();
        let lying = documents.iter().filter(|document| self.is_lying(document));
        for document in lying {
            self.timeline.count("photo lying on its side");
            if !self.are_all_lying && document.sha256.as_str().starts_with("77") {
                self.timeline.count("photo that outlasts everybody");
                return Err(PreparationError::OutOfTime);
            }
            self.world
                .prepares(first, &document.step, Ok(upright(document)));
            let document = std::slice::from_ref(document);
            preparations.extend(
                self.world
                    .prepare(first, document, must_change, until)
                    .await?,
            );
        }
        Ok(preparations)
    }
}

pub fn upright(document: &StoredDocument) -> PreparedFile {
    PreparedFile {
        bytes: document.bytes,
        sha256: Digest256::of(document.sha256.as_str().as_bytes()),
        width: 4_000,
        height: 3_000,
        quality: 90,
        changes: vec![PreparationChange::Turned],
    }
}
