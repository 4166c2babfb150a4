//! Everything that the bucket keeps about one verification. No function does this.

use aws_sdk_s3::Client;
use aws_types::SdkConfig;
use bytes::Bytes;
use verification::Timestamp;
use verification::identifiers::ScanRef;
use verification::ports::StoreUnavailable;

use super::objects::s3_client;
use crate::aws::error::unavailable;

/// Reads the bucket for an export.
#[derive(Clone, Debug)]
pub struct S3Export {
    client: Client,
    bucket: String,
}

/// One object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptObject {
    pub key: String,
    pub kept_at: Option<Timestamp>,
}

const LISTING: &str = "listing what is kept";
const READING: &str = "reading a kept file";

impl S3Export {
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
        }
    }

    /// The documents and callbacks below a verification's name. Present versions only.
    ///
    /// # Errors
    /// S3 is unavailable.
    pub async fn list(&self, scan_ref: &ScanRef) -> Result<Vec<KeptObject>, StoreUnavailable> {
        let mut kept = Vec::new();
        for folder in ["documents", "callbacks"] {
            let mut next = None;
            loop {
                let request = self
                    .client
                    .list_objects_v2()
                    .bucket(&self.bucket)
                    .prefix(format!("{folder}/{scan_ref}/"));
                let answer = request.set_continuation_token(next).send().await;
                let answer = answer.map_err(|error| unavailable(LISTING, error))?;
                next = answer
                    .next_continuation_token
                    .clone()
                    .filter(|_| answer.is_truncated() == Some(true));
                let named = |object: aws_sdk_s3::types::Object| {
                    let kept_at = object.last_modified().and_then(|at| at.to_millis().ok());
                    Some(KeptObject {
                        kept_at: kept_at.map(Timestamp::from_milliseconds),
                        key: object.key?,
                    })
                };
                kept.extend(
                    answer
                        .contents
                        .unwrap_or_default()
                        .into_iter()
                        .filter_map(named),
                );
                if next.is_none() {
                    break;
                }
            }
        }
        Ok(kept)
    }

    /// The object, at most 30 MB. `None`: it was removed meanwhile.
    ///
    /// # Errors
    /// S3 is unavailable.
    pub async fn read(&self, key: &str) -> Result<Option<Bytes>, StoreUnavailable> {
        let request = self.client.get_object().bucket(&self.bucket).key(key);
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) if crate::aws::error::code(&error) == Some("NoSuchKey") => return Ok(None),
            Err(error) => return Err(unavailable(READING, error)),
        };
        let body = object.body.collect().await;
        let body = body.map_err(|error| StoreUnavailable::new(READING, error))?;
        Ok(Some(body.into_bytes()))
    }
}
