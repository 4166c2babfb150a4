//! The number of a file among several of one step.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A file's place among those of its step, from 1, in the provider's order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FileNumber(u8);

impl FileNumber {
    pub const FIRST: Self = Self(1);

    /// How many files of one step are kept.
    /// Two sides, twice, in case a step was repeated.
    pub const MAXIMUM: u8 = 4;

    /// The numbers of `count` files, without those beyond [`Self::MAXIMUM`].
    pub fn up_to(count: usize) -> impl Iterator<Item = Self> {
        (1..=Self::MAXIMUM).map(Self).take(count)
    }

    pub const fn get(self) -> u8 {
        self.0
    }

    /// The place in a list that counts from 0.
    pub const fn index(self) -> usize {
        (self.0 as usize).saturating_sub(1)
    }

    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    pub(crate) fn is_first(&self) -> bool {
        *self == Self::FIRST
    }
}

impl Default for FileNumber {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for FileNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
