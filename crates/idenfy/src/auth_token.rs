//! The secret that opens one session.

use std::fmt;

/// A token's `authToken`: whoever has it can act as the customer. Used once. Its `Debug` shows
/// nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthToken(String);

impl AuthToken {
    /// For tokens read back from one's own storage; new ones come from
    /// [`Client::create_token`](crate::Client::create_token).
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
