//! Converts documents that the provider would refuse. The copies lie beside the originals.
//!
//! Most documents need one look: at an image's first bytes, or at a PDF as it streams by. Others
//! are decoded in a process of their own ([`document_preparation::Workbench`]). Original and copy
//! pass through disk, so this process holds neither.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_types::SdkConfig;
use bytes::Bytes;
use document_preparation::{
    Change, Derived, EncryptionScan, Format, Need, PrepareError, Refusal, START_BYTES, Share,
    Workbench, allot, inspect_start,
};
use futures_util::StreamExt;
use tokio::sync::Semaphore;
use verification::Timestamp;
use verification::document::{FileType, MAXIMUM_FILE_BYTES, MAXIMUM_TOTAL_BYTES, StoredDocument};
use verification::identifiers::{Digest256, ScanRef, StepName};
use verification::ports::{Clock, DocumentPreparation, PreparationError, StoreUnavailable};
use verification::prepared::{Preparation, PreparationChange, PreparedFile};
use verification::reason::ParkReason;

use super::measured_body::{BoxError, ByteChunks, MeasuredBody, NotAsPromised};
use super::objects::{is_there, read_object, read_start, s3_client};
use super::spool::{Room, SpoolError, Spooled, chunks_of, spool};
use crate::aws::error::unavailable;

pub struct S3Preparation {
    client: Client,
    bucket: String,
    clock: Arc<dyn Clock>,
    workbench: Workbench,
    /// One picture at a time.
    turn: Semaphore,
}

/// A document and its copy so far.
struct Candidate<'a> {
    document: &'a StoredDocument,
    derived: Option<Copy>,
}

/// A converted copy, on disk.
struct Copy {
    derived: Derived,
    room: Room,
}

impl Candidate<'_> {
    fn bytes(&self) -> u64 {
        self.derived.as_ref().map_or_else(
            || self.document.submitted_bytes(),
            |copy| copy.derived.bytes,
        )
    }

    fn share(&self) -> Share {
        Share {
            bytes: self.bytes(),
            is_shrinkable: self.document.file_type != FileType::Pdf,
        }
    }
}

