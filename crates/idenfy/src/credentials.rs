//! The key pair that every call is made with.

use std::fmt;

/// An API key and its secret. The pair also selects the provider's environment: sandbox and live
/// share one host. Its `Debug` shows nothing of either.
#[derive(Clone)]
pub struct Credentials {
    key: String,
    secret: String,
}

impl Credentials {
    #[must_use]
    pub fn new(key: impl Into<String>, secret: impl Into<String>) -> Self {
        Self {
            key: key.into(),
            secret: secret.into(),
        }
    }

    /// HTTP Basic, on every call; the header is marked sensitive, so that it does not show in a
    /// request's `Debug`.
    pub(crate) fn authorise(&self, request: reqwest::RequestBuilder) -> reqwest::RequestBuilder {
        request.basic_auth(&self.key, Some(&self.secret))
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Credentials(redacted)")
    }
}
