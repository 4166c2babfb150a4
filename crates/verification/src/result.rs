//! The content of a callback, reduced to what decisions need.
//! Nothing personal is left.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use strum::{Display, IntoStaticStr, VariantArray};

use crate::identifiers::{ClientId, CountryCode, Digest256, ScanRef, StepName};
use crate::secret::FileLink;

/// The provider's `status.overall`.
/// An open set: an unknown word is kept as `Unknown`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    Serialize,
    Deserialize,
    Display,
    IntoStaticStr,
    VariantArray,
)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[strum(const_into_str, serialize_all = "SCREAMING_SNAKE_CASE")]
pub enum Overall {
    Approved,
    Denied,
    Suspected,
    Reviewing,
    Expired,
    Active,
    Deleted,
    Archived,
    ExpiredDeleted,
    Unknown,
}

impl Overall {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// The provider's `status.additionalSteps`, in either of its two documented spellings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepsVerdict {
    Valid,
    Invalid,
    NotFound,
    /// Null or absent: the step was not judged.
    /// Documented for steps of the kind UPLOAD.
    NotJudged,
    /// Anything else. Never counts as positive.
    Unknown,
}

/// The links of each step, from `fileUrls` and `additionalStepPdfUrls` together.
pub type StepLinks = BTreeMap<StepName, Vec<FileLink>>;

/// One verified callback.
#[derive(Clone, Debug)]
pub struct CallbackContent {
    pub scan_ref: ScanRef,
    pub client_id: Option<ClientId>,
    /// The callback names a client, and not by a [`ClientId`].
    pub has_unusable_client: bool,
    pub external_ref: Option<String>,
    /// `None` where the body predates the member.
    pub is_final: Option<bool>,
    /// `None`: not a verification's result (for example a document expiration notice).
    pub overall: Option<Overall>,
    pub steps_verdict: StepsVerdict,
    /// All steps that `additionalSteps` names.
    pub steps: Vec<StepName>,
    /// Further steps have names that are no [`StepName`].
    /// What they show is unknown.
    pub has_unusable_steps: bool,
    pub links: StepLinks,
    /// The *first* document's country: the last choice for the second one's.
    pub country: Option<CountryCode>,
    /// When the customer finished, in Unix seconds.
    /// Not the time of the result.
    pub finished_at: Option<i64>,
    /// The provider's words for fraud and for mismatches.
    pub tags: Vec<Tag>,
    /// SHA-256 of the raw body: its name in the archive.
    pub digest: Digest256,
}

impl CallbackContent {
    /// Whether the provider may still change this result as a matter of course.
    /// A body without `final` predates the member and counts as final.
    pub fn is_provisional(&self) -> bool {
        self.is_final == Some(false)
            || matches!(self.overall, Some(Overall::Reviewing | Overall::Active))
    }
}

/// One of the provider's words for a suspicion, such as `DUPLICATE_FACE` or `NAME`.
/// An open set.
/// (Source: "Suspected status", `fraudTags` and `mismatchTags`.)
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tag(String);

impl Tag {
    /// How many tags of one result are kept.
    pub const MAXIMUM: usize = 32;
    const MAXIMUM_LENGTH: usize = 64;

    /// `None`: not only upper-case letters, digits and underscores.
    /// Such a text might be personal.
    pub fn parse(text: &str) -> Option<Self> {
        let is_word_byte =
            |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
        let fits =
            (1..=Self::MAXIMUM_LENGTH).contains(&text.len()) && text.bytes().all(is_word_byte);
        fits.then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The answer of `/api/v2/status` about one verification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub overall: Overall,
    /// `None`: the answer does not say.
    /// Most of the provider's pages show it so.
    pub is_final: Option<bool>,
    pub tags: Vec<Tag>,
}

impl Status {
    /// An answer that says nothing but the word.
    pub const fn of(overall: Overall) -> Self {
        Self {
            overall,
            is_final: None,
            tags: Vec::new(),
        }
    }

    /// The word, unless the answer says that it may still change.
    pub fn settled(&self) -> Option<Overall> {
        let is_open = self.is_final == Some(false)
            || matches!(self.overall, Overall::Reviewing | Overall::Active);
        (!is_open).then_some(self.overall)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_overall_is_the_same_word_wherever_it_is_written() {
        for overall in Overall::ALL.iter().copied() {
            assert_eq!(serde_json::to_value(overall).unwrap(), overall.as_str());
            assert_eq!(overall.to_string(), overall.as_str());
        }
    }

    #[test]
    fn a_status_that_may_still_change_is_not_settled() {
        let approved = Status::of(Overall::Approved);
        assert_eq!(approved.settled(), Some(Overall::Approved));
        let provisional = Status {
            is_final: Some(false),
            ..approved
        };
        assert_eq!(provisional.settled(), None);
        assert_eq!(Status::of(Overall::Reviewing).settled(), None);
    }

    #[test]
    fn only_words_are_tags() {
        assert_eq!(
            Tag::parse("DUPLICATE_FACE").unwrap().as_str(),
            "DUPLICATE_FACE"
        );
        for text in ["", "Ona Petraitė", "NAME SURNAME", "name", &"A".repeat(65)] {
            assert_eq!(Tag::parse(text), None, "{text:?}");
        }
    }
}
