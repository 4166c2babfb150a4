//! Why a pairing left the straight way, as stable words for tables, metrics and events.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray, VariantNames};

use crate::identifiers::StepName;

/// Why we still wait although something arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(const_into_str)]
pub enum WaitingReason {
    /// The provider's staff will look at it (`final: false`, or a status of work in progress).
    ResultNotFinal,
    /// The server of the files does not deliver them.
    FileUnavailable,
    /// The links are dead, and the provider gives no fresh ones now.
    FreshLinksUnavailable,
}

/// Why the first verification does not qualify.
/// A later qualifying result reopens the pairing.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[strum(const_into_str)]
pub enum DeclineReason {
    FirstDenied,
    FirstSuspected,
    /// The provider deleted or archived the verification before it was approved.
    FirstRemoved,
    /// Approved, but the session had no additional step: an ordinary verification.
    NoAdditionalStep,
    StepInvalid,
    StepNotFound,
}

impl DeclineReason {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Why a person must look.
/// Nothing is lost; the pairing can be taken up again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantNames)]
#[serde(tag = "reason")]
#[strum(const_into_str)]
pub enum ParkReason {
    /// The callback's client differs from the session's or from an earlier callback's.
    ClientMismatch,
    /// A newer upload is known, and no result of it qualifies.
    /// The older files are not submitted.
    NewerUploadNotApproved,
    /// The provider did not confirm a result for a day, or gave no answer.
    /// Nothing was spent on it.
    ResultUnconfirmed,
    /// No usable answer from the provider, or from the file server, for a day.
    ProviderUnavailable,
    /// The callback names no `clientId`.
    /// Token 2 needs one to be tied to the same person.
    ClientUnknown,
    /// The callback's `clientId` has over 100 characters, control or format characters, or is no
    /// text.
    /// The next callback's will be the same.
    ClientUnusable,
    /// `status.overall` is a word that we do not know.
    OverallUnknown,
    /// `status.additionalSteps` is neither of the documented spellings.
    StepVerdictUnknown,
    /// The provider did not judge the step, and the parameter `StepVerdict` requires it.
    StepNotJudged,
    /// The step is judged valid, but the callback names no step.
    StepsNotNamed,
    /// The side of a step is not known (parameter `StepImages`), or its name cannot be used.
    SidesUnclear,
    /// No country: neither the callback nor the parameter `DefaultCountry` names one.
    CountryUnknown,
    /// A step has several files whose sides are not known (parameter `StepImages`).
    /// They are kept in the bucket.
    SeveralFiles {
        step: StepName,
    },
    FileMissing {
        step: StepName,
    },
    /// The link leads outside the parameter `FileOrigins`, directly or by a redirect.
    LinkOriginNotAllowed {
        step: StepName,
    },
    LinkDead {
        step: StepName,
    },
    FileTooLarge {
        step: StepName,
    },
    FileEmpty {
        step: StepName,
    },
    /// Direct processing does not take it, and it is not converted.
    /// A HEIC is kept in the bucket, other types are not.
    FileTypeNotAccepted {
        step: StepName,
    },
    /// A PDF that needs a key to open. Kept in the bucket.
    FileEncrypted {
        step: StepName,
    },
    /// A picture that had to be changed and is broken.
    /// Kept in the bucket.
    FileUnreadable {
        step: StepName,
    },
    /// A picture that had to be changed and has too many pixels.
    /// Kept in the bucket.
    TooManyPixels {
        step: StepName,
    },
    /// Converting a document did not end, twice.
    PreparationUnfinished,
    /// A person has set the pairing aside, and said why.
    SetAside {
        note: String,
    },
    /// The link leads to no file: a redirect to nowhere or in a circle, or an answer without
    /// content.
    LinkUnusable {
        step: StepName,
    },
    /// Shorter than the server promised, several times.
    FileTruncated {
        step: StepName,
    },
    /// What is in the bucket is not what the pairing recorded.
    FileChanged {
        step: StepName,
    },
    /// The files together exceed one request of direct processing (20 MB after base64).
    DocumentsTooLarge,
    /// The provider refused to create Token 2.
    SecondTokenRefused {
        kind: String,
        identifier: Option<String>,
    },
    /// Token 2 was created or died as often as allowed, and nothing was accepted.
    AttemptsExhausted,
    /// The provider refused the documents. Token 2 counts as used.
    SubmissionRefused {
        kind: String,
        identifier: Option<String>,
    },
    /// The provider accepted the documents, then reported Token 2 as expired.
    SecondExpired,
    /// The provider accepted the documents and has had no result for days.
    ResultOverdue,
    /// The provider reports an approval, but its callback with the files never came.
    CallbackLost,
}

/// Why an approved second verification is not the verdict (parameter `Comparison` is `Require`).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr, VariantArray,
)]
#[strum(const_into_str)]
pub enum SettledReason {
    /// The two results are about two persons.
    PersonDiffers,
    /// Both verifications are of one and the same document.
    SameDocument,
    /// The results do not tell enough.
    NotComparable,
}

impl SettledReason {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// Where a parked pairing continues when it is taken up again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Stage {
    /// Before any plan was made: only a new callback can help.
    Judging,
    /// Files are missing.
    Capturing,
    /// The files are here, and there is no usable Token 2.
    Submitting,
}

impl ParkReason {
    /// All words, in the order of the variants.
    pub const WORDS: &[&str] = Self::VARIANTS;

    /// The word that tables, metrics and events use.
    pub const fn as_str(&self) -> &'static str {
        self.into_str()
    }

    pub const fn stage(&self) -> Stage {
        match self {
            Self::ClientMismatch
            | Self::NewerUploadNotApproved
            | Self::ClientUnknown
            | Self::ClientUnusable
            | Self::OverallUnknown
            | Self::StepVerdictUnknown
            | Self::StepNotJudged
            | Self::StepsNotNamed
            | Self::SidesUnclear
            | Self::CountryUnknown
            | Self::CallbackLost => Stage::Judging,
            Self::SeveralFiles { .. }
            | Self::FileMissing { .. }
            | Self::LinkOriginNotAllowed { .. }
            | Self::LinkDead { .. }
            | Self::LinkUnusable { .. }
            | Self::FileTooLarge { .. }
            | Self::FileEmpty { .. }
            | Self::FileTypeNotAccepted { .. }
            | Self::FileTruncated { .. }
            | Self::FileChanged { .. } => Stage::Capturing,
            Self::FileEncrypted { .. }
            | Self::FileUnreadable { .. }
            | Self::TooManyPixels { .. }
            | Self::DocumentsTooLarge
            | Self::PreparationUnfinished
            | Self::SetAside { .. }
            | Self::SecondTokenRefused { .. }
            | Self::AttemptsExhausted
            | Self::SubmissionRefused { .. }
            | Self::SecondExpired
            | Self::ResultOverdue
            | Self::ResultUnconfirmed
            | Self::ProviderUnavailable => Stage::Submitting,
        }
    }
}

impl ParkReason {
    /// Whether it concerns documents that the provider had accepted.
    pub const fn is_after_acceptance(&self) -> bool {
        matches!(self, Self::SecondExpired | Self::ResultOverdue)
    }
}

impl WaitingReason {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}
