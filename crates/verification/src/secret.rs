//! Secrets that can be stored and sent, and never printed.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Token 2's `authToken`, with which documents can be submitted once.
/// Kept in the pairing only until the submission is accepted.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AuthToken(String);

/// A signed link to one file of a customer.
/// Never stored; valid for one hour.
#[derive(Clone, PartialEq, Eq)]
pub struct FileLink(String);

/// The link that opens a customer's session.
/// Contains Token 1.
/// Stored under an idempotency key for the session's life.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionLink(String);

macro_rules! redacted {
    ($name:ident) => {
        impl $name {
            pub fn new(value: impl Into<String>) -> Self {
                Self(value.into())
            }

            /// The value itself, for the one place that sends it.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(redacted)"))
            }
        }
    };
}

redacted!(AuthToken);
redacted!(FileLink);
redacted!(SessionLink);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_value_is_printed_and_each_is_given_to_whoever_asks_for_it() {
        const VALUE: &str = "https://files.example/ona?token=4711";
        let (token, file, session) = (
            AuthToken::new(VALUE),
            FileLink::new(VALUE),
            SessionLink::new(VALUE),
        );
        let printed = format!("{token:?} {file:#?} {session:?}");
        assert_eq!(
            printed,
            "AuthToken(redacted) FileLink(redacted) SessionLink(redacted)"
        );
        assert_eq!(
            [token.expose(), file.expose(), session.expose()],
            [VALUE; 3]
        );
    }
}
