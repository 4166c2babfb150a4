//! Removes files for good: every version and delete marker.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use verification::identifiers::ScanRef;
use verification::ports::{FileRemoval, RemovedFiles, StoreUnavailable};

use super::objects::s3_client;
use crate::aws::error::unavailable;

#[derive(Clone, Debug)]
pub struct S3FileRemoval {
    client: Client,
    bucket: String,
}

const WHAT: &str = "removing files";

impl S3FileRemoval {
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
        }
    }

    /// A verification has few objects. Removed one by one, a failure names itself and the rest is
    /// found again.
    async fn remove_below(&self, prefix: String) -> Result<u64, StoreUnavailable> {
        let mut removed = 0;
        let (mut key_marker, mut version_marker) = (None, None);
        loop {
            let request = self
                .client
                .list_object_versions()
                .bucket(&self.bucket)
                .prefix(&prefix);
            let request = request
                .set_key_marker(key_marker)
                .set_version_id_marker(version_marker);
            let answer = request
                .send()
                .await
                .map_err(|error| unavailable(WHAT, error))?;
            let versions = answer
                .versions()
                .iter()
                .map(|version| (version.key(), version.version_id()));
            let markers = answer
                .delete_markers()
                .iter()
                .map(|marker| (marker.key(), marker.version_id()));
            for (key, version) in versions.chain(markers) {
                let request = self
                    .client
                    .delete_object()
                    .bucket(&self.bucket)
                    .set_key(key.map(str::to_owned));
                let request = request.set_version_id(version.map(str::to_owned));
                request
                    .send()
                    .await
                    .map_err(|error| unavailable(WHAT, error))?;
                removed += 1;
            }
            key_marker = answer.next_key_marker;
            version_marker = answer.next_version_id_marker;
            if !answer.is_truncated.unwrap_or(false) || key_marker.is_none() {
                return Ok(removed);
            }
        }
    }
}

#[async_trait]
impl FileRemoval for S3FileRemoval {
    async fn remove(&self, scan_ref: &ScanRef) -> Result<RemovedFiles, StoreUnavailable> {
        Ok(RemovedFiles {
            documents: self.remove_below(format!("documents/{scan_ref}/")).await?,
            callbacks: self.remove_below(format!("callbacks/{scan_ref}/")).await?,
        })
    }
}
