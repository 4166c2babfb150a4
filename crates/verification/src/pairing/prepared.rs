//! Copies that are submitted in place of files that the provider would refuse.
//!
//! An original stays in the bucket exactly as it was received. What was made of it, and how, stands
//! in the pairing beside it, so that anybody can tell later what the provider has seen.

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
    /// Where the bucket holds it: `documents/<first scanRef>/prepared/<STEP>-<sha256>.jpg`. The
    /// digest is in the name so that a copy that was stored and not recorded is never taken for
    /// another one.
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
    /// The original's digest: the preparation of another file says nothing about this one.
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
