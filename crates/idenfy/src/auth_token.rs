//! The secret that opens one session.

use std::fmt;

/// A token's `authToken`, with which one can act as the customer, once.
/// `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthToken(String);

impl AuthToken {
    /// For tokens read back from storage.
    /// New ones come from [`Client::create_token`](crate::Client::create_token).
    #[must_use]
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    /// The secret itself, for storing it or for the customer's link.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AuthToken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("AuthToken(redacted)")
    }
}
