//! Documents that the provider would refuse, made into what it takes, beside their originals in the bucket.
//!
//! The usual document costs one look: at the first bytes of an image, or at a PDF as it streams by, in constant memory. Only what must be
//! converted, turned or made smaller is read as a whole, one picture at a time however many messages are at work, because a picture may
//! need 450 MB (see `document_preparation::MAXIMUM_PIXELS`).

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use bytes::Bytes;
use document_preparation::{Change, Derived, EncryptionScan, Format, Need, Refusal, START_BYTES, Share, allot, inspect_start};
use futures_util::StreamExt;
use tokio::sync::Semaphore;
use verification::Timestamp;
use verification::document::{FileType, MAXIMUM_TOTAL_BYTES, StoredDocument};
use verification::identifiers::{Digest256, ScanRef, StepName};
use verification::ports::{Clock, DocumentPreparation, PreparationError, Unavailable};
use verification::prepared::{Preparation, PreparationChange, PreparedFile};
use verification::reason::ParkReason;

use crate::documents::{is_there, read_object, read_start, s3_client};
use crate::error::{code, unavailable};
use crate::measured_body::{BoxError, ByteChunks, MeasuredBody, NotAsPromised};

pub struct S3Preparation {
    client: Client,
    bucket: String,
    clock: Arc<dyn Clock>,
    /// One picture in memory at a time.
    workbench: Arc<Semaphore>,
}

/// A document, and what is submitted of it so far.
struct Candidate<'a> {
    document: &'a StoredDocument,
    derived: Option<Derived>,
}

impl Candidate<'_> {
    fn bytes(&self) -> u64 {
        self.derived
            .as_ref()
            .map_or_else(|| self.document.submitted_bytes(), |derived| derived.jpeg.len() as u64)
    }

    fn share(&self) -> Share {
        Share {
            bytes: self.bytes(),
            is_shrinkable: self.document.file_type != FileType::Pdf,
        }
    }
}

