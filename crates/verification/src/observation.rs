//! What operators count. Each observation becomes metrics; none carries anything personal.

use std::time::Duration;

use crate::circuit::Cause;
use crate::comparison::Comparison;
use crate::pairing::Verdict;
use crate::pairing::reason::{DeclineReason, ParkReason};

#[derive(Clone, Debug, PartialEq)]
pub enum Observation {
    /// The application got a session for a customer.
    SessionOpened,
    CallbackReceived,
    CallbackUnreadable,
    /// Verified, but without effect: another product's event, repeated, or out of date.
    CallbackIgnored,
    /// The first verification is good, and the second document's files are being captured.
    Qualified,
    FileCaptured {
        bytes: u64,
        took: Duration,
        /// The remaining life of the link. `None`: the link does not tell.
        link_time_left: Option<Duration>,
    },
    CaptureDeferred,
    ProviderCall {
        operation: &'static str,
        took: Duration,
        /// `None`: it succeeded.
        error: Option<&'static str>,
    },
    SecondTokenCreated,
    /// Token 2 still names additional steps although they were suppressed.
    SuppressionFailed,
    DocumentsSubmitted,
    Settled {
        verdict: Verdict,
        /// From the pairing's opening.
        took: Duration,
    },
    Declined {
        reason: DeclineReason,
    },
    /// The customer never finished.
    Expired,
    Parked {
        reason: ParkReason,
    },
    /// One run of the reconciler.
    Reconciled {
        overdue: u64,
        oldest: Duration,
    },
    Revoked {
        reason: DeclineReason,
    },
    /// A revocation was withdrawn.
    Reinstated,
    /// Both results were compared.
    Compared(Comparison),
    /// The circuit has opened: no calls to the provider for `pause`.
    CircuitOpened {
        cause: Cause,
        pause: Duration,
    },
    /// The provider works again.
    CircuitClosed {
        was_open: Duration,
    },
}
