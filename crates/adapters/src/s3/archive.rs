//! The callbacks in S3, as they were signed: `callbacks/<scanRef>/<sha256>.json`.

use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::ByteStream;
use aws_types::SdkConfig;
use bytes::Bytes;
use idenfy::VerifiedBody;
use verification::Timestamp;
use verification::comparison::Subject;
use verification::identifiers::{Digest256, ScanRef};
use verification::ports::{CallbackArchive, StoreUnavailable};
use verification::result::CallbackContent;

use super::objects::s3_client;
use crate::aws::error::{code, unavailable};
use crate::callback::{read_callback, subject};

#[derive(Clone, Debug)]
pub struct S3CallbackArchive {
    client: Client,
    bucket: String,
}

/// S3 answers 409 while another write-once request for the key is under way.
///
/// It asks to repeat.
const CONFLICT_TRIES: u32 = 4;

/// Longest pause between them. The other write is one of a few kilobytes.
const CONFLICT_PAUSE: Duration = Duration::from_millis(200);

impl S3CallbackArchive {
    pub fn new(sdk: &SdkConfig, bucket: impl Into<String>) -> Self {
        Self {
            client: s3_client(sdk),
            bucket: bucket.into(),
        }
    }
}

/// One archived callback.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedCallback {
    /// `None`: it was unreadable.
    pub scan_ref: Option<ScanRef>,
    pub digest: Digest256,
    /// First arrival.
    pub kept_at: Timestamp,
    pub bytes: u64,
}

/// One page of the archive, in the order of names.
#[derive(Clone, Debug)]
pub struct ArchivedPage {
    pub callbacks: Vec<ArchivedCallback>,
    /// Start of the next page. `None`: there is none.
    pub next: Option<String>,
}

const UNREADABLE: &str = ScanRef::RESERVED;

/// For `dvctl replay`. No function lists the archive.
impl S3CallbackArchive {
    /// Lists at most 1,000 callbacks: of one verification, or all, unreadable ones included.
    ///
    /// # Errors
    /// S3 is unavailable.
    pub async fn list(
        &self,
        scan_ref: Option<&ScanRef>,
        next: Option<String>,
    ) -> Result<ArchivedPage, StoreUnavailable> {
        let prefix = scan_ref.map_or_else(
            || "callbacks/".to_owned(),
            |scan_ref| format!("callbacks/{scan_ref}/"),
        );
        let request = self
            .client
            .list_objects_v2()
            .bucket(&self.bucket)
            .prefix(prefix);
        let answer = request.set_continuation_token(next).send().await;
        let answer = answer.map_err(|error| unavailable("listing the archive", error))?;
        let named = |object: aws_sdk_s3::types::Object| {
            let (scan_ref, digest) = parse_key(object.key()?)?;
            Some(ArchivedCallback {
                scan_ref,
                digest,
                kept_at: Timestamp::from_milliseconds(object.last_modified()?.to_millis().ok()?),
                bytes: object
                    .size()
                    .and_then(|size| u64::try_from(size).ok())
                    .unwrap_or_default(),
            })
        };
        let next = answer
            .next_continuation_token
            .clone()
            .filter(|_| answer.is_truncated() == Some(true));
        Ok(ArchivedPage {
            callbacks: answer
                .contents
                .unwrap_or_default()
                .into_iter()
                .filter_map(named)
                .collect(),
            next,
        })
    }

    /// The signed bytes. `None`: absent or altered.
    ///
    /// Bytes whose digest is not their name are not what was verified. They count as absent, and
    /// the log event `archive_altered` names the digest.
    ///
    /// # Errors
    /// S3 is unavailable.
    pub async fn body(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
    ) -> Result<Option<Bytes>, StoreUnavailable> {
        let request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key(scan_ref, digest));
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) if matches!(code(&error), Some("NoSuchKey")) => return Ok(None),
            Err(error) => return Err(unavailable("reading the callback", error)),
        };
        let body = object.body.collect().await;
        let body = body.map_err(|error| StoreUnavailable::new("reading the callback", error))?;
        Ok(unaltered(digest, body.into_bytes()))
    }

    /// The same as a body whose signature was right when it arrived.
    ///
    /// # Errors
    /// S3 is unavailable.
    pub async fn verified(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
    ) -> Result<Option<VerifiedBody>, StoreUnavailable> {
        let body = self.body(scan_ref, digest).await?;
        Ok(body.map(VerifiedBody::previously_verified))
    }
}

