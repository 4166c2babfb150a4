//! Streams second documents from their links into S3, each under its [`document_key`].
//!
//! A file appears whole or not at all, once. It is described by the stored bytes.

use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::{ByteStream, SdkBody};
use aws_types::SdkConfig;
use futures_util::StreamExt;
use verification::Timestamp;
use verification::document::{
    FileType, MAXIMUM_FILE_BYTES, PlannedDocument, StoredDocument, document_key,
};
use verification::identifiers::{ScanRef, UploadId};
use verification::observation::Observation;
use verification::ports::{CaptureError, Clock, Documents, Observer, StoreUnavailable};
use verification::reason::ParkReason;
use verification::secret::FileLink;

use super::link::{Fetched, LinkFetcher};
use super::measured_body::{ByteChunks, MeasuredBody, NotAsPromised};
use super::objects::{is_there, read_object, s3_client};
use super::origins::FileOrigins;
use super::spool::{SpoolError, chunks_of, spool};
use crate::aws::error::unavailable;

pub struct S3Documents {
    client: Client,
    bucket: String,
    links: LinkFetcher,
    clock: Arc<dyn Clock>,
    observer: Arc<dyn Observer>,
}

impl S3Documents {
    pub fn new(
        sdk: &SdkConfig,
        bucket: impl Into<String>,
        http: reqwest::Client,
        origins: FileOrigins,
        clock: Arc<dyn Clock>,
        observer: Arc<dyn Observer>,
    ) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
            links: LinkFetcher::new(http, origins),
            clock,
            observer,
        }
    }

    async fn copy(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
    ) -> Result<StoredDocument, CaptureError> {
        let started = self.clock.now();
        let step = || planned.step.clone();
        let Fetched {
            length,
            chunks,
            expires_at,
        } = self.links.fetch(link, &planned.step).await?;
        let (length, chunks) = match length {
            Some(length) => (length, chunks),
            None => spool(chunks, MAXIMUM_FILE_BYTES)
                .await
                .map(|spooled| (spooled.length, chunks_of(spooled.file, spooled.room)))
                .map_err(|error| match error {
                    SpoolError::Broken(_) => CaptureError::Truncated,
                    SpoolError::TooLarge => {
                        CaptureError::Refused(ParkReason::FileTooLarge { step: step() })
                    }
                    SpoolError::Disk(error) => {
                        CaptureError::Unavailable(StoreUnavailable::new("spooling a file", error))
                    }
                })?,
        };
        if length == 0 {
            return Err(CaptureError::Refused(ParkReason::FileEmpty {
                step: step(),
            }));
        }
        if length > MAXIMUM_FILE_BYTES {
            return Err(CaptureError::Refused(ParkReason::FileTooLarge {
                step: step(),
            }));
        }
        let (file_type, chunks) = sniff(chunks, length).await?;
        let file_type = file_type.ok_or_else(|| {
            CaptureError::Refused(ParkReason::FileTypeNotAccepted { step: step() })
        })?;
        if length > file_type.maximum_bytes() {
            return Err(CaptureError::Refused(ParkReason::FileTooLarge {
                step: step(),
            }));
        }
        let key = document_key(first, upload, &planned.step, planned.file, file_type);
        let (body, outcome) = MeasuredBody::new(chunks, length, None);
        let request = self
            .client
            .put_object()
            .bucket(&self.bucket)
            .key(&key)
            .if_none_match("*")
            .content_type(file_type.media_type());
        let request = request.content_length(i64::try_from(length).unwrap_or(i64::MAX));
        let stored = request
            .body(ByteStream::new(SdkBody::from_body_1_x(body)))
            .send()
            .await;
        let document = |bytes, sha256| StoredDocument {
            upload: upload.clone(),
            step: planned.step.clone(),
            file: planned.file,
            side: planned.side,
            file_type,
            bytes,
            sha256,
            prepared: None,
        };
        let promised = outcome.get();
        let is_there = match &stored {
            Ok(_) => false,
            // The link broke off, not the bucket.
            Err(SdkError::DispatchFailure(_)) if matches!(promised, Some(Err(_))) => false,
            Err(error) => is_there(&self.client, &self.bucket, &key, error).await,
        };
        match (stored, promised) {
            (Ok(_), Some(Ok(sha256))) => {
                self.observer.observe(Observation::FileCaptured {
                    bytes: length,
                    took: self.clock.now().since(started),
                    link_time_left: expires_at.map(|expires_at| expires_at.since(started)),
                });
                Ok(document(length, sha256))
            }
            // Accepted before it was read to its end: the stored bytes are unknown.
            (Ok(_), _) => Err(unknown_copy()),
            // An earlier copy exists. It may have been stored while we were sending.
            (Err(_), _) if is_there => {
                let (bytes, sha256) = self
                    .describe(&key)
                    .await
                    .map_err(CaptureError::Unavailable)?;
                Ok(document(bytes, sha256))
            }
            (
                Err(_),
                Some(Err(NotAsPromised::Short | NotAsPromised::Long | NotAsPromised::Different)),
            ) => Err(CaptureError::Truncated),
            (Err(error), _) => Err(CaptureError::Unavailable(unavailable(
                "storing a file",
                error,
            ))),
        }
    }

    /// Reads the stored file once, for its length and digest.
    async fn describe(
        &self,
        key: &str,
    ) -> Result<(u64, verification::identifiers::Digest256), StoreUnavailable> {
        let (length, chunks) = read_object(&self.client, &self.bucket, key).await?;
        let (mut body, outcome) = MeasuredBody::new(chunks, length, None);
        while let Some(chunk) = body.next().await {
            chunk.map_err(|error| StoreUnavailable::new("reading a stored file", error))?;
        }
        match outcome.get() {
            Some(Ok(sha256)) => Ok((length, sha256)),
            _ => Err(StoreUnavailable {
                what: "reading a stored file",
                source: None,
            }),
        }
    }
}

fn unknown_copy() -> CaptureError {
    CaptureError::Unavailable(StoreUnavailable {
        what: "storing a file",
        source: None,
    })
}

/// Reads enough to recognise the type, and puts it back.
async fn sniff(
    mut chunks: ByteChunks,
    length: u64,
) -> Result<(Option<FileType>, ByteChunks), CaptureError> {
    let wanted = usize::try_from(length)
        .unwrap_or(usize::MAX)
        .min(verification::document::SNIFF_LENGTH);
    let mut start = Vec::new();
    let mut held = Vec::new();
    while start.len() < wanted && FileType::sniff(&start).is_none() {
        match chunks.next().await {
            Some(Ok(chunk)) => {
                start.extend(chunk.iter().take(wanted.saturating_sub(start.len())));
                held.push(Ok(chunk));
            }
            Some(Err(_)) | None => return Err(CaptureError::Truncated),
        }
    }
    Ok((
        FileType::sniff(&start),
        futures_util::stream::iter(held).chain(chunks).boxed(),
    ))
}

#[async_trait]
impl Documents for S3Documents {
    async fn capture(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
        until: Timestamp,
    ) -> Result<StoredDocument, CaptureError> {
        let budget = until.since(self.clock.now());
        match tokio::time::timeout(budget, self.copy(first, upload, planned, link)).await {
            Ok(copied) => copied,
            Err(elapsed) => Err(CaptureError::Unavailable(StoreUnavailable::new(
                "copying a file",
                elapsed,
            ))),
        }
    }
}

impl std::fmt::Debug for S3Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("S3Documents")
            .field("bucket", &self.bucket)
            .finish_non_exhaustive()
    }
}
