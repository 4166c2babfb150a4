//! What is in the bucket.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use aws_sdk_s3::types::ObjectVersion;
use serde_json::Value;

use crate::stack::Stack;

/// Of one object: at most 14 MB from this machine.
const TRANSFER_DEADLINE: Duration = Duration::from_secs(20);

/// One object, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    /// Its name.
    pub key: String,
    /// Its length.
    pub bytes: u64,
    /// Changes with every write, even of the same content.
    pub version: String,
}

/// The content of one object.
#[derive(Clone, Debug)]
pub struct StoredContent {
    pub bytes: Vec<u8>,
    /// As it was stored.
    pub media_type: String,
}

impl fmt::Display for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.key, self.bytes)
    }
}

impl StoredObject {
    fn read(version: &ObjectVersion) -> Result<Self> {
        let size = version.size().context("an object has no size")?;
        Ok(Self {
            key: version.key().context("an object has no key")?.to_owned(),
            bytes: size.try_into()?,
            version: version
                .version_id()
                .context("the bucket keeps no versions")?
                .to_owned(),
        })
    }
}

impl Stack {
    /// The objects below a prefix, in the order of their keys.
    ///
    /// # Errors
    /// One was written more than once, which must never happen. Or the bucket does not answer.
    pub async fn objects(&self, prefix: &str) -> Result<Vec<StoredObject>> {
        let objects = self.object_versions(prefix).await?;
        let keys: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        ensure!(
            keys.len() == objects.len(),
            "written more than once: {objects:?}"
        );
        Ok(objects)
    }

    /// Every version of every object below a prefix, in the order of their keys.
    ///
    /// # Errors
    /// An object was deleted and left a marker, or the bucket does not answer.
    pub async fn object_versions(&self, prefix: &str) -> Result<Vec<StoredObject>> {
        let mut objects = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let request = self
                .s3
                .list_object_versions()
                .bucket(&self.description.document_bucket)
                .prefix(prefix)
                .set_key_marker(key)
                .set_version_id_marker(version);
            let answer = request.send().await.context("the bucket does not answer")?;
            ensure!(answer.delete_markers().is_empty(), "{answer:?}");
            for version in answer.versions() {
                objects.push(StoredObject::read(version)?);
            }
            if answer.is_truncated() != Some(true) {
                return Ok(objects);
            }
            (key, version) = (answer.next_key_marker, answer.next_version_id_marker);
        }
    }

    /// Removes the objects below a prefix, as the bucket's lifecycle does one day.
    ///
    /// # Errors
    /// As for [`objects`](Self::objects).
    pub async fn remove_objects(&self, prefix: &str) -> Result<()> {
        for object in self.objects(prefix).await? {
            let request = self
                .s3
                .delete_object()
                .bucket(&self.description.document_bucket)
                .key(object.key)
                .version_id(object.version);
            request.send().await.context("the bucket does not answer")?;
        }
        Ok(())
    }

    /// Writes an object, as a function that was late would.
    ///
    /// # Errors
    /// The bucket does not answer.
    pub async fn put_object(&self, key: &str, bytes: Vec<u8>) -> Result<()> {
        let request = self
            .s3
            .put_object()
            .bucket(&self.description.document_bucket)
            .key(key)
            .body(bytes.into());
        request.send().await.context("the bucket does not answer")?;
        Ok(())
    }

    /// An object's content and media type.
    ///
    /// # Errors
    /// It is not there, or cannot be read within 20 s.
    pub async fn content(&self, key: &str) -> Result<StoredContent> {
        let read = async {
            let answer = self
                .s3
                .get_object()
                .bucket(&self.description.document_bucket)
                .key(key)
                .send()
                .await?;
            let media_type = answer.content_type().unwrap_or("unknown").to_owned();
            let bytes = answer.body.collect().await?.to_vec();
            anyhow::Ok(StoredContent { bytes, media_type })
        };
        let failed = || format!("cannot read {key} from the bucket");
        let read = tokio::time::timeout(TRANSFER_DEADLINE, read).await;
        read.with_context(failed)?.with_context(failed)
    }

    /// An object's content.
    ///
    /// # Errors
    /// As for [`content`](Self::content).
    pub async fn object(&self, key: &str) -> Result<Vec<u8>> {
        Ok(self.content(key).await?.bytes)
    }

    /// An object's content as JSON.
    ///
    /// # Errors
    /// As for [`content`](Self::content), or it is not JSON.
    pub async fn json_object(&self, key: &str) -> Result<Value> {
        serde_json::from_slice(&self.object(key).await?).with_context(|| format!("{key}: not JSON"))
    }
}
