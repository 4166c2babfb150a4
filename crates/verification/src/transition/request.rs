//! What people and applications ask for.

use super::first::is_with_the_provider;
use super::work::{after_capture, show_sides};
use super::{ALREADY_KNOWN, Effect, Machine, OUT_OF_PLACE, Transition};
use crate::identifiers::{ClientId, Digest256, ScanRef};
use crate::pairing::document::Plan;
use crate::pairing::question::Question;
use crate::pairing::reason::ParkReason;
use crate::pairing::{ExpectedDocument, Pairing, Resume, Standing, State};
use crate::session::SessionStep;
use crate::time::Timestamp;

impl Machine<'_> {
    /// `plan`: the present policy's for the newest archived callback.
    /// `None`: the callback is gone.
    pub(super) fn retry_requested(&self, plan: Option<Plan>) -> Transition {
        let known = match &self.pairing.state {
            State::Parked {
                resume: Resume::Plan(plan),
                ..
            } => plan,
            State::Parked {
                resume: Resume::Standing(standing),
                ..
            } => return self.taken_up("RetryRequested", standing),
            _ => return OUT_OF_PLACE,
        };
        let plan = &match plan {
            Some(newest) => Plan {
                upload: known.upload.clone(),
                are_links_replaced: known.are_links_replaced,
                ..newest
            },
            None => known.clone(),
        };
        // The first verification has turned negative since: nothing more is submitted.
        if self.pairing.revoked.is_some() {
            return OUT_OF_PLACE;
        }
        let state = after_capture(self.pairing, plan, None, self.now);
        if state == self.pairing.state {
            return ALREADY_KNOWN;
        }
        self.change("RetryRequested", &[Effect::Enqueue], |next| {
            next.attempts = 0;
            show_sides(&mut next.documents, &state);
            next.state = state;
        })
    }

    /// What came to a standstill continues at once.
    /// Leases are over, and expected results are asked for.
    pub(super) fn taken_up(&self, what: &'static str, standing: &Standing) -> Transition {
        self.change(what, &[Effect::Enqueue], |next| {
            self.take_up(next, standing)
        })
    }

    pub(super) fn take_up(&self, next: &mut Pairing, standing: &Standing) {
        let now = self.now;
        next.state = standing.state.clone();
        match &mut next.state {
            State::Capturing { lease_until, .. }
            | State::Authorizing { lease_until, .. }
            | State::Submitting { lease_until, .. } => {
                *lease_until = now;
            }
            // A person's tries are counted anew.
            State::Captured { preparing, .. } => *preparing = None,
            State::AwaitingCallback { until, .. } => *until = now,
            State::Submitted { check_at, .. } => *check_at = now,
            _ => {}
        }
        let first = standing.first_question.clone();
        next.first_question = first.map(|question| Question::new(question.news, now));
        if let Some(second) = &mut next.second {
            let question = standing.second_question.clone();
            second.question = question.map(|question| Question::new(question.news, now));
        }
    }

    /// A callback may have opened the pairing before our record.
    /// The application's data are still news.
    pub(super) fn session_opened(
        &self,
        client_id: ClientId,
        expected: ExpectedDocument,
        until: Timestamp,
        key: Option<Digest256>,
        steps: Option<Vec<SessionStep>>,
    ) -> Transition {
        let Pairing {
            version,
            expected: known,
            session_key,
            steps: known_steps,
            ..
        } = self.pairing;
        if *version > 0 && *known == expected && *session_key == key && *known_steps == steps {
            return ALREADY_KNOWN;
        }
        let is_other_client = self
            .pairing
            .client_id
            .as_ref()
            .is_some_and(|known| *known != client_id);
        // Work that a callback began for another client than the session's stops.
        let callback = self.pairing.state.plan().map(|plan| plan.callback.clone());
        let begun =
            callback.filter(|_| is_other_client && !is_with_the_provider(&self.pairing.state));
        self.change("SessionOpened", &[], |next| {
            next.client_id = Some(client_id);
            next.expected = expected;
            next.session_key = key;
            next.steps = steps;
            if let Some(callback) = begun {
                next.state = State::Parked {
                    cause: ParkReason::ClientMismatch,
                    resume: Resume::Callback(callback),
                };
            }
            if let State::AwaitingCallback { until: known, .. } = &mut next.state {
                *known = until;
            }
        })
    }

    /// The customer's data go at once.
    /// The verifications' names stay until files and records are gone too.
    pub(super) fn erasure_started(&self, again_at: Timestamp) -> Transition {
        let deleted = match &self.pairing.state {
            State::Erasing { deleted, .. } => deleted.clone(),
            _ => Vec::new(),
        };
        self.change("ErasureStarted", &[], |next| {
            next.client_id = None;
            next.expected = ExpectedDocument::default();
            next.steps = None;
            next.documents = Vec::new();
            next.first_overall = None;
            next.first_tags = Vec::new();
            next.first_question = None;
            next.first_callback = None;
            next.heard = Vec::new();
            next.uploads = Vec::new();
            next.next_upload = None;
            next.comparison = None;
            next.revoked = None;
            if let Some(second) = &mut next.second {
                second.overall = None;
                second.tags = Vec::new();
                second.question = None;
            }
            next.state = State::Erasing { again_at, deleted };
        })
    }

    pub(super) fn erasure_deferred(
        &self,
        deleted: Vec<ScanRef>,
        again_at: Timestamp,
    ) -> Transition {
        match self.pairing.state {
            State::Erasing { .. } => {
                self.to("ErasureDeferred", &[], State::Erasing { again_at, deleted })
            }
            _ => OUT_OF_PLACE,
        }
    }

    /// Something is overdue, and the provider has no result yet.
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
            // Notes that it was looked at.
            State::Captured { .. } | State::Authorized { .. } => {
                self.change("CheckPostponed", &[], |_| ())
            }
            _ => OUT_OF_PLACE,
        }
    }
}
