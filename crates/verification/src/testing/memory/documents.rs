//! Second documents in memory: a test says how each link behaves.

use async_trait::async_trait;

use super::{FileBehaviour, World};
use crate::identifiers::{Digest256, ScanRef, UploadId};
use crate::pairing::document::{FileType, PlannedDocument, StoredDocument};
use crate::ports::{CaptureError, Documents, StoreUnavailable};
use crate::secret::FileLink;
use crate::time::Timestamp;

#[async_trait]
impl Documents for World {
    async fn capture(
        &self,
        first: &ScanRef,
        upload: &UploadId,
        planned: &PlannedDocument,
        link: &FileLink,
        _until: Timestamp,
    ) -> Result<StoredDocument, CaptureError> {
        let unavailable = || {
            CaptureError::Unavailable(StoreUnavailable {
                what: "file",
                source: None,
            })
        };
        let behaviour = self
            .lock()
            .files
            .get(link.expose())
            .cloned()
            .unwrap_or(FileBehaviour::Dead);
        match behaviour {
            FileBehaviour::Dead => Err(CaptureError::LinkDead),
            FileBehaviour::Truncated => Err(CaptureError::Truncated),
            FileBehaviour::NotAFile => Err(CaptureError::NotAFile),
            FileBehaviour::Down => Err(unavailable()),
            FileBehaviour::Refused(reason) => Err(CaptureError::Refused(reason)),
            FileBehaviour::Serves(_)
            | FileBehaviour::ServesPdf(_)
            | FileBehaviour::ServesContent(_) => {
                let (bytes, content) = match behaviour {
                    FileBehaviour::Serves(bytes) | FileBehaviour::ServesPdf(bytes) => {
                        (bytes, link.expose())
                    }
                    FileBehaviour::ServesContent(content) => (content.len() as u64, content),
                    _ => (0, ""),
                };
                let file_type = match behaviour {
                    FileBehaviour::ServesPdf(_) => FileType::Pdf,
                    _ => FileType::Jpeg,
                };
                let document = StoredDocument {
                    upload: upload.clone(),
                    step: planned.step.clone(),
                    file: planned.file,
                    side: planned.side,
                    file_type,
                    bytes,
                    sha256: Digest256::of(content.as_bytes()),
                    prepared: None,
                };
                let stored = self
                    .lock()
                    .objects
                    .entry(document.key(first))
                    .or_insert(document)
                    .clone();
                // What it shows is no part of what is stored.
                Ok(StoredDocument {
                    side: planned.side,
                    ..stored
                })
            }
        }
    }
}