impl S3Preparation {
    /// `workbench` decodes pictures in child processes.
    pub fn new(
        sdk: &SdkConfig,
        bucket: impl Into<String>,
        clock: Arc<dyn Clock>,
        workbench: Workbench,
    ) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
            clock,
            workbench,
            turn: Semaphore::new(1),
        }
    }

    async fn inspect_all(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
    ) -> Result<Vec<bool>, PreparationError> {
        let mut must_change = Vec::new();
        for document in documents {
            must_change.push(
                document.prepared.is_none() && self.needs_preparation(first, document).await?,
            );
        }
        Ok(must_change)
    }

    async fn prepare_all(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        must_change: &[bool],
    ) -> Result<Vec<Preparation>, PreparationError> {
        let mut candidates = Vec::new();
        for (document, must_change) in documents.iter().zip(must_change) {
            let derived = if *must_change {
                self.derive(first, document, MAXIMUM_TOTAL_BYTES).await?
            } else {
                None
            };
            candidates.push(Candidate { document, derived });
        }
        self.make_room(first, &mut candidates).await?;
        let mut preparations = Vec::new();
        for Candidate { document, derived } in candidates {
            if let Some(copy) = derived {
                preparations.push(self.store(first, document, copy).await?);
            }
        }
        Ok(preparations)
    }

    /// Whether the document must change, apart from its size.
    async fn needs_preparation(
        &self,
        first: &ScanRef,
        document: &StoredDocument,
    ) -> Result<bool, PreparationError> {
        match format(document.file_type) {
            Format::Pdf if self.is_encrypted(first, document).await? => {
                Err(PreparationError::Refused(ParkReason::FileEncrypted {
                    step: document.step.clone(),
                }))
            }
            Format::Pdf => Ok(false),
            format => {
                let key = document.key(first);
                let (length, chunks) = read_start(&self.client, &self.bucket, &key, START_BYTES)
                    .await
                    .map_err(PreparationError::Unavailable)?;
                match inspect_start(format, &gather(length, chunks).await?) {
                    Need::Nothing => Ok(false),
                    Need::Preparation => Ok(true),
                    Need::Refused(refusal) => {
                        Err(PreparationError::Refused(refused(refusal, &document.step)))
                    }
                }
            }
        }
    }

    async fn is_encrypted(
        &self,
        first: &ScanRef,
        document: &StoredDocument,
    ) -> Result<bool, PreparationError> {
        let (_, mut chunks) = read_object(&self.client, &self.bucket, &document.key(first))
            .await
            .map_err(PreparationError::Unavailable)?;
        let mut scan = EncryptionScan::default();
        while let Some(chunk) = chunks.next().await {
            scan.push(&chunk.map_err(broken_off)?);
        }
        Ok(scan.is_encrypted())
    }

    /// Makes images smaller until all documents fit into one request. Each gets its fair share.
    async fn make_room(
        &self,
        first: &ScanRef,
        candidates: &mut [Candidate<'_>],
    ) -> Result<(), PreparationError> {
        let shares: Vec<Share> = candidates.iter().map(Candidate::share).collect();
        let total = shares
            .iter()
            .fold(0_u64, |sum, share| sum.saturating_add(share.bytes));
        if total <= MAXIMUM_TOTAL_BYTES {
            return Ok(());
        }
        let allotted = allot(&shares, MAXIMUM_TOTAL_BYTES)
            .ok_or(PreparationError::Refused(ParkReason::DocumentsTooLarge))?;
        for (candidate, allotted) in candidates.iter_mut().zip(allotted) {
            if candidate.bytes() > allotted {
                candidate.derived = self.derive(first, candidate.document, allotted).await?;
            }
        }
        Ok(())
    }

    /// Converts the original to at most `limit` bytes. `None`: submit the original.
    async fn derive(
        &self,
        first: &ScanRef,
        document: &StoredDocument,
        limit: u64,
    ) -> Result<Option<Copy>, PreparationError> {
        let step = &document.step;
        let _turn = self.turn.acquire().await;
        let original = self.original(first, document).await?;
        let room = Room::of(limit)
            .await
            .ok_or_else(|| disk_full("making room for a copy"))?;
        let prepared = self
            .workbench
            .prepare(format(document.file_type), original.file, limit)
            .await;
        drop(original.room);
        let (usage, outcome) = match &prepared {
            Ok(None) => (None, "AsItIs"),
            Ok(Some(derived)) => (Some(&derived.usage), "Copied"),
            Err(PrepareError::Refused(refusal, usage)) => {
                (usage.as_ref(), refused(*refusal, step).as_str())
            }
            Err(PrepareError::Unavailable(_)) => (None, "Unavailable"),
        };
        // No figures: no child was needed, or it died.
        tracing::info!(
            event = "document_inspected",
            scan_ref = %first,
            outcome,
            cpu_ms = usage.map(|usage| usage.cpu_milliseconds),
            peak_memory_kb = usage.map(|usage| usage.peak_kilobytes),
            "a document was inspected in a process of its own"
        );
        match prepared {
            Ok(derived) => Ok(derived.map(|derived| Copy { derived, room })),
            Err(PrepareError::Refused(refusal, _)) => {
                Err(PreparationError::Refused(refused(refusal, step)))
            }
            Err(PrepareError::Unavailable(error)) => Err(PreparationError::Unavailable(
                StoreUnavailable::new("preparing a file", error),
            )),
        }
    }

    /// The original on disk, checked against its digest.
    async fn original(
        &self,
        first: &ScanRef,
        document: &StoredDocument,
    ) -> Result<Spooled, PreparationError> {
        let (length, chunks) = read_object(&self.client, &self.bucket, &document.key(first))
            .await
            .map_err(PreparationError::Unavailable)?;
        let changed = || {
            PreparationError::Refused(ParkReason::FileChanged {
                step: document.step.clone(),
            })
        };
        if length != document.bytes || length > MAXIMUM_FILE_BYTES {
            return Err(changed());
        }
        let (body, outcome) = MeasuredBody::new(chunks, length, Some(document.sha256.clone()));
        match (spool(body.boxed(), length).await, outcome.get()) {
            (_, Some(Err(NotAsPromised::Different))) => Err(changed()),
            (Ok(spooled), _) => Ok(spooled),
            (Err(SpoolError::Broken(error)), _) => Err(broken_off(error)),
            (Err(error), _) => Err(PreparationError::Unavailable(StoreUnavailable::new(
                "spooling a file",
                error,
            ))),
        }
    }

    /// Stores the copy. Its name has its digest, so an existing one is the same.
    async fn store(
        &self,
        first: &ScanRef,
        document: &StoredDocument,
        copy: Copy,
    ) -> Result<Preparation, PreparationError> {
        let Copy { derived, room } = copy;
        let file = PreparedFile {
            bytes: derived.bytes,
            sha256: Digest256::from_bytes(derived.sha256),
            width: derived.width,
            height: derived.height,
            quality: derived.quality,
            changes: derived.changes.into_iter().map(change).collect(),
        };
        let (body, _) = MeasuredBody::new(
            chunks_of(derived.jpeg, room),
            file.bytes,
            Some(file.sha256.clone()),
        );
        let key = file.key(first, &document.step);
        let request = self.client.put_object().bucket(&self.bucket).key(&key);
        let request = request
            .if_none_match("*")
            .content_type(FileType::Jpeg.media_type());
        let request = request.content_length(i64::try_from(file.bytes).unwrap_or(i64::MAX));
        match request
            .body(ByteStream::new(SdkBody::from_body_1_x(body)))
            .send()
            .await
        {
            Ok(_) => {}
            Err(error) if is_there(&self.client, &self.bucket, &key, &error).await => {}
            Err(error) => {
                return Err(PreparationError::Unavailable(unavailable(
                    "storing a prepared file",
                    error,
                )));
            }
        }
        Ok(Preparation {
            step: document.step.clone(),
            original: document.sha256.clone(),
            file,
        })
    }
}

