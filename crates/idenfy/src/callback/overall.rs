//! The provider's overall verdict on one verification.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use crate::word::{normalised, word};

/// `status.overall` of a callback, `status` of a retrieval.
/// An open set: a new word reads as [`OverallWord::Other`].
///
/// (Source: OpenAPI `IdentificationWebhook`; `EXPIRED-DELETED` from "Data retrieval".)
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum OverallWord {
    /// Document and face passed. Final only if the callback says so.
    Approved,
    Denied,
    /// Passed with a fraud or mismatch tag.
    /// Staff may remove the tag later, which approves it.
    Suspected,
    /// Waiting for the provider's staff.
    Reviewing,
    /// The customer did not finish in time.
    Expired,
    /// The session is still open.
    Active,
    Deleted,
    Archived,
    ExpiredDeleted,
    /// A word that is not known here, in upper case.
    Other(String),
}

impl OverallWord {
    /// The provider's word.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Approved => "APPROVED",
            Self::Denied => "DENIED",
            Self::Suspected => "SUSPECTED",
            Self::Reviewing => "REVIEWING",
            Self::Expired => "EXPIRED",
            Self::Active => "ACTIVE",
            Self::Deleted => "DELETED",
            Self::Archived => "ARCHIVED",
            Self::ExpiredDeleted => "EXPIRED-DELETED",
            Self::Other(word) => word,
        }
    }
}

/// Ignores case and surrounding white space.
impl From<&str> for OverallWord {
    fn from(text: &str) -> Self {
        match normalised(text).as_str() {
            "APPROVED" => Self::Approved,
            "DENIED" => Self::Denied,
            "SUSPECTED" => Self::Suspected,
            "REVIEWING" => Self::Reviewing,
            "EXPIRED" => Self::Expired,
            "ACTIVE" => Self::Active,
            "DELETED" => Self::Deleted,
            "ARCHIVED" => Self::Archived,
            "EXPIRED_DELETED" => Self::ExpiredDeleted,
            _ => Self::Other(word(text)),
        }
    }
}

/// Never fails; it is here for `str::parse`.
impl FromStr for OverallWord {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::from(text))
    }
}

impl fmt::Display for OverallWord {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_survives_the_way_there_and_back() {
        for word in [
            "APPROVED",
            "DENIED",
            "SUSPECTED",
            "REVIEWING",
            "EXPIRED",
            "ACTIVE",
            "DELETED",
            "ARCHIVED",
            "EXPIRED-DELETED",
        ] {
            let overall = OverallWord::from(word);
            assert!(!matches!(overall, OverallWord::Other(_)), "{word}");
            assert_eq!(overall.to_string(), word);
        }
    }

    #[test]
    fn case_and_white_space_do_not_matter() {
        assert_eq!(OverallWord::from(" approved\n"), OverallWord::Approved);
        assert_eq!("Expired_Deleted".parse(), Ok(OverallWord::ExpiredDeleted));
    }

    #[test]
    fn a_new_word_is_kept_and_anything_else_is_not() {
        assert_eq!(
            OverallWord::from("Frozen"),
            OverallWord::Other("FROZEN".to_owned())
        );
        assert_eq!(
            OverallWord::from("Ona Petraitė"),
            OverallWord::Other("UNRECOGNISED".to_owned())
        );
    }
}
