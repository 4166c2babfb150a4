//! Whether two verification results are about one person, and about one document.
//!
//! The provider links the two verifications of a pairing by `clientId` alone.
//! It makes no duplicate check within one `clientId`.
//! So an approval of both does not say that one person has shown two documents.
//! [`compare`] answers that from what was read from the documents.
//! It is pure, its work is bounded for any text, and only two words leave it.
//!
//! Two rules stand above all others:
//!
//! * A member that is missing, unreadable or masked is no difference. It leaves the question open.
//! * In doubt the answer is `Unknown`. `Same` for the person and `Different` for the document let a
//!   customer pass, so neither is ever a guess.
//!
//! The rules and their reasons are listed in `docs/ARCHITECTURE.md`, "Comparing two results".

mod date;
mod document;
mod name;
mod number;
mod person;
mod spelling;
mod subject;

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

pub use self::subject::Subject;

/// Whether the two results are about one person.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[strum(const_into_str)]
pub enum Person {
    /// One person, as far as the two results tell.
    Same,
    /// Two persons.
    Different,
    /// The results do not tell.
    Unknown,
}

impl Person {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word in records, answers, events and metrics.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Whether the two results are about one document.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[strum(const_into_str)]
pub enum DocumentIdentity {
    /// Two documents, as it should be.
    Different,
    /// The same document twice.
    Same,
    /// The results do not tell.
    Unknown,
}

impl DocumentIdentity {
    pub const ALL: &[Self] = Self::VARIANTS;

    /// The word in records, answers, events and metrics.
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// What [`compare`] found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Comparison {
    pub person: Person,
    pub document: DocumentIdentity,
}

impl Comparison {
    /// For results that cannot be read any more.
    pub const UNKNOWN: Self = Self {
        person: Person::Unknown,
        document: DocumentIdentity::Unknown,
    };
}

/// Compares two results. Their order makes no difference.
#[must_use]
pub fn compare(one: &Subject, other: &Subject) -> Comparison {
    Comparison {
        person: person::compare(one, other),
        document: document::compare(one, other),
    }
}