#[async_trait]
impl DocumentPreparation for S3Preparation {
    async fn inspect(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        until: Timestamp,
    ) -> Result<Vec<bool>, PreparationError> {
        let budget = until.since(self.clock.now());
        let inspected = tokio::time::timeout(budget, self.inspect_all(first, documents)).await;
        inspected.unwrap_or(Err(PreparationError::OutOfTime))
    }

    async fn prepare(
        &self,
        first: &ScanRef,
        documents: &[StoredDocument],
        must_change: &[bool],
        until: Timestamp,
    ) -> Result<Vec<Preparation>, PreparationError> {
        let budget = until.since(self.clock.now());
        // Dropping the work ends its process.
        let prepared =
            tokio::time::timeout(budget, self.prepare_all(first, documents, must_change)).await;
        prepared.unwrap_or(Err(PreparationError::OutOfTime))
    }
}

fn disk_full(what: &'static str) -> PreparationError {
    PreparationError::Unavailable(StoreUnavailable { what, source: None })
}

async fn gather(length: u64, mut chunks: ByteChunks) -> Result<Vec<u8>, PreparationError> {
    let mut gathered = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    while let Some(chunk) = chunks.next().await {
        let chunk: Bytes = chunk.map_err(broken_off)?;
        gathered.extend_from_slice(&chunk);
    }
    Ok(gathered)
}

fn broken_off(error: BoxError) -> PreparationError {
    PreparationError::Unavailable(StoreUnavailable::new("reading a stored file", error))
}

fn refused(refusal: Refusal, step: &StepName) -> ParkReason {
    let step = step.clone();
    match refusal {
        Refusal::FormatNotConvertible => ParkReason::FileTypeNotAccepted { step },
        Refusal::Unreadable => ParkReason::FileUnreadable { step },
        Refusal::TooManyPixels => ParkReason::TooManyPixels { step },
        Refusal::TooLarge => ParkReason::FileTooLarge { step },
    }
}

const fn format(file_type: FileType) -> Format {
    match file_type {
        FileType::Jpeg => Format::Jpeg,
        FileType::Png => Format::Png,
        FileType::Pdf => Format::Pdf,
        FileType::Webp => Format::Webp,
        FileType::Heic => Format::Heic,
    }
}

const fn change(change: Change) -> PreparationChange {
    match change {
        Change::Converted => PreparationChange::Converted,
        Change::Turned => PreparationChange::Turned,
        Change::Recompressed => PreparationChange::Recompressed,
        Change::ScaledDown => PreparationChange::ScaledDown,
    }
}
