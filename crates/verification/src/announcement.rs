//! One event for each outcome of a pairing, published at least once.
//!
//! An announcement is stored in the same transaction as its change and published from there.
//! Nothing in it is personal except the company's own `clientId`.

use serde::{Deserialize, Serialize};
use strum::{IntoStaticStr, VariantArray};

use crate::comparison::Comparison;
use crate::identifiers::{ClientId, ScanRef};
use crate::pairing::{Pairing, State};
use crate::result::{Overall, Tag};
use crate::time::Timestamp;

/// The event's detail type.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    Hash,
    PartialOrd,
    Ord,
    Serialize,
    Deserialize,
    IntoStaticStr,
    VariantArray,
)]
#[strum(const_into_str)]
pub enum Outcome {
    DualVerificationSettled,
    DualVerificationDeclined,
    DualVerificationExpired,
    DualVerificationParked,
    /// The first result turned negative after the documents had been submitted.
    DualVerificationRevoked,
    /// A revocation was withdrawn: the first result is positive after all.
    DualVerificationReinstated,
}

impl Outcome {
    pub const ALL: &[Self] = Self::VARIANTS;

    pub const fn as_str(self) -> &'static str {
        self.into_str()
    }
}

/// One event.
/// Its identity is `scan_ref`, `outcome` and `occurred_at`.
/// A repeated delivery has the same three.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    pub outcome: Outcome,
    pub detail: Detail,
}

/// The event's detail, as consumers get it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    pub scan_ref: ScanRef,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_scan_ref: Option<ScanRef>,
    /// Absent if no callback and no session ever named a client.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_overall: Option<Overall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_overall: Option<Overall>,
    /// The provider's words for why the first result is not clean.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub first_tags: Vec<Tag>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub second_tags: Vec<Tag>,
    /// Absent: the results were not compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparison: Option<Comparison>,
    pub occurred_at: Timestamp,
}

impl Announcement {
    /// The announcement of the change from `before` to `after`.
    /// `None`: nothing to announce yet.
    pub fn of(before: &Pairing, after: &Pairing, at: Timestamp) -> Option<Self> {
        let (outcome, reason) = match (after.revoked, &after.state) {
            (Some(revoked), _) if before.revoked != after.revoked => {
                (Outcome::DualVerificationRevoked, Some(revoked.as_str()))
            }
            // Declined because the documents were not accepted: that is said instead.
            (None, state)
                if before.revoked.is_some()
                    && !matches!(state, State::Declined { .. } | State::Erasing { .. }) =>
            {
                (Outcome::DualVerificationReinstated, None)
            }
            (_, state) if before.state == *state || is_restored(&before.state, state) => {
                return None;
            }
            (_, state @ State::Settled { .. }) => {
                (Outcome::DualVerificationSettled, state.reason())
            }
            (_, state @ State::Declined { .. }) => {
                (Outcome::DualVerificationDeclined, state.reason())
            }
            (_, State::Expired) => (Outcome::DualVerificationExpired, None),
            (_, state @ State::Parked { .. }) => (Outcome::DualVerificationParked, state.reason()),
            _ => return None,
        };
        let detail = Detail {
            scan_ref: after.first.clone(),
            second_scan_ref: after.second.as_ref().map(|second| second.scan_ref.clone()),
            client_id: after.client_id.clone(),
            verdict: after
                .state
                .verdict()
                .map(|verdict| verdict.as_str().to_owned()),
            reason: reason.map(str::to_owned),
            first_overall: after.first_overall,
            second_overall: after.second.as_ref().and_then(|second| second.overall),
            first_tags: after.first_tags.clone(),
            second_tags: after
                .second
                .as_ref()
                .map(|second| second.tags.clone())
                .unwrap_or_default(),
            comparison: after.comparison,
            occurred_at: at,
        };
        Some(Self { outcome, detail })
    }
}

/// Whether the verdict was announced before a newer upload displaced it.
/// The upload then turned out to hold the same files.
fn is_restored(before: &State, after: &State) -> bool {
    let State::Capturing {
        displaced: Some(displaced),
        ..
    } = before
    else {
        return false;
    };
    after.verdict().is_some() && **displaced == *after
}