/// The bytes, if the digest names them.
fn unaltered(digest: &Digest256, bytes: Bytes) -> Option<Bytes> {
    if Digest256::of(&bytes) == *digest {
        return Some(bytes);
    }
    tracing::error!(
        event = "archive_altered",
        sha256 = %digest,
        "an archived callback is not the one that was signed"
    );
    None
}

/// The inverse of [`key`]. `None`: not a callback's name.
fn parse_key(key: &str) -> Option<(Option<ScanRef>, Digest256)> {
    let (scan_ref, file) = key.strip_prefix("callbacks/")?.split_once('/')?;
    let digest = file.strip_suffix(".json")?.parse().ok()?;
    let scan_ref = if scan_ref == UNREADABLE {
        None
    } else {
        Some(scan_ref.parse().ok()?)
    };
    Some((scan_ref, digest))
}

fn key(scan_ref: Option<&ScanRef>, digest: &Digest256) -> String {
    format!(
        "callbacks/{}/{digest}.json",
        scan_ref.map_or(UNREADABLE, ScanRef::as_str)
    )
}

#[async_trait]
impl CallbackArchive for S3CallbackArchive {
    async fn keep(
        &self,
        scan_ref: Option<&ScanRef>,
        digest: &Digest256,
        body: &[u8],
    ) -> Result<(), StoreUnavailable> {
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
                    // Kept before. The name is the digest, so it is the same body.
                    Some("PreconditionFailed") => Ok(()),
                    Some("ConditionalRequestConflict") if tries < CONFLICT_TRIES => {
                        tokio::time::sleep(CONFLICT_PAUSE.mul_f64(fastrand::f64())).await;
                        continue;
                    }
                    _ => Err(unavailable("archiving the callback", error)),
                },
            };
        }
    }

    async fn read(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<CallbackContent>, StoreUnavailable> {
        let body = self.verified(Some(scan_ref), digest).await?;
        Ok(body.and_then(|body| read_callback(&body).ok()))
    }

    async fn subject(
        &self,
        scan_ref: &ScanRef,
        digest: &Digest256,
    ) -> Result<Option<Subject>, StoreUnavailable> {
        let body = self.verified(Some(scan_ref), digest).await?;
        Ok(body.as_ref().and_then(subject))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_bytes_that_the_digest_names_are_a_callback() {
        let body = Bytes::from_static(b"{\"scanRef\":\"scan-1\"}");
        let digest = Digest256::of(&body);
        assert_eq!(unaltered(&digest, body.clone()), Some(body));
        for altered in ["", "{\"scanRef\":\"scan-2\"}", "{\"scanRef\":\"scan-1\"} "] {
            assert_eq!(unaltered(&digest, Bytes::from(altered)), None, "{altered}");
        }
    }

    #[test]
    fn a_name_reads_back() {
        let (scan_ref, digest): (ScanRef, _) = ("scan-1".parse().unwrap(), Digest256::of(b"body"));
        for scan_ref in [Some(scan_ref), None] {
            assert_eq!(
                parse_key(&key(scan_ref.as_ref(), &digest)),
                Some((scan_ref, digest.clone()))
            );
        }
        for foreign in [
            "callbacks/",
            "callbacks/a/b.json",
            "documents/a/FRONT.jpg",
            "callbacks/a.json",
        ] {
            assert_eq!(parse_key(foreign), None, "{foreign}");
        }
    }
}
