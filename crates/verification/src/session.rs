//! A session at the provider, and its additional steps as the provider names them.

use serde::{Deserialize, Serialize};

use crate::identifiers::{ScanRef, StepName};
use crate::secret::{AuthToken, SessionLink};
use crate::time::Timestamp;

/// A Token 1 that exists.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub scan_ref: ScanRef,
    pub auth_token: AuthToken,
    /// Opens the session; contains the token.
    pub redirect_url: SessionLink,
    /// The additional steps that it has, at most
    /// [`MAXIMUM_STEPS`]. `None`: the provider does not say.
    #[serde(default)]
    pub steps: Option<Vec<SessionStep>>,
}

/// A session that the customer can be sent to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opened {
    pub session: Session,
    /// Until when the customer must have started.
    pub expires_at: Timestamp,
}

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