impl S3Preparation {
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
            clock,
            workbench: Arc::new(Semaphore::new(1)),
        }
    }

    async fn prepare_all(&self, first: &ScanRef, documents: &[StoredDocument]) -> Result<Vec<Preparation>, PreparationError> {
        let mut candidates = Vec::new();
        for document in documents {
            let derived = if document.prepared.is_none() && self.needs_preparation(first, document).await? {
                self.derive(first, document, MAXIMUM_TOTAL_BYTES).await?
            } else {
                None
            };
            candidates.push(Candidate { document, derived });
        }
        self.make_room(first, &mut candidates).await?;
        let mut preparations = Vec::new();
        for Candidate { document, derived } in candidates {
            if let Some(derived) = derived {
                preparations.push(self.store(first, document, derived).await?);
            }
        }
        Ok(preparations)
    }

    /// Whether the document must be changed, its size aside.
    async fn needs_preparation(&self, first: &ScanRef, document: &StoredDocument) -> Result<bool, PreparationError> {
        match format(document.file_type) {
            Format::Pdf if self.is_encrypted(first, document).await? => Err(PreparationError::Refused(ParkReason::FileEncrypted {
                step: document.step.clone(),
            })),
            Format::Pdf => Ok(false),
            format => {
                let key = document.key(first);
                let (length, chunks) = read_start(&self.client, &self.bucket, &key, START_BYTES)
                    .await
                    .map_err(PreparationError::Unavailable)?;
                match inspect_start(format, &gather(length, chunks).await?) {
                    Need::Nothing => Ok(false),
                    Need::Preparation => Ok(true),
                    Need::Refused(refusal) => Err(refused(refusal, &document.step)),
                }
            }
        }
    }

    async fn is_encrypted(&self, first: &ScanRef, document: &StoredDocument) -> Result<bool, PreparationError> {
        let (_, mut chunks) = read_object(&self.client, &self.bucket, &document.key(first))
            .await
            .map_err(PreparationError::Unavailable)?;
        let mut scan = EncryptionScan::default();
        while let Some(chunk) = chunks.next().await {
            scan.push(&chunk.map_err(broken_off)?);
        }
        Ok(scan.is_encrypted())
    }

    /// If the documents do not fit into one request together, the images among them are made smaller, each to its fair share.
    async fn make_room(&self, first: &ScanRef, candidates: &mut [Candidate<'_>]) -> Result<(), PreparationError> {
        let shares: Vec<Share> = candidates.iter().map(Candidate::share).collect();
        let total = shares.iter().fold(0_u64, |sum, share| sum.saturating_add(share.bytes));
        if total <= MAXIMUM_TOTAL_BYTES {
            return Ok(());
        }
        let allotted = allot(&shares, MAXIMUM_TOTAL_BYTES).ok_or(PreparationError::Refused(ParkReason::DocumentsTooLarge))?;
        for (candidate, allotted) in candidates.iter_mut().zip(allotted) {
            if candidate.bytes() > allotted {
                candidate.derived = self.derive(first, candidate.document, allotted).await?;
            }
        }
        Ok(())
    }

    /// Makes of the original what fits into `limit` bytes. `None`: the original may go as it is.
    async fn derive(&self, first: &ScanRef, document: &StoredDocument, limit: u64) -> Result<Option<Derived>, PreparationError> {
        let step = &document.step;
        let permit = self.workbench.clone().acquire_owned().await;
        let (length, chunks) = read_object(&self.client, &self.bucket, &document.key(first))
            .await
            .map_err(PreparationError::Unavailable)?;
        let changed = || PreparationError::Refused(ParkReason::FileChanged { step: step.clone() });
        if length != document.bytes {
            return Err(changed());
        }
        let (body, outcome) = MeasuredBody::new(chunks, length, Some(document.sha256.clone()));
        let original = gather(length, body.boxed()).await.map_err(|error| match outcome.get() {
            Some(Err(NotAsPromised::Different)) => changed(),
            _ => error,
        })?;
        let format = format(document.file_type);
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        // The thread keeps the permit, so that a picture that nobody waits for any more is still the only one.
        let work = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            document_preparation::prepare(format, &original, limit)
        });
        // A thread that did not come back had a panic that is like any other broken picture.
        let derived = work.await.unwrap_or(Err(Refusal::Unreadable));
        derived.map_err(|refusal| refused(refusal, step))
    }

    /// Stores the copy under a name that has its digest, so that one that is there already is the same one.
    async fn store(&self, first: &ScanRef, document: &StoredDocument, derived: Derived) -> Result<Preparation, PreparationError> {
        let file = PreparedFile {
            bytes: derived.jpeg.len() as u64,
            sha256: Digest256::of(&derived.jpeg),
            width: derived.width,
            height: derived.height,
            quality: derived.quality,
            changes: derived.changes.into_iter().map(change).collect(),
        };
        let request = self.client.put_object().bucket(&self.bucket).key(file.key(first, &document.step));
        let request = request.if_none_match("*").content_type(FileType::Jpeg.media_type());
        match request.body(ByteStream::from(derived.jpeg)).send().await {
            Ok(_) => {}
            Err(error) if is_there(code(&error)) => {}
            Err(error) => return Err(PreparationError::Unavailable(unavailable("storing a prepared file", error))),
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
    async fn prepare(&self, first: &ScanRef, documents: &[StoredDocument], until: Timestamp) -> Result<Vec<Preparation>, PreparationError> {
        let budget = until.since(self.clock.now());
        match tokio::time::timeout(budget, self.prepare_all(first, documents)).await {
            Ok(prepared) => prepared,
            Err(elapsed) => Err(PreparationError::Unavailable(Unavailable::new("preparing the documents", elapsed))),
        }
    }
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
    PreparationError::Unavailable(Unavailable::new("reading a stored file", error))
}

fn refused(refusal: Refusal, step: &StepName) -> PreparationError {
    let step = step.clone();
    PreparationError::Refused(match refusal {
        Refusal::FormatNotConvertible => ParkReason::FileTypeNotAccepted { step },
        Refusal::Unreadable => ParkReason::FileUnreadable { step },
        Refusal::TooManyPixels => ParkReason::TooManyPixels { step },
        Refusal::TooLarge => ParkReason::FileTooLarge { step },
    })
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

impl std::fmt::Debug for S3Preparation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Preparation")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
