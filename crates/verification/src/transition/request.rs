//! What people and applications ask for.

use super::work::after_capture;
use super::{ALREADY_KNOWN, Effect, OUT_OF_PLACE, Step, Transition};
use crate::identifiers::{ClientId, ScanRef};
use crate::pairing::{ExpectedDocument, Resume, State};
use crate::reason::ParkReason;
use crate::time::Timestamp;

impl Step<'_> {
    pub(super) fn retry_requested(&self) -> Transition {
        let State::Parked {
            resume: Resume::Plan(plan),
            ..
        } = &self.pairing.state
        else {
            return OUT_OF_PLACE;
        };
        // The first verification has turned negative since: nothing more is submitted.
        if self.pairing.revoked.is_some() {
            return OUT_OF_PLACE;
        }
        let state = after_capture(self.pairing, plan, self.now);
        if state == self.pairing.state {
            return ALREADY_KNOWN;
        }
        self.change("RetryRequested", &[Effect::Enqueue], |next| {
            next.attempts = 0;
            next.state = state;
        })
    }

    /// A callback that was faster than our own record has opened the pairing already; what the application said is still news.
    pub(super) fn session_opened(&self, client_id: ClientId, expected: ExpectedDocument, until: Timestamp) -> Transition {
        let is_new = self.pairing.version == 0;
        if !is_new && self.pairing.expected == expected {
            return ALREADY_KNOWN;
        }
        self.change("SessionOpened", &[], |next| {
            next.client_id = Some(client_id);
            next.expected = expected;
            if let State::AwaitingCallback { until: known, .. } = &mut next.state {
                *known = until;
            }
        })
    }

    /// What is known of the customer goes at once; names of verifications stay until their files and records are gone as well.
    pub(super) fn erasure_started(&self, again_at: Timestamp) -> Transition {
        let deleted = match &self.pairing.state {
            State::Erasing { deleted, .. } => deleted.clone(),
            _ => Vec::new(),
        };
        self.change("ErasureStarted", &[], |next| {
            next.client_id = None;
            next.expected = ExpectedDocument::default();
            next.documents = Vec::new();
            next.first_overall = None;
            next.revoked = None;
            if let Some(second) = &mut next.second {
                second.overall = None;
            }
            next.state = State::Erasing { again_at, deleted };
        })
    }

    pub(super) fn erasure_deferred(&self, deleted: Vec<ScanRef>, again_at: Timestamp) -> Transition {
        match self.pairing.state {
            State::Erasing { .. } => self.to("ErasureDeferred", &[], State::Erasing { again_at, deleted }),
            _ => OUT_OF_PLACE,
        }
    }

    /// Something is overdue, the provider was asked, and it is still at it.
    pub(super) fn check_postponed(&self, check_at: Timestamp) -> Transition {
        match &self.pairing.state {
            State::AwaitingCallback { waiting, .. } => self.to(
                "CheckPostponed",
                &[],
                State::AwaitingCallback {
                    until: check_at,
                    waiting: *waiting,
                },
            ),
            State::Submitted { plan, since, .. } => self.to(
                "CheckPostponed",
                &[],
                State::Submitted {
                    plan: plan.clone(),
                    since: *since,
                    check_at,
                },
            ),
            _ => OUT_OF_PLACE,
        }
    }

    /// Something is overdue for so long that a person must ask the provider.
    pub(super) fn given_up(&self) -> Transition {
        match &self.pairing.state {
            State::Submitted { plan, .. } => self.to(
                "GivenUp",
                &[],
                State::Parked {
                    cause: ParkReason::ResultOverdue,
                    resume: Resume::Plan(plan.clone()),
                },
            ),
            _ => OUT_OF_PLACE,
        }
    }
}
