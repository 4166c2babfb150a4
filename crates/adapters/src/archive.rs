//! The callbacks in S3, as they were signed: `callbacks/<scanRef>/<sha256>.json`.

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use bytes::Bytes;
use idenfy::VerifiedBody;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{CallbackArchive, Unavailable};
use verification::result::CallbackFacts;

use crate::error::{code, unavailable};
use crate::translate::facts;

#[derive(Clone, Debug)]
pub struct S3CallbackArchive {
    client: Client,
    bucket: String,
}

/// S3 answers 409 while another write-once request for the same key is under way, and asks to repeat.
const CONFLICT_TRIES: u32 = 4;

impl S3CallbackArchive {
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        Self {
            client: crate::documents::s3_client(sdk),
            bucket: bucket.into(),
        }
    }
}

fn key(scan_ref: Option<&ScanRef>, digest: &Digest256) -> String {
    format!("callbacks/{}/{digest}.json", scan_ref.map_or("unreadable", ScanRef::as_str))
}

#[async_trait]
impl CallbackArchive for S3CallbackArchive {
    async fn keep(&self, scan_ref: Option<&ScanRef>, digest: &Digest256, body: &[u8]) -> Result<(), Unavailable> {
        let body = Bytes::copy_from_slice(body);
        let mut tries = 0;
        loop {
            tries += 1;
            let request = self
                .client
                .put_object()
                .bucket(&self.bucket)
                .key(key(scan_ref, digest))
                .if_none_match("*");
            let stored = request
                .content_type("application/json")
                .body(ByteStream::from(body.clone()))
                .send()
                .await;
            return match stored {
                Ok(_) => Ok(()),
                Err(error) => match code(&error) {
                    // Kept before: the name is the digest, so it is the same body.
                    Some("PreconditionFailed") => Ok(()),
                    Some("ConditionalRequestConflict") if tries < CONFLICT_TRIES => continue,
                    _ => Err(unavailable("archiving the callback", error)),
                },
            };
        }
    }

    async fn read(&self, scan_ref: &ScanRef, digest: &Digest256) -> Result<Option<CallbackFacts>, Unavailable> {
        let request = self.client.get_object().bucket(&self.bucket).key(key(Some(scan_ref), digest));
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) if matches!(code(&error), Some("NoSuchKey")) => return Ok(None),
            Err(error) => return Err(unavailable("reading the callback", error)),
        };
        let body = object
            .body
            .collect()
            .await
            .map_err(|error| Unavailable::new("reading the callback", error))?;
        let body = VerifiedBody::previously_verified(body.into_bytes());
        Ok(facts(&body).ok())
    }
}
