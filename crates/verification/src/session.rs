//! A session at the provider, and its additional steps in the provider's terms.

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
    /// Its additional steps, at most [`MAXIMUM_STEPS`]. `None`: the provider does not say.
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

/// One step.
/// Listed once for each of its kinds, which may differ by country or document.
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

/// How many steps of a session are kept.
/// Accounts have one or two.
pub const MAXIMUM_STEPS: usize = 16;
