//! The additional steps of a session, as the provider tells them when it is created.

use serde::{Deserialize, Serialize};

use crate::identifiers::StepName;

/// One step. A step that has different kinds for different countries or documents is there with
/// each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStep {
    pub name: StepName,
    pub kind: StepKind,
}

/// What the provider does with a step's file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepKind {
    /// Stored and never judged.
    Upload,
    Extract,
    Compare,
    Unknown,
}

/// How many steps of a session are remembered. Accounts have one or two.
pub const MAXIMUM_STEPS: usize = 16;
