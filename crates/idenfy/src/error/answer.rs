//! One answer of the provider, read whole within a limit.

use bytes::{Bytes, BytesMut};
use reqwest::header::HeaderMap;
use serde_json::{Map, Value};

use super::Error;
use super::classify::{classify, identifier_of};

/// A success says little; a list of links the most.
const LARGEST_SUCCESS: usize = 1024 * 1024;
/// An error is a few sentences, or a gateway's page.
const LARGEST_ERROR: usize = 64 * 1024;

/// Status, headers and body.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    /// `None`: over the limit, and not read further.
    pub(crate) body: Option<Bytes>,
}

impl Answer {
    /// Reads the body.
    ///
    /// # Errors
    /// The body breaks off.
    /// Even after a refusal's code, the cause is then unknown.
    pub(crate) async fn read(mut response: reqwest::Response) -> Result<Self, Error> {
        let limit = if response.status().is_success() {
            LARGEST_SUCCESS
        } else {
            LARGEST_ERROR
        };
        let (status, headers) = (
            response.status().as_u16(),
            std::mem::take(response.headers_mut()),
        );
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > limit {
                return Ok(Self {
                    status,
                    headers,
                    body: None,
                });
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Self {
            status,
            headers,
            body: Some(body.freeze()),
        })
    }

    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// The members of the answer's JSON object.
    pub(crate) fn object(&self) -> Option<Map<String, Value>> {
        self.body
            .as_ref()
            .and_then(|body| serde_json::from_slice(body).ok())
    }

    /// For operations with an empty answer.
    /// Any body is an error: rejections with 200 are documented.
    pub(crate) fn expect_empty(&self) -> Result<(), Error> {
        let is_empty = self
            .body
            .as_ref()
            .is_some_and(|body| body.trim_ascii().is_empty());
        if self.is_success() && is_empty {
            Ok(())
        } else {
            Err(classify(self))
        }
    }

    /// For operations that answer with an object.
    /// `read` returns `None` if a member is missing.
    pub(crate) fn expect_object<T>(
        &self,
        read: impl FnOnce(&Map<String, Value>) -> Option<T>,
    ) -> Result<T, Error> {
        if !self.is_success() {
            return Err(classify(self));
        }
        let Some(members) = self.object() else {
            return Err(Error::UnreadableAnswer {
                status: self.status,
            });
        };
        match read(&members) {
            Some(value) => Ok(value),
            None if identifier_of(&members).is_some() => Err(classify(self)),
            None => Err(Error::UnreadableAnswer {
                status: self.status,
            }),
        }
    }
}
