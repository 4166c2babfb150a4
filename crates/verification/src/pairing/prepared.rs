//! Copies that are submitted in place of files that the provider would refuse.
//!
//! An original stays in the bucket exactly as it was received.
//! The pairing records the copy and what was changed, so an audit can tell what the provider has
//! seen.

use serde::{Deserialize, Serialize};
use strum::IntoStaticStr;

use crate::identifiers::{Digest256, ScanRef, StepName};

/// A JPEG that is submitted in an original's place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PreparedFile {
    pub bytes: u64,
    pub sha256: Digest256,
    /// In pixels.
    pub width: u16,
    /// In pixels.
    pub height: u16,
    /// On the scale of the Independent JPEG Group, 1 to 100.
    pub quality: u8,
    /// Never empty.
    pub changes: Vec<PreparationChange>,
}

impl PreparedFile {
    /// The copy's key: `documents/<first scanRef>/prepared/<STEP>-<sha256>.jpg`.
    /// The digest keeps a stored but unrecorded copy apart from any other.
    pub fn key(&self, first: &ScanRef, step: &StepName) -> String {
        format!(
            "documents/{first}/prepared/{}-{}.jpg",
            step.key(),
            self.sha256
        )
    }
}

/// What was done to an original.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, IntoStaticStr)]
#[strum(const_into_str)]
pub enum PreparationChange {
    /// It was no JPEG.
    Converted,
    /// It was turned upright as its EXIF data say.
    Turned,
    /// It is written with less detail.
    Recompressed,
    /// It has fewer pixels.
    ScaledDown,
}

impl PreparationChange {
    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// What was made of which original.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Preparation {
    pub step: StepName,
    /// The original's digest. The preparation is valid for this file only.
    pub original: Digest256,
    pub file: PreparedFile,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_the_same_word_in_the_record_and_in_answers() {
        use PreparationChange::{Converted, Recompressed, ScaledDown, Turned};
        for change in [Converted, Turned, Recompressed, ScaledDown] {
            assert_eq!(serde_json::to_value(change).unwrap(), change.as_str());
        }
    }
}
