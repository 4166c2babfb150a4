//! What is in the bucket.

use std::collections::BTreeSet;
use std::fmt;

use serde_json::Value;

use crate::stack::Stack;

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

impl fmt::Display for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.key, self.bytes)
    }
}

impl Stack {
    /// The objects below a prefix, in the order of their keys.
    ///
    /// # Panics
    /// When one was written more than once: nothing in the bucket ever is.
    pub async fn objects(&self, prefix: &str) -> Vec<StoredObject> {
        let objects = self.object_versions(prefix).await;
        let keys: BTreeSet<&str> = objects.iter().map(|object| object.key.as_str()).collect();
        assert_eq!(keys.len(), objects.len(), "written once: {objects:?}");
        objects
    }

    /// Every version of every object below a prefix, in the order of their keys.
    pub async fn object_versions(&self, prefix: &str) -> Vec<StoredObject> {
        let mut objects = Vec::new();
        let (mut key, mut version) = (None, None);
        loop {
            let request = self
                .s3
                .list_object_versions()
                .bucket(&self.description.document_bucket);
            let request = request
                .prefix(prefix)
                .set_key_marker(key)
                .set_version_id_marker(version);
            let answer = request.send().await.expect("the bucket answers");
            assert!(answer.delete_markers().is_empty(), "{answer:?}");
            objects.extend(answer.versions().iter().map(|version| {
                StoredObject {
                    key: version.key().expect("a key").to_owned(),
                    bytes: version
                        .size()
                        .expect("a size")
                        .try_into()
                        .expect("not negative"),
                    version: version
                        .version_id()
                        .expect("the bucket keeps versions")
                        .to_owned(),
                }
            }));
            if answer.is_truncated() != Some(true) {
                return objects;
            }
            (key, version) = (answer.next_key_marker, answer.next_version_id_marker);
        }
    }

    /// Removes the objects below a prefix, as the bucket's lifecycle does one day.
    pub async fn remove_objects(&self, prefix: &str) {
        for object in self.objects(prefix).await {
            let request = self
                .s3
                .delete_object()
                .bucket(&self.description.document_bucket);
            let request = request.key(object.key).version_id(object.version);
            request.send().await.expect("the bucket answers");
        }
    }

    /// An object's content.
    pub async fn object(&self, key: &str) -> Vec<u8> {
        let request = self
            .s3
            .get_object()
            .bucket(&self.description.document_bucket)
            .key(key);
        let answer = request.send().await.expect("the object is there");
        answer
            .body
            .collect()
            .await
            .expect("a whole object")
            .to_vec()
    }

    /// An object's content as JSON.
    pub async fn json_object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.object(key).await).expect("JSON")
    }
}
