//! What is in the bucket.

use std::fmt;

use serde_json::Value;

use crate::stack::Stack;

/// One object, without its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredObject {
    pub key: String,
    pub bytes: u64,
    /// Changes with every write, even of the same content.
    pub last_modified: String,
}

impl fmt::Display for StoredObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({} bytes)", self.key, self.bytes)
    }
}

impl Stack {
    /// The objects below a prefix, in the order of their keys.
    pub async fn objects(&self, prefix: &str) -> Vec<StoredObject> {
        let request = self.s3.list_objects_v2().bucket(&self.description.document_bucket).prefix(prefix);
        let answer = request.send().await.expect("the bucket answers");
        let objects = answer.contents().iter().map(|object| StoredObject {
            key: object.key().expect("a key").to_owned(),
            bytes: object.size().expect("a size").try_into().expect("not negative"),
            last_modified: object.last_modified().expect("a time").to_string(),
        });
        objects.collect()
    }

    /// An object's content.
    pub async fn object(&self, key: &str) -> Vec<u8> {
        let request = self.s3.get_object().bucket(&self.description.document_bucket).key(key);
        let answer = request.send().await.expect("the object is there");
        answer.body.collect().await.expect("a whole object").to_vec()
    }

    /// An object's content as JSON.
    pub async fn json_object(&self, key: &str) -> Value {
        serde_json::from_slice(&self.object(key).await).expect("JSON")
    }
}
